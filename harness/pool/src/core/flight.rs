//! A request's way from admission to its one terminal outcome.

use super::Core;
use super::place::Place;
use super::state::{At, Job, Request};
use super::types::{Action, Affinity, Outcome, Placement, ReplyKind, RequestId, Submit, Tier, Timer, WorkerRef};
use super::view::Residency;
use crate::clock::Nanos;
use crate::config::{AffinityMode, Dispatch, Fallback};

/// Dispatches of one request, at most.
pub(super) const ATTEMPTS_MAX: u8 = 2;

impl Core {
    /// Admits, or refuses at once. A request id that is still live is a caller's mistake and ignored.
    pub(super) fn submit(&mut self, submit: Submit, out: &mut Vec<Action>) {
        if self.requests.contains_key(&submit.request) {
            return;
        }
        self.totals.admitted += 1;
        let known = usize::from(submit.tool.0) < self.config.tools.len();
        let predicted = self.predict(submit.tool, submit.bytes, submit.cost);
        let deadline = submit.deadline.or(self.config.deadline_ns.map(|d| self.now.saturating_add(d)));
        let refusal = if !known {
            Some(Outcome::Failed)
        } else if self.draining {
            Some(Outcome::Shed)
        } else if deadline.is_some_and(|d| d <= self.now) {
            Some(Outcome::Expired)
        } else {
            None
        };
        if let Some(outcome) = refusal {
            // A session is in use even while its requests are refused.
            if let Some(i) = submit.session.and_then(|key| self.sessions.find(key)) {
                self.sessions.touch(i, self.now);
            }
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
            since: self.now,
            at: At::Nowhere,
            counted: predicted,
            written: false,
            written_before: false,
            tried: 0,
            placement: unplaced(predicted),
        };
        let place = self.find_place(&request, false);
        self.next_seq += 1;
        if let Some(i) = session {
            let session = self.sessions.get_mut(i);
            session.live += 1;
            // A request that is refused does not begin an ended session anew.
            session.ended &= !matches!(place, Place::Dispatch(..) | Place::Wait(..) | Place::Queue(_));
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
            Place::Dispatch(s, class) => self.dispatch(id, s, class, out),
            Place::Wait(s, class) => self.enqueue(id, At::Waiting(s), class),
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
        let Some(s) = self.server_of(worker, id) else {
            self.totals.late_replies += 1;
            return;
        };
        let Some(job) = self.release(s) else { return };
        self.learn(s, &job);
        if job.zombie_until.is_some() {
            self.totals.late_replies += 1;
        } else {
            self.slots[s].vitals.misses = 0;
            self.answer(id, kind, out);
        }
        match self.slots[s].residency {
            Residency::Ready => self.take_work(s, false, out),
            Residency::Ejected => self.close(s, out),
            _ => {}
        }
        // The worker may have taken what was promised to it, or nothing at all, while its class has room for another one now.
        if self.config.dispatch == Dispatch::Shared {
            self.serve_idle(self.slots[s].partition, out);
        }
    }

    fn answer(&mut self, id: RequestId, kind: ReplyKind, out: &mut Vec<Action>) {
        self.totals.in_flight -= 1;
        match kind {
            ReplyKind::Ok => self.finish(id, Outcome::Ok, None, out),
            ReplyKind::ToolError if self.config.fallback == Fallback::AnyError => self.try_elsewhere(id, Outcome::ToolError, out),
            ReplyKind::ToolError => self.finish(id, Outcome::ToolError, None, out),
        }
    }

    /// The baseline: after any error the next tier that has not served the request yet, whatever it may have done already.
    pub(super) fn try_elsewhere(&mut self, id: RequestId, outcome: Outcome, out: &mut Vec<Action>) {
        if let Some(request) = self.requests.get_mut(&id) {
            request.at = At::Nowhere;
        }
        let Some(request) = self.requests.get(&id) else { return };
        // A strict session has no other worker.
        let place = if self.strict_worker(request).is_some() { Place::Never } else { self.find_place(request, true) };
        match place {
            place @ (Place::Dispatch(..) | Place::Wait(..) | Place::Queue(_)) => self.put(id, place, true, out),
            Place::Refuse(_) | Place::Never | Place::Lost => self.finish(id, outcome, None, out),
        }
    }

    /// Takes its job from a worker.
    pub(super) fn release(&mut self, s: usize) -> Option<Job> {
        let slot = &mut self.slots[s];
        let job = slot.job.take()?;
        slot.vitals.heard = self.now;
        self.classes[job.class as usize].running -= 1;
        if slot.residency == Residency::Ready {
            self.crews[slot.partition as usize].busy -= 1;
        }
        Some(job)
    }

    /// Takes note of what a request has cost.
    fn learn(&mut self, s: usize, job: &Job) {
        let hold = self.now - job.since;
        self.classes[job.class as usize].learn_hold(hold);
        let expected = self.predictor.cost(job.tool, job.bytes);
        // A worker that was told to give up may have: its time is then only a lower bound of the cost.
        if job.zombie_until.is_some() && expected.is_none_or(|ns| hold <= ns) {
            return;
        }
        if let Some(expected) = expected {
            let ratio = hold as f64 / expected.max(1) as f64;
            let vitals = &mut self.slots[s].vitals;
            vitals.slowness = if ratio > vitals.slowness { ratio } else { vitals.slowness + (ratio - vitals.slowness) / 8.0 };
        }
        self.predictor.learn(job.tool, job.bytes, hold);
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
        if outcome == Outcome::Expired {
            self.missed(s, Core::eject, out);
        }
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

    /// Ends a request that is in no queue.
    pub(super) fn finish(&mut self, id: RequestId, outcome: Outcome, retry_after: Option<Nanos>, out: &mut Vec<Action>) {
        let Some(request) = self.requests.remove(&id) else { return };
        if let Some(deadline) = request.deadline {
            self.deadlines.remove(&(deadline, id));
        }
        if let Some(i) = request.session {
            let session = self.sessions.get_mut(i);
            session.live -= 1;
            session.used = self.now;
            if session.live == 0 && (session.ended || self.draining) {
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
