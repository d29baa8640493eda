//! Free workers, queues, fallback, admission, deadlines and cancel.

use super::*;

/// One hot worker and no other tier.
fn single() -> Config {
    let mut config = config();
    config.tiers = [tier(1, 0, 1, None), tier(0, 0, 0, None), tier(0, 0, 0, None)];
    config
}

/// One ready worker in each tier, none on demand.
fn one_each() -> Config {
    let mut config = config();
    config.tiers = [tier(1, 0, 1, None), tier(1, 0, 1, None), tier(1, 0, 1, None)];
    config
}

#[test]
fn the_most_recently_idle_worker_is_reused_and_a_fresh_one_joins_at_the_back() {
    let mut config = single();
    config.tiers[0] = tier(3, 0, 3, None);
    let mut rig = Rig::ready(&config);
    rig.submit(request(1, LIGHT));
    rig.submit(request(2, LIGHT));
    rig.reply(worker(1, 1), 2);
    rig.reply(worker(0, 1), 1);
    assert_eq!(dispatched(&rig.submit(request(3, LIGHT)), 3), Some(worker(0, 1)));
    assert_eq!(dispatched(&rig.submit(request(4, LIGHT)), 4), Some(worker(1, 1)));
    rig.reply(worker(1, 1), 4);
    rig.exit(worker(1, 1));
    rig.step(Event::Timer(Timer::Backoff(SlotId(1))));
    rig.step(Event::Ready(worker(1, 2)));
    assert_eq!(dispatched(&rig.submit(request(5, LIGHT)), 5), Some(worker(2, 1)), "the restarted one is behind");
}

#[test]
fn requests_of_a_tier_are_served_in_order() {
    let mut rig = Rig::ready(&single());
    for id in 1..=3 {
        rig.submit(request(id, LIGHT));
    }
    assert_eq!(dispatched(&rig.reply(worker(0, 1), 1), 2), Some(worker(0, 1)));
    assert_eq!(dispatched(&rig.reply(worker(0, 1), 2), 3), Some(worker(0, 1)));
}

#[test]
fn a_full_queue_falls_back_and_then_sheds() {
    let mut config = one_each();
    config.queue_len = 1;
    let mut rig = Rig::ready(&config);
    rig.submit(request(1, LIGHT));
    rig.submit(request(2, LIGHT));
    let fallback = rig.submit(request(3, LIGHT));
    assert_eq!(dispatched(&fallback, 3), Some(worker(1, 1)), "hot is full, warm is free");
    for id in 4..=6 {
        assert_eq!(outcome(&rig.submit(request(id, LIGHT)), id), None);
    }
    let shed = rig.submit(request(7, LIGHT));
    assert_eq!(outcome(&shed, 7), Some(Outcome::Shed));
    assert_eq!(rig.core.view().tiers.map(|t| t.queued), [1, 1, 1]);
    let done = rig.reply(worker(1, 1), 3);
    assert_eq!((placement(&done, 3).predicted, placement(&done, 3).served), (Tier::Hot, Some(Tier::Warm)));
}

#[test]
fn bytes_bound_the_queue_as_well() {
    let mut config = single();
    config.queue_bytes = 100;
    let mut rig = Rig::ready(&config);
    let sized = |id, bytes| Submit { bytes, ..request(id, LIGHT) };
    assert!(dispatched(&rig.submit(sized(1, 5000)), 1).is_some(), "what need not wait is not bounded");
    assert_eq!(outcome(&rig.submit(sized(2, 60)), 2), None);
    assert_eq!(outcome(&rig.submit(sized(3, 41)), 3), Some(Outcome::Shed));
    assert_eq!(outcome(&rig.submit(sized(4, 40)), 4), None);
}

#[test]
fn fallback_skips_disabled_tiers_and_ignores_tool_errors() {
    let mut config = one_each();
    config.tiers[1] = tier(0, 0, 0, None);
    let mut rig = Rig::ready(&config);
    assert_eq!(dispatched(&rig.submit(request(1, MEDIUM)), 1), Some(worker(1, 1)), "cold, although hot is free");
    let failed = rig.step(Event::Replied(worker(1, 1), RequestId(1), ReplyKind::ToolError));
    assert_eq!(failed.len(), 1);
    assert_eq!(outcome(&failed, 1), Some(Outcome::ToolError));
}

#[test]
fn what_is_blocked_never_blocks_a_lighter_tier() {
    let mut config = one_each();
    config.queue_len = 1;
    let mut rig = Rig::ready(&config);
    for id in 1..=3 {
        rig.submit(request(id, MEDIUM));
    }
    assert_eq!(rig.core.view().slots.iter().map(|s| s.busy.map(|id| id.0)).collect::<Vec<_>>(), [None, Some(1), Some(3)]);
    rig.submit(request(4, HEAVY));
    let shed = rig.submit(request(5, HEAVY));
    assert_eq!(outcome(&shed, 5), Some(Outcome::Shed), "hot is free, and stays free");
    rig.exit(worker(2, 1));
    let failed = rig.submit(request(6, HEAVY));
    assert_eq!(dispatched(&failed, 6), None, "nor while its own tier backs off");
}

