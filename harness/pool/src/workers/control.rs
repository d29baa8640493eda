//! What the pool asks of a worker's task besides work: flags that cannot be lost, overflow or block.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::sync::Notify;

use super::Disturbance;
use crate::clock::Nanos;

/// Shared by a worker's handle (which sets) and its one task (which waits and reads).
#[derive(Debug, Default)]
pub(super) struct Control {
    close: AtomicBool,
    kill: AtomicBool,
    stall_ns: AtomicU64,
    changed: Notify,
}

impl Control {
    pub(super) fn close(&self) {
        self.close.store(true, Ordering::Release);
        self.changed.notify_one();
    }

    pub(super) fn kill(&self) {
        self.kill.store(true, Ordering::Release);
        self.changed.notify_one();
    }

    pub(super) fn disturb(&self, what: Disturbance) {
        match what {
            Disturbance::Kill => self.kill(),
            Disturbance::Stall(ns) => {
                self.stall_ns.fetch_add(ns, Ordering::AcqRel);
                self.changed.notify_one();
            }
        }
    }

    pub(super) fn closing(&self) -> bool {
        self.close.load(Ordering::Acquire)
    }

    pub(super) fn killed(&self) -> bool {
        self.kill.load(Ordering::Acquire)
    }

    /// The stall asked for since the last call, ns.
    pub(super) fn take_stall(&self) -> Nanos {
        self.stall_ns.swap(0, Ordering::AcqRel)
    }

    /// Resolves when something was set since the last time it resolved; cancel-safe, for one waiter.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }
}
