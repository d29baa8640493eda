//! Probes, ejection, slow start, spares; and stateful workers between two sessions.

use super::*;

fn ejecting(max: u16) -> Config {
    let mut config = config();
    config.tiers[0] = tier(max, 0, max, None);
    config.health.eject_after = 2;
    config.zombie_grace_ns = 100 * SECOND;
    config
}

/// Lets a request of worker (slot, 1) expire.
fn expire_at(rig: &mut Rig, id: u64, slot: u16) -> Vec<Action> {
    let deadline = Some(rig.now + MS);
    let at = dispatched(&rig.submit(Submit { deadline, ..request(id, LIGHT) }), id);
    assert_eq!(at, Some(worker(slot, 1)));
    rig.after(MS, Event::Timer(Timer::Deadline))
}

#[test]
fn failures_in_a_row_eject_a_worker_and_another_takes_its_place() {
    let mut rig = Rig::ready(&ejecting(2));
    expire_at(&mut rig, 1, 0);
    rig.reply(worker(0, 1), 1);
    expire_at(&mut rig, 2, 0);
    assert_eq!(rig.core.view().slots[0].residency, Residency::Ejected, "it finishes, and gets no more work");
    assert_eq!(rig.core.totals().ejections, 1);
    let at = dispatched(&rig.submit(request(3, LIGHT)), 3);
    assert_eq!(at, Some(worker(1, 1)));
    assert_eq!(rig.reply(worker(0, 1), 2), [Action::Close(worker(0, 1))]);
    assert_eq!(spawned(&rig.exit(worker(0, 1))), [worker(0, 2)], "without backoff: it was asked to go");
}

#[test]
fn a_good_reply_ends_the_row_and_half_of_the_ready_workers_stay() {
    let mut rig = Rig::ready(&ejecting(2));
    expire_at(&mut rig, 1, 0);
    rig.reply(worker(0, 1), 1);
    rig.submit(request(2, LIGHT));
    rig.reply(worker(0, 1), 2);
    expire_at(&mut rig, 3, 0);
    assert_eq!(rig.core.totals().ejections, 0, "one of two in a row");
    rig.reply(worker(0, 1), 3);
    expire_at(&mut rig, 4, 0);
    assert_eq!(rig.core.totals().ejections, 1);
    for id in 5..=6 {
        expire_at(&mut rig, id, 1);
        rig.reply(worker(1, 1), id);
    }
    assert_eq!(rig.core.totals().ejections, 1, "the last ready worker is kept: the fault is not its own");
}

fn sweep(rig: &mut Rig) -> Vec<Action> {
    rig.after(SECOND, Event::Timer(Timer::Sweep))
}

#[test]
fn a_silent_idle_worker_is_probed_and_killed_when_it_never_answers() {
    let mut config = config();
    (config.health.probe_idle_ns, config.health.eject_after) = (Some(2 * SECOND), 2);
    let mut rig = Rig::ready(&config);
    let probes = |actions: &[Action]| actions.iter().filter(|a| matches!(a, Action::Probe(_))).count();
    let swept: Vec<usize> = (0..2).map(|_| probes(&sweep(&mut rig))).collect();
    assert_eq!(swept, [0, 2], "both have been silent for two seconds");
    rig.step(Event::Probed(worker(1, 1)));
    assert_eq!(probes(&sweep(&mut rig)), 1, "worker 0 has failed once and is asked again");
    let killed = sweep(&mut rig);
    assert!(killed.contains(&Action::Kill(worker(0, 1))), "{killed:?}");
    assert!(!killed.iter().any(|a| matches!(a, Action::Kill(r) if *r == worker(1, 1))));
    assert_eq!((rig.core.totals().probes_failed, rig.core.totals().ejections), (2, 0));
}

#[test]
fn a_busy_worker_is_trusted_unless_it_is_overdue() {
    let mut config = config();
    config.health.probe_idle_ns = Some(2 * SECOND);
    let mut rig = Rig::ready(&config);
    rig.submit(request(1, LIGHT));
    (0..20).for_each(|_| drop(sweep(&mut rig)));
    assert!(rig.core.view().slots[0].busy.is_some(), "twenty seconds on a request prove nothing");
    config.health.wedged_after_ns = Some(3 * SECOND);
    let mut rig = Rig::ready(&config);
    rig.submit(request(1, LIGHT));
    rig.written(worker(0, 1), 1);
    let swept: Vec<bool> = (0..4).map(|_| sweep(&mut rig).contains(&Action::Probe(worker(0, 1)))).collect();
    assert_eq!(swept, [false, false, true, false], "its probe is not answered in time");
    rig.exit(worker(0, 1));
    assert_eq!(rig.core.totals().finished_with(Outcome::OutcomeUnknown), 1);
}