#[test]
fn the_heaviest_enabled_tier_serves_what_is_heavier() {
    let mut config = one_each();
    config.tiers[2] = tier(0, 0, 0, None);
    let mut rig = Rig::ready(&config);
    assert_eq!(dispatched(&rig.submit(request(1, HEAVY)), 1), Some(worker(1, 1)), "warm, although hot is lighter");
    let done = placement(&rig.reply(worker(1, 1), 1), 1);
    assert_eq!((done.predicted, done.served), (Tier::Warm, Some(Tier::Warm)));
}

#[test]
fn a_busy_tier_waits_for_its_own_worker() {
    let mut rig = Rig::ready(&one_each());
    rig.submit(request(1, LIGHT));
    assert_eq!(rig.submit(request(2, LIGHT)), [], "warm and cold are free, but hot can take it");
}

#[test]
fn what_cannot_be_done_in_time_is_shed_at_once_with_advice() {
    let mut rig = Rig::ready(&single());
    rig.submit(request(1, LIGHT));
    rig.now += 100 * MS;
    rig.reply(worker(0, 1), 1);
    rig.submit(request(2, LIGHT));
    let late = Submit { deadline: Some(rig.now + 99 * MS), ..request(3, LIGHT) };
    let shed = rig.submit(late);
    let expected = Some(100 * MS);
    assert!(matches!(shed[0], Action::Finish { outcome: Outcome::Shed, retry_after, .. } if retry_after == expected), "{shed:?}");
    let in_time = Submit { deadline: Some(rig.now + 101 * MS), ..request(4, LIGHT) };
    assert_eq!(outcome(&rig.submit(in_time), 4), None);
    let behind = Submit { deadline: Some(rig.now + 150 * MS), ..request(5, LIGHT) };
    assert_eq!(outcome(&rig.submit(behind), 5), Some(Outcome::Shed), "the queue ahead counts");
}

/// The advice to the last of `requests` that are submitted at once, the first at a worker, four waiting, the last shed.
fn advice(rig: &mut Rig, tool: ToolId, first: u64) -> Option<Nanos> {
    let last = (first..first + 6).map(|id| rig.submit(request(id, tool))).last().unwrap();
    assert_eq!(outcome(&last, first + 5), Some(Outcome::Shed));
    last.iter().find_map(|a| if let Action::Finish { retry_after, .. } = a { *retry_after } else { None })
}

#[test]
fn advice_rests_on_what_is_known_and_before_that_on_what_the_tier_is_for() {
    let mut config = one_each();
    config.fallback = Fallback::None;
    (config.tiers[0].limit_ns, config.tiers[1].limit_ns) = (70 * MS, 700 * MS);
    let mut rig = Rig::ready(&config);
    assert_eq!(advice(&mut rig, LIGHT, 1), Some(350 * MS), "five times 70 ms: nothing was served yet");
    assert_eq!(advice(&mut rig, MEDIUM, 11), Some(3500 * MS));
    assert_eq!(advice(&mut rig, HEAVY, 21), Some(3500 * MS), "at least, for it has no limit of its own");
    rig.now += 300 * MS;
    let shed = rig.submit(request(7, LIGHT));
    let expected = Some(1500 * MS);
    assert!(matches!(shed[0], Action::Finish { retry_after, .. } if retry_after == expected), "300 ms and still at it: {shed:?}");
    rig.reply(worker(0, 1), 1);
    rig.now += 100 * MS;
    rig.reply(worker(0, 1), 2);
    rig.submit(request(8, LIGHT));
    rig.submit(request(9, LIGHT));
    let shed = rig.submit(request(10, LIGHT));
    let expected = Some(5 * 275 * MS);
    assert!(matches!(shed[0], Action::Finish { retry_after, .. } if retry_after == expected), "the mean of two: {shed:?}");
}

#[test]
fn a_strict_sessions_advice_is_of_its_own_queue() {
    let mut config = single();
    (config.affinity, config.tiers[0].limit_ns) = (AffinityMode::Strict, 70 * MS);
    let mut rig = Rig::ready(&config);
    (1..=5).for_each(|id| drop(rig.submit(of_session(id, LIGHT, 1))));
    let shed = rig.submit(of_session(6, LIGHT, 1));
    let expected = Some(350 * MS);
    assert!(matches!(shed[0], Action::Finish { outcome: Outcome::Shed, retry_after, .. } if retry_after == expected), "{shed:?}");
}

