//! A plain model of what the outside sees, asserting the invariants I1 to I16 that concern the core after every step.

mod actions;
mod events;
mod inside;
mod order;
mod outside;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::super::*;

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
}
