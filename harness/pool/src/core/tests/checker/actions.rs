//! Taking note of the actions of a step, in order, each of which must be allowed where it comes.

use super::*;
use crate::config::{AffinityMode, Fallback};

impl Checker {
    /// Takes note of one action, and asserts that the event and what came before allow it.
    pub(super) fn note_action(&mut self, event: Event, action: &Action) {
        match *action {
            Action::Spawn(r, partition) => self.note_spawn(r, partition),
            Action::Dispatch(r, id) => self.note_dispatch(r, id),
            Action::CancelAtWorker(r, id) => {
                let zombie = self.workers.get(&r).is_some_and(|w| w.job == Some(id) && w.zombie);
                assert!(zombie || self.ended_zombie == Some((r, id)), "cancelled what is not a zombie's");
            }
            Action::Close(r) => self.note_close(event, r),
            Action::Probe(r) => {
                assert!(self.workers.get(&r).is_some_and(|w| !w.stopped && w.ready_at.is_some()), "probed a worker that is not ready");
                self.unanswered.insert(r);
            }
            Action::Reset(r) => {
                let worker = self.workers.get_mut(&r).expect("reset of a worker that is gone");
                assert!(worker.job.is_none() && worker.session.is_some() && !worker.stopped, "reset without reason");
                worker.resetting = true;
            }
            Action::Reloaded(whole) => {
                let left = self.workers.values().filter(|w| w.stale && !w.stopped).count();
                assert!(!whole || left == 0, "reloaded, but {left} older workers serve on");
                self.workers.values_mut().for_each(|w| w.stale = false);
            }
            Action::Kill(r) => {
                let worker = self.workers.get_mut(&r).expect("I7: killed a worker that is gone");
                let late_start = event == Event::Timer(Timer::Start(r)) && worker.ready_at.is_none();
                let zombie = event == Event::Timer(Timer::Zombie(r)) && worker.zombie;
                let reset = event == Event::Timer(Timer::Reset(r)) && worker.resetting;
                let silent = event == Event::Timer(Timer::Sweep) && self.unanswered.remove(&r);
                assert!(!worker.stopped && (late_start || zombie || reset || silent), "killed without reason");
                worker.stopped = true;
            }
            Action::Finish { request, outcome, retry_after, placement } => {
                assert!(retry_after.is_none() || outcome == Outcome::Shed);
                self.note_finish(event, request, outcome, placement);
            }
            Action::SetTimer(timer, at) => {
                assert!(at > self.now || timer == Timer::Deadline || self.config.zombie_grace_ns == 0, "{timer:?} set to now would spin");
                self.timers.insert(timer, at);
            }
            Action::Backoff(slot, attempt) => {
                let last = self.attempts.entry(slot).or_default();
                assert_eq!(attempt, *last + 1, "I14: backoff grows by one until the worker was healthy");
                *last = attempt;
                self.backing_off.insert(slot);
            }
            Action::Drained => {
                assert!(
                    self.draining && !self.drained && self.workers.is_empty() && self.live.is_empty(),
                    "I11: drained too early or twice"
                );
                self.drained = true;
            }
        }
    }

    fn note_spawn(&mut self, r: WorkerRef, partition: Partition) {
        assert!(self.workers.keys().all(|w| w.slot != r.slot), "I4: two processes in one slot");
        assert!(!self.backing_off.contains(&r.slot), "spawned during backoff");
        let deaths = self.start_deaths.get(&r.slot).copied().unwrap_or(0);
        assert!(deaths < self.config.park_after, "spawned in a parked slot");
        let generation = self.generations.entry(r.slot).or_default();
        assert_eq!(r.generation, *generation + 1);
        *generation += 1;
        let worker = Worker {
            partition,
            ready_at: None,
            stopped: false,
            job: None,
            zombie: false,
            idle_since: 0,
            session: None,
            resetting: false,
            retired: false,
            stale: false,
        };
        self.workers.insert(r, worker);
        let starting = self.workers.values().filter(|w| w.ready_at.is_none()).count();
        assert!(starting <= self.config.spawn_concurrency as usize + self.stopped_at_start(), "I4: too many starting");
        let of_partition = self.workers.values().filter(|w| w.partition == partition).count();
        assert!(of_partition <= usize::from(self.config.slots(partition)), "I4: more workers than max");
    }

    fn stopped_at_start(&self) -> usize {
        self.workers.values().filter(|w| w.ready_at.is_none() && w.stopped).count()
    }