#[test]
fn what_runs_longer_than_a_deadline_leaves_is_known_to_be_too_long_but_nobody_is_refused_on_a_guess() {
    let mut config = single();
    config.tiers[0].limit_ns = 70 * MS;
    let mut rig = Rig::ready(&config);
    rig.submit(request(1, LIGHT));
    let due = |rig: &Rig, id, ms| Submit { deadline: Some(rig.now + ms * MS), ..request(id, LIGHT) };
    let soon = due(&rig, 2, 50);
    assert_eq!(outcome(&rig.submit(soon), 2), None, "the limit of 70 ms says nothing of this tool");
    rig.step(Event::Cancel(RequestId(2)));
    rig.now += 200 * MS;
    let (late, in_time) = (due(&rig, 3, 199), due(&rig, 4, 200));
    assert_eq!(outcome(&rig.submit(late), 3), Some(Outcome::Shed));
    assert_eq!(outcome(&rig.submit(in_time), 4), None);
}

#[test]
fn deadlines_expire_queued_and_running_requests() {
    let mut config = single();
    config.deadline_ns = Some(50 * MS);
    let mut rig = Rig::ready(&config);
    let first = rig.submit(request(1, LIGHT));
    assert!(first.contains(&Action::SetTimer(Timer::Deadline, rig.now + 50 * MS)));
    let second = rig.after(MS, Event::Submit(request(2, LIGHT)));
    assert_eq!(second, [], "one timer serves all deadlines");
    let fired = rig.after(49 * MS, Event::Timer(Timer::Deadline));
    assert_eq!((outcome(&fired, 1), outcome(&fired, 2)), (Some(Outcome::Expired), None));
    assert!(fired.contains(&Action::CancelAtWorker(worker(0, 1), RequestId(1))));
    assert!(fired.contains(&Action::SetTimer(Timer::Deadline, rig.now + MS)));
    let fired = rig.after(MS, Event::Timer(Timer::Deadline));
    assert_eq!(fired, [Action::Finish { request: RequestId(2), outcome: Outcome::Expired, retry_after: None, placement: unplaced() }]);
    assert!(rig.core.view().slots[0].zombie);
    assert_eq!(rig.reply(worker(0, 1), 1), [], "the late reply frees the worker and is dropped");
    assert_eq!(rig.core.totals().late_replies, 1);
    assert!(dispatched(&rig.submit(request(3, LIGHT)), 3).is_some());
}

fn unplaced() -> Placement {
    Placement { predicted: Tier::Hot, served: None, worker: None, attempts: 0, affinity: Affinity::Free }
}

#[test]
fn a_reply_after_the_deadline_is_late_even_before_the_timer_fires() {
    let mut rig = Rig::ready(&single());
    rig.submit(Submit { deadline: Some(rig.now + MS), ..request(1, LIGHT) });
    let late = rig.after(MS, Event::Replied(worker(0, 1), RequestId(1), ReplyKind::Ok));
    assert_eq!(outcome(&late, 1), Some(Outcome::Expired));
    let past = Submit { deadline: Some(rig.now), ..request(2, LIGHT) };
    assert_eq!(outcome(&rig.submit(past), 2), Some(Outcome::Expired));
}

#[test]
fn cancel_answers_at_once_and_a_silent_zombie_is_killed_and_replaced() {
    let mut rig = Rig::ready(&single());
    rig.submit(request(1, LIGHT));
    rig.submit(request(2, LIGHT));
    rig.submit(request(3, LIGHT));
    assert_eq!(outcome(&rig.step(Event::Cancel(RequestId(2))), 2), Some(Outcome::Cancelled));
    let cancelled = rig.step(Event::Cancel(RequestId(1)));
    assert_eq!(outcome(&cancelled, 1), Some(Outcome::Cancelled));
    let until = rig.now + 2 * SECOND;
    assert!(cancelled.contains(&Action::SetTimer(Timer::Zombie(worker(0, 1)), until)));
    assert_eq!(rig.step(Event::Cancel(RequestId(1))), []);
    assert_eq!(rig.after(SECOND, Event::Timer(Timer::Zombie(worker(0, 1)))), [], "too early");
    assert_eq!(rig.after(SECOND, Event::Timer(Timer::Zombie(worker(0, 1)))), [Action::Kill(worker(0, 1))]);
    assert_eq!(spawned(&rig.exit(worker(0, 1))), [worker(0, 2)], "our own kill needs no backoff");
    assert_eq!(dispatched(&rig.step(Event::Ready(worker(0, 2))), 3), Some(worker(0, 2)));
}

#[test]
fn unknown_tools_and_known_ids_are_refused() {
    let mut rig = Rig::ready(&single());
    assert_eq!(outcome(&rig.submit(request(1, ToolId(77))), 1), Some(Outcome::Failed));
    rig.submit(request(2, LIGHT));
    assert_eq!(rig.submit(request(2, LIGHT)), []);
    assert_eq!(rig.core.totals().admitted, 2);
}
