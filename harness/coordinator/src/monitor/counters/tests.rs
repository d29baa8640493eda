use pool::core::Placement;
use pool::times::RequestTimes;
use proptest::prelude::*;

use super::*;

fn counters() -> Counters {
    let settings = [("pool.tools.echo.tier".to_owned(), "hot".to_owned())].into();
    Counters::new(&pool::Config::from_settings(&settings).unwrap())
}

fn response(outcome: Outcome, placement: Option<Placement>, times: RequestTimes) -> Response {
    Response {
        outcome,
        placement,
        retry_after: None,
        request: None,
        error: None,
        digest: None,
        codec: store::compress::Codec::Identity,
        body: bytes::Bytes::new(),
        encoded_bytes: 0,
        saved_bytes: 0,
        times,
    }
}

proptest! {
    #[test]
    fn a_time_is_counted_in_the_bucket_that_bounds_it(ns in prop_oneof![0u64..10_000, any::<u64>(), (0u32..36).prop_map(|e| 1_000u64 << e)]) {
        let bucket = bucket_of(ns);
        if let Some(bound) = bound_ns(bucket) {
            prop_assert!(ns <= bound);
        }
        if let Some(lower) = bucket.checked_sub(1).and_then(bound_ns) {
            prop_assert!(ns > lower);
        }
    }

    #[test]
    fn all_that_entered_is_somewhere(ends in prop::collection::vec((0usize..8, 0usize..4, any::<bool>()), 0..200)) {
        let counters = counters();
        for (outcome, tier, dropped) in &ends {
            let entered = counters.enter();
            let placement = Tier::ALL.get(*tier).map(|predicted| Placement {
                predicted: *predicted, served: None, worker: None, attempts: 0, affinity: Affinity::Free,
            });
            if !dropped {
                entered.leave(&response(Outcome::ALL[*outcome], placement, RequestTimes::default()));
            }
        }
        let ended: u64 = counters.outcomes().iter().flatten().sum();
        prop_assert_eq!((ended, counters.received()), (ends.len() as u64, ends.len() as u64));
        let cancelled = ends.iter().filter(|(_, _, dropped)| *dropped).count() as u64;
        prop_assert!(counters.outcomes()[NO_TIER][Outcome::Cancelled as usize] >= cancelled);
    }
}

#[test]
fn the_bounds_are_powers_of_two_microseconds() {
    assert_eq!((bound_ns(0), bound_ns(10), bound_ns(BUCKETS - 2)), (Some(1_000), Some(1_024_000), Some(33_554_432_000)));
    assert_eq!(bound_ns(BUCKETS - 1), None);
    assert!(AFFINITIES.iter().enumerate().all(|(i, (affinity, _))| *affinity as usize == i), "the table is in the order of the enum");
}

#[test]
fn the_answers_time_is_from_admission_to_the_last_stamp_without_the_callers_lag() {
    let counters = counters();
    let mut times = RequestTimes::default();
    times.begin(Phase::Lag, 1_000_000);
    times.turn(Phase::Lag, Phase::Admit, 5_000_000);
    times.turn(Phase::Admit, Phase::Service, 6_000_000);
    times.turn(Phase::Service, Phase::Encode, 206_000_000);
    times.turn(Phase::Encode, Phase::Reply, 207_000_000);
    let placement = Placement { predicted: Tier::Hot, served: Some(Tier::Warm), worker: None, attempts: 1, affinity: Affinity::Hit };
    counters.enter().leave(&response(Outcome::Ok, Some(placement), times));
    assert_eq!(counters.requests(Tier::Hot).sum_s(), 0.202);
    assert_eq!(counters.phase(Tier::Hot, Phase::Lag).sum_s(), 0.004);
    assert_eq!(counters.predictions()[0], [0, 1, 0], "200 ms are more than hot's 70");
    assert_eq!((counters.served()[0], counters.affinity()[2]), ([0, 1, 0], 1));
}