    fn note_dispatch(&mut self, r: WorkerRef, id: RequestId) {
        let worker = self.workers.get_mut(&r).expect("I7: dispatch to a worker that is gone");
        assert!(worker.ready_at.is_some() && !worker.stopped, "I7: dispatch to a worker that is not ready or is stopping");
        assert!(worker.job.is_none(), "I3: two requests at one worker");
        assert!(!worker.retired && !worker.resetting, "I7: dispatch to a worker that is out of service");
        let live = self.live.get_mut(&id).expect("I1: dispatch of a request that is finished or unknown");
        assert!(live.at.is_none(), "I2: one request at two workers");
        let baseline = self.config.fallback == Fallback::AnyError;
        let twice = baseline || self.config.tools[usize::from(live.submit.tool.0)].replayable;
        assert!(live.written == 0 || twice, "I2: written twice");
        live.attempts += 1;
        assert!(live.attempts <= if baseline { 3 } else { 2 }, "I2: more attempts than allowed");
        if let Some(key) = live.submit.session.filter(|_| self.config.stateful) {
            assert!(worker.session.is_none_or(|held| held == key), "I6: a stateful worker serves a second session without a reset");
            worker.session = Some(key);
        }
        (live.at, worker.job) = (Some(r), Some(id));
        if let Some(key) = live.submit.session.filter(|_| self.config.affinity == AffinityMode::Strict) {
            let home = self.homes.insert(key, r);
            assert!(home.is_none_or(|h| h == r || !self.workers.contains_key(&h)), "I5: a strict session at two living workers");
        }
    }

    fn note_close(&mut self, event: Event, r: WorkerRef) {
        let worker = self.workers.get_mut(&r).unwrap_or_else(|| panic!("I7: closed a worker that is gone: {r:?} at {event:?}"));
        assert!(!worker.stopped, "closed twice");
        worker.stopped = true;
        let worker = worker.clone();
        if self.draining && self.live.is_empty() {
            return;
        }
        assert!(worker.job.is_none() && worker.ready_at.is_some(), "I13: closed a busy worker");
        let health = &self.config.health;
        let sick = event == Event::Timer(Timer::Sweep) && (health.eject_after > 0 || health.eject_slower > 0);
        let recycled = self.config.stateful && worker.session.is_some() && !self.homes.values().any(|home| *home == r);
        let just_missed = health.eject_after > 0 && self.missed.contains(&r);
        if !(sick || just_missed || worker.retired || worker.stale || recycled) {
            self.check_idle_close(event, r, &worker);
        }
    }

    fn check_idle_close(&self, event: Event, r: WorkerRef, worker: &Worker) {
        assert_eq!(event, Event::Timer(Timer::Idle(r)), "I13: closed without reason");
        let policy = self.config.policy(worker.partition);
        assert!(policy.idle_ttl_ns.is_some_and(|ttl| worker.idle_since + ttl <= self.now), "I13: closed before its time");
        let left: Vec<_> = self.workers.values().filter(|w| w.partition == worker.partition && !w.stopped).collect();
        let busy = left.iter().filter(|w| w.job.is_some()).count();
        let keep = usize::from(policy.min_ready).max((busy + usize::from(policy.spares)).min(policy.max.into()));
        assert!(left.len() >= keep, "I13: closed one of the workers to keep");
        assert!(!self.homes.values().any(|home| *home == r), "I13: closed a worker with a strict session");
    }

    fn note_finish(&mut self, event: Event, id: RequestId, outcome: Outcome, placement: Placement) {
        let live = self.live.remove(&id).expect("I1: a second outcome, or one for an unknown request");
        self.finished += 1;
        assert_eq!(placement.attempts, live.attempts);
        let colder_only = self.config.fallback == Fallback::Blocked && self.config.affinity != AffinityMode::Strict;
        let lighter = placement.served.is_some_and(|served| served < placement.predicted);
        assert!(!(colder_only && lighter), "a heavy request held a worker of a lighter tier: {placement:?}");
        let due = self.due.remove(&id);
        assert!(
            !due || outcome == Outcome::Expired || (outcome == Outcome::Shed && self.draining) || self.tool_unknown(&live),
            "I10: {outcome:?} after the deadline"
        );
        match outcome {
            Outcome::ToolError if self.config.fallback == Fallback::AnyError => {}
            Outcome::Ok | Outcome::ToolError => {
                assert_eq!(self.answered.take(), Some((id, outcome)), "I8: answered without a reply of its worker");
            }
            Outcome::Expired => {
                assert!(due, "expired before its deadline");
                self.missed.extend(live.at);
            }
            Outcome::Shed => {
                let handed_back = event == Event::Timer(Timer::Drain);
                assert!(handed_back || matches!(event, Event::Submit(s) if s.request == id), "I9: shed later than at once");
            }
            Outcome::Cancelled => assert_eq!(event, Event::Cancel(id)),
            Outcome::Failed => assert_eq!(live.written, 0, "failed says that it had no effect"),
            Outcome::OutcomeUnknown => assert!(live.written > 0, "it cannot have run"),
            Outcome::SessionLost => assert!(self.config.stateful && live.submit.session.is_some()),
        }
        if let Some(worker) = live.at.and_then(|r| self.workers.get_mut(&r)).filter(|w| w.job == Some(id)) {
            worker.zombie = true;
        }
        if let Some(key) = live.submit.session {
            self.used.extend(live.enters.then_some((key, self.now)));
            if self.draining {
                self.ended.insert(key);
            }
            self.forget_ended(key);
        }
    }

    fn tool_unknown(&self, live: &Live) -> bool {
        usize::from(live.submit.tool.0) >= self.config.tools.len()
    }
}
