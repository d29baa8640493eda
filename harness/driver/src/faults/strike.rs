//! Faults that the pool makes, while the load runs.

use std::sync::Arc;
use std::time::Duration;

use pool::Pool;
use pool::clock::{Clock, MonotonicClock, Nanos};

use super::{Fault, What, When};
use crate::rows::Sink;
use crate::target::Target;

/// Has a fault of the pool strike at its times.
pub(crate) async fn strike(target: Arc<dyn Target>, sink: Arc<Sink>, fault: Fault, begin: Nanos) {
    let When::Times(times) = &fault.when else { return };
    let Some(pool) = target.pool() else { return };
    for at in times {
        let wait = (begin + at).saturating_sub(MonotonicClock.now());
        tokio::time::sleep(Duration::from_nanos(wait)).await;
        if strike_once(pool, &fault).await {
            sink.struck(fault.kind);
        }
    }
}

async fn strike_once(pool: &Pool, fault: &Fault) -> bool {
    match fault.what {
        What::Disturb(target, what) => {
            // A busy worker may be missing for a moment: look again for a little while.
            for _ in 0..50 {
                if pool.disturb(target, what).is_some() {
                    return true;
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            false
        }
        What::SlowStart(ns) => pool.slow_next_start(ns),
        What::Reload => pool.reload().await,
        What::Drain => {
            // It ends when the last request has; the trial does not wait for it here.
            let pool = pool.clone();
            tokio::spawn(async move { pool.drain().await });
            true
        }
        What::Request(_) => false,
    }
}
