//! A plain model of what the outside sees, asserting the invariants I1 to I16 that concern the core after every step.

mod order;
mod outside;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::super::*;
use crate::config::{AffinityMode, Fallback};

#[derive(Clone, Debug)]
struct Worker {
    partition: Partition,
    ready_at: Option<Nanos>,
    stopped: bool,
    job: Option<RequestId>,
    zombie: bool,
    idle_since: Nanos,
    /// The session whose state it holds, with stateful workers.
    session: Option<SessionKey>,
    resetting: bool,
    /// Taken out of service.
    retired: bool,
    /// Lives since before the reload under way.
    stale: bool,
}

#[derive(Clone, Debug)]
struct Live {
    submit: Submit,
    deadline: Option<Nanos>,
    /// It was not refused before anybody looked at its session.
    enters: bool,
    since: Nanos,
    /// Order of admission.
    order: u64,
    at: Option<WorkerRef>,
    attempts: u8,
    written: u8,
}

/// What has been seen of one pool.
#[derive(Clone)]
pub(super) struct Checker {
    config: Arc<Config>,
    now: Nanos,
    workers: BTreeMap<WorkerRef, Worker>,
    generations: BTreeMap<SlotId, u32>,
    start_deaths: BTreeMap<SlotId, u32>,
    attempts: BTreeMap<SlotId, u32>,
    backing_off: BTreeSet<SlotId>,
    live: BTreeMap<RequestId, Live>,
    /// Requests whose deadline has come: they must be answered within the step.
    due: BTreeSet<RequestId>,
    /// The request that the present event's reply answers.
    answered: Option<(RequestId, Outcome)>,
    /// The zombie that the present event ended: deadlines come before the event, so that it may be cancelled first.
    ended_zombie: Option<(WorkerRef, RequestId)>,
    /// The fresh request of the present event.
    submitted: Option<Submit>,
    /// Strict sessions: the worker that served each last.
    homes: BTreeMap<SessionKey, WorkerRef>,
    ended: BTreeSet<SessionKey>,
    timers: BTreeMap<Timer, Nanos>,
    /// When each session was used last.
    used: BTreeMap<SessionKey, Nanos>,
    /// Workers whose request has expired in the present step.
    missed: BTreeSet<WorkerRef>,
    /// Slots whose worker has been healthy for long enough in the present step.
    healed: BTreeSet<SlotId>,
    /// Workers that were probed and have not answered.
    unanswered: BTreeSet<WorkerRef>,
    admitted: u64,
    finished: u64,
    pub(super) draining: bool,
    pub(super) drained: bool,
}

impl Checker {
    pub(super) fn new(config: &Config) -> Checker {
        Checker {
            config: Arc::new(config.clone()),
            now: 0,
            workers: BTreeMap::new(),
            generations: BTreeMap::new(),
            start_deaths: BTreeMap::new(),
            attempts: BTreeMap::new(),
            backing_off: BTreeSet::new(),
            live: BTreeMap::new(),
            due: BTreeSet::new(),
            answered: None,
            ended_zombie: None,
            submitted: None,
            homes: BTreeMap::new(),
            ended: BTreeSet::new(),
            timers: BTreeMap::new(),
            used: BTreeMap::new(),
            missed: BTreeSet::new(),
            healed: BTreeSet::new(),
            unanswered: BTreeSet::new(),
            admitted: 0,
            finished: 0,
            draining: false,
            drained: false,
        }
    }

    // What a driver of the core may choose from.

    pub(super) fn starting(&self) -> Vec<WorkerRef> {
        self.workers.iter().filter(|(_, w)| w.ready_at.is_none() && !w.stopped).map(|(r, _)| *r).collect()
    }

    pub(super) fn jobs(&self) -> Vec<(WorkerRef, RequestId)> {
        self.workers.iter().filter_map(|(r, w)| Some((*r, w.job?))).collect()
    }

    pub(super) fn alive(&self) -> Vec<WorkerRef> {
        self.workers.keys().copied().collect()
    }

    pub(super) fn stopped(&self) -> Vec<WorkerRef> {
        self.workers.iter().filter(|(_, w)| w.stopped).map(|(r, _)| *r).collect()
    }

    pub(super) fn backing_off(&self) -> Vec<SlotId> {
        self.backing_off.iter().copied().collect()
    }

    pub(super) fn probed(&self) -> Vec<WorkerRef> {
        self.unanswered.iter().copied().filter(|r| self.workers.contains_key(r)).collect()
    }

    pub(super) fn resetting(&self) -> Vec<WorkerRef> {
        self.workers.iter().filter(|(_, w)| w.resetting && !w.stopped).map(|(r, _)| *r).collect()
    }

    pub(super) fn live(&self) -> Vec<RequestId> {
        self.live.keys().copied().collect()
    }

    /// Timers under way, earliest first.
    pub(super) fn timers(&self) -> Vec<(Nanos, Timer)> {
        let mut timers: Vec<_> = self.timers.iter().map(|(t, at)| (*at, *t)).collect();
        timers.sort();
        timers
    }

    /// Takes note of a step and asserts that it was allowed.
    pub(super) fn check(&mut self, now: Nanos, event: Event, actions: &[Action], core: &Core) {
        self.now = self.now.max(now);
        self.mark_due();
        (self.answered, self.ended_zombie) = (None, None);
        self.missed.clear();
        self.note_event(event);
        for action in actions {
            self.note_action(event, action);
        }
        if let Some(key) = self.submitted.take().filter(|s| self.live.contains_key(&s.request)).and_then(|s| s.session) {
            self.ended.remove(&key);
        }
        assert!(self.due.is_empty(), "I10: unanswered after the deadline: {:?}", self.due);
        if let Some((id, _)) = self.answered {
            panic!("I1: a reply for {id:?} was not delivered");
        }
        self.check_order(actions, core);
        self.check_state(core);
    }

    fn mark_due(&mut self) {
        let now = self.now;
        self.due = self.live.iter().filter(|(_, l)| l.deadline.is_some_and(|d| d <= now)).map(|(id, _)| *id).collect();
        for id in &self.due {
            if let Some(worker) = self.live[id].at.and_then(|w| self.workers.get_mut(&w)) {
                worker.zombie = true;
            }
        }
    }

    fn note_event(&mut self, event: Event) {
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

    fn note_action(&mut self, event: Event, action: &Action) {
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

    fn end(&mut self, key: SessionKey) {
        self.ended.insert(key);
        self.forget_ended(key);
    }

    fn tool_unknown(&self, live: &Live) -> bool {
        usize::from(live.submit.tool.0) >= self.config.tools.len()
    }

    fn forget_ended(&mut self, key: SessionKey) {
        if self.ended.contains(&key) && self.live.values().all(|l| l.submit.session != Some(key)) {
            self.ended.remove(&key);
            self.homes.remove(&key);
        }
    }

    fn check_state(&mut self, core: &Core) {
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
