//! Shared dispatch: class priority, ageing, nested caps; and how a request's class is predicted.

use super::*;

/// `max` shared workers, all ready; warm and colder may hold 3/4, cold half.
fn shared(max: u16) -> Rig {
    let mut config = config();
    config.dispatch = Dispatch::Shared;
    config.shared = tier(max, 0, max, None);
    (config.tiers[1].cap_percent, config.tiers[2].cap_percent) = (75, 50);
    config.queue_len = 16;
    Rig::ready(&config)
}

fn served(actions: &[Action]) -> Vec<u64> {
    let dispatched = |a: &Action| if let Action::Dispatch(_, id) = a { Some(id.0) } else { None };
    actions.iter().filter_map(dispatched).collect()
}

#[test]
fn one_partition_serves_all_classes() {
    let mut rig = shared(4);
    let slots = rig.core.view().slots;
    assert!(slots.len() == 4 && slots.iter().all(|s| s.partition == Partition::Shared && s.residency == Residency::Ready));
    let actions = rig.submit(request(1, HEAVY));
    let at = dispatched(&actions, 1).unwrap();
    let done = placement(&rig.reply(at, 1), 1);
    assert_eq!((done.predicted, done.served), (Tier::Cold, Some(Tier::Cold)), "served under its class");
    assert_eq!(rig.core.totals().fallbacks, 0);
}

#[test]
fn the_lightest_class_that_waits_is_served_first_in_order() {
    let mut rig = shared(2);
    let busy = [rig.submit(request(1, LIGHT)), rig.submit(request(2, LIGHT))].map(|a| served(&a));
    assert_eq!(busy, [[1], [2]]);
    for (id, tool) in [(3, HEAVY), (4, MEDIUM), (5, LIGHT), (6, LIGHT), (7, MEDIUM)] {
        assert_eq!(rig.submit(request(id, tool)), []);
    }
    let order: Vec<u64> = [1, 5, 6, 4, 7]
        .iter()
        .map(|id| {
            let at = rig.checker_jobs().into_iter().find(|(_, job)| job.0 == *id).unwrap().0;
            served(&rig.reply(at, *id))[0]
        })
        .collect();
    assert_eq!(order, [5, 6, 4, 7, 3]);
}

#[test]
fn heavier_classes_hold_no_more_than_their_nested_caps() {
    let mut rig = shared(4);
    for id in 1..=3 {
        rig.submit(request(id, HEAVY));
    }
    assert_eq!(rig.core.view().tiers[2].running, 2, "half of four");
    for id in 4..=5 {
        rig.submit(request(id, MEDIUM));
    }
    let view = rig.core.view();
    assert_eq!((view.tiers[1].running, view.tiers[1].queued), (1, 1), "warm and cold together: three");
    assert_eq!(served(&rig.submit(request(6, LIGHT))), [6], "the last one is for hot requests");
    assert_eq!(served(&rig.reply(worker(3, 1), 6)), [] as [u64; 0], "and stays idle while only capped ones wait");
    let at = rig.checker_jobs().into_iter().find(|(_, job)| job.0 == 1).unwrap().0;
    assert_eq!(served(&rig.reply(at, 1)), [5], "room for one of the two, the lighter first");
}

#[test]
fn room_that_a_death_makes_is_taken_by_an_idle_worker() {
    let mut rig = shared(4);
    for id in 1..=3 {
        rig.submit(request(id, HEAVY));
    }
    let at = rig.checker_jobs().into_iter().find(|(_, job)| job.0 == 1).unwrap().0;
    rig.written(at, 1);
    assert_eq!(served(&rig.exit(at)), [3]);
}

#[test]
fn a_request_that_has_waited_long_enough_overtakes_lighter_ones() {
    let mut rig = shared(1);
    rig.submit(request(1, LIGHT));
    rig.submit(request(2, HEAVY));
    rig.now += 19 * SECOND;
    rig.submit(request(3, LIGHT));
    assert_eq!(served(&rig.reply(worker(0, 1), 1)), [3], "aged by one class only");
    rig.submit(request(4, LIGHT));
    rig.now += SECOND;
    assert_eq!(served(&rig.reply(worker(0, 1), 3)), [2], "I12: two classes lighter by now, and older");
}

