//! What the pool tells about itself beyond the core's own view: deaths, live processes, busy time; and spoiling workers.

use std::collections::{BTreeMap, VecDeque};

use rand::RngExt;

use super::causes::DeathCause;
use super::inner::{Inner, Live};
use crate::clock::Nanos;
use crate::core::View;
use crate::core::types::{Partition, RequestId, SlotId, WorkerRef};
use crate::workers::{Cause, Disturbance, Exit};

/// One worker's end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Death {
    /// Whose.
    pub worker: WorkerRef,
    /// Its partition.
    pub partition: Partition,
    /// When it was reaped, on the pool's clock.
    pub at: Nanos,
    /// Its pid, if it was a process that ran.
    pub pid: Option<u32>,
    /// How: `exit 3`, `signal 9 (SIGKILL)`, `eof before exit`, `protocol: …`, `cannot spawn: …`, `panic: …`, `aborted`, `closed`.
    pub status: String,
    /// The request it was on.
    pub busy: Option<RequestId>,
    /// Whether the pool had asked for it.
    pub expected: bool,
    /// The end of its stderr, at most 4 KiB as bytes; empty for in-process workers.
    pub stderr_tail: String,
}

impl Death {
    /// How many deaths a pool keeps; later ones are only counted.
    pub const KEPT: usize = 1024;
}

/// All deaths so far, counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeathCounts {
    /// Unasked.
    pub unexpected: u64,
    /// Of those, while a request was at the worker.
    pub while_busy: u64,
    /// Asked for by the pool.
    pub closed: u64,
    /// The unasked ones by status; one that comes when [`DeathCounts::STATUSES`] are known already is `other`.
    pub by_status: BTreeMap<String, u64>,
}

impl DeathCounts {
    /// How many different statuses are told apart.
    pub const STATUSES: usize = 32;

    fn count(&mut self, status: &str, busy: bool, expected: bool) {
        if expected {
            self.closed += 1;
            return;
        }
        self.unexpected += 1;
        self.while_busy += u64::from(busy);
        let known = self.by_status.len() < DeathCounts::STATUSES || self.by_status.contains_key(status);
        *self.by_status.entry(if known { status } else { "other" }.to_owned()).or_default() += 1;
    }
}

/// A pool at one moment.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// When, on the pool's clock.
    pub at: Nanos,
    /// The core's own view.
    pub core: View,
    /// Workers that have ended so far, expected or not.
    pub deaths: u64,
    /// The same by cause, in the order of [`DeathCause::ALL`].
    pub deaths_by: [u64; DeathCause::ALL.len()],
    /// Pids of the live process workers, in the order of their slots.
    pub live_pids: Vec<u32>,
    /// Time during which slots were busy with a request, ns, by partition.
    pub busy_ns: [u64; 4],
    /// Time during which slots held a worker (spawn to exit), ns, by partition.
    pub existing_ns: [u64; 4],
    /// Requests at a worker whose outcome is open.
    pub in_flight: u32,
    /// Requests that wait.
    pub queued: u32,
}

/// Slow starts that may wait for their spawns.
const SLOW_STARTS_MAX: usize = 1024;

/// Which worker to spoil.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DisturbTarget {
    /// One that is on a request, chosen by the pool's seed.
    AnyBusy,
    /// One that is ready, busy or not, chosen by the pool's seed.
    AnyReady,
    /// The one in this slot, whatever it does.
    Slot(SlotId),
}

/// A sum of times of which some still run: `now * running - (sum of begins)` without a list of them.
#[derive(Clone, Copy, Debug, Default)]
struct Meter {
    done_ns: u64,
    running: u64,
    begins: u128,
}

impl Meter {
    fn begin(&mut self, now: Nanos) {
        self.running += 1;
        self.begins += u128::from(now);
    }

    fn end(&mut self, began: Nanos, now: Nanos) {
        self.running = self.running.saturating_sub(1);
        self.begins = self.begins.saturating_sub(u128::from(began));
        self.done_ns += now.saturating_sub(began);
    }

    fn read(&self, now: Nanos) -> u64 {
        let open = (u128::from(now) * u128::from(self.running)).saturating_sub(self.begins);
        self.done_ns + u64::try_from(open).unwrap_or(u64::MAX)
    }
}

/// Counts and deaths, kept under the pool's lock.
#[derive(Debug, Default)]
pub(super) struct Observed {
    kept: Vec<Death>,
    deaths: u64,
    deaths_by: [u64; DeathCause::ALL.len()],
    counts: DeathCounts,
    cpu_ns: u64,
    start_failure: Option<StartFailure>,
    /// Delays of the next spawns, ns: faults.
    slow_starts: VecDeque<Nanos>,
    busy: [Meter; 4],
    existing: [Meter; 4],
}

