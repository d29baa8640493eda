use model::Plan;
use model::units::Rate;

use super::*;
use crate::summary::{ScenarioSummary, Summary};
use crate::testkit::{calibration, facts, histogram, measured, plan};

const ONE_AXIS: [(&str, &[&str]); 1] = [("mode", &["delete", "wal"])];

fn run(plan: &Plan, records: &[Record]) -> Summary {
    crate::summarise(plan, &facts(), records)
}

/// A trial whose every response took `ns`.
fn taking(case: &str, round: u32, ns: u64) -> Record {
    let mut r = measured(case, round);
    r.histograms.insert("response".to_owned(), histogram(&[(2000, ns)]));
    r
}

fn row(scenario: &ScenarioSummary, metric: Metric) -> Ratio {
    scenario.comparisons[0].rows.iter().find(|r| r.metric == metric).unwrap().clone()
}

fn close(a: Option<f64>, b: f64) -> bool {
    a.is_some_and(|a| (a / b - 1.0).abs() < 2e-3)
}

#[test]
fn a_ratio_is_of_case_values_with_an_interval_over_rounds() {
    let plan = plan("a/b", &ONE_AXIS, Some(Rate::PerSecond(1000.0)), 3);
    let records: Vec<Record> = [(0, 4_000_000, 8_000_000), (1, 4_400_000, 8_000_000), (2, 3_600_000, 8_000_000)]
        .into_iter()
        .flat_map(|(round, wal, delete)| [taking("a/b?mode=wal", round, wal), taking("a/b?mode=delete", round, delete)])
        .collect();
    let scenario = run(&plan, &records).scenarios.remove(0);
    let p99 = row(&scenario, Metric::P99);
    assert!(close(p99.value, 0.5), "{p99:?}");
    // Logs of 0.5, 0.55, 0.45: mean -0.69650, s 0.10042, half-width 4.303 * s / sqrt(3) = 0.24947.
    assert!(close(p99.low, 0.3883) && close(p99.high, 0.6395), "{p99:?}");
    assert_eq!((p99.pairs, p99.rounds, scenario.comparisons[0].matched), (1, 3, 1));
    assert_eq!((scenario.comparisons[0].value.as_str(), scenario.comparisons[0].against.as_str()), ("wal", "delete"));
    let values: Vec<_> = scenario.axis_values.iter().map(|v| (v.value.as_str(), v.cases)).collect();
    assert_eq!(values, [("delete", 1), ("wal", 1)]);
    let p50 = scenario.axis_values[1].figures.iter().find(|f| f.metric == Metric::P50).unwrap();
    assert!(close(p50.value, 4e6));
}

#[test]
fn one_round_gives_a_ratio_without_interval() {
    let plan = plan("a/b", &ONE_AXIS, Some(Rate::PerSecond(1000.0)), 1);
    let records = [taking("a/b?mode=wal", 0, 1_000_000), taking("a/b?mode=delete", 0, 2_000_000)];
    let p50 = row(&run(&plan, &records).scenarios[0], Metric::P50);
    assert!(close(p50.value, 0.5));
    assert_eq!((p50.low, p50.high, p50.rounds), (None, None, 1));
}

#[test]
fn cases_are_matched_on_all_other_axes() {
    let axes: [(&str, &[&str]); 2] = [("mode", &["delete", "wal"]), ("sync", &["full", "off"])];
    let plan = plan("a/b", &axes, Some(Rate::PerSecond(1000.0)), 2);
    let ns = [("mode=delete&sync=full", 8), ("mode=delete&sync=off", 2), ("mode=wal&sync=full", 4), ("mode=wal&sync=off", 4)];
    let records: Vec<Record> =
        ns.iter().flat_map(|(q, ms)| (0..2).map(move |round| taking(&format!("a/b?{q}"), round, *ms * 1_000_000))).collect();
    let scenario = &run(&plan, &records).scenarios[0];
    assert_eq!(scenario.comparisons.iter().map(|c| c.axis.as_str()).collect::<Vec<_>>(), ["mode", "sync"]);
    let p50 = |i: usize| scenario.comparisons[i].rows.iter().find(|r| r.metric == Metric::P50).unwrap().value;
    // mode: 4/8 and 4/2 -> geometric mean 1; sync: 2/8 and 4/4 -> 0.5. An unmatched mean would say 8/10 and 6/12.
    assert!(close(p50(0), 1.0) && close(p50(1), 0.5));
}

