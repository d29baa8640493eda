//! What becomes of a request whose worker dies.

use super::*;

#[test]
fn an_unwritten_request_is_dispatched_again_at_the_head_of_the_queue() {
    let mut rig = Rig::ready(&config());
    for id in 1..=3 {
        rig.submit(request(id, LIGHT));
    }
    assert_eq!(dispatched(&rig.exit(worker(0, 1)), 1), None);
    assert_eq!(dispatched(&rig.reply(worker(1, 1), 2), 1), Some(worker(1, 1)), "before 3");
    let done = rig.reply(worker(1, 1), 1);
    assert_eq!((outcome(&done, 1), placement(&done, 1).attempts), (Some(Outcome::Ok), 2));
    assert_eq!(rig.core.totals().redispatches, 1);
}

#[test]
fn an_unwritten_request_is_tried_twice_at_most() {
    let mut rig = Rig::ready(&config());
    rig.submit(request(1, LIGHT));
    assert_eq!(dispatched(&rig.exit(worker(0, 1)), 1), Some(worker(1, 1)));
    assert_eq!(outcome(&rig.exit(worker(1, 1)), 1), Some(Outcome::Failed));
}

#[test]
fn a_written_request_has_an_unknown_outcome() {
    let mut rig = Rig::ready(&config());
    rig.submit(request(1, LIGHT));
    rig.written(worker(0, 1), 1);
    assert_eq!(outcome(&rig.exit(worker(0, 1)), 1), Some(Outcome::OutcomeUnknown));
}

#[test]
fn a_replayable_request_is_written_again_and_never_called_failed() {
    let mut rig = Rig::ready(&config());
    rig.submit(request(1, TWICE));
    rig.written(worker(0, 1), 1);
    assert_eq!(dispatched(&rig.exit(worker(0, 1)), 1), Some(worker(1, 1)));
    assert_eq!(outcome(&rig.exit(worker(1, 1)), 1), Some(Outcome::OutcomeUnknown), "the first attempt may have run");
}

#[test]
fn replies_of_dead_or_wrong_workers_are_dropped() {
    let mut rig = Rig::ready(&config());
    rig.submit(request(1, LIGHT));
    assert_eq!(rig.reply(worker(1, 1), 1), [], "not the worker that was asked");
    rig.exit(worker(0, 1));
    assert_eq!(rig.reply(worker(0, 1), 1), [], "dead by now");
    assert_eq!(outcome(&rig.reply(worker(1, 1), 1), 1), Some(Outcome::Ok));
    assert_eq!(rig.core.totals().late_replies, 2);
}

#[test]
fn a_second_exit_means_nothing() {
    let mut rig = Rig::ready(&config());
    assert_eq!(rig.exit(worker(0, 1)), [Action::Backoff(SlotId(0), 1)]);
    assert_eq!(rig.exit(worker(0, 1)), []);
    assert_eq!(rig.core.totals().deaths, 1);
}

#[test]
fn queued_requests_fall_back_when_the_last_worker_of_their_tier_dies() {
    let mut config = config();
    config.tiers = [tier(1, 0, 1, None), tier(1, 0, 1, None), tier(0, 0, 0, None)];
    let mut rig = Rig::ready(&config);
    for id in 1..=3 {
        rig.submit(request(id, LIGHT));
    }
    let dead = rig.exit(worker(0, 1));
    assert_eq!(dispatched(&dead, 1), Some(worker(1, 1)));
    assert_eq!(dispatched(&rig.reply(worker(1, 1), 1), 2), Some(worker(1, 1)));
    let next = rig.submit(request(4, LIGHT));
    assert_eq!(outcome(&next, 4), None);
    assert_eq!(rig.core.view().tiers.map(|t| t.queued), [0, 2, 0], "hot backs off, warm takes");
}

#[test]
fn when_every_slot_is_given_up_queued_requests_fail() {
    let mut config = config();
    config.tiers = [tier(0, 0, 1, None), tier(0, 0, 1, None), tier(0, 0, 0, None)];
    config.park_after = 2;
    let mut rig = Rig::new(&config);
    rig.submit(request(1, LIGHT));
    assert_eq!(rig.exit(worker(0, 1)), [Action::Backoff(SlotId(0), 1), Action::Spawn(worker(1, 1), Partition::Warm), start_timer(&rig)]);
    assert_eq!(rig.exit(worker(1, 1)), [Action::Backoff(SlotId(1), 1)]);
    assert_eq!(rig.core.totals().queued, 1, "both will try again");
    let again: Vec<_> = [0, 1].map(|s| spawned(&rig.step(Event::Timer(Timer::Backoff(SlotId(s)))))).concat();
    let last = *again.last().expect("spawned again");
    let other = rig.exit(last);
    assert_eq!(outcome(&other, 1), None);
    let gone = spawned(&other).first().copied().or_else(|| rig.checker.starting().first().copied());
    let failed = gone.map(|r| rig.exit(r)).expect("the other slot tries as well");
    assert_eq!(outcome(&failed, 1), Some(Outcome::Failed));
    assert_eq!(outcome(&rig.submit(request(2, HEAVY)), 2), Some(Outcome::Failed), "at once, not shed");
    assert!(rig.core.view().slots.iter().all(|s| s.residency == Residency::Parked));
}

fn start_timer(rig: &Rig) -> Action {
    Action::SetTimer(Timer::Start(worker(1, 1)), rig.now + 10 * SECOND)
}
