//! What the core remembers: slots, tiers and live requests.

use std::collections::BTreeSet;

use super::links::Links;
use super::types::{Placement, RequestId, Tier, ToolId, WorkerRef};
use super::view::Residency;
use crate::clock::Nanos;

/// Requests in order of admission: a re-dispatched one is thus again at the head.
pub(super) type Queue = BTreeSet<(u64, RequestId)>;

/// Where a live request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum At {
    /// Nowhere: between two places within one step.
    Nowhere,
    /// In the tier's queue, for any of its workers.
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
    pub(super) at: At,
    /// The tier whose bound it counts against while it is queued.
    pub(super) counted: Tier,
    /// Fully written to its present worker.
    pub(super) written: bool,
    /// Fully written to an earlier worker, now dead.
    pub(super) written_before: bool,
    pub(super) placement: Placement,
}

/// What a busy worker is on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Job {
    pub(super) request: RequestId,
    pub(super) since: Nanos,
    /// Set when the request was answered without the worker: when to kill the worker.
    pub(super) zombie_until: Option<Nanos>,
}

/// A place for one worker.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    pub(super) tier: Tier,
    pub(super) residency: Residency,
    pub(super) generation: u32,
    /// SIGKILL was asked for.
    pub(super) killed: bool,
    pub(super) job: Option<Job>,
    pub(super) waiting: Queue,
    pub(super) bound: u32,
    /// Deaths since the slot was last found healthy.
    pub(super) failures: u32,
    /// Deaths before ready, in a row.
    pub(super) start_failures: u32,
    /// Begin of the present residency.
    pub(super) since: Nanos,
    pub(super) idle: bool,
    pub(super) idle_since: Nanos,
    /// An idle timer is under way.
    pub(super) idle_armed: bool,
}

impl Slot {
    pub(super) fn new(tier: Tier) -> Slot {
        Slot {
            tier,
            residency: Residency::Absent,
            generation: 0,
            killed: false,
            job: None,
            waiting: Queue::new(),
            bound: 0,
            failures: 0,
            start_failures: 0,
            since: 0,
            idle: false,
            idle_since: 0,
            idle_armed: false,
        }
    }

    /// Whether `worker` is the slot's present worker and its process lives.
    pub(super) fn holds(&self, worker: WorkerRef) -> bool {
        let lives = matches!(self.residency, Residency::Starting | Residency::Ready | Residency::Closing);
        lives && self.generation == worker.generation
    }
}

/// One tier.
#[derive(Clone, Debug)]
pub(super) struct TierState {
    /// Its slots.
    pub(super) slots: std::ops::Range<usize>,
    /// Idle workers, most recently used first.
    pub(super) idle: Links,
    /// Requests for any of its workers.
    pub(super) shared: Queue,
    /// Requests that wait for one of its workers but may go to any.
    pub(super) soft_waiting: u32,
    /// All requests that count against its bound.
    pub(super) queued: u32,
    pub(super) queued_bytes: u64,
    /// Slots by residency.
    pub(super) count: [u32; 6],
    /// Ready workers with a job.
    pub(super) busy: u32,
    /// Moving mean of the time a request holds a worker.
    pub(super) hold_ns: Nanos,
}

impl TierState {
    pub(super) fn new(slots: std::ops::Range<usize>) -> TierState {
        let mut count = [0; 6];
        count[Residency::Absent as usize] = slots.len() as u32;
        let idle = Links::new(slots.end);
        TierState { slots, idle, shared: Queue::new(), soft_waiting: 0, queued: 0, queued_bytes: 0, count, busy: 0, hold_ns: 0 }
    }

    pub(super) fn of(&self, residency: Residency) -> u32 {
        self.count[residency as usize]
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

    /// Requests that any worker of the tier may take.
    pub(super) fn demand(&self) -> u32 {
        self.shared.len() as u32 + self.soft_waiting
    }

    /// Counts a hold into the mean with weight 1/8.
    pub(super) fn learn_hold(&mut self, ns: Nanos) {
        self.hold_ns = if self.hold_ns == 0 { ns } else { self.hold_ns - self.hold_ns / 8 + ns / 8 };
    }
}
