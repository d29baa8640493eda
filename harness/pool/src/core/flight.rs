//! A request's way from admission to its one terminal outcome.

use super::Core;
use super::place::Place;
use super::state::{At, Request};
use super::types::{Action, Affinity, Outcome, Placement, ReplyKind, RequestId, SessionKey, Submit, Tier, Timer, WorkerRef};
use super::view::Residency;
use crate::clock::Nanos;
use crate::config::AffinityMode;

/// Dispatches of one request, at most.
const ATTEMPTS_MAX: u8 = 2;

impl Core {
    /// Admits, or refuses at once. A request id that is still live is a caller's mistake and ignored.
    pub(super) fn submit(&mut self, submit: Submit, out: &mut Vec<Action>) {
        if self.requests.contains_key(&submit.request) {
            return;
        }
        self.totals.admitted += 1;
        let tool = self.config.tools.get(usize::from(submit.tool.0));
        let predicted = tool.map_or(Tier::Hot, |t| t.tier);
        let deadline = submit.deadline.or(self.config.deadline_ns.map(|d| self.now.saturating_add(d)));
        let refusal = if tool.is_none() {
            Some(Outcome::Failed)
        } else if self.draining {
            Some(Outcome::Shed)
        } else if deadline.is_some_and(|d| d <= self.now) {
            Some(Outcome::Expired)
        } else {
            None
        };
        if let Some(outcome) = refusal {
            return self.report(submit.request, unplaced(predicted), outcome, None, out);
        }
        let session = match submit.session.filter(|_| self.config.affinity != AffinityMode::None) {
            Some(key) => self.session_of(key),
            None => Ok(None),
        };
        let Ok(session) = session else {
            let retry = Some(self.retry_after(predicted));
            return self.report(submit.request, unplaced(predicted), Outcome::Shed, retry, out);
        };
        self.accept(&submit, predicted, deadline, session, out);
    }

    fn accept(&mut self, submit: &Submit, predicted: Tier, deadline: Option<Nanos>, session: Option<u32>, out: &mut Vec<Action>) {
        let request = Request {
            tool: submit.tool,
            bytes: submit.bytes,
            session,
            deadline,
            seq: self.next_seq,
            at: At::Nowhere,
            counted: predicted,
            written: false,
            written_before: false,
            placement: unplaced(predicted),
        };
        let place = self.find_place(&request, false);
        self.next_seq += 1;
        if let Some(i) = session {
            let session = self.sessions.get_mut(i);
            session.live += 1;
            // A request that is refused does not begin an ended session anew.
            session.ended &= !matches!(place, Place::Dispatch(_) | Place::Wait(_) | Place::Queue(_));
        }
        if let Some(deadline) = deadline {
            self.deadlines.insert((deadline, submit.request));
        }
        self.requests.insert(submit.request, request);
        self.put(submit.request, place, false, out);
        self.arm_deadline(out);
    }

    /// Finds a new place for an admitted request that lost its old one.
    pub(super) fn place_again(&mut self, id: RequestId, out: &mut Vec<Action>) {
        let Some(request) = self.requests.get(&id) else { return };
        let place = self.find_place(request, true);
        self.put(id, place, true, out);
    }

    fn put(&mut self, id: RequestId, place: Place, again: bool, out: &mut Vec<Action>) {
        match place {
            Place::Dispatch(s) => self.dispatch(id, s, out),
            Place::Wait(s) => self.enqueue(id, At::Waiting(s), self.slots[s].tier),
            Place::Queue(tier) => self.enqueue(id, At::Shared(tier), tier),
            Place::Refuse(after) if !again => self.finish(id, Outcome::Shed, Some(after), out),
            Place::Refuse(_) | Place::Never => {
                let outcome = self.undone(id);
                self.finish(id, outcome, None, out);
            }
            Place::Lost => {
                if let Some(i) = self.requests.get(&id).and_then(|r| r.session) {
                    self.unbind(i, 0);
                }
                self.finish(id, Outcome::SessionLost, None, out);
            }
        }
    }

    /// What to call the end of a request that will not be tried again.
    pub(super) fn undone(&self, id: RequestId) -> Outcome {
        let ran = self.requests.get(&id).is_some_and(|r| r.written || r.written_before);
        if ran { Outcome::OutcomeUnknown } else { Outcome::Failed }
    }

    /// The session's index; `Ok(None)` to serve it without affinity, an error to refuse it.
    ///
    /// The table is bounded. Soft affinity is a preference: when every remembered session has live requests, a new one does without.
    /// Strict affinity is a promise: no living binding is given up for a new session, which is shed instead.
    fn session_of(&mut self, key: SessionKey) -> Result<Option<u32>, ()> {
        if let Some(i) = self.sessions.find(key) {
            self.sessions.touch(i);
            return Ok(Some(i));
        }
        if self.sessions.is_full() {
            let strict = self.config.affinity == AffinityMode::Strict;
            match self.sessions.oldest().filter(|i| self.evictable(*i, strict)) {
                Some(oldest) => self.forget(oldest),
                None if strict => return Err(()),
                None => return Ok(None),
            }
        }
        Ok(Some(self.sessions.insert(key)))
    }

    fn evictable(&self, i: u32, strict: bool) -> bool {
        let session = self.sessions.get(i);
        session.live == 0 && !(strict && session.bound[0].is_some_and(|worker| self.lives(worker)))
    }

    /// Forgets a session without live requests.
    fn forget(&mut self, i: u32) {
        for at in 0..3 {
            self.unbind(i, at);
        }
        self.sessions.remove(i);
    }

