//! Replacing all workers, and a drain that ends.

use super::*;

/// Lets closing workers exit and starting ones become ready until nothing moves.
fn settle(rig: &mut Rig) -> Vec<Action> {
    let mut all = Vec::new();
    for _ in 0..100 {
        let next = rig.stopped().first().map(|r| Event::Exited(*r)).or_else(|| rig.starting().first().map(|r| Event::Ready(*r)));
        let Some(event) = next else { return all };
        all.extend(rig.after(MS, event));
    }
    panic!("it never settles");
}

#[test]
fn a_reload_replaces_workers_one_by_one_idle_ones_first() {
    let mut rig = Rig::ready(&config());
    rig.submit(request(1, LIGHT));
    assert_eq!(rig.step(Event::Reload), [Action::Close(worker(1, 1))], "the other one is busy");
    assert_eq!(rig.submit(request(2, LIGHT)), [], "waits for a worker, and does not fail");
    let exited = rig.exit(worker(1, 1));
    assert_eq!(spawned(&exited), [worker(1, 2)]);
    let ready = rig.step(Event::Ready(worker(1, 2)));
    assert_eq!(dispatched(&ready, 2), Some(worker(1, 2)));
    assert_eq!(rig.core.view().slots[0].residency, Residency::Ejected, "now the busy one, which may finish");
    let last = rig.reply(worker(0, 1), 1);
    assert_eq!(outcome(&last, 1), Some(Outcome::Ok));
    let actions = settle(&mut rig);
    assert!(actions.contains(&Action::Reloaded(true)), "{actions:?}");
    let generations: Vec<u32> = rig.core.view().slots[..2].iter().map(|s| s.generation).collect();
    assert_eq!((generations, rig.core.totals().deaths), (vec![2, 2], 0));
}

#[test]
fn a_reload_whose_workers_do_not_start_keeps_the_old_ones() {
    let mut config = config();
    config.park_after = 1;
    let mut rig = Rig::ready(&config);
    rig.step(Event::Reload);
    rig.exit(worker(0, 1));
    let failed = rig.exit(worker(0, 2));
    assert!(failed.contains(&Action::Reloaded(false)), "{failed:?}");
    assert_eq!(rig.core.view().slots[1].residency, Residency::Ready);
    let again = rig.step(Event::Reload);
    assert_eq!(spawned(&again), [worker(0, 3)], "a parked slot is tried again");
}

#[test]
fn the_last_worker_counts_too_and_a_reload_ends_when_it_is_ready() {
    let mut config = config();
    (config.tiers[0], config.park_after) = (tier(1, 0, 1, None), 1);
    let mut rig = Rig::ready(&config);
    rig.step(Event::Reload);
    assert!(!rig.exit(worker(0, 1)).contains(&Action::Reloaded(true)), "its successor may yet fail");
    assert_eq!(rig.exit(worker(0, 2)), [Action::Reloaded(false)]);
    let again = rig.step(Event::Reload);
    assert_eq!((spawned(&again), rig.core.view().reloading), (vec![worker(0, 3)], true), "it waits for the slot that it tries again");
    assert_eq!(rig.step(Event::Ready(worker(0, 3))), [Action::Reloaded(true)]);
}

#[test]
fn a_reload_waits_only_for_what_it_has_set_going_itself() {
    let mut config = config();
    config.tiers[0] = tier(3, 0, 3, None);
    config.tiers[1] = tier(1, 0, 1, None);
    let mut rig = Rig::ready(&config);
    rig.exit(worker(3, 1));
    assert_eq!(rig.core.view().slots[3].residency, Residency::Backoff);
    assert_eq!(rig.step(Event::Reload), [Action::Close(worker(0, 1))], "a warm slot backs off, and did before");
    rig.exit(worker(2, 1));
    rig.exit(worker(0, 1));
    assert_eq!(rig.step(Event::Ready(worker(0, 2))), [Action::Close(worker(1, 1))], "so does a hot one, by a crash of its own");
    rig.exit(worker(1, 1));
    rig.exit(worker(1, 2));
    assert_eq!(rig.core.view().slots[1].residency, Residency::Backoff);
    assert!(rig.core.view().reloading, "but for its own successor it waits");
    rig.step(Event::Timer(Timer::Backoff(SlotId(1))));
    assert_eq!(rig.step(Event::Ready(worker(1, 3)))[0], Action::SetTimer(Timer::Healthy(worker(1, 3)), rig.now + 60 * SECOND));
    assert!(!rig.core.view().reloading && rig.answers.concat().contains(&Action::Reloaded(true)));
}

