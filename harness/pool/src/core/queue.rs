//! Moving requests between queues and workers, and binding sessions on the way.

use super::Core;
use super::state::{At, Job};
use super::types::{Action, Affinity, RequestId, SlotId, Tier, WorkerRef};
use super::view::Residency;
use crate::config::AffinityMode;

impl Core {
    /// The present worker of a slot.
    pub(super) fn worker(&self, s: usize) -> WorkerRef {
        WorkerRef { slot: SlotId(s as u16), generation: self.slots[s].generation }
    }

    /// Whether this very worker's process lives.
    pub(super) fn lives(&self, worker: WorkerRef) -> bool {
        self.slots.get(usize::from(worker.slot.0)).is_some_and(|slot| slot.holds(worker))
    }

    /// Puts a request that is nowhere into a queue, counted against `counted`.
    pub(super) fn enqueue(&mut self, id: RequestId, at: At, counted: Tier) {
        let Some(request) = self.requests.get_mut(&id) else { return };
        (request.at, request.counted) = (at, counted);
        let tier = &mut self.tiers[counted as usize];
        tier.queued += 1;
        tier.queued_bytes += u64::from(request.bytes);
        self.totals.queued += 1;
        self.insert_into(id, at);
    }

    /// Takes a queued request out of its queue.
    pub(super) fn unqueue(&mut self, id: RequestId) {
        self.remove_from(id);
        let Some(request) = self.requests.get_mut(&id) else { return };
        let tier = &mut self.tiers[request.counted as usize];
        tier.queued -= 1;
        tier.queued_bytes -= u64::from(request.bytes);
        self.totals.queued -= 1;
        request.at = At::Nowhere;
    }

    fn insert_into(&mut self, id: RequestId, at: At) {
        let Some(request) = self.requests.get(&id) else { return };
        let entry = (request.seq, id);
        match at {
            At::Shared(tier) => {
                self.tiers[tier as usize].shared.insert(entry);
                if let Some(i) = request.session {
                    self.sessions.get_mut(i).shared += 1;
                }
            }
            At::Waiting(s) => {
                self.slots[s].waiting.insert(entry);
                self.tiers[self.slots[s].tier as usize].soft_waiting += u32::from(self.config.affinity == AffinityMode::Soft);
            }
            At::Nowhere | At::Running(_) => {}
        }
    }

    fn remove_from(&mut self, id: RequestId) {
        let Some(request) = self.requests.get(&id) else { return };
        let entry = (request.seq, id);
        match request.at {
            At::Shared(tier) => {
                self.tiers[tier as usize].shared.remove(&entry);
                if let Some(i) = request.session {
                    self.sessions.get_mut(i).shared -= 1;
                }
            }
            At::Waiting(s) => {
                self.slots[s].waiting.remove(&entry);
                self.tiers[self.slots[s].tier as usize].soft_waiting -= u32::from(self.config.affinity == AffinityMode::Soft);
            }
            At::Nowhere | At::Running(_) => {}
        }
    }

    /// Gives a ready worker without a job its next request, the oldest that it may serve, or makes it idle.
    pub(super) fn take_work(&mut self, s: usize, fresh: bool, out: &mut Vec<Action>) {
        let tier = &self.tiers[self.slots[s].tier as usize];
        let own = self.slots[s].waiting.first().copied();
        let shared = tier.shared.first().copied();
        let oldest = match (own, shared) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        match oldest.or_else(|| self.oldest_soft_waiter(s)) {
            Some((_, id)) => {
                self.unqueue(id);
                self.dispatch(id, s, out);
            }
            None => self.make_idle(s, fresh, out),
        }
    }

    /// A request that only prefers another worker of the tier: no worker idles while one waits.
    fn oldest_soft_waiter(&self, s: usize) -> Option<(u64, RequestId)> {
        let tier = &self.tiers[self.slots[s].tier as usize];
        if tier.soft_waiting == 0 {
            return None;
        }
        self.slots[tier.slots.clone()].iter().filter_map(|slot| slot.waiting.first().copied()).min()
    }

    /// Hands a request that is nowhere to a ready worker without a job.
    pub(super) fn dispatch(&mut self, id: RequestId, s: usize, out: &mut Vec<Action>) {
        let worker = self.worker(s);
        let tier = self.slots[s].tier;
        let session = self.requests.get(&id).and_then(|r| r.session);
        let affinity = session.map_or(Affinity::Free, |i| self.bind(i, s));
        let Some(request) = self.requests.get_mut(&id) else { return };
        request.at = At::Running(s);
        request.written_before |= request.written;
        request.written = false;
        let placement = &mut request.placement;
        placement.attempts += 1;
        (placement.served, placement.worker, placement.affinity) = (Some(tier), Some(worker), affinity);
        self.totals.redispatches += u64::from(placement.attempts > 1);
        self.totals.fallbacks += u64::from(placement.predicted != tier);
        self.totals.in_flight += 1;
        let slot = &mut self.slots[s];
        slot.job = Some(Job { request: id, since: self.now, zombie_until: None });
        let tier = &mut self.tiers[tier as usize];
        tier.busy += 1;
        if slot.idle {
            slot.idle = false;
            tier.idle.remove(s as u32);
        }
        out.push(Action::Dispatch(worker, id));
        if let Some(i) = session.filter(|_| self.config.affinity == AffinityMode::Strict) {
            self.gather(i, s);
        }
    }

    /// Binds the session to the slot's worker unless it has a living one, and says how affinity was served.
    fn bind(&mut self, i: u32, s: usize) -> Affinity {
        let worker = self.worker(s);
        let strict = self.config.affinity == AffinityMode::Strict;
        let at = if strict { 0 } else { self.slots[s].tier as usize };
        let affinity = match self.sessions.get(i).bound[at] {
            Some(bound) if bound == worker => return Affinity::Hit,
            // A soft session's worker that is closing gets no work any more: as good as gone.
            Some(bound) if self.lives(bound) && (strict || self.slots[usize::from(bound.slot.0)].residency == Residency::Ready) => {
                return Affinity::Missed;
            }
            Some(_) => Affinity::ForcedMiss,
            None => Affinity::Bound,
        };
        self.unbind(i, at);
        self.sessions.get_mut(i).bound[at] = Some(worker);
        self.slots[s].bound += 1;
        affinity
    }

    /// Removes one binding of a session.
    pub(super) fn unbind(&mut self, i: u32, at: usize) {
        if let Some(worker) = self.sessions.get_mut(i).bound[at].take()
            && self.lives(worker)
        {
            self.slots[usize::from(worker.slot.0)].bound -= 1;
        }
    }

    /// Moves a strict session's other queued requests to the worker to which it was just bound.
    fn gather(&mut self, i: u32, s: usize) {
        for tier in Tier::ALL {
            if self.sessions.get(i).shared == 0 {
                return;
            }
            let of_session = |id: &RequestId| self.requests.get(id).is_some_and(|r| r.session == Some(i));
            let moved: Vec<RequestId> = self.tiers[tier as usize].shared.iter().map(|e| e.1).filter(of_session).collect();
            for id in moved {
                self.remove_from(id);
                if let Some(request) = self.requests.get_mut(&id) {
                    request.at = At::Waiting(s);
                }
                self.insert_into(id, At::Waiting(s));
            }
        }
    }
}
