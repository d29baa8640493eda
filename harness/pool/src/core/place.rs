//! Where a request goes: its session's worker, a free worker, a queue, another tier, or nowhere. Decides, changes nothing.

use super::Core;
use super::state::{Class, Request};
use super::types::{Partition, Tier, WorkerRef};
use super::view::Residency;
use crate::clock::Nanos;
use crate::config::{AffinityMode, Dispatch, Fallback, Predict};

/// A decision of [`Core::find_place`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// To this idle worker, counted against the class.
    Dispatch(usize, Tier),
    /// Into the queue of this slot's worker.
    Wait(usize, Tier),
    /// Into the tier's queue.
    Queue(Tier),
    /// Every queue that could take it is full, or its deadline could not be met there; worth trying again after that time.
    Refuse(Nanos),
    /// No worker will ever serve it.
    Never,
    /// Its worker is dead and its session's state with it.
    Lost,
}

/// Shortest advice to a shed caller.
const RETRY_MIN_NS: Nanos = 1_000_000;

impl Core {
    /// The tier that a request will probably belong to.
    pub(super) fn predict(&self, tool: super::ToolId, bytes: u32, cost: Option<Nanos>) -> Tier {
        let prior = self.config.tools.get(usize::from(tool.0)).map_or(Tier::Hot, |t| t.tier);
        let expected = match self.config.predict {
            Predict::Tool => None,
            Predict::Learned => self.predictor.cost(tool, bytes),
            Predict::Oracle => cost,
        };
        let tier = expected.map_or(prior, |ns| self.config.tier_of_cost(ns));
        let served = |t: &Tier| !self.crew_of(*t).slots.is_empty();
        let heavier = Tier::ALL.into_iter().filter(|t| *t >= tier).find(served);
        let heaviest = || Tier::ALL.into_iter().rfind(served).unwrap_or(tier);
        match self.config.fallback {
            Fallback::AnyError => tier,
            // The heaviest tier that is enabled serves what is heavier too, for nobody else will.
            Fallback::Blocked => heavier.map_or_else(heaviest, |_| tier),
            // Without fallback a disabled tier's requests are the next heavier one's.
            Fallback::None => heavier.unwrap_or_else(heaviest),
        }
    }

    /// Finds the place of a request that is in no queue. One that comes back after a crash is not refused for its deadline: it was admitted.
    pub(super) fn find_place(&self, request: &Request, again: bool) -> Place {
        match self.strict_worker(request) {
            Some(worker) if self.lives(worker) => return self.place_at(worker.slot.0.into(), request, again),
            Some(_) if self.config.stateful => return Place::Lost,
            _ => {}
        }
        let predicted = request.placement.predicted;
        let place = self.candidates(request).find_map(|tier| self.place_in(tier, request, again));
        place.or_else(|| self.place_for_later(request)).unwrap_or_else(|| {
            let ever = self.candidates(request).any(|tier| self.crew_of(tier).can_ever());
            if ever { Place::Refuse(self.retry_after(predicted)) } else { Place::Never }
        })
    }

    /// The tiers whose workers may serve the request, in this order: its own, then colder ones, for a heavy request must not block light
    /// ones; the baseline tries all others, lightest first, as the original did.
    fn candidates(&self, request: &Request) -> impl Iterator<Item = Tier> + use<> {
        let own = request.placement.predicted;
        let shared = self.config.dispatch == Dispatch::Shared;
        let (fallback, tried) = (self.config.fallback, request.tried);
        let others = Tier::ALL.into_iter().filter(move |t| match fallback {
            _ if shared => false,
            Fallback::None => false,
            Fallback::Blocked => *t > own,
            Fallback::AnyError => *t != own,
        });
        let again = move |t: &Tier| fallback == Fallback::AnyError && tried & (1 << *t as u8) != 0;
        std::iter::once(own).chain(others).filter(move |t| !again(t))
    }

    fn place_in(&self, tier: Tier, request: &Request, again: bool) -> Option<Place> {
        let crew = self.crew_of(tier);
        if !crew.can_take() {
            return None;
        }
        let preferred = self.soft_worker(request, tier);
        // Whoever may be served at once is served before those whose class has all the workers that it may have.
        if self.within_cap(tier) {
            // The death that brings a request back may have made room under a cap for one that waits: then both wait for their turn.
            let comes_first = |s: usize| again && self.has_room(tier, request.bytes) && self.next_for(s).is_some();
            let free = preferred.filter(|s| self.slots[*s].idle).or(crew.idle.front().map(|s| s as usize));
            if let Some(free) = free.filter(|s| !comes_first(*s)) {
                return Some(Place::Dispatch(free, tier));
            }
        }
        if !self.has_room(tier, request.bytes) {
            return None;
        }
        if !again && self.too_late(request, || self.wait(tier, |t| self.hold(t))) {
            return Some(Place::Refuse(self.retry_after(tier)));
        }
        Some(preferred.filter(|s| !self.slots[*s].idle && self.within_bound(*s)).map_or(Place::Queue(tier), |s| Place::Wait(s, tier)))
    }

    /// A queue whose tier has no worker now, but will try again to start one.
    fn place_for_later(&self, request: &Request) -> Option<Place> {
        let waits = |t: &Tier| !self.crew_of(*t).can_take() && self.crew_of(*t).can_ever();
        self.candidates(request).find(|t| waits(t) && self.has_room(*t, request.bytes)).map(Place::Queue)
    }

    /// A strict session's place at its living worker.
    fn place_at(&self, s: usize, request: &Request, again: bool) -> Place {
        let slot = &self.slots[s];
        let class = self.class_at(s, request);
        if self.is_free(s) {
            return Place::Dispatch(s, class);
        }
        let requests = slot.waiting.len() as u64 + 1;
        if !self.has_room(class, request.bytes) || (!again && self.too_late(request, || self.hold(class).saturating_mul(requests))) {
            return Place::Refuse(self.supposed_hold(class).saturating_mul(requests).max(RETRY_MIN_NS));
        }
        Place::Wait(s, class)
    }

