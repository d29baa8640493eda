//! The pool without coordinator, store or codec.

use std::sync::Arc;

use coordinator::monitor::{Counters, Monitor};
use coordinator::{Request, Response, session_key};
use pool::clock::Clock;
use pool::core::Outcome;
use pool::times::Phase;
use pool::{Job, Pool};

use super::floor::is_echo;
use super::{Boxed, Opening, Target, blank};

struct PoolTarget {
    pool: Pool,
    clock: Arc<dyn Clock>,
    monitor: Option<Arc<Monitor>>,
}

pub(super) async fn open(opening: Opening) -> Result<Box<dyn Target>, String> {
    let clock = Arc::clone(&opening.deps.clock);
    let config = opening.config;
    let pool = Pool::start(config.pool.clone(), opening.deps).await.map_err(|e| e.to_string())?;
    // The pool alone counts nothing, so that nothing of the monitor is in its figures unless it was asked for.
    let monitor = opening.monitored.then(|| {
        let counters = Arc::new(Counters::new(&config.pool));
        Monitor::new(pool.clone(), &config.pool, Arc::clone(&clock), counters, config.monitor)
    });
    Ok(Box::new(PoolTarget { pool, clock, monitor }))
}

impl Target for PoolTarget {
    fn call(&self, mut call: Request) -> Boxed<Response> {
        let (pool, clock, monitor) = (self.pool.clone(), Arc::clone(&self.clock), self.monitor.clone());
        Box::pin(async move {
            let entered = monitor.as_ref().map(|monitor| monitor.counters().enter());
            call.times.end(Phase::Admit, clock.now());
            let session = call.session.as_ref().map(session_key);
            let job = Job {
                tool: call.tool,
                session,
                deadline: call.deadline,
                work: call.work,
                payload: call.payload,
                times: call.times,
                cost: call.cost,
                progress: call.progress,
            };
            let reply = pool.call(job).await;
            let mut response = blank(reply.times);
            // From the moment the reply was read: the wake-up of this task is part of handing it over.
            response.times.begin(Phase::Reply, reply.times.span(Phase::Return).map_or_else(|| clock.now(), |(_, end)| end));
            response.outcome = reply.outcome;
            response.request = Some(reply.request);
            response.placement = Some(reply.placement);
            response.retry_after = reply.retry_after;
            response.error = reply.error;
            if reply.outcome == Outcome::Ok {
                response.digest = reply.body.split_first_chunk::<8>().map(|(digest, _)| u64::from_le_bytes(*digest));
                response.encoded_bytes = reply.body.len();
                response.body = reply.body;
            }
            if let Some(entered) = entered {
                entered.leave(&response);
            }
            response
        })
    }

    fn is_right(&self, payload: &[u8], plain: &[u8]) -> bool {
        is_echo(payload, plain)
    }

    fn pool(&self) -> Option<&Pool> {
        Some(&self.pool)
    }

    fn monitor(&self) -> Option<Arc<Monitor>> {
        self.monitor.clone()
    }

    fn close(&self) -> Boxed<Result<(), String>> {
        let pool = self.pool.clone();
        Box::pin(async move {
            pool.drain().await;
            Ok(())
        })
    }
}
