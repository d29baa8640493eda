//! Random events, sensible and not, as a state machine test that shrinks to the few events that matter.
//!
//! The reference is the checker with a core of its own; the system under test is another core, given the same events. So the
//! invariants hold, a log replays to the identical actions, and at the end the pool always drains.

use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestError, TestRng, TestRunner};
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest};

use super::super::*;
use super::model::{caught, forgets_what_was_written};
use super::{Defect, MS, Rig, config, tier};
use crate::config::{AffinityMode, Dispatch, Fallback, Predict, Recycle, SpareControl};

/// One choice of a driver: what kind of event, which of the candidates, how much later.
#[derive(Clone, Copy, Debug)]
struct Choice {
    kind: u8,
    pick: u16,
    later: u16,
}

fn choice() -> impl Strategy<Value = Choice> {
    (0u8..32, any::<u16>(), any::<u16>()).prop_map(|(kind, pick, later)| Choice { kind, pick, later })
}

prop_compose! {
    fn configs()(
        affinity in 0..4u8,
        sizes in prop::array::uniform3((0u16..3, 0u16..2, 0u16..4, prop::option::of(1u64..50))),
        queue_len in 0u32..6,
        queue_bytes in 20u64..200,
        deadline in prop::option::of(1u64..100),
        park_after in 1u32..4,
        spawn_concurrency in 1u32..4,
        modes in prop::array::uniform8(any::<u8>()),
    ) -> Config {
        let mut config = config();
        config.affinity = [AffinityMode::Strict, AffinityMode::Strict, AffinityMode::Soft, AffinityMode::None][usize::from(affinity)];
        config.stateful = affinity == 0;
        for (i, (min_ready, spares, max, ttl)) in sizes.into_iter().enumerate() {
            config.tiers[i] = tier(min_ready.min(max), spares, max, ttl.map(|ms| ms * MS));
        }
        config.queue_len = queue_len;
        config.queue_bytes = queue_bytes;
        config.deadline_ns = deadline.map(|ms| ms * MS);
        config.park_after = park_after;
        config.spawn_concurrency = spawn_concurrency;
        config.start_timeout_ns = 20 * MS;
        config.zombie_grace_ns = 10 * MS;
        config.healthy_after_ns = 30 * MS;
        with_modes(&mut config, modes);
        config
    }
}

/// What is less often set: dispatch, fallback, prediction, recycling, times to live, health.
fn with_modes(config: &mut Config, modes: [u8; 8]) {
    let [dispatch, fallback, predict, recycle, ttl, health, caps, drain] = modes;
    if dispatch.is_multiple_of(2) {
        config.dispatch = Dispatch::Shared;
        config.shared = config.tiers[0].clone();
        config.shared.max = (config.shared.max + u16::from(dispatch / 64)).max(config.shared.min_ready);
    }
    config.fallback = [Fallback::Blocked, Fallback::Blocked, Fallback::AnyError, Fallback::None][usize::from(fallback % 4)];
    config.predict = [Predict::Tool, Predict::Learned, Predict::Oracle][usize::from(predict % 3)];
    (config.tiers[0].limit_ns, config.tiers[1].limit_ns) = (5 * MS, 20 * MS);
    config.recycle = if recycle.is_multiple_of(2) { Recycle::Reset } else { Recycle::Restart };
    config.session_ttl_ns = (!ttl.is_multiple_of(3)).then(|| Nanos::from(ttl) * MS / 2);
    config.ageing_ns = 10 * MS;
    (config.tiers[1].cap_percent, config.tiers[2].cap_percent) = (1 + u32::from(caps % 100), 1 + u32::from(caps / 3));
    config.health.sweep_ns = 5 * MS;
    config.health.probe_timeout_ns = 4 * MS;
    config.health.probe_idle_ns = health.is_multiple_of(2).then_some(6 * MS);
    config.health.wedged_after_ns = health.is_multiple_of(3).then_some(15 * MS);
    config.health.eject_after = u32::from(health % 3);
    config.health.eject_slower = 2 * u32::from(health % 4);
    config.health.eject_window_ns = 10 * MS;
    config.health.slow_start_ns = u64::from(health) * MS / 8;
    config.spare_control = if health.is_multiple_of(5) { SpareControl::Adaptive } else { SpareControl::Fixed };
    config.spare_window_ns = 100 * MS;
    config.drain_timeout_ns = drain.is_multiple_of(4).then_some(30 * MS);
}

fn pick<T: Copy>(from: &[T], pick: u16) -> Option<T> {
    (!from.is_empty()).then(|| from[usize::from(pick) % from.len()])
}