#[test]
fn unlike_outcomes_refuse_latencies_but_not_rates() {
    let plan = plan("a/b", &ONE_AXIS, Some(Rate::PerSecond(1000.0)), 1);
    let mut shedding = taking("a/b?mode=wal", 0, 1_000_000);
    shedding.outcomes.insert("ok".to_owned(), 1900);
    shedding.outcomes.insert("shed".to_owned(), 100);
    shedding.counts.ok_in_deadline = 1900;
    let scenario = &run(&plan, &[shedding, taking("a/b?mode=delete", 0, 2_000_000)]).scenarios[0];
    let p50 = row(scenario, Metric::P50);
    assert_eq!((p50.value, p50.why_blank.as_deref()), (None, Some("outcomes differ: 95.0 % and 100.0 % ok")));
    assert!(close(row(scenario, Metric::Goodput).value, 0.95));
}

#[test]
fn timing_classes_are_never_mixed() {
    let plan = plan("a/b", &ONE_AXIS, Some(Rate::PerSecond(1000.0)), 1);
    let mut other = measured("a/b?mode=wal", 0);
    other.timing_class = "other".to_owned();
    let records = [other, measured("a/b?mode=delete", 0), calibration("a/b?mode=wal", 0, 300), calibration("a/b?mode=delete", 0, 100)];
    let scenario = &run(&plan, &records).scenarios[0];
    assert_eq!(row(scenario, Metric::P99).value, None);
    assert_eq!(row(scenario, Metric::Capacity).value, Some(3.0), "nobody paces a calibration trial");
}

#[test]
fn invalid_figures_are_not_compared() {
    let plan = plan("a/b", &ONE_AXIS, Some(Rate::PerSecond(1000.0)), 1);
    let mut lossy = measured("a/b?mode=wal", 0);
    lossy.counts.sent = 1999;
    let p50 = row(&run(&plan, &[lossy, measured("a/b?mode=delete", 0)]).scenarios[0], Metric::P50);
    assert_eq!(p50.value, None);
    assert!(p50.why_blank.unwrap().starts_with("conservation-broken"));
}

#[test]
fn a_blank_side_says_why() {
    let plan = plan("a/b", &ONE_AXIS, Some(Rate::PerSecond(1000.0)), 1);
    let scenario = &run(&plan, &[measured("a/b?mode=delete", 0), measured("a/b?mode=wal", 0)]).scenarios[0];
    let p999 = row(scenario, Metric::P999);
    assert_eq!(p999.value, None);
    assert!(p999.why_blank.unwrap().contains("p99.9 rests on 2 samples"));
}

#[test]
fn a_pair_that_cannot_be_compared_leaves_the_others() {
    let axes: [(&str, &[&str]); 2] = [("mode", &["delete", "wal"]), ("sync", &["full", "off"])];
    let plan = plan("a/b", &axes, Some(Rate::PerSecond(1000.0)), 1);
    let records = [taking("a/b?mode=delete&sync=full", 0, 8_000_000), taking("a/b?mode=wal&sync=full", 0, 2_000_000)];
    let p50 = row(&run(&plan, &records).scenarios[0], Metric::P50);
    assert!(close(p50.value, 0.25));
    assert_eq!((p50.pairs, p50.why_blank.as_deref()), (1, Some("no round ran to its end")));
}

#[test]
fn a_case_against_an_equal_one_is_exactly_one() {
    let plan = plan("a/b", &ONE_AXIS, Some(Rate::PerSecond(1000.0)), 2);
    let both = |c: &'static str| (0..2).flat_map(move |r| [measured(c, r), calibration(c, r, 777 + u64::from(r))]);
    let records: Vec<Record> = both("a/b?mode=delete").chain(both("a/b?mode=wal")).collect();
    let scenario = &run(&plan, &records).scenarios[0];
    for r in scenario.comparisons[0].rows.iter().filter(|r| r.metric != Metric::P999) {
        assert_eq!((r.value, r.low, r.high), (Some(1.0), Some(1.0), Some(1.0)), "{:?}", r.metric);
    }
}

