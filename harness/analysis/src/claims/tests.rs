use model::plan::Plan;
use model::units::Rate;
use model::{Located, Record};
use proptest::prelude::*;

use super::*;
use crate::testkit::{facts, histogram, measured, plan};

const WAYS: [&str; 3] = ["a", "b", "b-again"];
const ROUNDS: u32 = 8;

fn choice(way: &str) -> Choice {
    vec![("way".to_owned(), vec![way.to_owned()])]
}

fn claim(metric: &str, at_least: Option<f64>, at_most: Option<f64>) -> Claim {
    Claim {
        says: Located::new("a is better than b", "a/b.toml", 9),
        metric: metric.to_owned(),
        of: choice("a"),
        over: choice("b"),
        at_least,
        at_most,
        repeat: Vec::new(),
        durability: Rule::Any,
    }
}

fn claiming(claim: Claim, rounds: u32) -> Plan {
    let mut plan = plan("a/b", &[("size", &["1", "2"]), ("way", &WAYS)], Some(Rate::PerSecond(1000.0)), rounds);
    plan.scenarios[0].claims.push(claim);
    plan
}

/// Uniform noise in ±1 from a seed (splitmix64).
fn noise(seed: u64) -> f64 {
    let mut x = seed.wrapping_add(0x9E37_79B9_7F4A_7C15).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((x ^ (x >> 31)) >> 11) as f64 / (1u64 << 52) as f64 - 1.0
}

/// A trial with that CPU time per request, ns.
fn using(case: &str, round: u32, cpu_ns: f64) -> Record {
    let mut r = measured(case, round);
    r.cpu.process_ns = (cpu_ns * r.counts.finished as f64) as u64;
    r
}

/// Rounds in which way `a` costs 1 ms by `gain`, the others 1 ms, each with noise of its own; ways in turning order.
fn rounds(seed: u64, gain: f64, spread: f64, count: u32) -> Vec<Record> {
    let mut all = Vec::new();
    for round in 0..count {
        for at in 0..6 {
            let at = (at + round as usize) % 6;
            let way = WAYS[at % 3];
            let mean = if way == "a" { 1e6 / gain } else { 1e6 };
            let factor = 1.0 + spread * noise(seed * 1000 + u64::from(round) * 10 + at as u64);
            all.push(using(&format!("a/b?size={}&way={way}", at / 3 + 1), round, mean * factor));
        }
    }
    all
}

fn judged(claim: Claim, records: &[Record]) -> Vec<ClaimPair> {
    let count = records.iter().map(|r| r.round + 1).max().unwrap_or(1);
    crate::summarise(&claiming(claim, count), &facts(), records).scenarios.remove(0).claims.remove(0).pairs
}

#[test]
fn the_same_thing_is_called_different_at_most_twice_in_two_hundred() {
    let mut called = 0;
    for seed in 0..100 {
        let pairs = judged(claim("cpu-per-request", Some(1.0), None), &rounds(seed, 1.0, 0.2, ROUNDS));
        called += pairs.iter().filter(|p| p.verdict != ClaimVerdict::Inconclusive).count();
        assert_eq!(pairs.len(), 2);
    }
    assert!(called <= 2, "{called} of 200 null comparisons");
}

#[test]
fn an_effect_that_is_there_is_found_and_one_that_is_not_is_refuted() {
    let verdicts = |gain: f64, least: f64| -> Vec<ClaimVerdict> {
        (0..25)
            .flat_map(|seed| judged(claim("cpu-per-request", Some(least), None), &rounds(seed, gain, 0.05, ROUNDS)))
            .map(|p| p.verdict)
            .collect()
    };
    let count = |of: ClaimVerdict, all: &[ClaimVerdict]| all.iter().filter(|v| **v == of).count();
    let found = verdicts(1.5, 1.3);
    assert!(count(ClaimVerdict::Holds, &found) >= 45 && count(ClaimVerdict::Refuted, &found) == 0, "{found:?}");
    let refuted = verdicts(1.1, 1.3);
    assert!(count(ClaimVerdict::Refuted, &refuted) >= 45 && count(ClaimVerdict::Holds, &refuted) == 0, "{refuted:?}");
    let on_the_line = verdicts(1.3, 1.3);
    assert!(count(ClaimVerdict::Inconclusive, &on_the_line) >= 48, "{on_the_line:?}");
}

