//! Sends in the pacer's place while that is kept from running.
//!
//! A virtual CPU may lose its real one for milliseconds, and the guest can do nothing about it (seen: a real-time thread that only reads the clock,
//! its memory locked, has holes of 0.3-7 ms, and the same thread on the other CPU has its own at other times). All that was due meanwhile would then
//! be sent at once, and arrivals would be bunches, not the process asked for.

use pool::clock::{Clock, MonotonicClock};
use rustix::thread::{CpuSet, sched_setaffinity};

use super::{Desk, Plan, Quantile, sleep_until, wait_until};
use crate::sys;

/// How late a request must be before it is sent from here, ns: above the p99 of the pacer's own lateness (10-20 us), and half of the mean gap at 10,000/s.
const GRACE_NS: u64 = 50_000;

/// What the stand-in has to say when it ends.
#[derive(Clone, Copy, Default)]
pub(super) struct StoodIn {
    /// Requests that it sent.
    pub sent: u64,
    /// Its CPU time, ns.
    pub cpu_ns: u64,
}

/// Runs on the calling thread, which it binds to `cpus`, until all are sent. It wakes [`GRACE_NS`] after the next request is due and sends it if that was
/// not done; from then on each at its time, until the pacer is back and the first to claim one.
pub(super) fn stand_in(plan: &Plan, mut tail: Quantile, desk: &impl Desk, cpus: &CpuSet) -> StoodIn {
    // On the pacer's CPU it could not help, and the grace keeps it from doing harm.
    let _ = sched_setaffinity(None, cpus);
    let (mut sent, mut grace_ns) = (0, GRACE_NS);
    while let Some((index, due)) = plan.next() {
        if grace_ns == 0 {
            wait_until(due, &mut tail);
        } else if MonotonicClock.now() < due + grace_ns {
            sleep_until(due + grace_ns);
            continue;
        }
        if plan.claim(index) {
            desk.put(index, MonotonicClock.now());
            desk.ring();
            (sent, grace_ns) = (sent + 1, 0);
        } else {
            grace_ns = GRACE_NS;
        }
    }
    StoodIn { sent, cpu_ns: sys::thread_cpu_ns() }
}