const TWO_AXES: [(&str, &[&str]); 2] = [("mode", &["delete", "wal"]), ("sync", &["full", "off"])];

#[test]
fn an_interval_rests_on_rounds_that_every_pair_has() {
    let plan = plan("a/b", &TWO_AXES, Some(Rate::PerSecond(1000.0)), 3);
    let mut records: Vec<Record> = ["mode=delete&sync=full", "mode=delete&sync=off", "mode=wal&sync=full", "mode=wal&sync=off"]
        .iter()
        .flat_map(|q| (0..3).map(move |round| taking(&format!("a/b?{q}"), round, 1_000_000)))
        .collect();
    records.retain(|r| !(r.case == "a/b?mode=wal&sync=off" && r.round == 2));
    let p50 = row(&run(&plan, &records).scenarios[0], Metric::P50);
    assert_eq!((p50.pairs, p50.rounds), (2, 2));
}

#[test]
fn an_interval_always_holds_its_ratio() {
    let plan = plan("a/b", &ONE_AXIS, Some(Rate::PerSecond(1000.0)), 3);
    // The case's values are 1 ms and 2 ms; the rounds' ratios are 1/2, 1/2 and, once, 9/2.
    let ms = [(1, 2), (1, 2), (9, 2)];
    let records: Vec<Record> = (0..3)
        .zip(ms)
        .flat_map(|(r, (a, b))| [taking("a/b?mode=wal", r, a * 1_000_000), taking("a/b?mode=delete", r, b * 1_000_000)])
        .collect();
    let p50 = row(&run(&plan, &records).scenarios[0], Metric::P50);
    assert!(p50.low <= p50.value && p50.value <= p50.high, "{p50:?}");
    let capacities = |round, wal, delete| [calibration("a/b?mode=wal", round, wal), calibration("a/b?mode=delete", round, delete)];
    let odd: Vec<Record> = [capacities(0, 100, 100), capacities(1, 200, 200), capacities(2, 300, 300)].concat();
    assert_eq!(row(&run(&plan, &odd).scenarios[0], Metric::Capacity).value, Some(1.0));
    // Two rounds that only one side has shift its median, but not the rounds' ratios: the interval is widened to hold both.
    let shifted: Vec<Record> = [odd, vec![calibration("a/b?mode=wal", 3, 900), calibration("a/b?mode=wal", 4, 900)]].concat();
    let capacity = row(&run(&plan, &shifted).scenarios[0], Metric::Capacity);
    assert_eq!((capacity.low, capacity.value, capacity.high), (Some(1.0), Some(1.5), Some(1.5)));
}

#[test]
fn values_of_an_axis_rest_on_the_same_cases() {
    let mut plan = plan("a/b", &TWO_AXES, Some(Rate::PerSecond(1000.0)), 1);
    let records = [
        taking("a/b?mode=delete&sync=full", 0, 8_000_000),
        taking("a/b?mode=wal&sync=full", 0, 2_000_000),
        taking("a/b?mode=delete&sync=off", 0, 1_000_000),
    ];
    let p50 = |plan: &Plan| {
        let scenario = run(plan, &records).scenarios.remove(0);
        let of_mode = scenario.axis_values.iter().filter(|v| v.axis == "mode");
        let figure = |v: &AxisValue| v.figures.iter().find(|f| f.metric == Metric::P50).unwrap().value;
        of_mode.map(|v| (v.cases, figure(v))).collect::<Vec<_>>()
    };
    let values = p50(&plan);
    assert!(
        values[0].0 == 2 && close(values[0].1, 8e6) && close(values[1].1, 2e6),
        "a case without figures takes its match along: {values:?}"
    );
    plan.cases.retain(|c| c.id != "a/b?mode=wal&sync=off");
    let values = p50(&plan);
    assert!(values[0].0 == 1 && close(values[0].1, 8e6), "a case that is not in the plan too: {values:?}");
}
