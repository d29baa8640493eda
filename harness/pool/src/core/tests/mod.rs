//! Tests of the core: every step of every test is checked against the named invariants.

mod affinity;
mod checker;
mod crash;
mod dispatch;
mod health;
mod invariants;
mod life;
mod model;
mod random;
mod reload;
mod shared;

use super::*;
use crate::config::{AffinityMode, Dispatch, Fallback, Health, Predict, Recycle, SpareControl, TierConfig, ToolConfig};
use checker::Checker;

pub(super) const MS: Nanos = 1_000_000;
pub(super) const SECOND: Nanos = 1_000 * MS;

/// Tools of the test configuration.
pub(super) const LIGHT: ToolId = ToolId(0);
pub(super) const MEDIUM: ToolId = ToolId(1);
pub(super) const HEAVY: ToolId = ToolId(2);
pub(super) const TWICE: ToolId = ToolId(3);

pub(super) fn tier(min_ready: u16, spares: u16, max: u16, idle_ttl_ns: Option<Nanos>) -> TierConfig {
    TierConfig { worker: "simulated".into(), min_ready, spares, max, idle_ttl_ns, limit_ns: u64::MAX, cap_percent: 100 }
}

/// Hot keeps two of two workers, warm and cold start up to two on demand; a hot, a warm, a cold and a replayable hot tool.
pub(super) fn config() -> Config {
    let tool = |name: &str, tier, replayable| ToolConfig { name: name.into(), tier, replayable };
    Config {
        affinity: AffinityMode::None,
        stateful: false,
        recycle: Recycle::Restart,
        session_ttl_ns: None,
        sessions_max: 8,
        dispatch: Dispatch::Tiered,
        fallback: Fallback::Blocked,
        predict: Predict::Tool,
        predict_quantile: 25,
        ageing_ns: 10 * SECOND,
        shared: tier(2, 0, 2, None),
        tiers: [tier(2, 0, 2, None), tier(0, 0, 2, Some(SECOND)), tier(0, 0, 2, Some(SECOND))],
        tools: vec![
            tool("a-light", Tier::Hot, false),
            tool("b-medium", Tier::Warm, false),
            tool("c-heavy", Tier::Cold, false),
            tool("d-twice", Tier::Hot, true),
        ],
        queue_len: 4,
        queue_bytes: 1000,
        deadline_ns: None,
        start_timeout_ns: 10 * SECOND,
        backoff_base_ns: 100 * MS,
        backoff_cap_ns: 30 * SECOND,
        healthy_after_ns: 60 * SECOND,
        park_after: 3,
        zombie_grace_ns: 2 * SECOND,
        spawn_concurrency: 2,
        spawn_jitter_ns: 0,
        spare_control: SpareControl::Fixed,
        spare_window_ns: 60 * SECOND,
        health: Health {
            sweep_ns: SECOND,
            probe_idle_ns: None,
            probe_timeout_ns: SECOND,
            wedged_after_ns: None,
            eject_after: 0,
            eject_slower: 0,
            eject_window_ns: 30 * SECOND,
            slow_start_ns: 0,
        },
        drain_timeout_ns: None,
        close_grace_ns: SECOND,
        term_grace_ns: SECOND,
        frame_max: 1 << 20,
    }
}

pub(super) fn worker(slot: u16, generation: u32) -> WorkerRef {
    WorkerRef { slot: SlotId(slot), generation }
}

pub(super) fn request(id: u64, tool: ToolId) -> Submit {
    Submit { request: RequestId(id), tool, bytes: 10, session: None, deadline: None, cost: None }
}

pub(super) fn of_session(id: u64, tool: ToolId, session: u64) -> Submit {
    Submit { session: Some(SessionKey(session)), ..request(id, tool) }
}

/// A core under test with its checker and its log.
#[derive(Clone)]
pub(super) struct Rig {
    pub(super) core: Core,
    pub(super) now: Nanos,
    checker: Checker,
    pub(super) log: Vec<(Nanos, Event)>,
    pub(super) answers: Vec<Vec<Action>>,
    defect: Option<Defect>,
}

/// What is broken on purpose, to see that it is found.
#[derive(Clone, Copy)]
pub(super) struct Defect {
    /// Changes the core before it takes the event.
    pub(super) before: fn(&mut Core, Event),
    /// Changes what the core answered.
    pub(super) after: fn(&Core, Event, &mut Vec<Action>),
}

/// A step of the core, with its defect if it has one.
fn step(core: &mut Core, defect: Option<Defect>, now: Nanos, event: Event) -> Vec<Action> {
    let mut actions = Vec::new();
    if let Some(defect) = defect {
        (defect.before)(core, event);
    }
    core.step(now, event, &mut actions);
    if let Some(defect) = defect {
        (defect.after)(core, event, &mut actions);
    }
    actions
}

impl std::fmt::Debug for Rig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rig").field("now", &self.now).field("steps", &self.log.len()).finish_non_exhaustive()
    }
}

