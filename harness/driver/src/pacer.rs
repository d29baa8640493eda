//! The generator thread: sleeps to absolute times and hands requests over, never waiting for anything else.
//!
//! It never skips a request and never moves the plan: a late one is sent at once and keeps its intended start. Where the thread is kept from running,
//! a [`standin`] on another CPU sends in its place.

mod standin;

use std::sync::atomic::{AtomicUsize, Ordering};

use pool::clock::{Clock, MonotonicClock, Nanos};

use crate::host::thread_run_queue_ns;
use crate::sys;

/// How often wake-ups are sampled before the first request.
const PROBES: usize = 101;
/// Longest sleep of a sample, ns. A CPU that slept longer wakes later, so a sample sleeps as long as the mean gap up to here.
const PROBE_GAP_NS: u64 = 500_000;
/// A longer tail would burn a real-time CPU for little.
const TAIL_MAX_NS: u64 = 100_000;
/// Longest time for which a ring is put off, ns.
const HOLD_MAX_NS: u64 = 15_000;

/// What the thread has to say when it ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Paced {
    /// Whether it ran under SCHED_FIFO.
    pub fifo: bool,
    /// CPU time from the first request on, the stand-in's with it, ns.
    pub cpu_ns: u64,
    /// Wall time from the first request on, ns.
    pub wall_ns: u64,
    /// The spun tail, ns.
    pub tail_ns: u64,
    /// Time in which it could have run and had no CPU, from the first request on, ns.
    pub run_queue_ns: u64,
    /// Requests that the stand-in sent.
    pub stood_in: u64,
}

/// Prepares the calling thread: 1 ns timer slack, SCHED_FIFO where allowed. Returns whether it is FIFO.
fn sharpen() -> bool {
    // A failure costs precision only, and the lag histogram shows it.
    let _ = rustix::thread::set_current_timer_slack(std::num::NonZeroU64::new(1));
    sys::become_fifo()
}

/// Whether this process may use SCHED_FIFO, found by asking for it on a thread of its own.
pub fn fifo_allowed() -> bool {
    std::thread::spawn(sys::become_fifo).join().unwrap_or(false)
}

fn sleep_until(at: Nanos) {
    let request = rustix::time::Timespec { tv_sec: (at / 1_000_000_000) as i64, tv_nsec: (at % 1_000_000_000) as i64 };
    // An interrupted sleep returns early and the caller's loop goes on.
    let _ = rustix::thread::clock_nanosleep_absolute(rustix::thread::ClockId::Monotonic, &request);
}

/// A quantile that follows the host: a sample above it moves it up by a step, one below moves it down by a fraction of one, so that it settles where
/// one sample in so many is above (stochastic approximation: Robbins & Monro 1951).
#[derive(Clone, Copy)]
struct Quantile {
    now_ns: u64,
    most_ns: u64,
    step_ns: u64,
    one_in: u64,
}

impl Quantile {
    fn learn(&mut self, sample_ns: u64) {
        self.now_ns = if sample_ns > self.now_ns {
            (self.now_ns + self.step_ns).min(self.most_ns)
        } else {
            self.now_ns.saturating_sub(self.step_ns / self.one_in)
        };
    }
}

/// The time that is spun before each send, so that the lateness of the wake-up does not reach it: p99 of that lateness, at most half of the mean
/// gap; 0 without SCHED_FIFO, where spinning only burns the thread's slice (load research, 4).
fn tail(fifo: bool, mean_gap_ns: u64) -> Quantile {
    let most_ns = if fifo { (mean_gap_ns / 2).min(TAIL_MAX_NS) } else { 0 };
    let clock = MonotonicClock;
    let sample = || {
        let due = clock.now() + mean_gap_ns.min(PROBE_GAP_NS);
        sleep_until(due);
        clock.now().saturating_sub(due)
    };
    let mut late: Vec<u64> = std::iter::repeat_with(sample).take(if fifo { PROBES } else { 1 }).collect();
    late.sort_unstable();
    Quantile { now_ns: late[late.len() * 98 / 100].min(most_ns), most_ns, step_ns: 4_000, one_in: 100 }
}

/// How long a ring takes, nine times in ten; 0 without SCHED_FIFO, where who puts off a ring may lose the CPU over it.
fn ringing(fifo: bool) -> Quantile {
    Quantile { now_ns: 0, most_ns: if fifo { HOLD_MAX_NS } else { 0 }, step_ns: 1_000, one_in: 10 }
}

