//! Replacing all workers one by one, and ending the pool.

use super::Core;
use super::state::At;
use super::types::{Action, Outcome, RequestId, Timer};
use super::view::Residency;

impl Core {
    /// Marks every worker that lives now for replacement; parked slots are tried again.
    pub(super) fn reload(&mut self) {
        if self.draining {
            return;
        }
        self.reloading = true;
        for s in 0..self.slots.len() {
            match self.slots[s].residency {
                Residency::Starting | Residency::Ready | Residency::Ejected => self.slots[s].stale = true,
                Residency::Parked => {
                    (self.slots[s].start_failures, self.slots[s].failures) = (0, 0);
                    self.set_residency(s, Residency::Absent);
                }
                Residency::Absent | Residency::Closing | Residency::Backoff => {}
            }
        }
    }

    /// Retires the next old worker, once the one before it is replaced: idle ones first, those with a session's state when it has ended.
    pub(super) fn go_on_reloading(&mut self, out: &mut Vec<Action>) {
        if !self.reloading {
            return;
        }
        let total = |residency: Residency| self.crews.iter().map(|c| c.of(residency)).sum::<u32>();
        if total(Residency::Parked) > 0 {
            // The new workers do not start: better old ones than none.
            return self.end_reload(false, out);
        }
        let under_way = total(Residency::Closing) + total(Residency::Ejected) + total(Residency::Backoff) + total(Residency::Starting);
        let stale = || (0..self.slots.len()).filter(|s| self.slots[*s].stale);
        if stale().next().is_none() {
            return self.end_reload(true, out);
        }
        if under_way > 0 {
            return;
        }
        let held = |s: &usize| self.config.stateful && self.slots[*s].bound > 0;
        if let Some(s) = stale().filter(|s| !held(s)).min_by_key(|s| self.slots[*s].job.is_some()) {
            self.retire(s, out);
            // Its replacement starts now, not with whatever happens next.
            self.spawn_where_needed(out);
        }
    }

    fn end_reload(&mut self, whole: bool, out: &mut Vec<Action>) {
        self.reloading = false;
        self.slots.iter_mut().for_each(|slot| slot.stale = false);
        self.totals.reloads += 1;
        out.push(Action::Reloaded(whole));
    }

    /// Stops admitting.
    pub(super) fn drain(&mut self, out: &mut Vec<Action>) {
        if self.draining {
            return;
        }
        self.draining = true;
        if self.reloading {
            self.end_reload(false, out);
        }
        // No session goes on: what waits may have the workers that they held.
        for _ in 0..self.sessions.len() {
            let Some(i) = self.sessions.oldest() else { break };
            match self.sessions.get(i).live {
                0 => self.forget(i),
                _ => self.sessions.touch(i, self.now),
            }
        }
        if let Some(ns) = self.config.drain_timeout_ns.filter(|_| !self.requests.is_empty()) {
            out.push(Action::SetTimer(Timer::Drain, self.now.saturating_add(ns)));
        }
    }

    /// The drain has taken long enough: what waits is handed back, what is at a worker is given up.
    pub(super) fn drain_timer(&mut self, out: &mut Vec<Action>) {
        if !self.draining {
            return;
        }
        let mut ids: Vec<(u64, RequestId)> = self.requests.iter().map(|(id, request)| (request.seq, *id)).collect();
        ids.sort_unstable();
        for (_, id) in ids {
            let Some(request) = self.requests.get(&id) else { continue };
            let outcome = match request.at {
                // Never written, or written to a worker that is gone: the caller is told which.
                At::Running(_) if request.written || request.written_before => Outcome::OutcomeUnknown,
                At::Running(_) => Outcome::Failed,
                _ if request.written_before => Outcome::OutcomeUnknown,
                _ => Outcome::Shed,
            };
            self.abandon(id, outcome, out);
        }
    }

    /// Closes all workers once no request is left, and says so once when all are gone.
    pub(super) fn close_when_drained(&mut self, out: &mut Vec<Action>) {
        if !self.draining || self.drained || !self.requests.is_empty() {
            return;
        }
        // Nothing is started any more, so they are looked at once.
        if self.crews.iter().any(|c| c.up() + c.of(Residency::Ejected) > 0) {
            for s in 0..self.slots.len() {
                if matches!(self.slots[s].residency, Residency::Starting | Residency::Ready | Residency::Ejected) {
                    self.close(s, out);
                }
            }
        }
        if self.crews.iter().all(|c| c.of(Residency::Closing) == 0) {
            self.drained = true;
            out.push(Action::Drained);
        }
    }
}