/// What happens when.
#[derive(Clone, Copy, Debug)]
struct Step {
    at: Nanos,
    event: Event,
}

/// What an event may be about in the present state.
struct Menu {
    now: Nanos,
    next: u64,
    starting: Vec<WorkerRef>,
    jobs: Vec<(WorkerRef, RequestId)>,
    alive: Vec<WorkerRef>,
    stopped: Vec<WorkerRef>,
    backing_off: Vec<SlotId>,
    live: Vec<RequestId>,
    probed: Vec<WorkerRef>,
    resetting: Vec<WorkerRef>,
    timer: Option<(Nanos, Timer)>,
}

impl Menu {
    fn of(rig: &Rig, next: u64) -> Menu {
        let seen = &rig.checker;
        Menu {
            now: rig.now,
            next,
            starting: seen.starting(),
            jobs: seen.jobs(),
            alive: seen.alive(),
            stopped: seen.stopped(),
            backing_off: seen.backing_off(),
            live: seen.live(),
            probed: seen.probed(),
            resetting: seen.resetting(),
            timer: seen.timers().first().copied(),
        }
    }

    fn step(&self, choice: Choice) -> Step {
        let event = self.event(choice).unwrap_or_else(|| Event::Submit(self.submit(choice)));
        Step { at: self.time(choice, &event), event }
    }

    /// An event from the choice; none where there is no candidate.
    fn event(&self, choice: Choice) -> Option<Event> {
        let which = choice.pick >> 4;
        Some(match choice.kind {
            0..=7 => Event::Submit(self.submit(choice)),
            8..=11 => Event::Ready(pick(&self.starting, which)?),
            12..=14 => pick(&self.jobs, which).map(|(r, id)| Event::Written(r, id))?,
            15..=20 => {
                let kind = if choice.pick.is_multiple_of(3) { ReplyKind::ToolError } else { ReplyKind::Ok };
                pick(&self.jobs, which).map(|(r, id)| Event::Replied(r, id, kind))?
            }
            21 | 22 => Event::Exited(pick(&self.alive, which)?),
            23 => Event::Exited(pick(&self.stopped, which)?),
            24 => Event::Timer(Timer::Backoff(pick(&self.backing_off, which)?)),
            25..=27 => Event::Timer(self.timer?.1),
            28 => Event::Cancel(pick(&self.live, which)?),
            29 => Event::EndSession(SessionKey(u64::from(which % 4))),
            30 if choice.pick.is_multiple_of(3) => nonsense(choice),
            30 if choice.pick.is_multiple_of(5) => Event::Reload,
            30 => pick(&self.probed, which).map(Event::Probed).or_else(|| pick(&self.resetting, which).map(Event::ResetDone))?,
            _ if choice.pick.is_multiple_of(64) => Event::Drain,
            _ => Event::Start,
        })
    }

    fn submit(&self, choice: Choice) -> Submit {
        let p = u64::from(choice.pick);
        let reused = self.live.first().copied().filter(|_| p.is_multiple_of(23));
        let deadline = p.is_multiple_of(3).then(|| (self.now + (p >> 6) * MS / 20).saturating_sub(MS));
        let tool = ToolId(if p.is_multiple_of(41) { 99 } else { (p >> 2) as u16 % 4 });
        let session = (!p.is_multiple_of(5)).then_some(SessionKey((p >> 4) % 4));
        Submit {
            request: reused.unwrap_or(RequestId(self.next)),
            tool,
            bytes: (p >> 3) as u32 % 64,
            session,
            deadline: deadline.filter(|_| reused.is_none()),
            cost: (!p.is_multiple_of(7)).then_some((p >> 5) * MS / 40),
        }
    }

    /// Time goes on: mostly little, sometimes to the next timer, rarely far, once in a while backwards.
    fn time(&self, choice: Choice, event: &Event) -> Nanos {
        match (event, choice.later % 16) {
            (Event::Timer(_), 0..=12) => self.timer.map_or(self.now, |t| t.0).max(self.now),
            (Event::Submit(_), _) => self.now,
            (_, 0) => self.now + 200 * MS,
            (_, 1) => self.now.saturating_sub(MS),
            _ => self.now + Nanos::from(choice.later) * 20,
        }
    }
}