/// What is done with a request: `put` it where the runtime will find it, and `ring` for all that was put.
pub(crate) trait Desk: Sync {
    /// Gets the index and the moment of sending. Must not block.
    fn put(&self, index: usize, at: Nanos);
    /// Wakes the runtime: a system call, and dear where it has to wake another CPU.
    fn ring(&self);
}

/// The requests and how far they are sent. Each is claimed once, in order.
struct Plan<'a> {
    offsets: &'a [u64],
    origin: Nanos,
    next: AtomicUsize,
}

impl Plan<'_> {
    /// The next request and its intended start; `None` when all are claimed.
    fn next(&self) -> Option<(usize, Nanos)> {
        let index = self.next.load(Ordering::Acquire);
        Some((index, self.due(index)?))
    }

    fn due(&self, index: usize) -> Option<Nanos> {
        self.offsets.get(index).map(|offset| self.origin + offset)
    }

    /// Whether the caller is the one to send it.
    fn claim(&self, index: usize) -> bool {
        self.next.compare_exchange(index, index + 1, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }
}

/// Runs on the calling thread until all are sent. `origin` is called once, when the thread is ready, and gives the time to which the
/// offsets are relative.
pub(crate) fn pace(offsets: &[u64], origin: impl FnOnce() -> Nanos, desk: &impl Desk) -> Paced {
    let clock = MonotonicClock;
    let fifo = sharpen();
    let span = offsets.last().copied().unwrap_or(0);
    let tail = tail(fifo, span / (offsets.len() as u64).max(1));
    // Only where the thread may go before all others: a stand-in that waits for its turn too is late when it is wanted.
    let apart = if fifo { sys::cpus_apart() } else { None };
    let (cpu, waited, wall) = (sys::thread_cpu_ns(), thread_run_queue_ns(), clock.now());
    let plan = &Plan { offsets, origin: origin(), next: AtomicUsize::new(0) };
    let (tail_ns, stood_in) = std::thread::scope(|scope| {
        // A thread that cannot be had is done without: the lag histogram shows what that costs.
        let standin =
            apart.and_then(|cpus| std::thread::Builder::new().spawn_scoped(scope, move || standin::stand_in(plan, tail, desk, &cpus)).ok());
        let tail_ns = send(plan, tail, ringing(fifo), desk);
        (tail_ns, standin.and_then(|thread| thread.join().ok()).unwrap_or_default())
    });
    let (wall_ns, cpu_ns) = (clock.now() - wall, sys::thread_cpu_ns() - cpu + stood_in.cpu_ns);
    let run_queue_ns = thread_run_queue_ns().saturating_sub(waited);
    Paced { fifo, cpu_ns, wall_ns, tail_ns, run_queue_ns, stood_in: stood_in.sent }
}

/// Sends what is due, each at its time, until nothing is left; the tail as it was learned.
///
/// A request that is due while a ring would still be ringing is put first and one ring serves both: otherwise no two could be sent closer to each
/// other than a ring takes, and arrivals would be no Poisson process. The first of them waits for its ring, at most twice [`HOLD_MAX_NS`].
fn send(plan: &Plan, mut tail: Quantile, mut hold: Quantile, desk: &impl Desk) -> u64 {
    let clock = MonotonicClock;
    let mut first_unrung = None;
    while let Some((index, due)) = plan.next() {
        wait_until(due, &mut tail);
        if !plan.claim(index) {
            // Who sent this one may have rung before the last one was put here.
            if first_unrung.take().is_some() {
                desk.ring();
            }
            continue;
        }
        let at = clock.now();
        desk.put(index, at);
        let next = plan.due(index + 1).unwrap_or(Nanos::MAX);
        let since = *first_unrung.get_or_insert(at);
        let now = clock.now();
        if next > now + hold.now_ns || now > since + HOLD_MAX_NS {
            desk.ring();
            hold.learn(clock.now() - now);
            first_unrung = None;
        }
    }
    if first_unrung.is_some() {
        desk.ring();
    }
    tail.now_ns
}