#[test]
fn the_ends_of_the_interval_are_those_of_the_formula() {
    // Gains of 2.0, 2.2 and 1.8 in size 1; the repeat is 10 % apart in every round.
    let mut records = Vec::new();
    for (round, gain) in [2.0, 2.2, 1.8].into_iter().enumerate() {
        for (way, ns) in [("a", 1e6 / gain), ("b", 1e6), ("b-again", 1.1e6)] {
            records.push(using(&format!("a/b?size=1&way={way}"), round as u32, ns));
        }
    }
    let pairs = judged(claim("cpu-per-request", Some(1.3), None), &records);
    assert_eq!((pairs[0].matched.as_str(), pairs[0].of_name.as_str(), pairs[0].over_name.as_str()), ("size=1", "way=a", "way=b"));
    // Logs: mean 0.68980, s 0.10042; t of 99 % and 2 degrees 9.92484; half = 0.57540 + ln 1.1 = 0.67071.
    let close = |a: Option<f64>, b: f64| a.is_some_and(|a| (a / b - 1.0).abs() < 1e-3);
    assert!(close(pairs[0].gain, 1.99332) && close(pairs[0].low, 1.01928) && close(pairs[0].high, 3.89813), "{:?}", pairs[0]);
    assert!(close(pairs[0].repeat_spread, 1.1));
    assert_eq!(pairs[0].verdict, ClaimVerdict::Inconclusive);
    assert_eq!((pairs[1].verdict, pairs[1].why.as_str()), (ClaimVerdict::Refused, "0 rounds on both sides (at least 3 are needed)"));
}

#[test]
fn verdicts_follow_from_the_ends() {
    use ClaimVerdict::{Holds, Inconclusive, Refuted};
    let of = |low, high| verdict(low, high, Some(1.3), None);
    assert_eq!([of(1.3, 9.0), of(1.29, 1.31), of(1.0, 1.29), of(1.0, 1.3)], [Holds, Inconclusive, Refuted, Inconclusive]);
    let of = |low, high| verdict(low, high, Some(1.05), Some(1.10));
    assert_eq!(
        [of(1.05, 1.10), of(1.04, 1.06), of(1.11, 1.2), of(0.9, 1.0), of(1.0, 1.2)],
        [Holds, Inconclusive, Refuted, Refuted, Inconclusive]
    );
    assert_eq!(verdict(0.5, 0.9, None, Some(1.0)), Holds);
}

#[test]
fn more_is_better_where_it_is() {
    let mut records = Vec::new();
    for round in 0..3 {
        for (way, sent) in [("a", 500), ("b", 1000), ("b-again", 1000)] {
            let mut r = measured(&format!("a/b?size=1&way={way}"), round);
            (r.bytes.encoded, r.bytes.sent) = (3000, sent);
            records.push(r);
        }
    }
    let pairs = judged(claim("bytes.ratio", Some(2.0), None), &records);
    assert_eq!((pairs[0].verdict, pairs[0].gain.map(|g| (g * 1e6).round())), (ClaimVerdict::Holds, Some(2e6)), "a size has no noise");
}

#[test]
fn a_percentile_is_read_from_its_histogram() {
    let mut records = Vec::new();
    for round in 0..3 {
        for (way, ns) in [("a", 1_000_000), ("b", 4_000_000)] {
            let mut r = measured(&format!("a/b?size=1&way={way}"), round);
            r.histograms.insert("phase.persist".to_owned(), histogram(&[(100, ns)]));
            records.push(r);
        }
    }
    let pairs = judged(claim("phase.persist.p50", Some(3.9), None), &records);
    assert!(pairs[0].gain.is_some_and(|g| (g - 4.0).abs() < 0.01), "{:?}", pairs[0]);
    assert_eq!(pairs[0].beside, [NO_REPEAT]);
}

#[test]
fn what_cannot_be_compared_is_refused_with_the_reason() {
    let base = rounds(1, 2.0, 0.01, 4);
    let refused = |records: &[Record]| {
        let pair = judged(claim("cpu-per-request", Some(1.3), None), records).remove(0);
        assert_eq!(pair.verdict, ClaimVerdict::Refused);
        pair.why
    };
    let mut shed = base.clone();
    shed.iter_mut().filter(|r| r.case.ends_with("size=1&way=a")).for_each(|r| {
        r.outcomes.insert("ok".to_owned(), 1900);
        r.outcomes.insert("shed".to_owned(), 100);
    });
    assert_eq!(refused(&shed), "outcomes differ: 95.0 % and 100.0 % ok");
    let mut invalid = base.clone();
    invalid[0].counts.sent = 1;
    invalid.iter_mut().filter(|r| r.case.ends_with("size=1&way=a")).for_each(|r| r.counts.sent = 1);
    assert!(refused(&invalid).starts_with("conservation-broken"));
    let few: Vec<Record> = base.iter().filter(|r| r.round < 2).cloned().collect();
    assert_eq!(refused(&few), "2 rounds on both sides (at least 3 are needed)");
    let mut equal = claim("cpu-per-request", Some(1.3), None);
    equal.durability = Rule::Equal;
    assert!(judged(equal, &base)[0].why.contains("poolbench durability"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn the_order_of_records_changes_nothing(seed in 0u64..1000, gain in 0.5f64..3.0) {
        let mut records = rounds(seed, gain, 0.1, 3);
        let first = judged(claim("cpu-per-request", Some(1.3), None), &records);
        records.reverse();
        prop_assert_eq!(&first, &judged(claim("cpu-per-request", Some(1.3), None), &records));
        for pair in &first {
            prop_assert!(pair.low <= pair.gain && pair.gain <= pair.high);
        }
    }
}
