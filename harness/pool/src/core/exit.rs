//! A worker's end, and what becomes of the requests that it held.

use super::Core;
use super::flight::ATTEMPTS_MAX;
use super::state::At;
use super::types::{Action, Affinity, Outcome, RequestId, WorkerRef};
use super::view::Residency;
use crate::config::Fallback;

impl Core {
    /// A worker is gone: its slot backs off (or is parked, or free if we asked for the exit), its requests find their fate.
    pub(super) fn exited(&mut self, worker: WorkerRef, out: &mut Vec<Action>) {
        if !self.lives(worker) {
            return;
        }
        let s = usize::from(worker.slot.0);
        let job = self.release(s);
        let next = self.after_exit(s);
        self.set_residency(s, next);
        self.note_end(s);
        let slot = &mut self.slots[s];
        (slot.killed, slot.idle_armed, slot.bound) = (false, false, 0);
        (slot.dirty, slot.resetting) = (false, None);
        if next == Residency::Backoff {
            out.push(Action::Backoff(worker.slot, slot.failures));
        }
        let partition = slot.partition;
        let orphan = job.filter(|job| job.zombie_until.is_none()).map(|job| job.request);
        for (_, id) in self.displaced(s, orphan) {
            match self.requests.get(&id).map(|r| r.at) {
                Some(At::Running(at)) if at == s && orphan == Some(id) => self.orphaned(id, worker, out),
                Some(At::Waiting(at)) if at == s => self.bereaved(id, worker, out),
                Some(At::Shared(tier)) if !self.crew_of(tier).can_take() => {
                    self.unqueue(id);
                    self.place_again(id, out);
                }
                // A strict session was bound, and this one moved with it, by the placing of an earlier one.
                _ => {}
            }
        }
        // Its class may have room now that no worker became free for.
        self.serve_idle(partition, out);
    }

    fn after_exit(&mut self, s: usize) -> Residency {
        let slot = &mut self.slots[s];
        if slot.residency == Residency::Closing {
            return Residency::Absent;
        }
        self.totals.deaths += 1;
        slot.failures = slot.failures.saturating_add(1);
        if slot.residency == Residency::Starting {
            slot.start_failures += 1;
        }
        if slot.start_failures >= self.config.park_after { Residency::Parked } else { Residency::Backoff }
    }

    /// The requests that must look for another place when the slot's worker is gone, in the order in which they are to be served: the one
    /// that it was on, those that waited for it, and all of the partition where nothing is left of it.
    fn displaced(&self, s: usize, orphan: Option<RequestId>) -> Vec<(u64, RequestId)> {
        let slot = &self.slots[s];
        let mut ids: Vec<(u64, RequestId)> = slot.waiting.iter().copied().collect();
        ids.extend(orphan.and_then(|id| Some((self.requests.get(&id)?.seq, id))));
        if !self.crews[slot.partition as usize].can_take() {
            ids.extend(self.classes_of(slot.partition).flat_map(|tier| self.classes[tier as usize].shared.iter().copied()));
        }
        ids.sort_by_key(|entry| self.candidate(*entry, true));
        ids
    }

    /// What becomes of a request whose worker died under it.
    fn orphaned(&mut self, id: RequestId, dead: WorkerRef, out: &mut Vec<Action>) {
        let Some(request) = self.requests.get_mut(&id) else { return };
        request.at = At::Nowhere;
        self.totals.in_flight -= 1;
        let replayable = self.config.tools.get(usize::from(request.tool.0)).is_some_and(|t| t.replayable);
        let (written, attempts) = (request.written, request.placement.attempts);
        // The session's first request, never written: no state was lost, so the session may begin elsewhere.
        let untouched = !written && request.placement.affinity == Affinity::Bound;
        let lost_session = request.session.filter(|i| self.config.stateful && self.sessions.get(*i).bound[0] == Some(dead));
        if self.config.fallback == Fallback::AnyError && lost_session.is_none() {
            let outcome = self.undone(id);
            return self.try_elsewhere(id, outcome, out);
        }
        if written && !replayable {
            return self.finish(id, Outcome::OutcomeUnknown, None, out);
        }
        if let Some(i) = lost_session {
            if !untouched {
                return self.finish(id, Outcome::SessionLost, None, out);
            }
            self.unbind(i, 0);
        }
        if attempts >= ATTEMPTS_MAX {
            let outcome = self.undone(id);
            return self.finish(id, outcome, None, out);
        }
        self.place_again(id, out);
    }

    /// What becomes of a request that waited for a worker that died.
    fn bereaved(&mut self, id: RequestId, dead: WorkerRef, out: &mut Vec<Action>) {
        self.unqueue(id);
        let session = self.requests.get(&id).and_then(|r| r.session);
        if session.is_some_and(|i| self.config.stateful && self.sessions.get(i).bound[0] == Some(dead)) {
            // The binding stays, so that the next submit learns of the loss as well.
            return self.finish(id, Outcome::SessionLost, None, out);
        }
        self.place_again(id, out);
    }
}