/// An event about something that may well not exist.
fn nonsense(choice: Choice) -> Event {
    let r = WorkerRef { slot: SlotId(choice.pick % 12), generation: u32::from(choice.pick >> 4) % 5 };
    let id = RequestId(u64::from(choice.later) % 300);
    match choice.pick / 64 % 15 {
        0 => Event::Ready(r),
        1 => Event::Written(r, id),
        2 => Event::Replied(r, id, ReplyKind::Ok),
        3 => Event::Exited(WorkerRef { generation: r.generation + 1000, ..r }),
        4 => Event::Timer(Timer::Deadline),
        5 => Event::Timer(Timer::Idle(r)),
        6 => Event::Timer(Timer::Start(r)),
        7 => Event::Timer(Timer::Zombie(r)),
        8 => Event::Timer(Timer::Healthy(r)),
        9 => Event::Cancel(id),
        10 => Event::Probed(r),
        11 => Event::ResetDone(r),
        12 => Event::Timer(Timer::Reset(r)),
        13 => Event::Timer(Timer::Drain),
        _ => Event::Timer(Timer::Backoff(SlotId(u16::MAX))),
    }
}

/// The pool as its surroundings know it.
#[derive(Clone, Debug)]
struct Known {
    config: Config,
    started: bool,
    rig: Rig,
    next: u64,
    /// The first assertion that failed; nothing happens after it.
    broken: Option<String>,
}

impl Known {
    fn new(config: Config, started: bool) -> Known {
        let known = Known { rig: Rig::new(&config), config, started, next: 0, broken: None };
        if started { known.after(&Step { at: 0, event: Event::Start }) } else { known }
    }

    fn after(mut self, step: &Step) -> Known {
        if self.broken.is_none() {
            self.next += u64::from(matches!(step.event, Event::Submit(_)));
            self.rig.now = step.at.max(self.rig.now.saturating_sub(MS));
            self.broken = caught(|| self.rig.step(step.event)).err();
        }
        self
    }

    /// What a well-behaved runtime does next until the pool is drained.
    fn settling(&self) -> Option<Step> {
        let reloading = self.rig.core.view().reloading;
        let left = self.rig.checker.unfinished();
        let event = if self.rig.checker.draining || (reloading && left.is_some()) { left? } else { Event::Drain };
        assert!(event != Event::Drain || !reloading || self.config.stateful, "a reload never ends, though no session holds a worker");
        Some(Step { at: self.rig.now + 1000, event })
    }
}

/// The surroundings of a pool, some of them mad.
struct Surroundings;

impl ReferenceStateMachine for Surroundings {
    type State = Known;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Known> {
        (configs(), any::<bool>()).prop_map(|(config, started)| Known::new(config, started)).boxed()
    }

    fn transitions(known: &Known) -> BoxedStrategy<Step> {
        let menu = Menu::of(&known.rig, known.next);
        choice().prop_map(move |choice| menu.step(choice)).boxed()
    }

    /// A live id is not submitted again in the step of its expiry: the checker does not model that.
    fn preconditions(known: &Known, step: &Step) -> bool {
        !matches!(step.event, Event::Submit(submit) if known.rig.checker.will_expire(submit.request, step.at))
    }

    fn apply(known: Known, step: &Step) -> Known {
        known.after(step)
    }
}

/// A second core that gets the same log.
struct Replay {
    core: Core,
    steps: usize,
}

impl StateMachineTest for Replay {
    type SystemUnderTest = Replay;
    type Reference = Surroundings;

    fn init_test(known: &Known) -> Replay {
        let replay = Replay { core: Core::new(&known.config), steps: 0 };
        replay.catch_up(known)
    }

    fn apply(replay: Replay, known: &Known, _: Step) -> Replay {
        replay.catch_up(known)
    }

    fn teardown(replay: Replay, known: Known) {
        let known = settle(known);
        let replay = replay.catch_up(&known);
        assert_eq!(replay.core.view(), known.rig.core.view());
    }
}

impl Replay {
    fn catch_up(mut self, known: &Known) -> Replay {
        assert_eq!(known.broken, None);
        let rig = &known.rig;
        for ((now, event), answer) in rig.log.iter().zip(&rig.answers).skip(self.steps) {
            let mut actions = Vec::new();
            self.core.step(*now, *event, &mut actions);
            assert_eq!(&actions, answer, "the log does not replay: {event:?}");
        }
        self.steps = rig.log.len();
        self
    }
}

/// Plays the part of a well-behaved runtime until the pool is drained.
fn settle(mut known: Known) -> Known {
    for _ in 0..5000 {
        if known.rig.checker.drained || known.broken.is_some() {
            assert!(known.broken.is_some() || known.rig.checker.live().is_empty(), "I1: every request has its outcome");
            return known;
        }
        let step = known.settling();
        let step = step.unwrap_or_else(|| panic!("nothing left to happen, but not drained: {:?}", known.rig.core.view()));
        known = known.after(&step);
    }
    panic!("never drained: {:?}", known.rig.core.view());
}

