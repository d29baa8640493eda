//! Spawning, spares, idle time, backoff, parking and drain.

use super::*;

#[test]
fn start_spawns_what_the_tiers_keep_a_few_at_a_time() {
    let mut config = config();
    config.tiers = [tier(2, 1, 4, None), tier(0, 1, 2, None), tier(0, 0, 2, None)];
    let mut rig = Rig::new(&config);
    assert_eq!(spawned(&rig.step(Event::Start)), [worker(0, 1), worker(1, 1)], "two at once, min-ready of hot first");
    assert_eq!(spawned(&rig.step(Event::Ready(worker(0, 1)))), [worker(4, 1)], "then a spare of warm");
    assert_eq!(spawned(&rig.step(Event::Ready(worker(1, 1)))), []);
    rig.step(Event::Ready(worker(4, 1)));
    assert_eq!(spawned(&rig.submit(request(1, LIGHT))), [], "one busy, one spare: two are up");
    assert_eq!(spawned(&rig.submit(request(2, LIGHT))), [worker(2, 1)], "no spare left");
}

#[test]
fn queued_work_starts_workers_on_demand_up_to_max() {
    let mut rig = Rig::ready(&config());
    assert_eq!(spawned(&rig.submit(request(1, HEAVY))), [worker(4, 1)]);
    assert_eq!(spawned(&rig.submit(request(2, HEAVY))), [worker(5, 1)]);
    assert_eq!(spawned(&rig.submit(request(3, HEAVY))), []);
    assert_eq!(spawned(&rig.submit(request(4, MEDIUM))), [], "two are starting: the bound");
    let ready = rig.step(Event::Ready(worker(4, 1)));
    assert_eq!((dispatched(&ready, 1), spawned(&ready)), (Some(worker(4, 1)), vec![worker(2, 1)]));
}

#[test]
fn demand_is_started_before_spares() {
    let mut config = config();
    config.tiers = [tier(2, 0, 2, None), tier(0, 0, 2, None), tier(0, 0, 2, None)];
    config.spawn_concurrency = 1;
    let mut rig = Rig::new(&config);
    rig.step(Event::Start);
    rig.submit(request(1, HEAVY));
    assert_eq!(spawned(&rig.step(Event::Ready(worker(0, 1)))), [worker(4, 1)]);
}

#[test]
fn idle_time_closes_the_surplus_and_only_that() {
    let mut config = config();
    config.tiers[1] = tier(1, 0, 2, Some(SECOND));
    let mut rig = Rig::ready(&config);
    rig.submit(request(1, MEDIUM));
    rig.submit(request(2, MEDIUM));
    rig.make_ready();
    let first = rig.reply(worker(2, 1), 1);
    assert!(!first.iter().any(|a| matches!(a, Action::SetTimer(..))), "its timer from the first idle spell still runs: {first:?}");
    let second = rig.reply(worker(3, 1), 2);
    assert!(second.contains(&Action::SetTimer(Timer::Idle(worker(3, 1)), rig.now + SECOND)));
    rig.now += SECOND;
    assert_eq!(rig.step(Event::Timer(Timer::Idle(worker(2, 1)))), [Action::Close(worker(2, 1))]);
    let kept = rig.step(Event::Timer(Timer::Idle(worker(3, 1))));
    assert_eq!(kept, [Action::SetTimer(Timer::Idle(worker(3, 1)), rig.now + SECOND)], "min-ready is kept and looked at later");
    assert_eq!(rig.exit(worker(2, 1)), [], "an exit that was asked for needs no backoff");
    assert_eq!(rig.core.totals().deaths, 0);
}

#[test]
fn an_idle_timer_counts_from_the_last_work() {
    let mut rig = Rig::ready(&config());
    rig.submit(request(1, MEDIUM));
    rig.make_ready();
    rig.reply(worker(2, 1), 1);
    rig.after(600 * MS, Event::Submit(request(2, MEDIUM)));
    assert_eq!(rig.step(Event::Timer(Timer::Idle(worker(2, 1)))), [], "busy");
    let idle = rig.reply(worker(2, 1), 2);
    assert!(idle.contains(&Action::SetTimer(Timer::Idle(worker(2, 1)), rig.now + SECOND)));
    let early = rig.after(400 * MS, Event::Timer(Timer::Idle(worker(2, 1))));
    assert_eq!(early, [Action::SetTimer(Timer::Idle(worker(2, 1)), rig.now + 600 * MS)]);
}

