//! What goes wrong on purpose, in simulated time.

use pool::clock::Nanos;
use pool::core::{Event, SlotId, WorkerRef};
use pool::{DisturbTarget, Disturbance, Moment, RequestFault};
use rand::RngExt;

use super::engine::Engine;
use super::world::{Due, Ending, Worker};
use crate::faults::What;

/// How often a fault looks for a worker that fits, a millisecond apart.
const TRIES: u32 = 50;
const MILLISECOND: Nanos = 1_000_000;

/// What a fault that a request carries does to its service.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Effects {
    /// The service takes that much longer, ns.
    pub(super) longer_ns: Nanos,
    /// The reply leaves that much later, ns.
    pub(super) late_ns: Nanos,
    /// The worker ends, before or after the service.
    pub(super) end: Option<(Moment, Ending)>,
}

impl Effects {
    /// Noise, pieces and second replies cost a real worker time that virtual time does not know: they do nothing here.
    pub(super) fn of(fault: Option<RequestFault>) -> Effects {
        let none = Effects::default();
        match fault {
            Some(RequestFault::Kill(moment)) => Effects { end: Some((moment, Ending::Killed)), ..none },
            Some(RequestFault::Exit(moment, code)) => Effects { end: Some((moment, Ending::Exit(code))), ..none },
            Some(RequestFault::Garbage) => Effects { end: Some((Moment::After, Ending::Protocol)), ..none },
            Some(RequestFault::Hang(Moment::Before)) => Effects { end: Some((Moment::After, Ending::Hangs)), ..none },
            Some(RequestFault::Hang(Moment::After) | RequestFault::Stop) => Effects { end: Some((Moment::Before, Ending::Hangs)), ..none },
            Some(RequestFault::Late(ns)) => Effects { late_ns: ns, ..none },
            Some(RequestFault::Balloon { ms, .. }) => Effects { longer_ns: Nanos::from(ms) * MILLISECOND, ..none },
            Some(RequestFault::Duplicate | RequestFault::Split(_) | RequestFault::FloodStdout(_) | RequestFault::FloodStderr(_)) | None => {
                none
            }
        }
    }
}

impl Engine<'_> {
    /// Lets a worker end, or answer no more, at its moment.
    pub(super) fn spoil(&mut self, worker: WorkerRef, (moment, ending): (Moment, Ending), service: (Nanos, Nanos)) {
        let back = self.costs.return_ns;
        let Some(slot) = self.worker(worker) else { return };
        let turn = slot.turn;
        match (ending, moment) {
            (Ending::Hangs, Moment::Before) => slot.hangs = true,
            (Ending::Hangs, Moment::After) => {
                // It answers this one, and reads nothing more.
                slot.stalled_until = Nanos::MAX;
                self.agenda.push(service.1.saturating_add(back), Due::Reply(worker, turn));
            }
            _ => {
                slot.ends = ending;
                let at = if moment == Moment::Before { service.0 } else { service.1 };
                self.agenda.push(at, Due::Exit(worker));
            }
        }
    }

    /// A fault of the pool strikes; where no worker fits it looks again for a little while.
    pub(super) fn strike(&mut self, n: u32, tries: u32) {
        let Some(fault) = self.faults.get(n as usize) else { return };
        let struck = match fault.what {
            What::Disturb(target, what) => self.disturb(target, what),
            What::SlowStart(ns) => {
                self.slow_start_ns = ns;
                true
            }
            What::Reload => {
                self.step(Event::Reload);
                true
            }
            What::Drain => {
                self.step(Event::Drain);
                true
            }
            What::Request(_) => false,
        };
        if struck {
            *self.ended.struck.entry(fault.kind.to_owned()).or_default() += 1;
        } else if tries < TRIES {
            self.agenda.push(self.now + MILLISECOND, Due::Fault(n, tries + 1));
        }
    }

    /// Spoils a worker that fits; false if none does.
    fn disturb(&mut self, target: DisturbTarget, what: Disturbance) -> bool {
        let fits = |slot: usize, w: &Worker| match target {
            DisturbTarget::AnyBusy => w.ready && w.busy.is_some() && !w.ending,
            DisturbTarget::AnyReady => w.ready && !w.ending,
            DisturbTarget::Slot(SlotId(id)) => usize::from(id) == slot,
        };
        let fitting: Vec<usize> = (0..self.workers.len()).filter(|s| self.workers[*s].lives && fits(*s, &self.workers[*s])).collect();
        if fitting.is_empty() {
            return false;
        }
        let s = fitting[self.random.random_range(0..fitting.len())];
        let worker = WorkerRef { slot: SlotId(s as u16), generation: self.workers[s].generation };
        match what {
            Disturbance::Kill => self.agenda.push(self.now, Due::Exit(worker)),
            Disturbance::Stall(ns) => self.stall(worker, ns),
            Disturbance::Stop => self.workers[s].hangs = true,
        }
        true
    }

    /// Stops a worker for a while: what it is on takes that much longer.
    fn stall(&mut self, worker: WorkerRef, ns: Nanos) {
        let (now, back) = (self.now, self.costs.return_ns);
        let Some(slot) = self.worker(worker) else { return };
        slot.stalled_until = slot.stalled_until.max(now).saturating_add(ns);
        if slot.busy.is_some() {
            slot.turn = slot.turn.wrapping_add(1);
            slot.service.1 = slot.service.1.max(now).saturating_add(ns);
            if slot.service.0 > now {
                slot.service.0 = slot.service.0.saturating_add(ns);
            }
            let (turn, end) = (slot.turn, slot.service.1);
            self.agenda.push(end.saturating_add(back), Due::Reply(worker, turn));
        }
    }
}