#[test]
fn a_cold_start_is_shared_and_demand_beyond_a_cap_starts_nobody() {
    let mut config = config();
    config.dispatch = Dispatch::Shared;
    config.shared = tier(0, 0, 4, None);
    config.tiers[2].cap_percent = 25;
    let mut rig = Rig::ready(&config);
    assert_eq!(spawned(&rig.submit(request(1, HEAVY))).len(), 1);
    assert_eq!(spawned(&rig.submit(request(2, HEAVY))).len(), 0, "one worker may serve cold requests");
    assert_eq!(spawned(&rig.submit(request(3, LIGHT))).len(), 1);
}

/// Serves `n` requests of the tool and size that take `ms` each.
fn teach(rig: &mut Rig, first: u64, n: u64, bytes: u32, ms: u64) {
    for id in first..first + n {
        let actions = rig.submit(Submit { bytes, ..request(id, MEDIUM) });
        let at = dispatched(&actions, id).or_else(|| {
            rig.make_ready();
            rig.checker_jobs().into_iter().find(|(_, job)| job.0 == id).map(|(r, _)| r)
        });
        rig.now += ms * MS;
        rig.reply(at.unwrap(), id);
    }
}

#[test]
fn the_tier_is_learnt_per_tool_and_size_once_enough_is_known() {
    let mut config = config();
    (config.predict, config.tiers[0].limit_ns, config.tiers[1].limit_ns) = (Predict::Learned, 70 * MS, 700 * MS);
    let mut rig = Rig::ready(&config);
    let predicted = |rig: &Rig, bytes| rig.core.predict(MEDIUM, bytes, None);
    assert_eq!(predicted(&rig, 100), Tier::Warm, "the prior");
    teach(&mut rig, 1, 7, 100, 10);
    assert_eq!(predicted(&rig, 100), Tier::Warm, "seven are not enough");
    teach(&mut rig, 8, 1, 100, 10);
    assert_eq!((predicted(&rig, 100), predicted(&rig, 1000)), (Tier::Hot, Tier::Warm), "of this size");
    teach(&mut rig, 100, 8, 1000, 2000);
    assert_eq!((predicted(&rig, 100), predicted(&rig, 1000)), (Tier::Hot, Tier::Cold));
}

#[test]
fn an_oracle_is_believed_where_it_speaks() {
    let mut config = config();
    (config.predict, config.tiers[0].limit_ns, config.tiers[1].limit_ns) = (Predict::Oracle, 70 * MS, 700 * MS);
    let rig = Rig::ready(&config);
    let tiers = [Some(MS), Some(100 * MS), Some(SECOND), None].map(|cost| rig.core.predict(HEAVY, 1, cost));
    assert_eq!(tiers, [Tier::Hot, Tier::Warm, Tier::Cold, Tier::Cold]);
}

#[test]
fn without_fallback_a_request_stays_in_its_tier_and_predictions_in_enabled_ones() {
    let mut config = config();
    (config.fallback, config.queue_len) = (Fallback::None, 1);
    let mut rig = Rig::ready(&config);
    for id in 1..=3 {
        rig.submit(request(id, LIGHT));
    }
    let shed = rig.submit(request(4, LIGHT));
    assert_eq!((outcome(&shed, 4), spawned(&shed)), (Some(Outcome::Shed), vec![]), "the warm tier is not asked");
    config.predict = Predict::Oracle;
    config.tiers[1].max = 0;
    (config.tiers[0].limit_ns, config.tiers[1].limit_ns) = (70 * MS, 700 * MS);
    assert_eq!(Core::new(&config).predict(LIGHT, 1, Some(100 * MS)), Tier::Cold);
}

#[test]
fn the_baseline_tries_every_tier_after_any_error() {
    let mut config = config();
    config.fallback = Fallback::AnyError;
    config.tiers[1] = tier(1, 0, 1, None);
    config.tiers[2] = tier(1, 0, 1, None);
    let mut rig = Rig::ready(&config);
    rig.submit(request(1, LIGHT));
    let error = |rig: &mut Rig, at| rig.step(Event::Replied(at, RequestId(1), ReplyKind::ToolError));
    assert_eq!(dispatched(&error(&mut rig, worker(0, 1)), 1), Some(worker(2, 1)), "warm");
    rig.written(worker(2, 1), 1);
    assert_eq!(dispatched(&rig.exit(worker(2, 1)), 1), Some(worker(4 - 1, 1)), "cold, although it may have run twice by now");
    let last = error(&mut rig, worker(3, 1));
    assert_eq!((outcome(&last, 1), placement(&last, 1).attempts), (Some(Outcome::ToolError), 3));
}
