//! Random events, sensible and not: the invariants hold, the log replays, and the pool always drains.

use proptest::prelude::*;

use super::super::*;
use super::{MS, Rig, config, tier};
use crate::config::{AffinityMode, Dispatch, Fallback, Predict, Recycle, SpareControl};

/// One choice of a driver: what kind of event, which of the candidates, how much later.
#[derive(Clone, Copy, Debug)]
struct Choice {
    kind: u8,
    pick: u16,
    later: u16,
}

fn choices() -> impl Strategy<Value = Vec<Choice>> {
    let choice = (0u8..32, any::<u16>(), any::<u16>()).prop_map(|(kind, pick, later)| Choice { kind, pick, later });
    prop::collection::vec(choice, 1..400)
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

impl Rig {
    /// An event from the choice; none where there is no candidate.
    fn event_of(&self, choice: Choice, next: &mut u64) -> Option<Event> {
        let seen = &self.checker;
        let which = choice.pick >> 4;
        Some(match choice.kind {
            0..=7 => Event::Submit(self.random_submit(choice, next)),
            8..=11 => Event::Ready(pick(&seen.starting(), which)?),
            12..=14 => pick(&seen.jobs(), which).map(|(r, id)| Event::Written(r, id))?,
            15..=20 => {
                let kind = if choice.pick.is_multiple_of(3) { ReplyKind::ToolError } else { ReplyKind::Ok };
                pick(&seen.jobs(), which).map(|(r, id)| Event::Replied(r, id, kind))?
            }
            21 | 22 => Event::Exited(pick(&seen.alive(), which)?),
            23 => Event::Exited(pick(&seen.stopped(), which)?),
            24 => Event::Timer(Timer::Backoff(pick(&seen.backing_off(), which)?)),
            25..=27 => Event::Timer(seen.timers().first()?.1),
            28 => Event::Cancel(pick(&seen.live(), which)?),
            29 => Event::EndSession(SessionKey(u64::from(which % 4))),
            30 if choice.pick.is_multiple_of(3) => nonsense(choice),
            30 if choice.pick.is_multiple_of(5) => Event::Reload,
            30 => pick(&seen.probed(), which).map(Event::Probed).or_else(|| pick(&seen.resetting(), which).map(Event::ResetDone))?,
            _ if choice.pick.is_multiple_of(64) => Event::Drain,
            _ => Event::Start,
        })
    }

    fn random_submit(&self, choice: Choice, next: &mut u64) -> Submit {
        let p = u64::from(choice.pick);
        let reused = p.is_multiple_of(23) && !self.checker.live().is_empty();
        let id = if reused { self.checker.live()[0] } else { RequestId(*next) };
        *next += 1;
        let deadline = p.is_multiple_of(3).then(|| (self.now + (p >> 6) * MS / 20).saturating_sub(MS));
        let deadline = if reused { None } else { deadline };
        let tool = ToolId(if p.is_multiple_of(41) { 99 } else { (p >> 2) as u16 % 4 });
        let session = (!p.is_multiple_of(5)).then_some(SessionKey((p >> 4) % 4));
        Submit {
            request: id,
            tool,
            bytes: (p >> 3) as u32 % 64,
            session,
            deadline,
            cost: (!p.is_multiple_of(7)).then_some((p >> 5) * MS / 40),
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

/// Advances time: mostly little, sometimes to the next timer, rarely far, once in a while backwards.
fn advance(rig: &mut Rig, choice: Choice, event: &Event) {
    let due = rig.checker.timers().first().map(|t| t.0);
    rig.now = match (event, choice.later % 16) {
        (Event::Timer(_), 0..=12) => due.unwrap_or(rig.now).max(rig.now),
        (Event::Submit(_), _) => rig.now,
        (_, 0) => rig.now + 200 * MS,
        (_, 1) => rig.now.saturating_sub(MS),
        _ => rig.now + Nanos::from(choice.later) * 20,
    };
}

/// Plays the part of a well-behaved runtime until the pool is drained.
fn settle(rig: &mut Rig) {
    rig.step(Event::Drain);
    for _ in 0..5000 {
        if rig.checker.drained {
            return;
        }
        let seen = &rig.checker;
        let event = if let Some(r) = seen.resetting().first() {
            Event::ResetDone(*r)
        } else if let Some(r) = seen.stopped().first() {
            Event::Exited(*r)
        } else if let Some((r, id)) = seen.jobs().first() {
            Event::Replied(*r, *id, ReplyKind::Ok)
        } else if let Some(r) = seen.starting().first() {
            Event::Ready(*r)
        } else if let Some(slot) = seen.backing_off().first() {
            Event::Timer(Timer::Backoff(*slot))
        } else {
            panic!("nothing left to happen, but not drained: {:?}", rig.core.view());
        };
        rig.after(1000, event);
    }
    panic!("never drained: {:?}", rig.core.view());
}

fn run(config: &Config, choices: &[Choice]) -> Rig {
    let mut rig = Rig::new(config);
    let mut next = 0;
    if choices.len().is_multiple_of(2) {
        rig.step(Event::Start);
    }
    for choice in choices {
        if let Some(event) = rig.event_of(*choice, &mut next) {
            advance(&mut rig, *choice, &event);
            rig.step(event);
        }
    }
    settle(&mut rig);
    rig
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn invariants_hold_and_the_log_replays(config in configs(), choices in choices()) {
        let rig = run(&config, &choices);
        prop_assert!(rig.checker.live().is_empty(), "I1: every request has its outcome");
        let mut again = Core::new(&config);
        for ((now, event), answer) in rig.log.iter().zip(&rig.answers) {
            let mut actions = Vec::new();
            again.step(*now, *event, &mut actions);
            prop_assert_eq!(&actions, answer);
        }
        prop_assert_eq!(again.view(), rig.core.view());
    }
}

/// The generator reaches what it is meant to reach; else the property above would say little.
#[test]
fn random_runs_reach_every_outcome_and_every_residency() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::{Config as Settings, RngAlgorithm, TestRng, TestRunner};
    let mut runner = TestRunner::new_with_rng(Settings::default(), TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let mut totals = Totals::default();
    let mut parked = 0;
    for _ in 0..300 {
        let (config, choices) = (configs(), choices()).new_tree(&mut runner).expect("a case").current();
        let view = run(&config, &choices).core.view();
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
