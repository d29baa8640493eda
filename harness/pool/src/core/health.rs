//! Who is sick: probes of silent workers, wedged ones, failures in a row, outliers. Replies are proof of health and come first.

use super::Core;
use super::types::{Action, Partition, Timer, WorkerRef};
use super::view::Residency;
use crate::clock::Nanos;

/// Workers without which a median says nothing.
const MEDIAN_OF: usize = 3;

impl Core {
    /// Asks for the next look at all workers.
    pub(super) fn arm_sweep(&mut self, out: &mut Vec<Action>) {
        let health = &self.config.health;
        let watches = health.probe_idle_ns.is_some() || health.wedged_after_ns.is_some() || health.eject_slower > 0;
        if (watches || self.config.spare_control == crate::config::SpareControl::Adaptive) && !self.draining {
            out.push(Action::SetTimer(Timer::Sweep, self.now.saturating_add(health.sweep_ns)));
        }
    }

    /// Looks at all workers: in time proportional to their number, once a sweep.
    pub(super) fn sweep(&mut self, out: &mut Vec<Action>) {
        if !self.started || self.draining {
            return;
        }
        for s in 0..self.slots.len() {
            self.look_at(s, out);
        }
        for partition in Partition::ALL {
            self.find_outliers(partition, out);
        }
        self.adapt_spares();
        self.arm_sweep(out);
    }

    /// Probes a worker that was silent for too long; one that does not answer in time has failed.
    fn look_at(&mut self, s: usize, out: &mut Vec<Action>) {
        let slot = &self.slots[s];
        if !matches!(slot.residency, Residency::Ready | Residency::Ejected) || slot.killed {
            return;
        }
        let health = &self.config.health;
        let silent = |since: Nanos, limit: Option<Nanos>| limit.is_some_and(|ns| since.saturating_add(ns) <= self.now);
        let overdue = slot.job.is_some_and(|job| silent(job.since, health.wedged_after_ns));
        let quiet = slot_is_idle(slot) && silent(slot.vitals.heard, health.probe_idle_ns);
        if let Some(probed) = slot.vitals.probed {
            if probed.saturating_add(health.probe_timeout_ns) > self.now {
                return;
            }
            self.slots[s].vitals.probed = None;
            // A busy worker may be too busy to answer, unless it is overdue.
            if slot_is_idle(&self.slots[s]) || overdue {
                self.totals.probes_failed += 1;
                // Without a word for so long, it is no outlier but dead.
                if overdue {
                    return self.condemn(s, out);
                }
                if self.missed(s, Core::condemn, out) {
                    return;
                }
            }
        }
        if overdue || quiet {
            self.slots[s].vitals.probed = Some(self.now);
            self.totals.probes += 1;
            out.push(Action::Probe(self.worker(s)));
        }
    }

    /// A sign of life.
    pub(super) fn probed(&mut self, worker: WorkerRef) {
        if self.lives(worker) {
            let vitals = &mut self.slots[usize::from(worker.slot.0)].vitals;
            (vitals.heard, vitals.probed, vitals.misses) = (self.now, None, 0);
        }
    }

    /// Counts a failure of the worker that is not its tool's; too many in a row bring it to this end. Whether they did.
    pub(super) fn missed(&mut self, s: usize, end: fn(&mut Core, usize, &mut Vec<Action>), out: &mut Vec<Action>) -> bool {
        let vitals = &mut self.slots[s].vitals;
        vitals.misses = vitals.misses.saturating_add(1);
        let limit = self.config.health.eject_after;
        let too_many = limit > 0 && vitals.misses >= limit;
        if too_many {
            end(self, s, out);
        }
        too_many
    }

    /// Ejects workers that have been much slower than the median of their partition for long enough. Slowness is relative to what each
    /// request was expected to take, so that a worker is not blamed for heavy requests.
    fn find_outliers(&mut self, partition: Partition, out: &mut Vec<Action>) {
        let health = &self.config.health;
        if health.eject_slower == 0 {
            return;
        }
        let (factor, window) = (f64::from(health.eject_slower), health.eject_window_ns);
        let slots = self.crews[partition as usize].slots.clone();
        let known = |s: &usize| self.slots[*s].residency == Residency::Ready && self.slots[*s].vitals.slowness > 0.0;
        let mut slowness: Vec<f64> = slots.clone().filter(known).map(|s| self.slots[s].vitals.slowness).collect();
        if slowness.len() < MEDIAN_OF {
            return;
        }
        let middle = slowness.len() / 2;
        let (_, median, _) = slowness.select_nth_unstable_by(middle, f64::total_cmp);
        let limit = *median * factor;
        for s in slots {
            let slow = self.slots[s].residency == Residency::Ready && self.slots[s].vitals.slowness > limit;
            let since = self.slots[s].vitals.slow_since.filter(|_| slow).or(slow.then_some(self.now));
            self.slots[s].vitals.slow_since = since;
            if since.is_some_and(|since| since.saturating_add(window) <= self.now) {
                self.eject(s, out);
            }
        }
    }

    /// Takes a worker out of service and lets it finish; another one is started in its place. At most half of the ready workers are ejected at
    /// a time: beyond that the fault is not theirs. A worker that holds a session's state is kept, for its session would be lost.
    pub(super) fn eject(&mut self, s: usize, out: &mut Vec<Action>) {
        let slot = &self.slots[s];
        let crew = &self.crews[slot.partition as usize];
        let gone = crew.of(Residency::Ejected) + crew.of(Residency::Closing) + 1;
        let most_remain = 2 * gone < crew.of(Residency::Ready) + gone;
        if slot.residency != Residency::Ready || !most_remain || (self.config.stateful && slot.bound > 0) {
            return;
        }
        self.totals.ejections += 1;
        self.retire(s, out);
    }

    /// Gives the worker no more work and closes it once it has none.
    pub(super) fn retire(&mut self, s: usize, out: &mut Vec<Action>) {
        if self.slots[s].job.is_some() {
            self.set_residency(s, Residency::Ejected);
        } else {
            self.close(s, out);
        }
    }
}

/// Whether the slot's worker has nothing to do that could keep it from answering.
fn slot_is_idle(slot: &super::state::Slot) -> bool {
    slot.job.is_none() && slot.resetting.is_none()
}
