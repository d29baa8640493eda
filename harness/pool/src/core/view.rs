//! What the core shows of itself: for monitoring and for checks of conservation.

use super::Core;
use super::types::{Outcome, Partition, RequestId, SlotId};
use crate::clock::Nanos;

/// What fills a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Residency {
    /// Nothing.
    Absent,
    /// A worker that was spawned and is not yet ready.
    Starting,
    /// A worker that takes work.
    Ready,
    /// A worker that was asked to exit.
    Closing,
    /// A worker that gets no work any more and will be closed once its last request is served: an outlier, or one that is being replaced.
    Ejected,
    /// Nothing, until the slot's backoff has passed.
    Backoff,
    /// Nothing, for good: its workers died too often before they were ready.
    Parked,
}

impl Residency {
    /// How many there are.
    pub const COUNT: usize = 7;

    /// Whether a slot in it has a worker.
    pub fn lives(self) -> bool {
        matches!(self, Residency::Starting | Residency::Ready | Residency::Closing | Residency::Ejected)
    }

    /// Its name in metrics and reports.
    pub fn name(self) -> &'static str {
        ["absent", "starting", "ready", "closing", "ejected", "backoff", "parked"][self as usize]
    }
}

/// One slot at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotView {
    /// The slot.
    pub slot: SlotId,
    /// The partition it belongs to.
    pub partition: Partition,
    /// What fills it.
    pub residency: Residency,
    /// Spawns so far.
    pub generation: u32,
    /// The request its worker is on, answered or not.
    pub busy: Option<RequestId>,
    /// Whether that request was answered already, by deadline or cancel.
    pub zombie: bool,
    /// Sessions bound to its worker.
    pub bound: u32,
    /// Requests that wait for this very worker.
    pub waiting: u32,
    /// Whether it is to be replaced by the reload under way.
    pub stale: bool,
    /// Deaths that count for its backoff.
    pub failures: u32,
}

/// One tier at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TierView {
    /// Requests that wait.
    pub queued: u32,
    /// Bytes of their payloads.
    pub queued_bytes: u64,
    /// Workers on a request of it, answered or not.
    pub running: u32,
    /// Moving mean of the time a request holds a worker, ns; 0 until one was served.
    pub hold_ns: Nanos,
}

/// Counts since the core was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Requests submitted: those finished, in flight and queued together.
    pub admitted: u64,
    /// Requests finished, by [`Outcome`] in the order of [`Outcome::ALL`].
    pub finished: [u64; 8],
    /// Requests at a worker whose outcome is open.
    pub in_flight: u32,
    /// Requests that wait, in all tiers.
    pub queued: u32,
    /// Workers spawned.
    pub spawns: u64,
    /// Workers that exited unasked, before or after they were ready.
    pub deaths: u64,
    /// Dispatches that repeat one that a crash undid.
    pub redispatches: u64,
    /// Dispatches to another tier than the predicted one.
    pub fallbacks: u64,
    /// Replies dropped because nobody waits for them any more.
    pub late_replies: u64,
    /// Workers taken out of service because they were sick.
    pub ejections: u64,
    /// Probes sent.
    pub probes: u64,
    /// Probes not answered in time.
    pub probes_failed: u64,
    /// Stateful workers that were asked to forget a session.
    pub resets: u64,
    /// Reloads that have ended.
    pub reloads: u64,
}

impl Totals {
    /// Requests that ended with `outcome`.
    pub fn finished_with(&self, outcome: Outcome) -> u64 {
        self.finished[outcome as usize]
    }
}

/// The core at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// Every slot, by id.
    pub slots: Vec<SlotView>,
    /// Hot, warm and cold.
    pub tiers: [TierView; 3],
    /// Whether no request is admitted any more.
    pub draining: bool,
    /// Whether a reload is under way.
    pub reloading: bool,
    /// Sessions remembered.
    pub sessions: u32,
    /// Counts since the core was made.
    pub totals: Totals,
}

impl Core {
    /// A snapshot, in time proportional to the number of slots.
    pub fn view(&self) -> View {
        let slots = self.slots.iter().enumerate().map(|(s, slot)| SlotView {
            slot: SlotId(s as u16),
            partition: slot.partition,
            residency: slot.residency,
            generation: slot.generation,
            busy: slot.job.map(|job| job.request),
            zombie: slot.job.is_some_and(|job| job.zombie_until.is_some()),
            bound: slot.bound,
            waiting: slot.waiting.len() as u32,
            stale: slot.stale,
            failures: slot.failures,
        });
        let tiers = [0, 1, 2].map(|t| {
            let class = &self.classes[t];
            TierView { queued: class.queued, queued_bytes: class.queued_bytes, running: class.running, hold_ns: class.hold_ns }
        });
        let sessions = self.sessions.len() as u32;
        View { slots: slots.collect(), tiers, draining: self.draining, reloading: self.reload.is_some(), sessions, totals: self.totals }
    }

    /// Whether no request is admitted any more.
    pub fn is_draining(&self) -> bool {
        self.draining
    }

    /// The counts alone, at no cost.
    pub fn totals(&self) -> &Totals {
        &self.totals
    }
}
