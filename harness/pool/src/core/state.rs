//! What the core remembers: slots, partitions, classes and live requests.

use std::collections::BTreeSet;

use super::links::Links;
use super::spares::Shortfall;
use super::types::{Partition, Placement, RequestId, Tier, ToolId, WorkerRef};
use super::view::Residency;
use crate::clock::Nanos;

/// Requests in order of admission: a re-dispatched one is thus again at the head.
pub(super) type Queue = BTreeSet<(u64, RequestId)>;

/// Where a live request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum At {
    /// Nowhere: between two places within one step.
    Nowhere,
    /// In the tier's queue, for any worker of its partition.
    Shared(Tier),
    /// In the queue of one slot's worker.
    Waiting(usize),
    /// At the slot's worker.
    Running(usize),
}

/// A request without its terminal outcome.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) tool: ToolId,
    pub(super) bytes: u32,
    /// Index into the sessions.
    pub(super) session: Option<u32>,
    pub(super) deadline: Option<Nanos>,
    /// Order of admission.
    pub(super) seq: u64,
    /// When it was admitted.
    pub(super) since: Nanos,
    pub(super) at: At,
    /// The tier whose bound it counts against while it is queued, and whose class it is served under with shared dispatch.
    pub(super) counted: Tier,
    /// Fully written to its present worker.
    pub(super) written: bool,
    /// Fully written to an earlier worker.
    pub(super) written_before: bool,
    /// Tiers that have served it, as bits; only looked at after an error.
    pub(super) tried: u8,
    pub(super) placement: Placement,
}

/// What a busy worker is on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Job {
    pub(super) request: RequestId,
    pub(super) tool: ToolId,
    pub(super) bytes: u32,
    /// The class that it counts against.
    pub(super) class: Tier,
    pub(super) since: Nanos,
    /// Set when the request was answered without the worker: when to kill the worker.
    pub(super) zombie_until: Option<Nanos>,
}

/// How a worker is doing: evidence for its ejection.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Vitals {
    /// When the worker last said anything.
    pub(super) heard: Nanos,
    /// When an unanswered probe was sent.
    pub(super) probed: Option<Nanos>,
    /// Failures in a row.
    pub(super) misses: u32,
    /// Peak-sensitive moving mean of the time requests took by the time expected; 0 while nothing is known.
    pub(super) slowness: f64,
    /// Since when it is an outlier.
    pub(super) slow_since: Option<Nanos>,
}

/// A place for one worker.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    pub(super) partition: Partition,
    pub(super) residency: Residency,
    pub(super) generation: u32,
    /// SIGKILL was asked for.
    pub(super) killed: bool,
    pub(super) job: Option<Job>,
    pub(super) waiting: Queue,
    pub(super) bound: u32,
    /// A stateful worker that has served a session since its start or reset.
    pub(super) dirty: bool,
    /// A stateful worker that was asked to forget: when it is given up.
    pub(super) resetting: Option<Nanos>,
    /// Older than the reload under way.
    pub(super) stale: bool,
    /// Deaths since the slot was last found healthy.
    pub(super) failures: u32,
    /// Deaths before ready, in a row.
    pub(super) start_failures: u32,
    /// Begin of the present residency.
    pub(super) since: Nanos,
    /// In its partition's list of idle workers.
    pub(super) idle: bool,
    pub(super) idle_since: Nanos,
    /// An idle timer is under way.
    pub(super) idle_armed: bool,
    pub(super) vitals: Vitals,
}

impl Slot {
    pub(super) fn new(partition: Partition) -> Slot {
        Slot {
            partition,
            residency: Residency::Absent,
            generation: 0,
            killed: false,
            job: None,
            waiting: Queue::new(),
            bound: 0,
            dirty: false,
            resetting: None,
            stale: false,
            failures: 0,
            start_failures: 0,
            since: 0,
            idle: false,
            idle_since: 0,
            idle_armed: false,
            vitals: Vitals::default(),
        }
    }

    /// Whether `worker` is the slot's present worker and its process lives.
    pub(super) fn holds(&self, worker: WorkerRef) -> bool {
        self.residency.lives() && self.generation == worker.generation
    }
}

/// The workers of one partition.
#[derive(Clone, Debug)]
pub(super) struct Crew {
    /// Its slots.
    pub(super) slots: std::ops::Range<usize>,
    /// Idle workers, most recently used first.
    pub(super) idle: Links,
    /// How many they are.
    pub(super) listed: u32,
    /// Slots without a worker that may at once get one.
    pub(super) absent: BTreeSet<usize>,
    /// Slots by residency.
    pub(super) count: [u32; Residency::COUNT],
    /// Ready workers with a job.
    pub(super) busy: u32,
    /// Moving mean of the time from spawn to ready.
    pub(super) start_ns: Nanos,
    /// Arrivals that found no idle worker.
    pub(super) shortfall: Shortfall,
}

impl Crew {
    pub(super) fn new(slots: std::ops::Range<usize>) -> Crew {
        let mut count = [0; Residency::COUNT];
        count[Residency::Absent as usize] = slots.len() as u32;
        let idle = Links::new(slots.end);
        let absent = slots.clone().collect();
        Crew { slots, idle, listed: 0, absent, count, busy: 0, start_ns: 0, shortfall: Shortfall::default() }
    }

    pub(super) fn of(&self, residency: Residency) -> u32 {
        self.count[residency as usize]
    }

    /// Ready workers that cannot take just any request now: with a job, of a session, or about to forget one.
    pub(super) fn taken(&self) -> u32 {
        self.of(Residency::Ready) - self.listed
    }

    /// Workers that serve or soon will.
    pub(super) fn up(&self) -> u32 {
        self.of(Residency::Ready) + self.of(Residency::Starting)
    }

    /// Whether some slot has, or may at once get, a worker.
    pub(super) fn can_take(&self) -> bool {
        (self.slots.len() as u32) > self.of(Residency::Backoff) + self.of(Residency::Parked)
    }

    /// Whether some slot may ever have a worker again.
    pub(super) fn can_ever(&self) -> bool {
        (self.slots.len() as u32) > self.of(Residency::Parked)
    }
}

/// The requests of one tier: its queue, and with shared dispatch its share of the workers.
#[derive(Clone, Debug, Default)]
pub(super) struct Class {
    /// Requests for any worker of the partition.
    pub(super) shared: Queue,
    /// Requests that wait for one worker but may go to any.
    pub(super) soft: Queue,
    /// All requests that count against its bound.
    pub(super) queued: u32,
    pub(super) queued_bytes: u64,
    /// Workers on a request of it, answered or not.
    pub(super) running: u32,
    /// Moving mean of the time a request holds a worker.
    pub(super) hold_ns: Nanos,
}

impl Class {
    /// Counts a hold into the mean with weight 1/8.
    pub(super) fn learn_hold(&mut self, ns: Nanos) {
        self.hold_ns = moving_mean(self.hold_ns, ns);
    }
}

/// A moving mean with weight 1/8; the first value counts in full.
pub(super) fn moving_mean(mean: Nanos, ns: Nanos) -> Nanos {
    if mean == 0 { ns } else { mean - mean / 8 + ns / 8 }
}