    /// The class that a request counts against at a worker that it has not chosen by tier.
    fn class_at(&self, s: usize, request: &Request) -> Tier {
        Tier::ALL.into_iter().find(|t| Partition::of(*t) == self.slots[s].partition).unwrap_or(request.placement.predicted)
    }

    /// Whether the slot's worker is ready, not about to forget its session, and on nothing.
    pub(super) fn is_free(&self, s: usize) -> bool {
        let slot = &self.slots[s];
        slot.residency == Residency::Ready && slot.job.is_none() && slot.resetting.is_none()
    }

    pub(super) fn strict_worker(&self, request: &Request) -> Option<WorkerRef> {
        if self.config.affinity != AffinityMode::Strict {
            return None;
        }
        request.session.and_then(|i| self.sessions.get(i).bound[0])
    }

    fn soft_worker(&self, request: &Request, tier: Tier) -> Option<usize> {
        if self.config.affinity != AffinityMode::Soft {
            return None;
        }
        let home = self.config.home(tier);
        let worker = self.sessions.get(request.session?).bound[home as usize % 3]?;
        let s = usize::from(worker.slot.0);
        (self.slots[s].holds(worker) && self.slots[s].residency == Residency::Ready).then_some(s)
    }

    /// Whether the busy slot's load is at most 1.25 times the mean load of its partition's workers.
    fn within_bound(&self, s: usize) -> bool {
        let crew = &self.crews[self.slots[s].partition as usize];
        let load = 1 + self.slots[s].waiting.len() as u64;
        let queued: u64 = self.classes_of(self.slots[s].partition).map(|t| u64::from(self.classes[t as usize].queued)).sum();
        4 * load * u64::from(crew.of(Residency::Ready)) <= 5 * (u64::from(crew.busy) + queued)
    }

    /// The classes whose requests a partition serves.
    pub(super) fn classes_of(&self, partition: Partition) -> impl Iterator<Item = Tier> + use<> {
        Tier::ALL.into_iter().filter(move |t| partition == Partition::Shared || Partition::of(*t) == partition)
    }

    /// Whether one more worker may be given to the class: always, but for the nested caps of shared dispatch.
    pub(super) fn within_cap(&self, class: Tier) -> bool {
        self.cap_room(class) > 0
    }

    /// How many more workers may be given to the class.
    pub(super) fn cap_room(&self, class: Tier) -> u32 {
        if self.config.dispatch == Dispatch::Tiered {
            return u32::MAX;
        }
        let room = |from: Tier| {
            let held: u32 = Tier::ALL.into_iter().filter(|t| *t >= from).map(|t| self.classes[t as usize].running).sum();
            self.caps[from as usize].saturating_sub(held)
        };
        Tier::ALL.into_iter().filter(|t| *t <= class).map(room).min().unwrap_or(0)
    }

    /// Whether the tier's queue may hold one more request of this size.
    fn has_room(&self, tier: Tier, bytes: u32) -> bool {
        let class = &self.classes[tier as usize];
        let bytes = class.queued_bytes.saturating_add(bytes.into());
        class.queued < self.config.queue_len && bytes <= self.config.queue_bytes
    }

    fn too_late(&self, request: &Request, wait: impl FnOnce() -> Nanos) -> bool {
        request.deadline.is_some_and(|deadline| wait() > deadline.saturating_sub(self.now))
    }

    /// How long one more request would wait in the tier's queue, behind its own class and with shared dispatch the lighter ones, where
    /// each request holds a worker for as long as `hold` says of its class.
    fn wait(&self, tier: Tier, hold: impl Fn(Tier) -> Nanos) -> Nanos {
        let home = self.config.home(tier);
        let before = self.classes_of(home).filter(|t| *t <= tier);
        let work = before.map(|t| hold(t).saturating_mul(self.classes[t as usize].queued.into())).fold(0, Nanos::saturating_add);
        let servers = self.crews[home as usize].up().min(self.caps[tier as usize]).max(1);
        work.saturating_add(hold(tier)) / u64::from(servers)
    }

    /// How long a request of the class holds a worker, as far as is known: the mean of those served, or before there is one the mean age of
    /// those that run, which it is at least. 0 while nothing is known: a request is not refused on a guess.
    fn hold(&self, class: Tier) -> Nanos {
        let Class { hold_ns, running, .. } = self.classes[class as usize];
        if hold_ns > 0 || running == 0 {
            return hold_ns;
        }
        let slots = self.crews[self.config.home(class) as usize].slots.clone();
        let jobs = self.slots[slots].iter().filter_map(|slot| slot.job).filter(|job| job.class == class);
        jobs.map(|job| self.now - job.since).fold(0, Nanos::saturating_add) / u64::from(running)
    }

    /// The same for advice, which may be a guess: before one is served, the longest service time that the tier is meant for.
    fn supposed_hold(&self, class: Tier) -> Nanos {
        if self.classes[class as usize].hold_ns > 0 {
            return self.hold(class);
        }
        // The coldest tier is for whatever is longer than the one before it.
        let limits = Tier::ALL.into_iter().filter(|t| *t <= class).map(|t| self.config.tiers[t as usize].limit_ns);
        self.hold(class).max(limits.filter(|ns| *ns < Nanos::MAX).max().unwrap_or(0))
    }

    /// Advice to a shed caller of the tier.
    pub(super) fn retry_after(&self, tier: Tier) -> Nanos {
        self.wait(tier, |t| self.supposed_hold(t)).max(RETRY_MIN_NS)
    }
}
