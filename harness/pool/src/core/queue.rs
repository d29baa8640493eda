//! Moving requests between queues and workers, and binding sessions on the way.

use super::Core;
use super::state::{At, Job};
use super::types::{Action, Affinity, Partition, RequestId, SlotId, Tier, WorkerRef};
use super::view::Residency;
use crate::config::{AffinityMode, Dispatch};

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
        let class = &mut self.classes[counted as usize];
        class.queued += 1;
        class.queued_bytes += u64::from(request.bytes);
        self.totals.queued += 1;
        self.insert_into(id, at);
        self.crews[self.config.home(counted) as usize].shortfall.count();
    }

    /// Takes a queued request out of its queue.
    pub(super) fn unqueue(&mut self, id: RequestId) {
        self.remove_from(id);
        let Some(request) = self.requests.get_mut(&id) else { return };
        let class = &mut self.classes[request.counted as usize];
        class.queued -= 1;
        class.queued_bytes -= u64::from(request.bytes);
        self.totals.queued -= 1;
        request.at = At::Nowhere;
    }

    fn insert_into(&mut self, id: RequestId, at: At) {
        let Some(request) = self.requests.get(&id) else { return };
        let entry = (request.seq, id);
        match at {
            At::Shared(tier) => {
                self.classes[tier as usize].shared.insert(entry);
                if let Some(i) = request.session {
                    self.sessions.get_mut(i).shared.insert(entry);
                }
            }
            At::Waiting(s) => {
                self.slots[s].waiting.insert(entry);
                if self.config.affinity == AffinityMode::Soft {
                    self.classes[request.counted as usize].soft.insert(entry);
                }
            }
            At::Nowhere | At::Running(_) => {}
        }
    }

    fn remove_from(&mut self, id: RequestId) {
        let Some(request) = self.requests.get(&id) else { return };
        let entry = (request.seq, id);
        match request.at {
            At::Shared(tier) => {
                self.classes[tier as usize].shared.remove(&entry);
                if let Some(i) = request.session {
                    self.sessions.get_mut(i).shared.remove(&entry);
                }
            }
            At::Waiting(s) => {
                self.slots[s].waiting.remove(&entry);
                if self.config.affinity == AffinityMode::Soft {
                    self.classes[request.counted as usize].soft.remove(&entry);
                }
            }
            At::Nowhere | At::Running(_) => {}
        }
    }

    /// Gives a ready worker without a job its next request, or makes it idle.
    pub(super) fn take_work(&mut self, s: usize, fresh: bool, out: &mut Vec<Action>) {
        match self.next_for(s) {
            Some((id, class)) => {
                self.unqueue(id);
                self.dispatch(id, s, class, out);
            }
            None => self.make_idle(s, fresh, out),
        }
    }

    /// The request that the slot's worker serves next: of those that it may serve the oldest, or with shared dispatch the lightest after
    /// ageing, the older first among equals. What only prefers another worker comes last: no worker idles while it waits.
    pub(super) fn next_for(&self, s: usize) -> Option<(RequestId, Tier)> {
        let slot = &self.slots[s];
        // A promise is kept whatever the caps say: the worker is the session's own.
        let promised = self.config.affinity == AffinityMode::Strict;
        let own = slot.waiting.first().and_then(|e| self.candidate(*e, promised));
        let open = || self.classes_of(slot.partition).filter(|t| self.within_cap(*t)).map(|t| &self.classes[t as usize]);
        let others = open().filter_map(|class| self.candidate(*class.shared.first()?, true));
        let taken = if self.is_reserved(s) { own } else { own.into_iter().chain(others).min() };
        let soft = || open().filter_map(|class| self.candidate(*class.soft.first()?, true)).min();
        taken.or_else(soft).map(|(_, _, id, class)| (id, class))
    }

    /// Its rank, order of admission, id and class; `None` if its class has all the workers that it may have.
    pub(super) fn candidate(&self, (seq, id): (u64, RequestId), capless: bool) -> Option<(i64, u64, RequestId, Tier)> {
        let request = self.requests.get(&id)?;
        let class = request.counted;
        if !capless && !self.within_cap(class) {
            return None;
        }
        let rank = match self.config.dispatch {
            Dispatch::Tiered => 0,
            Dispatch::Shared => class as i64 - ((self.now - request.since) / self.config.ageing_ns) as i64,
        };
        Some((rank, seq, id, class))
    }

    /// Whether the worker may only serve the session that it is bound to, or none at all for now.
    pub(super) fn is_reserved(&self, s: usize) -> bool {
        let slot = &self.slots[s];
        self.config.stateful && (slot.bound > 0 || slot.dirty || slot.resetting.is_some())
    }

    /// Hands a request that is nowhere to a ready worker without a job.
    pub(super) fn dispatch(&mut self, id: RequestId, s: usize, class: Tier, out: &mut Vec<Action>) {
        let worker = self.worker(s);
        let session = self.requests.get(&id).and_then(|r| r.session);
        let affinity = session.map_or(Affinity::Free, |i| self.bind(i, s));
        let Some(request) = self.requests.get_mut(&id) else { return };
        request.at = At::Running(s);
        request.counted = class;
        request.written_before |= request.written;
        request.written = false;
        request.tried |= 1 << class as u8;
        let placement = &mut request.placement;
        placement.attempts += 1;
        (placement.served, placement.worker, placement.affinity) = (Some(class), Some(worker), affinity);
        self.totals.redispatches += u64::from(placement.attempts > 1);
        self.totals.fallbacks += u64::from(placement.predicted != class);
        self.totals.in_flight += 1;
        let job = Job { request: id, tool: request.tool, bytes: request.bytes, class, since: self.now, zombie_until: None };
        self.unlist(s);
        let slot = &mut self.slots[s];
        slot.job = Some(job);
        slot.dirty |= self.config.stateful && session.is_some();
        self.crews[slot.partition as usize].busy += 1;
        self.classes[class as usize].running += 1;
        out.push(Action::Dispatch(worker, id));
        if let Some(i) = session.filter(|_| self.config.affinity == AffinityMode::Strict) {
            self.gather(i, s);
        }
    }

    /// Takes the worker out of the list of idle ones.
    pub(super) fn unlist(&mut self, s: usize) {
        let slot = &mut self.slots[s];
        if slot.idle {
            slot.idle = false;
            let crew = &mut self.crews[slot.partition as usize];
            crew.idle.remove(s as u32);
            crew.listed -= 1;
        }
    }

    /// Lets idle workers take what waits, where room was made without a worker becoming free.
    pub(super) fn serve_idle(&mut self, partition: Partition, out: &mut Vec<Action>) {
        while let Some(s) = self.crews[partition as usize].idle.front().map(|s| s as usize) {
            let Some((id, class)) = self.next_for(s) else { return };
            self.unqueue(id);
            self.dispatch(id, s, class, out);
        }
    }

    /// Binds the session to the slot's worker unless it has a living one, and says how affinity was served.
    fn bind(&mut self, i: u32, s: usize) -> Affinity {
        let worker = self.worker(s);
        let strict = self.config.affinity == AffinityMode::Strict;
        let at = if strict { 0 } else { self.slots[s].partition as usize % 3 };
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
            let s = usize::from(worker.slot.0);
            self.slots[s].bound -= 1;
            if self.config.stateful && self.slots[s].bound == 0 {
                self.to_recycle.push(s);
                self.look_again(s);
            }
        }
    }

    /// Moves a strict session's other queued requests to the worker to which it was just bound.
    fn gather(&mut self, i: u32, s: usize) {
        while let Some((_, id)) = self.sessions.get(i).shared.first().copied() {
            self.remove_from(id);
            if let Some(request) = self.requests.get_mut(&id) {
                request.at = At::Waiting(s);
            }
            self.insert_into(id, At::Waiting(s));
        }
    }
}