/// The latest worker that ended before it was ready.
#[derive(Clone, Debug)]
pub(super) struct StartFailure {
    pub(super) cause: Cause,
    /// Whether the core's start timer ended it.
    pub(super) killed: bool,
    pub(super) stderr_tail: String,
}

impl Observed {
    pub(super) fn spawned(&mut self, partition: Partition, now: Nanos) {
        self.existing[partition as usize].begin(now);
    }

    pub(super) fn busy(&mut self, partition: Partition, now: Nanos) {
        self.busy[partition as usize].begin(now);
    }

    pub(super) fn idle(&mut self, partition: Partition, since: Nanos, now: Nanos) {
        self.busy[partition as usize].end(since, now);
    }

    pub(super) fn exited(&mut self, live: &Live, exit: Exit, now: Nanos) {
        self.existing[live.partition as usize].end(live.spawned_at, now);
        if live.busy.is_some() {
            self.idle(live.partition, live.busy_since, now);
        }
        self.deaths += 1;
        self.deaths_by[DeathCause::of(live, &exit.cause) as usize] += 1;
        self.counts.count(&exit.cause.to_string(), live.busy.is_some(), live.ending);
        self.cpu_ns += exit.cpu_ns;
        if !live.ready && (live.killed || !live.ending) {
            let stderr_tail = exit.stderr_tail.clone();
            self.start_failure = Some(StartFailure { cause: exit.cause.clone(), killed: live.killed, stderr_tail });
        }
        if self.kept.len() < Death::KEPT {
            self.kept.push(Death {
                worker: live.worker,
                partition: live.partition,
                at: now,
                pid: exit.pid,
                status: exit.cause.to_string(),
                busy: live.busy,
                expected: live.ending,
                stderr_tail: exit.stderr_tail,
            });
        }
    }

    /// The delay that a fault adds to the start of the worker spawned now, ns.
    pub(super) fn take_slow_start(&mut self) -> Nanos {
        self.slow_starts.pop_front().unwrap_or(0)
    }

    pub(super) fn start_failure(&self) -> Option<&StartFailure> {
        self.start_failure.as_ref()
    }

    pub(super) fn last_start_failure(&self) -> Option<String> {
        let failure = self.start_failure.as_ref()?;
        Some(format!("no worker starts; the last one ended: {}", failure.cause))
    }
}

impl Inner {
    pub(super) fn snapshot(&self) -> Snapshot {
        let state = self.lock();
        let (at, core) = (self.now(), state.core.view());
        let observed = &state.observed;
        Snapshot {
            at,
            deaths: observed.deaths,
            deaths_by: observed.deaths_by,
            live_pids: state.slots.iter().flatten().filter_map(|live| live.handle.pid()).collect(),
            busy_ns: observed.busy.map(|meter| meter.read(at)),
            existing_ns: observed.existing.map(|meter| meter.read(at)),
            in_flight: core.totals.in_flight,
            queued: core.totals.queued,
            core,
        }
    }

    pub(super) fn deaths(&self) -> Vec<Death> {
        self.lock().observed.kept.clone()
    }

    pub(super) fn death_counts(&self) -> DeathCounts {
        self.lock().observed.counts.clone()
    }

    pub(super) fn reaped_cpu_ns(&self) -> u64 {
        self.lock().observed.cpu_ns
    }

    pub(super) fn slow_next_start(&self, ns: Nanos) -> bool {
        let slow = &mut self.lock().observed.slow_starts;
        let room = slow.len() < SLOW_STARTS_MAX;
        if room {
            slow.push_back(ns);
        }
        room
    }

    pub(super) fn disturb(&self, target: DisturbTarget, what: Disturbance) -> Option<WorkerRef> {
        let mut state = self.lock();
        let fits = |live: &Live| match target {
            DisturbTarget::AnyBusy => live.ready && live.busy.is_some() && !live.ending,
            DisturbTarget::AnyReady => live.ready && !live.ending,
            DisturbTarget::Slot(slot) => live.worker.slot == slot,
        };
        let count = state.slots.iter().flatten().filter(|live| fits(live)).count();
        if count == 0 {
            return None;
        }
        let chosen = state.random.random_range(0..count);
        let live = state.slots.iter().flatten().filter(|live| fits(live)).nth(chosen)?;
        live.handle.disturb(what);
        Some(live.worker)
    }
}

#[cfg(test)]
mod tests {
    use super::Meter;

    #[test]
    fn a_meter_counts_what_ended_and_what_still_runs() {
        let mut meter = Meter::default();
        meter.begin(100);
        meter.begin(150);
        assert_eq!(meter.read(200), 100 + 50);
        meter.end(100, 210);
        assert_eq!(meter.read(210), 110 + 60);
        meter.end(150, 210);
        assert_eq!(meter.read(1_000_000), 110 + 60);
    }
}
