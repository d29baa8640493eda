//! The generator thread: sleeps to absolute times and hands requests over, never waiting for anything else.
//!
//! It never skips a request and never moves the plan: a late one is sent at once and keeps its intended start.

use pool::clock::{Clock, MonotonicClock, Nanos};

use crate::host::thread_run_queue_ns;
use crate::sys;

/// How often the wake-up lateness is sampled to size the spun tail.
const PROBES: usize = 101;
/// Gap between those samples, ns.
const PROBE_GAP_NS: u64 = 150_000;
/// A longer tail would burn a real-time CPU for little.
const TAIL_MAX_NS: u64 = 100_000;

/// What the thread has to say when it ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Paced {
    /// Whether it ran under SCHED_FIFO.
    pub fifo: bool,
    /// CPU time from the first request on, ns.
    pub cpu_ns: u64,
    /// Wall time from the first request on, ns.
    pub wall_ns: u64,
    /// The spun tail, ns.
    pub tail_ns: u64,
    /// Time in which it could have run and had no CPU, from the first request on, ns.
    pub run_queue_ns: u64,
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

/// The smaller of the measured p90 wake-up lateness and a quarter of the mean gap; 0 without FIFO, where spinning only
/// burns the thread's slice (load research, 4).
fn tail(fifo: bool, mean_gap_ns: u64) -> u64 {
    if !fifo {
        return 0;
    }
    let clock = MonotonicClock;
    let mut late: Vec<u64> = (0..PROBES)
        .map(|_| {
            let due = clock.now() + PROBE_GAP_NS;
            sleep_until(due);
            clock.now().saturating_sub(due)
        })
        .collect();
    late.sort_unstable();
    late[PROBES * 9 / 10].min(mean_gap_ns / 4).min(TAIL_MAX_NS)
}

/// Runs on the calling thread until all are sent. `origin` is called once, when the thread is ready, and gives the time to which the
/// offsets are relative; `send` gets the index and the moment of sending and must not block.
pub(crate) fn pace(offsets: &[u64], origin: impl FnOnce() -> Nanos, mut send: impl FnMut(usize, Nanos)) -> Paced {
    let clock = MonotonicClock;
    let fifo = sharpen();
    let span = offsets.last().copied().unwrap_or(0);
    let tail_ns = tail(fifo, span / (offsets.len() as u64).max(1));
    let (cpu, waited, wall) = (sys::thread_cpu_ns(), thread_run_queue_ns(), clock.now());
    let origin = origin();
    for (index, offset) in offsets.iter().enumerate() {
        let due = origin + offset;
        let mut now = clock.now();
        while now + tail_ns < due {
            sleep_until(due - tail_ns);
            now = clock.now();
        }
        while now < due {
            std::hint::spin_loop();
            now = clock.now();
        }
        send(index, now);
    }
    let (wall_ns, cpu_ns) = (clock.now() - wall, sys::thread_cpu_ns() - cpu);
    Paced { fifo, cpu_ns, wall_ns, tail_ns, run_queue_ns: thread_run_queue_ns().saturating_sub(waited) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_sent_in_order_and_none_before_its_time() {
        let offsets: Vec<u64> = (0..500).map(|i| i * 100_000).collect();
        let mut sent = Vec::new();
        let mut zero = 0;
        let paced = std::thread::scope(|s| {
            s.spawn(|| {
                pace(
                    &offsets,
                    || {
                        zero = MonotonicClock.now();
                        zero
                    },
                    |i, at| sent.push((i, at)),
                )
            })
            .join()
            .unwrap()
        });
        assert_eq!(sent.len(), 500);
        assert!(sent.iter().enumerate().all(|(n, (i, at))| n == *i && *at >= zero + offsets[n]));
        assert!(paced.wall_ns >= 499 * 100_000);
        assert!(paced.fifo || paced.tail_ns == 0);
    }

    #[test]
    fn a_late_request_keeps_its_plan() {
        let offsets = [0, 1_000_000, 2_000_000];
        let mut sent = Vec::new();
        let begin = MonotonicClock.now();
        std::thread::scope(|s| {
            s.spawn(|| {
                pace(
                    &offsets,
                    || begin,
                    |i, at| {
                        if i == 0 {
                            std::thread::sleep(std::time::Duration::from_millis(5));
                        }
                        sent.push(at);
                    },
                )
            });
        });
        assert!(sent[1] >= begin + 5_000_000 && sent[2] - sent[1] < 1_000_000_000);
    }
}