#[test]
fn a_worker_with_a_strict_session_is_not_closed() {
    let mut config = config();
    config.affinity = AffinityMode::Strict;
    let mut rig = Rig::ready(&config);
    rig.submit(of_session(1, MEDIUM, 7));
    rig.make_ready();
    rig.reply(worker(2, 1), 1);
    assert_eq!(rig.after(SECOND, Event::Timer(Timer::Idle(worker(2, 1)))).len(), 1, "only looked at later");
    rig.step(Event::EndSession(SessionKey(7)));
    assert_eq!(rig.after(SECOND, Event::Timer(Timer::Idle(worker(2, 1)))), [Action::Close(worker(2, 1))]);
}

#[test]
fn backoff_grows_until_the_worker_was_healthy_for_long_enough() {
    let mut rig = Rig::ready(&config());
    for attempt in 1..=3 {
        assert_eq!(rig.exit(worker(0, attempt)), [Action::Backoff(SlotId(0), attempt)]);
        assert_eq!(spawned(&rig.step(Event::Timer(Timer::Backoff(SlotId(0))))), [worker(0, attempt + 1)]);
        let ready = rig.step(Event::Ready(worker(0, attempt + 1)));
        assert!(ready.contains(&Action::SetTimer(Timer::Healthy(worker(0, attempt + 1)), rig.now + 60 * SECOND)));
    }
    rig.after(59 * SECOND, Event::Timer(Timer::Healthy(worker(0, 4))));
    assert_eq!(rig.core.view().slots[0].failures, 3, "too early");
    rig.after(SECOND, Event::Timer(Timer::Healthy(worker(0, 4))));
    assert_eq!(rig.exit(worker(0, 4)), [Action::Backoff(SlotId(0), 1)]);
}

#[test]
fn a_worker_that_is_not_ready_in_time_is_killed_and_counts_as_dead() {
    let mut rig = Rig::new(&config());
    rig.step(Event::Start);
    assert_eq!(rig.after(9 * SECOND, Event::Timer(Timer::Start(worker(0, 1)))), []);
    assert_eq!(rig.after(SECOND, Event::Timer(Timer::Start(worker(0, 1)))), [Action::Kill(worker(0, 1))]);
    assert_eq!(rig.step(Event::Ready(worker(0, 1))), [], "too late");
    assert_eq!(rig.exit(worker(0, 1)), [Action::Backoff(SlotId(0), 1)]);
}

#[test]
fn a_slot_is_parked_after_deaths_before_ready_in_a_row() {
    let mut rig = Rig::new(&config());
    rig.step(Event::Start);
    for generation in 1..=2 {
        rig.exit(worker(0, generation));
        rig.step(Event::Timer(Timer::Backoff(SlotId(0))));
    }
    assert_eq!(rig.exit(worker(0, 3)), []);
    assert_eq!(rig.core.view().slots[0].residency, Residency::Parked);
    assert_eq!(rig.step(Event::Timer(Timer::Backoff(SlotId(0)))), []);
}

#[test]
fn drain_serves_what_is_admitted_then_closes_all_and_says_so_once() {
    let mut rig = Rig::ready(&config());
    for id in 1..=3 {
        rig.submit(request(id, LIGHT));
    }
    assert_eq!(rig.step(Event::Drain), []);
    let shed = rig.submit(request(4, LIGHT));
    assert!(matches!(shed[..], [Action::Finish { outcome: Outcome::Shed, retry_after: None, .. }]));
    assert_eq!(dispatched(&rig.reply(worker(0, 1), 1), 3), Some(worker(0, 1)));
    assert_eq!(outcome(&rig.reply(worker(0, 1), 3), 3), Some(Outcome::Ok));
    let last = rig.reply(worker(1, 1), 2);
    assert_eq!(last[1..], [Action::Close(worker(0, 1)), Action::Close(worker(1, 1))]);
    assert_eq!(rig.exit(worker(0, 1)), []);
    assert_eq!(rig.exit(worker(1, 1)), [Action::Drained]);
    assert_eq!(rig.step(Event::Drain), []);
}

#[test]
fn drain_of_an_empty_pool_is_immediate() {
    assert_eq!(Rig::new(&config()).step(Event::Drain), [Action::Drained]);
}