/// Sleeps and then spins until `due`.
fn wait_until(due: Nanos, tail: &mut Quantile) {
    let clock = MonotonicClock;
    let mut now = clock.now();
    while now + tail.now_ns < due {
        let wake = due - tail.now_ns;
        sleep_until(wake);
        now = clock.now();
        if tail.most_ns > 0 && now >= wake {
            tail.learn(now - wake);
        }
    }
    while now < due {
        std::hint::spin_loop();
        now = clock.now();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn all_are_sent_in_order_and_none_before_its_time() {
        let offsets: Vec<u64> = (0..500).map(|i| i * 100_000).collect();
        let (zero, sent, paced) = paced(&offsets, |_| ());
        assert_eq!(sent.len(), 500);
        assert!(sent.iter().enumerate().all(|(n, (i, at))| n == *i && *at >= zero + offsets[n]));
        assert!(paced.wall_ns >= 499 * 100_000);
        assert!(paced.fifo || paced.tail_ns == 0);
    }

    #[test]
    fn what_the_pacer_cannot_send_the_stand_in_sends() {
        // The pacer hangs for 40 ms in the first of 20 requests, one a millisecond.
        let offsets: Vec<u64> = (0..20).map(|i| i * 1_000_000).collect();
        let (zero, sent, paced) = paced(&offsets, |index| {
            if index == 0 {
                std::thread::sleep(std::time::Duration::from_millis(40));
            }
        });
        assert!(
            sent.iter().enumerate().all(|(n, (index, at))| n == *index && *at >= zero + offsets[n]),
            "each once, in order, none early: {sent:?}"
        );
        let (stands_in, last) = (paced.fifo && sys::cpus_apart().is_some(), sent[19].1 - zero);
        assert_eq!(paced.stood_in > 0, stands_in, "{paced:?}");
        // Without one all wait for the pacer, and are sent late rather than dropped.
        assert!(stands_in || last >= 40_000_000, "{last}");
    }

    #[test]
    fn what_is_due_together_is_rung_for_once_but_never_for_long_and_never_not_at_all() {
        // A thousand within 2 ms, which is far closer than a ring takes, and then one alone.
        let offsets: Vec<u64> = (0..1000).map(|i| i * 2_000).chain([10_000_000]).collect();
        let desk = Noted::default();
        let paced = std::thread::scope(|s| s.spawn(|| pace(&offsets, || MonotonicClock.now(), &desk)).join().unwrap());
        let rings = desk.rings.into_inner().unwrap();
        assert_eq!((desk.sent.into_inner().unwrap().len(), rings.last()), (1001, Some(&1001)), "the last ring is after the last request");
        assert!(!paced.fifo || rings.len() < 1001, "{} rings", rings.len());
        assert!(paced.fifo || rings.len() == 1001, "without real time every request is rung for");
    }

    #[test]
    fn a_quantile_settles_where_it_should() {
        let mut tenth = Quantile { now_ns: 0, most_ns: 100_000, step_ns: 1_000, one_in: 10 };
        // 0..=9999 in an order that mixes them.
        (0..200_000u64).for_each(|i| tenth.learn(i * 7_919 % 10_000));
        assert!((8_000..=10_000).contains(&tenth.now_ns), "{}", tenth.now_ns);
        (0..1_000).for_each(|_| tenth.learn(1_000_000));
        assert_eq!(tenth.now_ns, 100_000);
    }

    #[derive(Default)]
    struct Noted {
        sent: Mutex<Vec<(usize, Nanos)>>,
        /// How many were sent at each ring.
        rings: Mutex<Vec<usize>>,
    }

    impl Desk for Noted {
        fn put(&self, index: usize, at: Nanos) {
            self.sent.lock().unwrap().push((index, at));
        }

        fn ring(&self) {
            let sent = self.sent.lock().unwrap().len();
            self.rings.lock().unwrap().push(sent);
        }
    }

    /// The origin, what was sent, and what the thread said; `then` runs after each.
    fn paced(offsets: &[u64], then: impl Fn(usize) + Sync) -> (Nanos, Vec<(usize, Nanos)>, Paced) {
        struct After<F>(Noted, F);
        impl<F: Fn(usize) + Sync> Desk for After<F> {
            fn put(&self, index: usize, at: Nanos) {
                self.0.put(index, at);
                (self.1)(index);
            }

            fn ring(&self) {}
        }
        let (desk, zero) = (After(Noted::default(), then), MonotonicClock.now() + 50_000_000);
        let paced = std::thread::scope(|s| s.spawn(|| pace(offsets, || zero, &desk)).join().unwrap());
        (zero, desk.0.sent.into_inner().unwrap(), paced)
    }
}
