//! I12: who is served before whom. Written down again, from the outside as far as it goes: tier, time of admission, order of admission.

use super::*;
use crate::config::Dispatch;

impl Checker {
    /// No request that a worker might have taken is passed over by one that comes after it.
    pub(super) fn check_order(&self, actions: &[Action], core: &Core) {
        let dispatched = |a: &Action| if let Action::Dispatch(worker, id) = a { Some((*worker, *id)) } else { None };
        let served: Vec<(WorkerRef, RequestId)> = actions.iter().filter_map(dispatched).collect();
        for (worker, id) in &served {
            // A worker with a session's state serves that session only.
            let Some(partition) = self.workers.get(worker).filter(|_| !self.config.stateful).map(|w| w.partition) else { continue };
            let Some(taken) = core.requests.get(id) else { continue };
            let (class, place) = (taken.counted, self.rank(*id, taken.counted));
            if taken.placement.attempts > 1 && self.is_full_for(core, taken) {
                // It could not have waited for its turn without breaking I9, and failing it would be worse.
                continue;
            }
            for (other, waiting) in &core.requests {
                let passed = matches!(waiting.at, state::At::Shared(t) if self.config.home(t) == partition);
                // What was served in the same step may have filled the cap; of one alone it is known how full it was before.
                let room = |t: Tier| self.room(core, t, (served.len() == 1).then_some(class));
                if passed && self.rank(*other, waiting.counted) < place && room(waiting.counted) {
                    panic!("I12: {other:?} is passed over by {id:?}, which comes after it: {actions:?}");
                }
            }
        }
    }

    fn is_full_for(&self, core: &Core, request: &Request) -> bool {
        let class = &core.classes[request.counted as usize];
        class.queued >= self.config.queue_len || class.queued_bytes + u64::from(request.bytes) > self.config.queue_bytes
    }

    /// The lighter after ageing first, then the older.
    fn rank(&self, id: RequestId, class: Tier) -> Option<(i64, u64)> {
        let live = self.live.get(&id)?;
        let aged = ((self.now - live.since) / self.config.ageing_ns) as i64;
        let rank = if self.config.dispatch == Dispatch::Shared { class as i64 - aged } else { 0 };
        Some((rank, live.order))
    }

    /// Whether one more request of the class may have a worker, not counting one of the class `without`.
    fn room(&self, core: &Core, class: Tier, without: Option<Tier>) -> bool {
        let held = |from: Tier| core.slots.iter().filter_map(|s| s.job).filter(|job| job.class >= from).count();
        let free = |from: Tier| held(from) < core.caps[from as usize] as usize + usize::from(without.is_some_and(|t| t >= from));
        self.config.dispatch == Dispatch::Tiered || Tier::ALL.into_iter().filter(|t| *t <= class).all(free)
    }
}