fn fails(start: &Known, steps: &[Step]) -> Option<String> {
    caught(|| Replay::test_sequential(ProptestConfig::default(), start.clone(), steps.to_vec(), None)).err()
}

/// Leaves out steps, many at once and then one by one, while it still fails: proptest tries each only once.
fn reduced(start: &Known, mut steps: Vec<Step>) -> Vec<Step> {
    loop {
        let before = steps.len();
        let mut chunk = before.div_ceil(2);
        while chunk > 0 {
            let mut at = 0;
            while at < steps.len() {
                let mut fewer = steps.clone();
                fewer.drain(at..steps.len().min(at + chunk));
                if fails(start, &fewer).is_some() { steps = fewer } else { at += chunk }
            }
            chunk /= 2;
        }
        if steps.len() == before {
            return steps;
        }
    }
}

/// Runs random cases; the first failure, reduced.
fn search(defect: Option<Defect>, mut runner: TestRunner) -> Result<(), (String, Vec<Step>)> {
    let plant = |mut start: Known| {
        start.rig.defect = defect;
        start
    };
    let settings = runner.config().clone();
    let found = runner.run(&Surroundings::sequential_strategy(1..400), |(start, steps, seen)| {
        Replay::test_sequential(settings.clone(), plant(start), steps, seen);
        Ok(())
    });
    match found {
        Ok(()) => Ok(()),
        Err(TestError::Fail(_, (start, steps, _))) => {
            let start = plant(start);
            let steps = reduced(&start, steps);
            let what = fails(&start, &steps).unwrap_or_else(|| "it does not fail again".to_owned());
            Err((format!("{what}\nstarted: {}, {:?}", start.started, start.config), steps))
        }
        Err(TestError::Abort(why)) => panic!("no cases: {why}"),
    }
}

fn settings(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

#[test]
fn invariants_hold_and_the_log_replays() {
    let cases = std::env::var("POOL_RANDOM_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(1000);
    if let Err((what, steps)) = search(None, TestRunner::new(settings(cases))) {
        panic!("{what}\nafter {steps:#?}");
    }
}

#[test]
fn a_defect_shrinks_to_the_few_events_that_matter() {
    let defect = Defect { before: forgets_what_was_written, after: |_, _, _| {} };
    let always_the_same = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let runner = TestRunner::new_with_rng(settings(1000), always_the_same);
    let (what, steps) = search(Some(defect), runner).expect_err("the defect is not found");
    assert!(what.contains("written twice") || what.contains("it had no effect"), "{what}");
    assert!(steps.len() < 15, "submitted, ready, written, exited and little else would do: {steps:#?}");
}

/// The generator reaches what it is meant to reach; else the property above would say little.
#[test]
fn random_runs_reach_every_outcome_and_every_residency() {
    use proptest::strategy::ValueTree;
    let mut runner = TestRunner::new_with_rng(ProptestConfig::default(), TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let mut totals = Totals::default();
    let mut parked = 0;
    for _ in 0..300 {
        let (known, steps, _) = Surroundings::sequential_strategy(1..400).new_tree(&mut runner).expect("a case").current();
        let view = settle(steps.iter().fold(known, Known::after)).rig.core.view();
        for (sum, n) in totals.finished.iter_mut().zip(view.totals.finished) {
            *sum += n;
        }
        totals.redispatches += view.totals.redispatches;
        totals.fallbacks += view.totals.fallbacks;
        totals.late_replies += view.totals.late_replies;
        totals.ejections += view.totals.ejections;
        totals.probes += view.totals.probes;
        totals.probes_failed += view.totals.probes_failed;
        totals.resets += view.totals.resets;
        totals.reloads += view.totals.reloads;
        parked += view.slots.iter().filter(|s| s.residency == Residency::Parked).count();
    }
    for outcome in Outcome::ALL {
        assert!(totals.finished_with(outcome) > 20, "{}: {totals:?}", outcome.name());
    }
    let Totals { ejections, probes, probes_failed, resets, reloads, .. } = totals;
    assert!([ejections, probes, resets, reloads].iter().all(|n| *n > 20) && probes_failed > 0, "{totals:?}");
    assert!(totals.redispatches > 20 && totals.fallbacks > 20 && totals.late_replies > 20 && parked > 20, "{totals:?} {parked}");
}
