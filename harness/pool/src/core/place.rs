//! Where a request goes: its session's worker, a free worker, a queue, another tier, or nowhere. Decides, changes nothing.

use super::Core;
use super::state::Request;
use super::types::{Tier, WorkerRef};
use super::view::Residency;
use crate::clock::Nanos;
use crate::config::AffinityMode;

/// A decision of [`Core::find_place`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// To this idle worker.
    Dispatch(usize),
    /// Into the queue of this slot's worker.
    Wait(usize),
    /// Into the tier's queue.
    Queue(Tier),
    /// Every queue that could take it is full, or its deadline could not be met there; worth trying again after that time.
    Refuse(Nanos),
    /// No worker will ever serve it.
    Never,
    /// Its worker is dead and its session's state with it.
    Lost,
}

/// Shortest advice to a shed caller: keeps it from coming back at once while nothing is known of the tier.
const RETRY_MIN_NS: Nanos = 1_000_000;

/// The predicted tier, then the others, lightest first.
fn order(predicted: Tier) -> impl Iterator<Item = Tier> {
    std::iter::once(predicted).chain(Tier::ALL.into_iter().filter(move |t| *t != predicted))
}

impl Core {
    /// Finds the place of a request that is in no queue. One that comes back after a crash is not refused for its deadline: it was admitted.
    pub(super) fn find_place(&self, request: &Request, again: bool) -> Place {
        match self.strict_worker(request) {
            Some(worker) if self.lives(worker) => return self.place_at(worker.slot.0.into(), request, again),
            Some(_) if self.config.stateful => return Place::Lost,
            _ => {}
        }
        let predicted = request.placement.predicted;
        let place = order(predicted).find_map(|tier| self.place_in(tier, request, again));
        place.or_else(|| self.place_for_later(predicted, request.bytes)).unwrap_or_else(|| {
            if self.tiers.iter().any(|t| t.can_ever()) { Place::Refuse(self.retry_after(predicted)) } else { Place::Never }
        })
    }

    fn place_in(&self, tier: Tier, request: &Request, again: bool) -> Option<Place> {
        let state = &self.tiers[tier as usize];
        if !state.can_take() {
            return None;
        }
        let preferred = self.soft_worker(request, tier);
        if let Some(s) = preferred.filter(|s| self.slots[*s].idle) {
            return Some(Place::Dispatch(s));
        }
        if let Some(free) = state.idle.front() {
            return Some(Place::Dispatch(free as usize));
        }
        if !self.has_room(tier, request.bytes) {
            return None;
        }
        if !again && self.too_late(request, self.wait_estimate(tier)) {
            return Some(Place::Refuse(self.retry_after(tier)));
        }
        Some(preferred.filter(|s| self.within_bound(*s)).map_or(Place::Queue(tier), Place::Wait))
    }

    /// A queue whose tier has no worker now, but will try again to start one.
    fn place_for_later(&self, predicted: Tier, bytes: u32) -> Option<Place> {
        let waits = |t: &Tier| !self.tiers[*t as usize].can_take() && self.tiers[*t as usize].can_ever();
        order(predicted).find(|t| waits(t) && self.has_room(*t, bytes)).map(Place::Queue)
    }

    /// A strict session's place at its living worker.
    fn place_at(&self, s: usize, request: &Request, again: bool) -> Place {
        let slot = &self.slots[s];
        if slot.idle {
            return Place::Dispatch(s);
        }
        let wait = self.tiers[slot.tier as usize].hold_ns.saturating_mul(slot.waiting.len() as u64 + 1);
        if !self.has_room(slot.tier, request.bytes) || (!again && self.too_late(request, wait)) {
            return Place::Refuse(wait.max(RETRY_MIN_NS));
        }
        Place::Wait(s)
    }

    fn strict_worker(&self, request: &Request) -> Option<WorkerRef> {
        if self.config.affinity != AffinityMode::Strict {
            return None;
        }
        request.session.and_then(|i| self.sessions.get(i).bound[0])
    }

    fn soft_worker(&self, request: &Request, tier: Tier) -> Option<usize> {
        if self.config.affinity != AffinityMode::Soft {
            return None;
        }
        let worker = self.sessions.get(request.session?).bound[tier as usize]?;
        let s = usize::from(worker.slot.0);
        (self.slots[s].holds(worker) && self.slots[s].residency == Residency::Ready).then_some(s)
    }

    /// Whether the busy slot's load is at most 1.25 times the mean load of its tier's workers.
    fn within_bound(&self, s: usize) -> bool {
        let tier = &self.tiers[self.slots[s].tier as usize];
        let load = 1 + self.slots[s].waiting.len() as u64;
        let all = u64::from(tier.busy) + u64::from(tier.queued);
        4 * load * u64::from(tier.of(Residency::Ready)) <= 5 * all
    }

    /// Whether the tier's queue may hold one more request of this size.
    fn has_room(&self, tier: Tier, bytes: u32) -> bool {
        let state = &self.tiers[tier as usize];
        let bytes = state.queued_bytes.saturating_add(bytes.into());
        state.queued < self.config.queue_len && bytes <= self.config.queue_bytes
    }

    fn too_late(&self, request: &Request, wait: Nanos) -> bool {
        request.deadline.is_some_and(|deadline| wait > deadline.saturating_sub(self.now))
    }

    /// How long one more request would wait in the tier's queue; 0 while nothing is known.
    fn wait_estimate(&self, tier: Tier) -> Nanos {
        let state = &self.tiers[tier as usize];
        state.hold_ns.saturating_mul(u64::from(state.queued) + 1) / u64::from(state.up().max(1))
    }

    /// Advice to a shed caller of the tier.
    pub(super) fn retry_after(&self, tier: Tier) -> Nanos {
        self.wait_estimate(tier).max(RETRY_MIN_NS)
    }
}