#[test]
fn a_surplus_worker_is_not_replaced_and_nobody_waits_for_its_successor() {
    let mut rig = Rig::ready(&config());
    rig.submit(request(1, MEDIUM));
    rig.make_ready();
    rig.reply(worker(2, 1), 1);
    rig.step(Event::Reload);
    settle(&mut rig);
    let generations: Vec<u32> = rig.core.view().slots.iter().map(|s| s.generation).collect();
    assert_eq!((generations, rig.core.view().reloading), (vec![2, 2, 1, 0, 0, 0], false));
}

#[test]
fn a_worker_that_starts_when_the_reload_begins_is_replaced_once_it_is_ready() {
    let mut rig = Rig::new(&config());
    rig.step(Event::Start);
    rig.step(Event::Ready(worker(0, 1)));
    assert_eq!(rig.step(Event::Reload), [Action::Close(worker(0, 1))], "the other one has yet to start");
    rig.exit(worker(0, 1));
    rig.step(Event::Ready(worker(0, 2)));
    assert_eq!(rig.step(Event::Ready(worker(1, 1))), [Action::Close(worker(1, 1))]);
}

#[test]
fn a_worker_with_a_sessions_state_is_replaced_when_the_session_has_ended() {
    let mut config = config();
    (config.affinity, config.stateful) = (AffinityMode::Strict, true);
    let mut rig = Rig::ready(&config);
    rig.submit(of_session(1, LIGHT, 1));
    rig.reply(worker(0, 1), 1);
    rig.step(Event::Reload);
    settle(&mut rig);
    assert_eq!(rig.core.view().slots[..2].iter().map(|s| s.generation).collect::<Vec<_>>(), [1, 2]);
    assert!(rig.core.view().reloading);
    rig.step(Event::EndSession(SessionKey(1)));
    assert!(settle(&mut rig).contains(&Action::Reloaded(true)));
}

#[test]
fn an_empty_pool_is_reloaded_at_once_and_a_draining_one_not_at_all() {
    let mut config = config();
    config.tiers[0].min_ready = 0;
    let mut rig = Rig::ready(&config);
    assert_eq!(rig.step(Event::Reload), [Action::Reloaded(true)]);
    rig.step(Event::Drain);
    assert_eq!(rig.step(Event::Reload), []);
}

#[test]
fn a_drain_that_takes_too_long_hands_back_what_waits_and_gives_up_the_rest() {
    let mut config = config();
    config.drain_timeout_ns = Some(SECOND);
    let mut rig = Rig::ready(&config);
    for id in 1..=3 {
        rig.submit(request(id, LIGHT));
    }
    rig.written(worker(0, 1), 1);
    let drain = rig.step(Event::Drain);
    assert_eq!(drain, [Action::SetTimer(Timer::Drain, rig.now + SECOND)]);
    let over = rig.after(SECOND, Event::Timer(Timer::Drain));
    let outcomes = [1, 2, 3].map(|id| outcome(&over, id));
    assert_eq!(outcomes, [Some(Outcome::OutcomeUnknown), Some(Outcome::Failed), Some(Outcome::Shed)]);
    assert!(over.contains(&Action::Close(worker(0, 1))) && over.contains(&Action::Close(worker(1, 1))));
    assert!(settle(&mut rig).contains(&Action::Drained));
}
