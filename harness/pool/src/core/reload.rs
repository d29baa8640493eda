//! Replacing all workers one by one, and ending the pool.

use super::Core;
use super::state::At;
use super::types::{Action, Outcome, Partition, RequestId, Timer, WorkerRef};
use super::view::Residency;

/// A reload under way.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct Reload {
    /// Older workers that still live.
    stale: u32,
    /// Where the next one is looked for: once over all slots for idle workers, then once more for any.
    cursor: usize,
    /// What the reload has set going and waits for, by partition.
    gaps: [Option<Gap>; 4],
}

/// A worker that the reload took from a partition, or a parked slot of it that is tried again.
#[derive(Clone, Copy, Debug, Hash)]
struct Gap {
    partition: Partition,
    /// The older worker, on its way out.
    leaving: Option<WorkerRef>,
    /// The slot of the first worker that was started in its place.
    successor: Option<usize>,
}

/// How far a [`Gap`] has come.
enum Progress {
    /// The worker still leaves, or its successor is not ready yet.
    Waits,
    /// Its successor serves, or none is wanted.
    Filled,
    /// Its successor does not start.
    Failed,
}

impl Core {
    /// Marks every worker that lives now for replacement; parked slots are tried again.
    pub(super) fn begin_reload(&mut self) {
        if self.draining {
            return;
        }
        let mut reload = Reload { stale: 0, cursor: 0, ..self.reload.take().unwrap_or_default() };
        for s in 0..self.slots.len() {
            let slot = &mut self.slots[s];
            match slot.residency {
                Residency::Starting | Residency::Ready | Residency::Ejected => slot.stale = true,
                Residency::Parked => {
                    (slot.start_failures, slot.failures) = (0, 0);
                    let partition = slot.partition;
                    reload.gaps[partition as usize].get_or_insert(Gap { partition, leaving: None, successor: None });
                    self.set_residency(s, Residency::Absent);
                }
                Residency::Absent | Residency::Closing | Residency::Backoff => {}
            }
            reload.stale += u32::from(self.slots[s].stale);
        }
        self.reload = Some(reload);
    }

    /// Retires the next older worker, once the one before it is replaced: idle ones first, those with a session's state when it has ended.
    /// Comes before the starts of a step, so that a successor starts in the step in which its place is free.
    pub(super) fn go_on_reloading(&mut self, out: &mut Vec<Action>) {
        let Some(Reload { gaps, .. }) = self.reload else { return };
        for gap in gaps.into_iter().flatten() {
            match self.progress(gap) {
                Progress::Waits => return,
                // Better old ones than none.
                Progress::Failed => return self.end_reload(false, out),
                Progress::Filled => {}
            }
        }
        let Some(reload) = &mut self.reload else { return };
        reload.gaps = Default::default();
        if reload.stale == 0 {
            return self.end_reload(true, out);
        }
        if let Some(s) = self.next_stale() {
            let (partition, leaving) = (self.slots[s].partition, Some(self.worker(s)));
            if let Some(reload) = &mut self.reload {
                reload.gaps[partition as usize] = Some(Gap { partition, leaving, successor: None });
            }
            self.retire(s, out);
        }
    }

    fn progress(&self, gap: Gap) -> Progress {
        match gap.successor.map(|s| self.slots[s].residency) {
            Some(Residency::Parked) => Progress::Failed,
            _ if gap.leaving.is_some_and(|worker| self.lives(worker)) => Progress::Waits,
            Some(Residency::Starting | Residency::Backoff) => Progress::Waits,
            Some(Residency::Ready) => Progress::Filled,
            // Not started yet, or gone again: is one wanted?
            _ if self.is_short(gap.partition) => Progress::Waits,
            _ => Progress::Filled,
        }
    }

    /// The slot of the next older worker that may go now.
    fn next_stale(&mut self) -> Option<usize> {
        let (reload, len) = (self.reload.as_mut()?, self.slots.len());
        while reload.cursor < 2 * len {
            let (any, s) = (reload.cursor >= len, reload.cursor % len);
            reload.cursor += 1;
            let slot = &self.slots[s];
            let held = self.config.stateful && slot.bound > 0;
            if slot.stale && slot.residency == Residency::Ready && !held && (any || slot.job.is_none()) {
                return Some(s);
            }
        }
        None
    }

    /// An older worker that was passed over may go now: it has become ready, or its session has ended.
    pub(super) fn look_again(&mut self, s: usize) {
        if let Some(reload) = self.reload.as_mut().filter(|_| self.slots[s].stale) {
            reload.cursor = reload.cursor.min(self.slots.len() + s);
        }
    }

    /// Takes note of a start: the first one in a partition with a gap fills it, and the next one where that came to nothing.
    pub(super) fn note_start(&mut self, s: usize) {
        let partition = self.slots[s].partition as usize;
        let Some(gap) = self.reload.as_mut().and_then(|r| r.gaps[partition].as_mut()) else { return };
        let serves = |s: usize| matches!(self.slots[s].residency, Residency::Starting | Residency::Ready);
        if !gap.successor.is_some_and(serves) {
            gap.successor = Some(s);
        }
    }

    /// Takes note of a worker's end.
    pub(super) fn note_end(&mut self, s: usize) {
        if std::mem::take(&mut self.slots[s].stale)
            && let Some(reload) = &mut self.reload
        {
            reload.stale -= 1;
        }
    }

    fn end_reload(&mut self, whole: bool, out: &mut Vec<Action>) {
        self.reload = None;
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
        if self.reload.is_some() {
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
