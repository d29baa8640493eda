//! Taking note of what happens: deadlines that have come, then the event.

use super::*;
use crate::config::Fallback;

impl Checker {
    /// Requests whose deadline has come are due, before the event happens.
    pub(super) fn mark_due(&mut self) {
        let now = self.now;
        self.due = self.live.iter().filter(|(_, l)| l.deadline.is_some_and(|d| d <= now)).map(|(id, _)| *id).collect();
        for id in &self.due {
            if let Some(worker) = self.live[id].at.and_then(|w| self.workers.get_mut(&w)) {
                worker.zombie = true;
            }
        }
    }

    /// Takes note of the event alone: what must follow from it is left to the actions.
    pub(super) fn note_event(&mut self, event: Event) {
        match event {
            Event::Submit(submit) => self.note_submit(submit),
            Event::Ready(r) => {
                let now = self.now;
                if let Some(w) = self.workers.get_mut(&r).filter(|w| w.ready_at.is_none() && !w.stopped) {
                    (w.ready_at, w.idle_since) = (Some(now), now);
                    self.start_deaths.insert(r.slot, 0);
                }
            }
            Event::Written(r, id) => {
                let on_it = self.workers.get(&r).is_some_and(|w| w.job == Some(id) && !w.zombie);
                if let Some(live) = self.live.get_mut(&id).filter(|_| on_it) {
                    live.written = live.written.max(live.attempts);
                }
            }
            Event::Replied(r, id, kind) => self.note_reply(r, id, kind),
            Event::Exited(r) => self.note_exit(r),
            Event::Timer(timer) => self.note_timer(timer),
            Event::EndSession(key) => self.end(key),
            Event::Drain => {
                self.draining = true;
                let homes: Vec<SessionKey> = self.homes.keys().copied().collect();
                homes.into_iter().for_each(|key| self.end(key));
            }
            Event::Probed(r) => {
                self.unanswered.remove(&r);
            }
            Event::ResetDone(r) => {
                if let Some(w) = self.workers.get_mut(&r).filter(|w| w.resetting && !w.stopped) {
                    (w.resetting, w.session) = (false, None);
                }
            }
            Event::Reload if !self.draining => {
                self.workers.values_mut().for_each(|w| w.stale |= !w.stopped);
                for (slot, deaths) in self.start_deaths.iter_mut().filter(|(_, n)| **n >= self.config.park_after) {
                    *deaths = 0;
                    self.attempts.insert(*slot, 0);
                }
            }
            Event::Start | Event::Cancel(_) | Event::Reload => {}
        }
    }

    fn note_submit(&mut self, submit: Submit) {
        let id = submit.request;
        if self.live.contains_key(&id) && !self.due.contains(&id) {
            return;
        }
        assert!(!self.due.contains(&id), "the drivers here do not submit an id again in the step of its expiry");
        self.admitted += 1;
        self.submitted = Some(submit);
        let deadline = submit.deadline.or(self.config.deadline_ns.map(|d| self.now + d));
        if deadline.is_some_and(|d| d <= self.now) {
            self.due.insert(id);
        }
        let known = usize::from(submit.tool.0) < self.config.tools.len();
        let enters = known && !self.draining && !self.due.contains(&id);
        self.used.extend(submit.session.filter(|_| enters).map(|key| (key, self.now)));
        self.live.insert(id, Live { submit, deadline, enters, since: self.now, order: self.admitted, at: None, attempts: 0, written: 0 });
    }

    fn note_reply(&mut self, r: WorkerRef, id: RequestId, kind: ReplyKind) {
        let now = self.now;
        let Some(worker) = self.workers.get_mut(&r).filter(|w| w.job == Some(id)) else { return };
        if !worker.zombie {
            let outcome = if kind == ReplyKind::Ok { Outcome::Ok } else { Outcome::ToolError };
            if outcome == Outcome::ToolError && self.config.fallback == Fallback::AnyError {
                // Answered, or tried elsewhere.
                self.live.entry(id).and_modify(|live| live.at = None);
            } else {
                self.answered = Some((id, outcome));
            }
        } else {
            self.ended_zombie = Some((r, id));
        }
        (worker.job, worker.zombie, worker.idle_since) = (None, false, now);
    }

    fn note_exit(&mut self, r: WorkerRef) {
        let Some(worker) = self.workers.remove(&r) else { return };
        if worker.ready_at.is_none() {
            *self.start_deaths.entry(r.slot).or_default() += 1;
        }
        self.ended_zombie = worker.job.filter(|_| worker.zombie).map(|id| (r, id));
        if let Some(live) = worker.job.filter(|_| !worker.zombie).and_then(|id| self.live.get_mut(&id)) {
            live.at = None;
        }
    }

    fn note_timer(&mut self, timer: Timer) {
        self.timers.remove(&timer);
        match timer {
            Timer::Backoff(slot) => {
                self.backing_off.remove(&slot);
            }
            Timer::Healthy(r) => {
                let since = self.workers.get(&r).filter(|w| !w.stopped && !w.retired).and_then(|w| w.ready_at);
                if since.is_some_and(|at| at + self.config.healthy_after_ns <= self.now) {
                    self.healed.insert(r.slot);
                }
            }
            Timer::Session => {
                let Some(ttl) = self.config.session_ttl_ns else { return };
                let over: Vec<_> = self.used.iter().filter(|(_, at)| **at + ttl <= self.now).map(|(key, _)| *key).collect();
                let idle = |key: &SessionKey| self.live.values().all(|l| l.submit.session != Some(*key));
                over.into_iter().filter(idle).collect::<Vec<_>>().into_iter().for_each(|key| {
                    self.homes.remove(&key);
                });
            }
            _ => {}
        }
    }

    fn end(&mut self, key: SessionKey) {
        self.ended.insert(key);
        self.forget_ended(key);
    }

    pub(super) fn forget_ended(&mut self, key: SessionKey) {
        if self.ended.contains(&key) && self.live.values().all(|l| l.submit.session != Some(key)) {
            self.ended.remove(&key);
            self.homes.remove(&key);
        }
    }
}
