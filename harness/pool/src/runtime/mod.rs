//! The pool at work: the pure core behind one lock, stepped in place by callers and by worker tasks, its actions done under
//! that lock. There is no actor between caller and worker, so a request makes two task hops and no more.

mod causes;
mod inner;
mod observe;
mod start;
mod timers;
mod upcalls;

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::oneshot;

pub use causes::DeathCause;
pub use inner::backoff_limit;
pub use observe::{Death, DeathCounts, DisturbTarget, Snapshot};
pub use start::StartError;
pub use timers::Timers;

use crate::clock::{Clock, Nanos};
use crate::config::Config;
use crate::core::types::{Action, Event, Outcome, Placement, RequestId, SessionKey, ToolId};
use crate::times::RequestTimes;
use crate::workers::{Disturbance, Handler, ProgressSink, Spawner, Work, WorkerCommand};
use inner::Inner;

/// Sees every event that enters the core, at which time, and the actions that came of it, in order. Called under the
/// pool's lock: keep it short, and do not call the pool from it.
pub type EventLog = Arc<dyn Fn(Nanos, &Event, &[Action]) + Send + Sync>;

/// What a pool needs from its surroundings.
#[derive(Clone)]
pub struct Deps {
    /// Where time comes from; process workers always stamp with `CLOCK_MONOTONIC`.
    pub clock: Arc<dyn Clock>,
    /// Seed of the backoff's jitter and of [`DisturbTarget`]'s choices.
    pub seed: u64,
    /// What `function` workers do.
    pub handler: Arc<dyn Handler>,
    /// What `process` workers run.
    pub worker_command: WorkerCommand,
    /// The thread that forks.
    pub spawner: Spawner,
    /// Sees every step of the core, if given; such a log replays to the identical actions.
    pub log: Option<EventLog>,
}

/// One request.
#[derive(Clone, Debug)]
pub struct Job {
    /// The tool called.
    pub tool: ToolId,
    /// The session it belongs to, if any.
    pub session: Option<SessionKey>,
    /// Absolute deadline on the pool's clock, ns; `None` for the configured default.
    pub deadline: Option<Nanos>,
    /// The synthetic work.
    pub work: Work,
    /// What the tool is given.
    pub payload: Bytes,
    /// The stamps so far.
    pub times: RequestTimes,
    /// Its true service time, ns, where the caller knows it: read with `pool.predict = oracle` only.
    pub cost: Option<Nanos>,
    /// Where the tool's progress goes, if anyone wants it; what does not fit is dropped.
    pub progress: Option<ProgressSink>,
}

/// What became of a request.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The request's id in this pool.
    pub request: RequestId,
    /// Its one fate.
    pub outcome: Outcome,
    /// Where it was served.
    pub placement: Placement,
    /// When it may be worth trying again, ns from now; with `shed` only.
    pub retry_after: Option<Nanos>,
    /// The answer; empty unless the outcome is `ok`.
    pub body: Bytes,
    /// Why it is not `ok`, where more is known than the outcome: the tool's message, or how its worker died.
    pub error: Option<String>,
    /// The stamps, `queue` to `return` added.
    pub times: RequestTimes,
}

/// A running pool. Cheap to clone; when the last clone is gone without [`Pool::drain`], the workers are closed anyway.
#[derive(Clone)]
pub struct Pool {
    inner: Arc<Inner>,
    _last: Arc<CloseOnDrop>,
}

struct CloseOnDrop(Arc<Inner>);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        self.0.event(Event::Drain);
    }
}

/// Cancels the request of a call that was dropped.
struct CancelOnDrop<'a> {
    inner: &'a Arc<Inner>,
    request: Option<RequestId>,
}

impl Drop for CancelOnDrop<'_> {
    fn drop(&mut self) {
        if let Some(request) = self.request {
            self.inner.event(Event::Cancel(request));
        }
    }
}

impl Pool {
    /// Starts a pool on the current tokio runtime (with I/O and time enabled) and waits until every tier's `min-ready`
    /// workers are ready.
    ///
    /// # Errors
    /// The first worker that fails to start, with its status and last words; all others are reaped by then.
    pub async fn start(config: Config, deps: Deps) -> Result<Pool, StartError> {
        start::start(config, deps).await
    }

    fn new(inner: Arc<Inner>) -> Pool {
        Pool { _last: Arc::new(CloseOnDrop(Arc::clone(&inner))), inner }
    }

    /// Serves one request and tells its outcome. Dropping the future cancels the request.
    pub async fn call(&self, job: Job) -> Reply {
        let (sender, receiver) = oneshot::channel();
        let request = self.inner.submit(job, sender);
        let mut guard = CancelOnDrop { inner: &self.inner, request: Some(request) };
        let reply = receiver.await;
        guard.request = None;
        // The sender lives in the pool until the reply is sent, so only a defect of the pool loses it.
        reply.unwrap_or_else(|_| inner::lost(&self.inner, request))
    }

    /// Forgets the session's binding.
    pub fn end_session(&self, session: SessionKey) {
        self.inner.event(Event::EndSession(session));
    }

    /// Replaces every worker by a fresh one, one after the other, while requests go on. Returns whether it did: not if the new ones do not
    /// start (the older ones are then kept) or the pool is drained meanwhile.
    pub async fn reload(&self) -> bool {
        self.inner.reloaded().await
    }

    /// What the pool is doing now.
    pub fn snapshot(&self) -> Snapshot {
        self.inner.snapshot()
    }

    /// The deaths so far, oldest first, bounded to the first [`Death::KEPT`]; [`Snapshot::deaths`] counts all.
    pub fn deaths(&self) -> Vec<Death> {
        self.inner.deaths()
    }

    /// All deaths so far, counted.
    pub fn death_counts(&self) -> DeathCounts {
        self.inner.death_counts()
    }

    /// Spoils a worker on purpose; `None` if no worker fits `target`.
    pub fn disturb(&self, target: DisturbTarget, what: Disturbance) -> Option<crate::core::types::WorkerRef> {
        self.inner.disturb(target, what)
    }

    /// Makes the next worker that is spawned start `ns` later; false if too many such starts wait already.
    pub fn slow_next_start(&self, ns: Nanos) -> bool {
        self.inner.slow_next_start(ns)
    }

    /// Stops admitting, finishes what was admitted, closes and reaps every worker. Returns the deaths as
    /// [`Pool::deaths`] does. May be called twice.
    pub async fn drain(&self) -> Vec<Death> {
        self.inner.event(Event::Drain);
        self.inner.drained().await;
        self.inner.deaths()
    }

    /// User and system time of the process workers already reaped, ns.
    pub fn reaped_cpu_ns(&self) -> u64 {
        self.inner.reaped_cpu_ns()
    }
}

#[cfg(test)]
mod tests;
