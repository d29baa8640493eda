use super::*;
use crate::testkit::exponentials;

const RATES: [f64; 4] = [1_000.0, 2_000.0, 5_000.0, 10_000.0];

/// Gaps in s of a Poisson process, as whole nanoseconds.
fn poisson(rate: f64, count: usize, seed: u64) -> Vec<f64> {
    exponentials(seed).take(count).map(|e| (e / rate * 1e9).floor() / 1e9).collect()
}

#[test]
fn the_statistic_is_that_of_a_small_sum_by_hand() {
    // Twenty gaps at the middles of twentieths of the distribution fit as well as gaps can.
    let even: Vec<f64> = (0..20).map(|i| -(1.0 - (f64::from(i) + 0.5) / 20.0f64).ln()).collect();
    let u = |i: usize| (i as f64 + 0.5) / 20.0;
    let by_hand = -20.0 - (0..20).map(|i| (2 * i + 1) as f64 * (u(i).ln() + (1.0 - u(19 - i)).ln())).sum::<f64>() / 20.0;
    let fit = of_rate(&even, 1.0).unwrap();
    assert!((fit.statistic - by_hand).abs() < 1e-9 && fit.statistic < 0.1, "{fit:?} {by_hand}");
    assert_eq!((fit.critical, fit.gaps), (3.857, 20));
}

#[test]
fn what_cannot_be_tested_is_not() {
    assert_eq!(of_rate(&[1.0; 19], 1.0), None);
    for bad in [-1.0, f64::NAN, f64::INFINITY] {
        let mut gaps = [1.0; 40];
        gaps[7] = bad;
        assert_eq!((of_rate(&gaps, 1.0), of_shape(&gaps)), (None, None));
    }
    assert_eq!((of_rate(&[1.0; 40], 0.0), of_shape(&[0.0; 40])), (None, None));
}

#[test]
fn a_stretch_is_the_middle() {
    assert_eq!(stretch(&[1, 2, 3, 4, 5, 6], 2), [3, 4]);
    assert_eq!(stretch(&[1, 2], 5), [1, 2]);
    assert_eq!(stretch::<u8>(&[], 5), []);
    assert_eq!(of_shape(&poisson(1.0, 10_000, 1)).unwrap().gaps, MOST);
}

#[test]
fn nine_of_ten_true_processes_pass_at_every_rate() {
    for (offset, rate) in [0u64, 100, 200, 300].into_iter().zip(RATES) {
        let gaps = |seed| poisson(rate, 12_000, offset + seed);
        let passing = (0..10).filter(|seed| of_rate(&gaps(*seed), rate).unwrap().passes()).count();
        let shaped = (0..10).filter(|seed| of_shape(&gaps(*seed)).unwrap().passes()).count();
        assert!(passing >= 9 && shaped >= 9, "{passing} {shaped} at {rate}");
    }
}

#[test]
fn one_true_process_in_a_hundred_fails() {
    // 2,000 series: 20 are expected, and 7 to 35 leave 1 in 1,000 to chance.
    for count in [100, 1_000] {
        let (mut of_rate_failed, mut of_shape_failed) = (0, 0);
        for seed in 0..2_000 {
            let gaps = poisson(1_000.0, count, 10_000 + seed);
            of_rate_failed += u32::from(!of_rate(&gaps, 1_000.0).unwrap().passes());
            of_shape_failed += u32::from(!of_shape(&gaps).unwrap().passes());
        }
        assert!((7..=35).contains(&of_rate_failed), "{of_rate_failed} of 2,000 with {count} gaps of a rate");
        assert!((7..=35).contains(&of_shape_failed), "{of_shape_failed} of 2,000 with {count} gaps of a shape");
    }
}

#[test]
fn other_processes_fail() {
    let even = vec![0.001; MOST];
    // Bursts: ten at once, then a pause, at the same rate.
    let bursts: Vec<f64> = (0..MOST).map(|i| if i % 10 == 0 { 0.01 } else { 0.0 }).collect();
    // A timer of 1 ms: gaps are rounded up to its ticks.
    let mut owed = 0.0;
    let ticks: Vec<f64> = poisson(1_000.0, MOST, 5)
        .iter()
        .map(|g| {
            let gap = ((g + owed) * 1e3).round() / 1e3;
            owed += g - gap;
            gap
        })
        .collect();
    for (name, gaps) in [("even", even), ("bursts", bursts), ("ticks", ticks)] {
        assert!(!of_rate(&gaps, 1_000.0).unwrap().passes() && !of_shape(&gaps).unwrap().passes(), "{name}");
    }
    // A rate that is 8 % off has the right shape.
    let fast = poisson(1_080.0, MOST, 6);
    assert!(!of_rate(&fast, 1_000.0).unwrap().passes() && of_shape(&fast).unwrap().passes());
}

#[test]
fn one_gap_of_nothing_does_not_decide() {
    let mut gaps = poisson(10_000.0, MOST, 8);
    let before = of_rate(&gaps, 10_000.0).unwrap().statistic;
    let least = (0..MOST).min_by(|a, b| gaps[*a].total_cmp(&gaps[*b])).unwrap();
    gaps[least] = 0.0;
    assert!((of_rate(&gaps, 10_000.0).unwrap().statistic - before).abs() < 0.05);
}

#[test]
fn a_ramp_passes_in_its_own_time_only() {
    // From 0 to 2,000 per second in 10 s: L(t) = 100 t^2, so the n-th arrival is at sqrt(L / 100).
    let cumulative = |ns: u64| 100.0 * (ns as f64 / 1e9).powi(2);
    let mut passed = 0;
    for seed in 0..20 {
        let (mut at, mut stamps) = (0.0, vec![0]);
        for e in exponentials(40 + seed).take(10_000) {
            at += e;
            stamps.push(((at / 100.0f64).sqrt() * 1e9) as u64);
        }
        let gaps = rescaled(&stamps, cumulative);
        assert_eq!(gaps.len(), 10_000);
        passed += u32::from(of_rate(&gaps, 1.0).unwrap().passes());
        let plain: Vec<f64> = stamps.windows(2).map(|w| (w[1] - w[0]) as f64 / 1e9).collect();
        assert!(!of_rate(&plain, 1_000.0).unwrap().passes());
    }
    assert!(passed >= 18, "{passed}");
}
