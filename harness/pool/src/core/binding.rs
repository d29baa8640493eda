//! Sessions as the routing sees them: remembered, ended, forgotten.

use super::Core;
use super::types::{Action, SessionKey, Timer};
use super::view::Residency;
use crate::config::{AffinityMode, Recycle};

impl Core {
    /// The session's index; `Ok(None)` to serve it without affinity, an error to refuse it.
    ///
    /// The table is bounded. Soft affinity is a preference: when every remembered session has live requests, a new one does without.
    /// Strict affinity is a promise: no living binding is given up for a new session, which is shed instead.
    pub(super) fn session_of(&mut self, key: SessionKey) -> Result<Option<u32>, ()> {
        if let Some(i) = self.sessions.find(key) {
            self.sessions.touch(i, self.now);
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
        Ok(Some(self.sessions.insert(key, self.now)))
    }

    fn evictable(&self, i: u32, strict: bool) -> bool {
        let session = self.sessions.get(i);
        session.live == 0 && !(strict && session.bound[0].is_some_and(|worker| self.lives(worker)))
    }

    /// Forgets a session without live requests.
    pub(super) fn forget(&mut self, i: u32) {
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

    /// Ends sessions that were not used for their time to live, and asks for the timer of the next.
    pub(super) fn session_timer(&mut self, out: &mut Vec<Action>) {
        self.session_armed = false;
        let Some(ttl) = self.config.session_ttl_ns else { return };
        while let Some(i) = self.sessions.oldest() {
            let session = self.sessions.get(i);
            if session.used.saturating_add(ttl) > self.now {
                break;
            }
            if session.live == 0 {
                self.forget(i);
            } else {
                self.sessions.touch(i, self.now);
            }
        }
        self.arm_session(out);
    }

    /// Asks for the timer of the session that was used longest ago, unless one is under way.
    pub(super) fn arm_session(&mut self, out: &mut Vec<Action>) {
        let Some(ttl) = self.config.session_ttl_ns.filter(|_| !self.session_armed && !self.draining) else { return };
        if let Some(i) = self.sessions.oldest() {
            self.session_armed = true;
            // One whose last request has just ended is looked at again one moment later at the earliest.
            let at = self.sessions.get(i).used.saturating_add(ttl).max(self.now + 1);
            out.push(Action::SetTimer(Timer::Session, at));
        }
    }

    /// Sees to stateful workers that have lost their last session: they forget it, or are replaced.
    pub(super) fn recycle(&mut self, out: &mut Vec<Action>) {
        while let Some(s) = self.to_recycle.pop() {
            let slot = &self.slots[s];
            let free = slot.bound == 0 && slot.dirty && slot.job.is_none() && slot.resetting.is_none() && slot.waiting.is_empty();
            if !free || slot.residency != Residency::Ready {
                continue;
            }
            match self.config.recycle {
                Recycle::Restart => self.close(s, out),
                Recycle::Reset => {
                    let until = self.now.saturating_add(self.config.start_timeout_ns);
                    self.slots[s].resetting = Some(until);
                    self.totals.resets += 1;
                    out.push(Action::Reset(self.worker(s)));
                    out.push(Action::SetTimer(Timer::Reset(self.worker(s)), until));
                }
            }
        }
    }

    /// A worker has forgotten its session: it serves anyone again.
    pub(super) fn reset_done(&mut self, worker: super::WorkerRef, out: &mut Vec<Action>) {
        let s = usize::from(worker.slot.0);
        if !self.is(worker, Residency::Ready) || self.slots[s].resetting.take().is_none() {
            return;
        }
        self.slots[s].dirty = false;
        self.slots[s].vitals.heard = self.now;
        self.take_work(s, false, out);
    }

    /// Kills a worker that does not forget.
    pub(super) fn reset_timer(&mut self, worker: super::WorkerRef, out: &mut Vec<Action>) {
        let s = usize::from(worker.slot.0);
        if self.is(worker, Residency::Ready) && self.slots[s].resetting.is_some_and(|until| until <= self.now) {
            self.condemn(s, out);
        }
    }
}
