//! A defect planted for each invariant that a core can break: the exploration finds every one, and calls it by its name.

use super::super::invariants::INVARIANTS;
use super::super::{Defect, HEAVY};
use super::*;

/// What is reported of a world with this defect, and after how many events.
fn found(mut world: World, defect: Defect) -> (String, usize) {
    world.defect = Some(defect);
    let broken = explore(&world, false).expect_err("the defect is not found");
    (broken.what, broken.trace.len())
}

fn before(before: fn(&mut Core, Event)) -> Defect {
    Defect { before, after: |_, _, _| {} }
}

fn after(after: fn(&Core, Event, &mut Vec<Action>)) -> Defect {
    Defect { before: |_, _| {}, after }
}

/// Number of the invariant, the world to look in, and what is wrong with the core there.
type Planted = (u8, World, Defect);

fn about_requests() -> Vec<Planted> {
    vec![
        (1, free(SMALL), after(answers_twice)),
        (2, free(SMALL), before(forgets_what_was_written)),
        (3, free(SMALL), after(gives_to_a_busy_worker)),
        (5, stateful(SMALL), before(forgets_bindings)),
        (6, recycled(SMALL, Recycle::Reset), before(forgets_that_workers_have_state)),
        (7, free(SMALL), after(asks_another_generation)),
        (8, free(SMALL), after(makes_up_an_answer)),
        (9, deadlines(SMALL), before(forgets_the_bound)),
        (10, deadlines(SMALL), before(forgets_deadlines)),
        (12, shared(SMALL), before(takes_heavy_ones_for_old)),
        (15, free(SMALL), before(forgets_idle_workers)),
        (16, free(SMALL), before(counts_twice)),
    ]
}

fn about_workers() -> Vec<Planted> {
    vec![
        (4, free(SMALL), after(spawns_twice)),
        (11, free(SMALL), after(ends_too_early)),
        (11, free(SMALL), before(hangs)),
        (13, free(SMALL), before(keeps_nobody)),
        (14, free(SMALL), before(miscounts_deaths)),
    ]
}

#[test]
fn every_planted_defect_is_found_under_the_name_of_its_invariant() {
    for (number, world, defect) in about_requests().into_iter().chain(about_workers()) {
        let (what, _) = found(world, defect);
        assert!(what.contains(&format!("I{number}: ")), "I{number} was broken, but this is said: {what}");
    }
}

#[test]
fn a_defect_is_planted_for_every_invariant_that_a_core_can_break() {
    let planted: Vec<u8> = about_requests().into_iter().chain(about_workers()).map(|p| p.0).collect();
    for invariant in INVARIANTS {
        assert!(planted.contains(&invariant.number), "I{} is without a planted defect", invariant.number);
    }
}

#[test]
fn the_way_to_a_defect_is_a_shortest_one() {
    let (_, steps) = found(free(SMALL), after(answers_twice));
    assert_eq!(steps, 3, "submitted, ready, replied");
}

fn answers_twice(_: &Core, event: Event, actions: &mut Vec<Action>) {
    if matches!(event, Event::Replied(..)) {
        actions.extend(actions.iter().copied().find(|a| matches!(a, Action::Finish { .. })));
    }
}

pub(in super::super) fn forgets_what_was_written(core: &mut Core, event: Event) {
    if matches!(event, Event::Exited(_)) {
        core.requests.values_mut().for_each(|r| r.written = false);
    }
}

fn gives_to_a_busy_worker(core: &Core, event: Event, actions: &mut Vec<Action>) {
    let busy = core.slots.iter().position(|s| s.job.is_some_and(|job| job.zombie_until.is_none()));
    if let (Event::Submit(submit), Some(s)) = (event, busy) {
        *actions = vec![Action::Dispatch(core.worker(s), submit.request)];
    }
}

fn forgets_bindings(core: &mut Core, event: Event) {
    if let (Event::Submit(_), Some(i)) = (event, core.sessions.find(SessionKey(1))) {
        core.sessions.get_mut(i).bound = Default::default();
    }
}

fn forgets_that_workers_have_state(core: &mut Core, _: Event) {
    core.config.stateful = false;
}

fn takes_heavy_ones_for_old(core: &mut Core, _: Event) {
    core.requests.values_mut().filter(|r| r.tool == HEAVY).for_each(|r| r.since = 0);
}

fn asks_another_generation(_: &Core, _: Event, actions: &mut Vec<Action>) {
    for action in actions {
        if let Action::Dispatch(worker, _) = action {
            worker.generation += 1;
        }
    }
}

fn makes_up_an_answer(core: &Core, event: Event, actions: &mut Vec<Action>) {
    if let Event::Written(_, request) = event
        && let Some(live) = core.requests.get(&request)
    {
        actions.push(Action::Finish { request, outcome: Outcome::Ok, retry_after: None, placement: live.placement });
    }
}

fn forgets_the_bound(core: &mut Core, _: Event) {
    core.config.queue_len = 9;
}

fn forgets_deadlines(core: &mut Core, event: Event) {
    if event == Event::Timer(Timer::Deadline) {
        core.deadlines.clear();
    }
}

fn forgets_idle_workers(core: &mut Core, event: Event) {
    if matches!(event, Event::Submit(_)) {
        let idle = &mut core.crews[0].idle;
        while let Some(first) = idle.front() {
            idle.remove(first);
        }
    }
}

fn counts_twice(core: &mut Core, event: Event) {
    core.totals.admitted += u64::from(matches!(event, Event::Submit(_)));
}

fn spawns_twice(_: &Core, event: Event, actions: &mut Vec<Action>) {
    let spawn = actions.iter().find(|a| matches!(a, Action::Spawn(..)) && event != Event::Start).copied();
    if let Some(Action::Spawn(worker, tier)) = spawn {
        actions.push(Action::Spawn(WorkerRef { generation: worker.generation + 1, ..worker }, tier));
    }
}

fn ends_too_early(_: &Core, event: Event, actions: &mut Vec<Action>) {
    if event == Event::Drain {
        actions.push(Action::Drained);
    }
}

fn hangs(core: &mut Core, event: Event) {
    if event == Event::Drain {
        core.config.spawn_concurrency = 0;
    }
}

fn keeps_nobody(core: &mut Core, _: Event) {
    core.config.tiers[0].min_ready = 0;
}

fn miscounts_deaths(core: &mut Core, event: Event) {
    if let Event::Exited(worker) = event {
        core.slots[usize::from(worker.slot.0)].failures += 1;
    }
}
