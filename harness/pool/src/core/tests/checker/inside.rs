//! The state between two steps: as the view shows it, as it was seen from outside, and the core's own counts.

use super::*;
use crate::config::AffinityMode;

impl Checker {
    /// Asserts what must hold between two steps.
    pub(super) fn check_state(&mut self, core: &Core) {
        let view = core.view();
        // A worker that was ejected in this very step is no longer judged.
        for slot in std::mem::take(&mut self.healed) {
            if view.slots[usize::from(slot.0)].failures == 0 {
                self.attempts.insert(slot, 0);
            }
        }
        for slot in view.slots.iter().filter(|slot| slot.residency == Residency::Ejected) {
            let r = WorkerRef { slot: slot.slot, generation: slot.generation };
            self.workers.entry(r).and_modify(|w| w.retired = true);
        }
        let totals = view.totals;
        let ended: u64 = totals.finished.iter().sum();
        assert_eq!(
            totals.admitted,
            ended + u64::from(totals.in_flight) + u64::from(totals.queued),
            "I16: what was admitted is finished, queued or in flight"
        );
        assert_eq!((totals.admitted, ended), (self.admitted, self.finished), "I16: as seen from outside");
        let at_workers = self.live.values().filter(|l| l.at.is_some()).count();
        assert_eq!(
            (totals.in_flight as usize, totals.queued as usize),
            (at_workers, self.live.len() - at_workers),
            "I16: queued and in flight as seen from outside"
        );
        for tier in &view.tiers {
            assert!(tier.queued <= self.config.queue_len && tier.queued_bytes <= self.config.queue_bytes, "I9: {tier:?}");
        }
        for slot in &view.slots {
            self.check_slot(slot);
        }
        let first = self.live.values().filter_map(|l| l.deadline).min();
        let armed = self.timers.get(&Timer::Deadline);
        assert!(first.is_none_or(|d| armed.is_some_and(|at| *at <= d)), "no timer for the earliest deadline");
        self.check_inside(core);
    }

    fn check_slot(&self, slot: &SlotView) {
        let r = WorkerRef { slot: slot.slot, generation: slot.generation };
        let worker = self.workers.get(&r);
        let process = slot.residency.lives();
        assert_eq!(process, worker.is_some(), "{slot:?}");
        assert_eq!(slot.busy, worker.and_then(|w| w.job), "{slot:?}");
        assert_eq!(slot.zombie, worker.is_some_and(|w| w.zombie), "{slot:?}");
        assert_eq!(slot.residency == Residency::Backoff, self.backing_off.contains(&slot.slot), "{slot:?}");
    }

    /// I15 and the core's own counts, which no action shows.
    fn check_inside(&self, core: &Core) {
        for partition in Partition::ALL {
            let crew = &core.crews[partition as usize];
            let slots = &core.slots[crew.slots.clone()];
            let idle = slots.iter().filter(|s| s.idle).count();
            assert!(idle == 0 || core.demand(partition) == 0, "I15: a request waits while a worker idles");
            for (s, slot) in crew.slots.clone().zip(slots) {
                let free = slot.residency == Residency::Ready && slot.job.is_none() && !core.is_reserved(s);
                assert_eq!(slot.idle, free, "{slot:?}");
                let kept = slot.residency == Residency::Ready && slot.job.is_none() && slot.resetting.is_none();
                assert!(!kept || core.next_for(s).is_none(), "I15: a worker idles while a request waits that it may serve");
                assert!(slot.waiting.is_empty() || slot.residency.lives(), "a request waits for a dead worker");
            }
            assert_eq!(crew.busy as usize, slots.iter().filter(|s| s.residency == Residency::Ready && s.job.is_some()).count());
            assert_eq!((crew.count.iter().sum::<u32>() as usize, crew.listed as usize), (slots.len(), idle));
            let waits = core.classes_of(partition).any(|t| core.config.home(t) == partition && !core.classes[t as usize].shared.is_empty());
            assert!(!waits || crew.can_ever(), "requests wait for a partition that is given up");
        }
        for tier in Tier::ALL {
            let running = |t: &Tier| core.slots.iter().filter(|s| s.job.is_some_and(|job| job.class == *t)).count() as u32;
            assert_eq!(core.classes[tier as usize].running, running(&tier));
            let held: u32 = Tier::ALL.iter().filter(|t| **t >= tier).map(running).sum();
            let promised = self.config.affinity == AffinityMode::Strict;
            assert!(promised || held <= core.caps[tier as usize], "I3: {} and colder requests hold {held} workers", tier.name());
        }
        assert!(core.deadlines.len() <= core.requests.len());
    }
}