#[test]
fn a_worker_much_slower_than_the_median_is_replaced_whatever_its_load_was() {
    let mut config = config();
    config.tiers[0] = tier(4, 0, 4, None);
    (config.health.eject_slower, config.health.eject_window_ns) = (3, 2 * SECOND);
    let mut rig = Rig::ready(&config);
    let mut id = 0;
    for _ in 0..12 {
        let first = id + 1;
        let jobs: Vec<(u64, WorkerRef)> = (0..4)
            .map(|_| {
                id += 1;
                (id, dispatched(&rig.submit(request(id, LIGHT)), id).unwrap())
            })
            .collect();
        rig.now += 10 * MS;
        let (slow, quick): (Vec<_>, Vec<_>) = jobs.into_iter().partition(|(_, at)| at.slot == SlotId(2));
        quick.into_iter().for_each(|(id, at)| drop(rig.reply(at, id)));
        rig.now += 90 * MS;
        slow.into_iter().for_each(|(id, at)| drop(rig.reply(at, id)));
        assert_eq!(id, first + 3);
    }
    sweep(&mut rig);
    assert_eq!(rig.core.totals().ejections, 0, "not at first sight");
    sweep(&mut rig);
    assert!(sweep(&mut rig).contains(&Action::Close(worker(2, 1))));
    assert_eq!(rig.core.totals().ejections, 1);
}

#[test]
fn a_slow_starter_is_used_last() {
    let mut config = config();
    config.health.slow_start_ns = 10 * SECOND;
    let mut rig = Rig::ready(&config);
    rig.submit(request(1, LIGHT));
    rig.reply(worker(0, 1), 1);
    assert_eq!(dispatched(&rig.submit(request(2, LIGHT)), 2), Some(worker(1, 1)), "not the most recently used one yet");
    rig.reply(worker(1, 1), 2);
    rig.now += 10 * SECOND;
    for id in 3..=4 {
        assert_eq!(dispatched(&rig.submit(request(id, LIGHT)), id), Some(worker(0, 1)), "now it is");
        rig.reply(worker(0, 1), id);
    }
}

#[test]
fn adaptive_spares_follow_what_arrivals_needed() {
    let mut config = config();
    config.tiers[0] = tier(1, 0, 4, None);
    config.spare_control = SpareControl::Adaptive;
    let mut rig = Rig::new(&config);
    rig.step(Event::Start);
    rig.now += SECOND;
    rig.make_ready();
    let mut swept = Vec::new();
    for id in 0..3 {
        rig.submit(request(2 * id + 1, LIGHT));
        rig.submit(request(2 * id + 2, LIGHT));
        swept = sweep(&mut rig);
        rig.make_ready();
        for (at, job) in rig.checker_jobs() {
            rig.reply(at, job.0);
        }
    }
    assert!(rig.core.view().slots.iter().filter(|s| s.residency == Residency::Ready).count() >= 2, "one beyond min-ready: {swept:?}");
}

fn stateful(recycle: Recycle) -> Rig {
    let mut config = config();
    (config.affinity, config.stateful, config.recycle) = (AffinityMode::Strict, true, recycle);
    config.session_ttl_ns = Some(5 * SECOND);
    Rig::ready(&config)
}

#[test]
fn a_stateful_worker_is_its_sessions_own_until_that_has_ended() {
    let mut rig = stateful(Recycle::Restart);
    for (id, session) in [(1, 1), (2, 2)] {
        let at = dispatched(&rig.submit(of_session(id, LIGHT, session)), id).unwrap();
        rig.reply(at, id);
    }
    assert_eq!(dispatched(&rig.submit(of_session(3, LIGHT, 3)), 3), None, "I6: both idle workers hold a session");
    let ended = rig.step(Event::EndSession(SessionKey(1)));
    assert_eq!(ended, [Action::Close(worker(0, 1))], "its state goes with it");
    let again = rig.exit(worker(0, 1));
    assert_eq!(spawned(&again), [worker(0, 2)]);
    assert_eq!(dispatched(&rig.step(Event::Ready(worker(0, 2))), 3), Some(worker(0, 2)));
}

#[test]
fn a_worker_that_can_forget_serves_the_next_session() {
    let mut rig = stateful(Recycle::Reset);
    rig.submit(of_session(1, LIGHT, 1));
    rig.reply(worker(0, 1), 1);
    let ended = rig.step(Event::EndSession(SessionKey(1)));
    assert_eq!(ended[0], Action::Reset(worker(0, 1)));
    rig.submit(of_session(2, LIGHT, 2));
    assert_eq!(rig.submit(of_session(3, LIGHT, 3)), [], "not before it has said so");
    assert_eq!(dispatched(&rig.step(Event::ResetDone(worker(0, 1))), 3), Some(worker(0, 1)));
    rig.reply(worker(0, 1), 3);
    rig.step(Event::EndSession(SessionKey(3)));
    let late = rig.after(10 * SECOND, Event::Timer(Timer::Reset(worker(0, 1))));
    assert_eq!(late, [Action::Kill(worker(0, 1))], "one that does not forget in time is of no use");
}

#[test]
fn an_unused_session_ends_by_itself() {
    let mut rig = stateful(Recycle::Restart);
    let first = rig.submit(of_session(1, LIGHT, 1));
    assert!(first.contains(&Action::SetTimer(Timer::Session, rig.now + 5 * SECOND)));
    rig.after(2 * SECOND, Event::Replied(worker(0, 1), RequestId(1), ReplyKind::Ok));
    let early = rig.after(3 * SECOND, Event::Timer(Timer::Session));
    assert_eq!(early, [Action::SetTimer(Timer::Session, rig.now + 2 * SECOND)], "it counts from the last use");
    assert_eq!(rig.after(2 * SECOND, Event::Timer(Timer::Session)), [Action::Close(worker(0, 1))]);
}