    /// Forgets the session as soon as none of its requests is live, so that a strict one never has two workers.
    pub(super) fn end_session(&mut self, key: SessionKey) {
        let Some(i) = self.sessions.find(key) else { return };
        if self.sessions.get(i).live == 0 {
            self.forget(i);
        } else {
            self.sessions.get_mut(i).ended = true;
        }
    }

    /// From now on the request may have run.
    pub(super) fn written(&mut self, worker: WorkerRef, id: RequestId) {
        let Some(s) = self.server_of(worker, id) else { return };
        if let Some(request) = self.requests.get_mut(&id)
            && request.at == At::Running(s)
        {
            request.written = true;
        }
    }

    /// The slot of a living worker that is on this request.
    fn server_of(&self, worker: WorkerRef, id: RequestId) -> Option<usize> {
        let s = usize::from(worker.slot.0);
        let on_it = self.lives(worker) && self.slots[s].job.is_some_and(|job| job.request == id);
        on_it.then_some(s)
    }

    /// Delivers the reply if somebody waits for it, and gives the worker its next request.
    pub(super) fn replied(&mut self, worker: WorkerRef, id: RequestId, kind: ReplyKind, out: &mut Vec<Action>) {
        let job = self.server_of(worker, id).and_then(|s| Some((s, self.slots[s].job?)));
        let Some((s, job)) = job else {
            self.totals.late_replies += 1;
            return;
        };
        let hold = self.now - job.since;
        self.tiers[self.slots[s].tier as usize].learn_hold(hold);
        if job.zombie_until.is_some() {
            self.totals.late_replies += 1;
        } else {
            self.totals.in_flight -= 1;
            let outcome = match kind {
                ReplyKind::Ok => Outcome::Ok,
                ReplyKind::ToolError => Outcome::ToolError,
            };
            self.finish(id, outcome, None, out);
        }
        self.slots[s].job = None;
        if self.slots[s].residency == Residency::Ready {
            self.tiers[self.slots[s].tier as usize].busy -= 1;
            self.take_work(s, false, out);
        }
    }

    /// Answers a live request without its worker; a worker that is on it becomes a zombie.
    pub(super) fn abandon(&mut self, id: RequestId, outcome: Outcome, out: &mut Vec<Action>) {
        let Some(request) = self.requests.get(&id) else { return };
        let At::Running(s) = request.at else {
            self.unqueue(id);
            return self.finish(id, outcome, None, out);
        };
        self.totals.in_flight -= 1;
        self.finish(id, outcome, None, out);
        let worker = self.worker(s);
        let until = self.now.saturating_add(self.config.zombie_grace_ns);
        if let Some(job) = &mut self.slots[s].job {
            job.zombie_until = Some(until);
        }
        out.push(Action::CancelAtWorker(worker, id));
        out.push(Action::SetTimer(Timer::Zombie(worker), until));
    }

    /// Answers every request whose deadline has come, whether or not the timer was punctual.
    pub(super) fn expire(&mut self, out: &mut Vec<Action>) {
        while let Some(&(deadline, id)) = self.deadlines.first() {
            if deadline > self.now {
                return;
            }
            self.abandon(id, Outcome::Expired, out);
        }
    }

    /// Asks for the deadline timer where none will fire in time.
    pub(super) fn arm_deadline(&mut self, out: &mut Vec<Action>) {
        if let Some(&(deadline, _)) = self.deadlines.first()
            && self.armed.is_none_or(|armed| deadline < armed)
        {
            self.armed = Some(deadline);
            out.push(Action::SetTimer(Timer::Deadline, deadline));
        }
    }

    /// What becomes of a request whose worker died under it.
    pub(super) fn orphaned(&mut self, id: RequestId, dead: WorkerRef, out: &mut Vec<Action>) {
        let Some(request) = self.requests.get_mut(&id) else { return };
        request.at = At::Nowhere;
        self.totals.in_flight -= 1;
        let replayable = self.config.tools.get(usize::from(request.tool.0)).is_some_and(|t| t.replayable);
        let (written, attempts) = (request.written, request.placement.attempts);
        // The session's first request, never written: no state was lost, so the session may begin elsewhere.
        let untouched = !written && request.placement.affinity == Affinity::Bound;
        let lost_session = request.session.filter(|i| self.config.stateful && self.sessions.get(*i).bound[0] == Some(dead));
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
    pub(super) fn bereaved(&mut self, id: RequestId, dead: WorkerRef, out: &mut Vec<Action>) {
        self.unqueue(id);
        let session = self.requests.get(&id).and_then(|r| r.session);
        if session.is_some_and(|i| self.config.stateful && self.sessions.get(i).bound[0] == Some(dead)) {
            // The binding stays, so that the next submit learns of the loss as well.
            return self.finish(id, Outcome::SessionLost, None, out);
        }
        self.place_again(id, out);
    }

    /// Ends a request that is in no queue.
    fn finish(&mut self, id: RequestId, outcome: Outcome, retry_after: Option<Nanos>, out: &mut Vec<Action>) {
        let Some(request) = self.requests.remove(&id) else { return };
        if let Some(deadline) = request.deadline {
            self.deadlines.remove(&(deadline, id));
        }
        if let Some(i) = request.session {
            let session = self.sessions.get_mut(i);
            session.live -= 1;
            if session.live == 0 && session.ended {
                self.forget(i);
            }
        }
        self.report(id, request.placement, outcome, retry_after, out);
    }

    fn report(&mut self, request: RequestId, placement: Placement, outcome: Outcome, retry_after: Option<Nanos>, out: &mut Vec<Action>) {
        self.totals.finished[outcome as usize] += 1;
        out.push(Action::Finish { request, outcome, retry_after, placement });
    }
}

fn unplaced(predicted: Tier) -> Placement {
    Placement { predicted, served: None, worker: None, attempts: 0, affinity: Affinity::Free }
}
