use super::*;
use crate::testkit::{exponentials, queue};
use crate::theory::Mmc;

fn responses(utilisation: f64, count: usize, seed: u64) -> Vec<u64> {
    queue(2, utilisation, count + 20_000, seed).skip(20_000).map(|q| q.2).collect()
}

fn independent(count: usize, seed: u64) -> Vec<u64> {
    exponentials(seed).take(count).map(|e| (e * 1e9) as u64).collect()
}

#[test]
fn a_percentile_is_the_least_value_that_enough_do_not_exceed() {
    let series: Vec<u64> = (1..=1_000).rev().collect();
    for (p, expected) in [(0.5, 500.0), (0.95, 950.0), (0.99, 990.0), (0.0001, 1.0)] {
        assert_eq!(percentile(&series, p).unwrap().value, expected);
    }
    assert_eq!((percentile(&[], 0.5), percentile(&series, 0.0), percentile(&series, 1.0)), (None, None, None));
    assert_eq!(percentile(&series, f64::NAN), None);
}

#[test]
fn independent_samples_count_as_many() {
    let series = independent(40_000, 1);
    for p in [0.5, 0.95, 0.99] {
        let estimate = percentile(&series, p).unwrap();
        assert!((10_000.0..=40_000.0).contains(&estimate.effective), "{p}: {estimate:?}");
        assert!(estimate.interval.unwrap().contains(-(1.0f64 - p).ln() * 1e9), "{p}: {estimate:?}");
    }
    let estimate = mean(&series).unwrap();
    assert!(estimate.interval.unwrap().contains(1e9) && estimate.effective > 10_000.0, "{estimate:?}");
}

#[test]
fn queueing_leaves_few_of_many() {
    // The variance of the mean and of p99 in M/M/2 at 0.9 is some 300 times that of independent samples.
    let series = responses(0.9, 200_000, 3);
    for estimate in [mean(&series).unwrap(), percentile(&series, 0.95).unwrap()] {
        assert!((100.0..4_000.0).contains(&estimate.effective), "{estimate:?}");
    }
}

#[test]
fn what_is_too_little_says_so() {
    let reason = |series: &[u64], p| percentile(series, p).unwrap().interval.unwrap_err();
    assert_eq!(reason(&independent(399, 1), 0.5), Reason::TooShort { needed: 400 });
    assert_eq!(reason(&independent(9_999, 1), 0.999), Reason::TooFewBeyond { beyond: 9 });
    assert!(percentile(&independent(10_000, 1), 0.999).unwrap().interval != Err(Reason::TooFewBeyond { beyond: 9 }));
    assert_eq!(reason(&independent(500, 1), 0.01), Reason::TooFewBeyond { beyond: 5 });
    assert_eq!(mean(&[7; 30]).unwrap().interval, Err(Reason::TooShort { needed: 400 }));
    assert_eq!(mean(&[]), None);
    // One stall holds all that is beyond p99: a single cluster bounds nothing.
    let mut stalled = independent(20_000, 2);
    stalled.iter_mut().skip(9_000).take(200).for_each(|r| *r += 50_000_000_000);
    let estimate = percentile(&stalled, 0.99).unwrap();
    let Err(Reason::TooFewClusters { effective, needed }) = estimate.interval else { panic!("{estimate:?}") };
    assert!(effective < needed && needed < 4.6, "{estimate:?}");
    assert!(percentile(&stalled, 0.5).unwrap().interval.is_ok());
}

#[test]
fn a_series_that_drifts_has_no_interval() {
    let saturated: Vec<u64> = queue(2, 1.2, 50_000, 1).map(|q| q.2).collect();
    assert!(matches!(mean(&saturated).unwrap().interval, Err(Reason::Drifts { lag }) if lag > 0.6));
    for p in [0.5, 0.95] {
        let reason = percentile(&saturated, p).unwrap().interval.unwrap_err();
        assert!(matches!(reason, Reason::Drifts { .. } | Reason::TooFewClusters { .. }), "{reason:?}");
    }
    let drifting = (0..200).filter(|seed| matches!(mean(&independent(2_000, *seed)).unwrap().interval, Err(Reason::Drifts { .. })));
    assert!(drifting.count() <= 6);
}

#[test]
fn a_constant_is_known_exactly() {
    let series = [5u64; 1_000];
    let known = Interval { low: 5.0, high: 5.0 };
    for estimate in [percentile(&series, 0.5).unwrap(), percentile(&series, 0.99).unwrap(), mean(&series).unwrap()] {
        assert_eq!((estimate.value, estimate.interval, estimate.effective), (5.0, Ok(known), 1_000.0));
    }
}

#[test]
fn throughput_is_known_as_well_as_its_stream_is_regular() {
    let regular: Vec<u64> = (0..16_001).map(|i| i * 1_000_000).collect();
    let estimate = throughput(&regular).unwrap();
    assert_eq!((estimate.value, estimate.interval.unwrap().half_width()), (1_000.0, 0.0));
    let mut covered = 0;
    for seed in 0..200 {
        let (mut at, mut stamps) = (0.0, Vec::new());
        for e in exponentials(seed).take(5_000) {
            at += e * 1e6;
            stamps.push(at as u64);
        }
        let estimate = throughput(&stamps).unwrap();
        covered += u32::from(estimate.interval.is_ok_and(|i| i.contains(1_000.0)));
        assert!((1_000.0..=5_000.0).contains(&estimate.effective), "{estimate:?}");
    }
    assert!((180..=198).contains(&covered), "{covered}");
    assert_eq!((throughput(&[]), throughput(&[3, 3])), (None, None));
    assert_eq!(throughput(&[0, 1_000_000_000]).unwrap().value, 1.0);
}

#[test]
fn rounds_are_the_textbook() {
    // Logs 0.1, 0.2, 0.3: mean 0.2, s 0.1, t(2) 4.303, half 0.248434.
    let estimate = across_rounds(&[0.1f64.exp(), 0.2f64.exp(), 0.3f64.exp()]).unwrap();
    let interval = estimate.interval.unwrap();
    assert!((estimate.value.ln() - 0.2).abs() < 1e-12);
    assert!((interval.low.ln() + 0.048_434).abs() < 1e-4 && (interval.high.ln() - 0.448_434).abs() < 1e-4, "{interval:?}");
    assert_eq!(across_rounds(&[3.0]).unwrap().interval, Err(Reason::TooShort { needed: 2 }));
    assert_eq!((across_rounds(&[]), across_rounds(&[1.0, 0.0]), across_rounds(&[f64::NAN])), (None, None, None));
}

#[test]
fn the_mean_of_a_queue_is_covered() {
    let truth = Mmc::new(1.6, 1.0, 2).unwrap().mean_response() * 1e9;
    let covered = (0..60).filter(|seed| mean(&responses(0.8, 60_000, *seed)).unwrap().interval.is_ok_and(|i| i.contains(truth))).count();
    assert!(covered >= 50, "{covered}");
}
