use model::units::Rate;
use model::{Located, Record};

use super::*;
use crate::summary::Summary;
use crate::testkit::{facts, histogram, measured, plan};

const ALONE: &str = "sqlite/commits";
const WHOLE: &str = "sqlite/session-writes";
const ROUNDS: u32 = 5;

fn sides(scenario: &str, axis: &str) -> Sides {
    let pick = |value: &str| vec![(axis.to_owned(), value.to_owned())];
    Sides { scenario: scenario.to_owned(), of: pick("wal"), over: pick("delete") }
}

/// A plan of both scenarios; the one end to end asks what survives.
fn both() -> Plan {
    let rate = Some(Rate::PerSecond(1000.0));
    let mut all = plan(WHOLE, &[("mode", &["delete", "wal"])], rate, ROUNDS);
    let alone = plan(ALONE, &[("way", &["delete", "wal"])], None, ROUNDS);
    all.scenarios.extend(alone.scenarios);
    all.cases.extend(alone.cases);
    all.scenarios[0].survives.push(Survives {
        says: Located::new("WAL over DELETE", "sqlite/session-writes.toml", 46),
        phase: "persist".to_owned(),
        whole: sides(WHOLE, "mode"),
        isolated: sides(ALONE, "way"),
    });
    all
}

/// A contender's trial of 100 operations of that many ns.
fn alone(way: &str, round: u32, ns: f64) -> Record {
    let mut r = measured(&format!("{ALONE}?way={way}"), round);
    let done =
        model::record::ContenderFigures { operations: 100, wall_ns: (ns * 100.0) as u64, ..model::record::ContenderFigures::default() };
    r.contender = Some(done);
    r
}

/// A trial end to end: the times of the phase, and of the response at p50 and beyond.
fn whole(mode: &str, round: u32, phase: u64, p50: u64, p99: u64) -> Record {
    let mut r = measured(&format!("{WHOLE}?mode={mode}"), round);
    r.histograms.insert("phase.persist".to_owned(), histogram(&[(2000, phase)]));
    r.histograms.insert("response".to_owned(), histogram(&[(1900, p50), (100, p99)]));
    r
}

/// Alone WAL is four times as fast, in the phase as well, end to end twice at p50; at p99 it is better and worse in turns.
fn records() -> Vec<Record> {
    let mut all = Vec::new();
    for round in 0..ROUNDS {
        let wobble = 1.0 + 0.001 * f64::from(round);
        all.push(alone("delete", round, 4e6 * wobble));
        all.push(alone("wal", round, 1e6));
        let tail = if round % 2 == 0 { 4_000_000 } else { 12_000_000 };
        all.push(whole("delete", round, (4e6 * wobble) as u64, (6e6 * wobble) as u64, 7_000_000));
        all.push(whole("wal", round, 1_000_000, 3_000_000, tail));
    }
    all
}

fn survival(records: &[Record]) -> Survival {
    let summary: Summary = crate::summarise(&both(), &facts(), records);
    assert_eq!(summary.survives.len(), 1);
    summary.survives.into_iter().next().unwrap()
}

fn close(a: Option<f64>, b: f64) -> bool {
    a.is_some_and(|a| (a - b).abs() < 0.02)
}

#[test]
fn the_share_is_that_of_the_logarithms() {
    let found = survival(&records());
    assert!(close(found.isolated.gain, 4.008) && close(found.phase_p50.gain, 4.008) && close(found.p50.gain, 2.004), "{found:?}");
    assert!(close(found.p50_share.share, 0.5), "ln 2 of ln 4: {:?}", found.p50_share);
    assert!(!found.p50_share.inconclusive && found.p50_share.why.is_empty());
    assert_eq!((found.isolated_of.as_str(), found.isolated_over.as_str()), ("way=wal", "way=delete"));
    assert_eq!((found.isolated.rounds, found.p50.rounds), (ROUNDS, ROUNDS));
}

#[test]
fn an_interval_that_holds_no_gain_is_inconclusive() {
    let found = survival(&records());
    assert!(found.p99.inconclusive && found.p99_share.inconclusive, "{:?}", found.p99);
    let share = &found.p99_share;
    assert!(share.low < Some(0.0) && share.high > Some(0.0) && share.low <= share.share && share.share <= share.high, "{share:?}");
}

#[test]
fn ends_are_what_both_intervals_permit() {
    let gain = |gain: f64, low: f64, high: f64| Gain { gain: Some(gain), low: Some(low), high: Some(high), rounds: 9, ..Gain::default() };
    let of = |alone: &Gain, whole: &Gain| {
        let share = share(alone, whole);
        [share.share, share.low, share.high].map(|x| x.map(|x| (x * 1000.0).round() / 1000.0))
    };
    assert_eq!(of(&gain(4.0, 2.0, 8.0), &gain(2.0, 1.6, 2.5)), [Some(0.5), Some(0.226), Some(1.322)]);
    assert_eq!(of(&gain(0.25, 0.125, 0.5), &gain(0.5, 0.5, 0.5)), [Some(0.5), Some(0.333), Some(1.0)], "a loss survives too");
    assert_eq!(of(&gain(4.0, 4.0, 4.0), &gain(0.5, 0.25, 1.0)), [Some(-0.5), Some(-1.0), Some(0.0)], "a gain that became a loss");
    let none = share(&gain(1.1, 0.9, 1.3), &gain(2.0, 2.0, 2.0));
    assert_eq!((none.share, none.why.as_str()), (None, "the interval in isolation holds no gain"));
    let blank = share(&gain(4.0, 4.0, 4.0), &Gain::default());
    assert_eq!((blank.share, blank.why.as_str()), (None, "no gain end to end was measured"));
}

#[test]
fn a_scenario_that_did_not_run_is_named_with_the_command() {
    let mut lone = both();
    lone.scenarios.truncate(1);
    lone.cases.retain(|case| case.scenario == WHOLE);
    let found = crate::summarise(&lone, &facts(), &records()).survives.remove(0);
    let why = "the run lacks these cases: `poolbench run -f '^sqlite/commits' -f '^sqlite/session-writes' --rounds 8` has them";
    assert_eq!(found.isolated.why, why);
    assert!(found.p50.gain.is_some() && found.p50_share.share.is_none(), "{found:?}");
}

#[test]
fn few_rounds_are_refused_as_of_a_claim() {
    let few: Vec<Record> = records().into_iter().filter(|r| r.round < 2).collect();
    let found = survival(&few);
    assert_eq!(found.p50.why, "2 rounds on both sides (at least 3 are needed)");
    assert!(!found.p50.inconclusive && found.p50_share.share.is_none());
}

#[test]
fn the_order_of_records_changes_nothing() {
    let mut all = records();
    let first = survival(&all);
    all.reverse();
    assert_eq!(first, survival(&all));
}
