use super::*;
use crate::recursion::Servers;
use crate::testkit::{exponentials, queue};
use crate::theory::Mmc;

const COUNT: usize = 100_000;

/// Responses of a queue in steady state, to each of which `added(i)` mean responses are added.
fn responses(utilisation: f64, seed: u64, added: impl Fn(f64) -> f64) -> Vec<u64> {
    let mean = Mmc::new(2.0 * utilisation, 1.0, 2).unwrap().mean_response() * 1e9;
    let steady = queue(2, utilisation, COUNT + 20_000, seed).skip(20_000);
    steady.enumerate().map(|(i, (_, _, response))| response + (added(i as f64) * mean) as u64).collect()
}

/// What is dropped of each of `seeds` series; `None` where one never settles.
fn drops(seeds: u64, series: impl Fn(u64) -> Vec<u64>) -> Vec<Option<f64>> {
    let one = |seed| match mser5(&series(seed)) {
        Some(Steady::Settled { drop, kept }) => (drop + kept == COUNT).then_some(drop as f64),
        _ => None,
    };
    (0..seeds).map(one).collect()
}

fn within(drops: &[Option<f64>], low: f64, high: f64) -> usize {
    drops.iter().flatten().filter(|d| (low..=high).contains(*d)).count()
}

/// A cold tier costs one more mean response, or three, until it is warm at a tenth of the run. Of 200 seeds 197, 197, 190 and 195 are within 10 % of
/// the truth; the bounds leave room for another generator's chance.
#[test]
fn the_end_of_a_cold_tier_is_found() {
    let truth = COUNT as f64 / 10.0;
    for (utilisation, added, least) in [(0.5, 1.0, 184), (0.5, 3.0, 184), (0.8, 1.0, 178), (0.8, 3.0, 184)] {
        let found = drops(200, |seed| responses(utilisation, seed, |i| if i < truth { added } else { 0.0 }));
        let right = within(&found, 0.9 * truth, 1.1 * truth);
        assert!(right >= least, "{right} of 200 at {utilisation} and {added}");
        // A miss drops too much, not too little.
        assert!(within(&found, 0.0, 0.9 * truth) <= 4);
    }
}

/// A warm-up that fades has no end; what counts is how much of it is left. Before, it raises the mean by 10 %. Measured: 100 and 91 of 100.
#[test]
fn of_a_warm_up_that_fades_less_than_one_percent_is_left() {
    let fading = COUNT as f64 / 30.0;
    for utilisation in [0.5, 0.8] {
        let found = drops(100, |seed| responses(utilisation, seed, |i| 3.0 * (-i / fading).exp()));
        let left = |drop: f64| 3.0 * fading * (-drop / fading).exp() / (COUNT as f64 - drop);
        let clean = found.iter().flatten().filter(|d| left(**d) < 0.01).count();
        assert!(left(0.0) > 0.099 && clean >= 82, "{clean} of 100 at {utilisation}");
    }
}

/// Measured: 97, 95 and 90 of 100 lose at most 1 %, and one never settles, at 0.9.
#[test]
fn a_steady_queue_keeps_nearly_all() {
    for (utilisation, least) in [(0.5, 92), (0.8, 90), (0.9, 83)] {
        let found = drops(100, |seed| responses(utilisation, seed, |_| 0.0));
        let few = within(&found, 0.0, 0.01 * COUNT as f64);
        assert!(few >= least, "{few} of 100 at {utilisation}");
        assert!(found.iter().filter(|d| d.is_none()).count() <= 4);
    }
}

#[test]
fn a_saturated_queue_never_settles() {
    for utilisation in [1.05, 1.2] {
        for seed in 0..20 {
            let grows: Vec<u64> = queue(2, utilisation, 40_000, seed).map(|q| q.2).collect();
            assert!(matches!(mser5(&grows), Some(Steady::Never { least }) if least >= 20_000), "{utilisation} {seed}");
        }
    }
}

#[test]
fn a_warm_up_beyond_the_middle_never_settles() {
    let late = |seed| responses(0.5, seed, |i| if i < 0.6 * COUNT as f64 { 2.0 } else { 0.0 });
    assert_eq!(drops(20, late), [None; 20]);
}

#[test]
fn what_is_short_or_constant_is_itself() {
    assert_eq!(mser5(&[7; LEAST - 1]), None);
    assert_eq!(mser5(&[7; LEAST]), Some(Steady::Settled { drop: 0, kept: LEAST }));
    assert_eq!(mser5(&[0; 1_003]), Some(Steady::Settled { drop: 0, kept: 1_003 }));
    // One slow first request, of which a batch is dropped; and a level of zero behind it.
    let mut first = vec![1_000_000u64; 2_000];
    first[0] = 90_000_000;
    assert_eq!(mser5(&first), Some(Steady::Settled { drop: 5, kept: 1_995 }));
}

/// Services of one length make stretches without any spread, which look settled beside whatever came before. Of 200 seeds each 5, 6 and 6 are called
/// cold or never settled, by the spread of what is behind alone 56, 54 and 24.
#[test]
fn a_short_steady_queue_is_rarely_called_cold() {
    for (utilisation, count, most) in [(0.3, 1_000, 16), (0.5, 1_000, 16), (0.8, 5_000, 16)] {
        let cold = |seed: &u64| {
            let mut line = Servers::new(2).unwrap();
            let mut gaps = exponentials(seed * 77 + 5);
            let mut at = 0.0;
            let response = |_| {
                at += gaps.next().unwrap() * 1e9 / (utilisation * 2.0);
                line.serve(at as u64, 1_000_000_000).end_ns - at as u64
            };
            let series: Vec<u64> = (0..count + 3_000).map(response).skip(3_000).collect();
            !matches!(mser5(&series), Some(Steady::Settled { drop, .. }) if 20 * drop <= count)
        };
        let found = (0..200).filter(cold).count();
        assert!(found <= most, "{found} of 200 at {utilisation} with {count}");
    }
}