impl Rig {
    pub(super) fn new(config: &Config) -> Rig {
        Rig { core: Core::new(config), now: SECOND, checker: Checker::new(config), log: Vec::new(), answers: Vec::new(), defect: None }
    }

    /// A pool whose `min-ready` workers are ready.
    pub(super) fn ready(config: &Config) -> Rig {
        let mut rig = Rig::new(config);
        rig.step(Event::Start);
        rig.make_ready();
        rig
    }

    /// Lets starting workers become ready until none is starting.
    pub(super) fn make_ready(&mut self) {
        while let Some(worker) = self.checker.starting().first().copied() {
            self.step(Event::Ready(worker));
        }
    }

    pub(super) fn step(&mut self, event: Event) -> Vec<Action> {
        let actions = step(&mut self.core, self.defect, self.now, event);
        self.log.push((self.now, event));
        self.answers.push(actions.clone());
        self.checker.check(self.now, event, &actions, &self.core);
        actions
    }

    pub(super) fn after(&mut self, ns: Nanos, event: Event) -> Vec<Action> {
        self.now += ns;
        self.step(event)
    }

    /// Requests at workers, answered or not.
    pub(super) fn checker_jobs(&self) -> Vec<(WorkerRef, RequestId)> {
        self.checker.jobs()
    }

    pub(super) fn stopped(&self) -> Vec<WorkerRef> {
        self.checker.stopped()
    }

    pub(super) fn starting(&self) -> Vec<WorkerRef> {
        self.checker.starting()
    }

    pub(super) fn submit(&mut self, submit: Submit) -> Vec<Action> {
        self.step(Event::Submit(submit))
    }

    pub(super) fn written(&mut self, worker: WorkerRef, id: u64) -> Vec<Action> {
        self.step(Event::Written(worker, RequestId(id)))
    }

    pub(super) fn reply(&mut self, worker: WorkerRef, id: u64) -> Vec<Action> {
        self.step(Event::Replied(worker, RequestId(id), ReplyKind::Ok))
    }

    pub(super) fn exit(&mut self, worker: WorkerRef) -> Vec<Action> {
        self.step(Event::Exited(worker))
    }
}

/// Where the actions dispatch `id` to.
pub(super) fn dispatched(actions: &[Action], id: u64) -> Option<WorkerRef> {
    actions.iter().find_map(|a| match a {
        Action::Dispatch(worker, r) if r.0 == id => Some(*worker),
        _ => None,
    })
}

/// How the actions finish `id`.
pub(super) fn outcome(actions: &[Action], id: u64) -> Option<Outcome> {
    actions.iter().find_map(|a| match a {
        Action::Finish { request, outcome, .. } if request.0 == id => Some(*outcome),
        _ => None,
    })
}

/// Where the actions say that `id` was served.
pub(super) fn placement(actions: &[Action], id: u64) -> Placement {
    let found = actions.iter().find_map(|a| match a {
        Action::Finish { request, placement, .. } if request.0 == id => Some(*placement),
        _ => None,
    });
    found.expect("finished")
}

/// The workers that the actions start.
pub(super) fn spawned(actions: &[Action]) -> Vec<WorkerRef> {
    let spawn = |a: &Action| if let Action::Spawn(worker, _) = a { Some(*worker) } else { None };
    actions.iter().filter_map(spawn).collect()
}

#[test]
fn the_hot_path_is_short() {
    let mut rig = Rig::ready(&config());
    assert_eq!(rig.submit(request(1, LIGHT)), [Action::Dispatch(worker(0, 1), RequestId(1))]);
    assert_eq!(rig.written(worker(0, 1), 1), []);
    let answer = rig.reply(worker(0, 1), 1);
    assert_eq!(answer.len(), 1);
    let expected =
        Placement { predicted: Tier::Hot, served: Some(Tier::Hot), worker: Some(worker(0, 1)), attempts: 1, affinity: Affinity::Free };
    assert_eq!((outcome(&answer, 1), placement(&answer, 1)), (Some(Outcome::Ok), expected));
}

#[test]
fn a_view_shows_slots_tiers_and_totals() {
    let mut rig = Rig::ready(&config());
    for id in 1..=4 {
        rig.submit(request(id, LIGHT));
    }
    let view = rig.core.view();
    let hot: Vec<_> = view.slots[..2].iter().map(|s| (s.residency, s.busy)).collect();
    assert_eq!(hot, [(Residency::Ready, Some(RequestId(1))), (Residency::Ready, Some(RequestId(2)))]);
    assert!(view.slots[2..].iter().all(|s| s.residency == Residency::Absent && s.generation == 0));
    assert_eq!(view.tiers[0], TierView { queued: 2, queued_bytes: 20, running: 2, hold_ns: 0 });
    assert_eq!((view.totals.admitted, view.totals.in_flight, view.totals.queued, view.totals.spawns), (4, 2, 2, 2));
    rig.reply(worker(0, 1), 1);
    assert_eq!(rig.core.totals().finished_with(Outcome::Ok), 1);
}
