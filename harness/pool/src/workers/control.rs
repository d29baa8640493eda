//! What the pool asks of a worker's task besides work: flags that cannot be lost, overflow or block.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

use super::{Disturbance, Launch};
use crate::clock::Nanos;
use crate::core::types::RequestId;

/// A stall that nobody sees the end of, ns: a hundred years, so that it can be added to a time.
pub(super) const FOREVER: Nanos = 100 * 365 * 86_400 * 1_000_000_000;

/// Shared by a worker's handle (which sets) and its one task (which waits and reads).
#[derive(Debug, Default)]
pub(super) struct Control {
    close: AtomicBool,
    kill: AtomicBool,
    stall_ns: AtomicU64,
    /// The request that nobody waits for any more; 0 for none. At most one is at a worker without its answer.
    cancelled: AtomicU64,
    probe: AtomicBool,
    reset: AtomicBool,
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
            Disturbance::Stall(ns) => self.stall(ns),
            Disturbance::Stop => self.stall(FOREVER),
        }
    }

    pub(super) fn stall(&self, ns: Nanos) {
        let _ = self.stall_ns.fetch_update(Ordering::AcqRel, Ordering::Acquire, |so_far| Some(so_far.saturating_add(ns).min(FOREVER)));
        self.changed.notify_one();
    }

    pub(super) fn cancel(&self, request: RequestId) {
        self.cancelled.store(request.0, Ordering::Release);
        self.changed.notify_one();
    }

    pub(super) fn cancelled(&self, request: RequestId) -> bool {
        self.cancelled.load(Ordering::Acquire) == request.0
    }

    pub(super) fn probe(&self) {
        self.probe.store(true, Ordering::Release);
        self.changed.notify_one();
    }

    /// Whether a probe was asked for since the last call.
    pub(super) fn take_probe(&self) -> bool {
        self.probe.swap(false, Ordering::AcqRel)
    }

    pub(super) fn reset(&self) {
        self.reset.store(true, Ordering::Release);
        self.changed.notify_one();
    }

    /// Whether a reset was asked for since the last call.
    pub(super) fn take_reset(&self) -> bool {
        self.reset.swap(false, Ordering::AcqRel)
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

/// Passes the delay before a start; false if the worker was closed or killed meanwhile.
pub(super) async fn delayed(launch: &Launch, control: &Control) -> bool {
    if launch.delay_ns == 0 {
        return true;
    }
    let mut slept = std::pin::pin!(tokio::time::sleep(Duration::from_nanos(launch.delay_ns)));
    loop {
        tokio::select! {
            () = &mut slept => return true,
            () = control.changed() => if control.killed() || control.closing() { return false },
        }
    }
}
