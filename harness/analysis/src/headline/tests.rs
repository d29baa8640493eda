use model::Record;
use model::units::Rate;

use super::*;
use crate::testkit::{calibration, facts, histogram, measured, plan};

fn ratio(metric: Metric, value: f64, interval: Option<(f64, f64)>) -> Ratio {
    Ratio { metric, value: Some(value), low: interval.map(|i| i.0), high: interval.map(|i| i.1), pairs: 1, rounds: 5, why_blank: None }
}

fn comparison(rows: Vec<Ratio>) -> Comparison {
    Comparison { axis: "journal-mode".to_owned(), value: "wal".to_owned(), against: "delete".to_owned(), matched: 1, rows }
}

fn text(rows: Vec<Ratio>) -> String {
    sentence("sqlite/session-writes", &[], &comparison(rows)).unwrap().text
}

#[test]
fn faster_is_said_only_where_the_interval_excludes_one() {
    let goodput = || ratio(Metric::Goodput, 1.001, None);
    assert_eq!(
        text(vec![ratio(Metric::P99, 0.41, Some((0.38, 0.44))), goodput()]),
        "sqlite/session-writes: journal-mode=wal is faster: 0.41x [0.38, 0.44] the p99 of journal-mode=delete at equal goodput"
    );
    assert_eq!(
        text(vec![ratio(Metric::P99, 0.9, Some((0.7, 1.2))), goodput()]),
        "sqlite/session-writes: no difference seen for journal-mode=wal: 0.90x [0.70, 1.20] the p99 of journal-mode=delete at equal goodput"
    );
    assert!(text(vec![ratio(Metric::P99, 0.1, None)]).contains("no difference seen"));
    let less = text(vec![ratio(Metric::P99, 0.5, Some((0.4, 0.6))), ratio(Metric::Goodput, 0.8, None)]);
    assert!(less.ends_with("the p99 of journal-mode=delete at 0.80x its goodput"), "{less}");
    assert!(text(vec![ratio(Metric::P99, 1.4, Some((1.2, 1.6)))]).contains("is slower: 1.40x"));
}

#[test]
fn more_of_a_rate_is_better_and_more_of_a_time_is_worse() {
    assert_eq!(difference(&ratio(Metric::Capacity, 2.0, Some((1.5, 2.5)))), Difference::Better);
    assert_eq!(difference(&ratio(Metric::P50, 2.0, Some((1.5, 2.5)))), Difference::Worse);
    assert_eq!(difference(&ratio(Metric::Goodput, 0.5, Some((0.4, 0.6)))), Difference::Worse);
    assert_eq!(difference(&ratio(Metric::CpuPerRequest, 0.5, Some((0.4, 0.6)))), Difference::Better);
}

#[test]
fn a_guarded_figure_comes_first() {
    let rows = vec![ratio(Metric::P99, 0.5, Some((0.4, 0.6))), ratio(Metric::Capacity, 1.5, Some((1.4, 1.6)))];
    let guards = ["persist.p50".to_owned(), "capacity".to_owned()];
    assert!(sentence("a/b", &guards, &comparison(rows)).unwrap().text.contains("does more: 1.50x"));
    assert_eq!(sentence("a/b", &[], &comparison(Vec::new())), None);
}

#[test]
fn a_scenario_without_axes_is_told_by_its_case() {
    let plan = plan("pool/steady", &[], Some(Rate::OfCapacity(0.6)), 1);
    let records = [measured("pool/steady", 0), calibration("pool/steady", 0, 2000)];
    let summary = crate::summarise(&plan, &facts(), &records);
    assert_eq!(summary.scenarios[0].headlines[0].text, "pool/steady: p99 9.00 ms at 1000/s, 50 % of capacity");
    assert_eq!(summary.headlines[0].text, "1 scenario, 1 case, 1 of 1 measured trial ran to their end; every check held");
    assert_eq!(summary.headlines.len(), 1, "nothing was compared");
}

#[test]
fn guarded_figures_are_told() {
    let mut plan = plan("pool/steady", &[], Some(Rate::PerSecond(1000.0)), 1);
    plan.scenarios[0].guards = ["lag.p99", "affinity-hits", "accuracy"].map(str::to_owned).to_vec();
    let mut record = measured("pool/steady", 0);
    record.affinity.extend([("hit".to_owned(), 3), ("missed".to_owned(), 1)]);
    let text = crate::summarise(&plan, &facts(), &[record]).scenarios[0].headlines[0].text.clone();
    assert_eq!(text, "pool/steady: p99 9.00 ms at 1000/s; lag p99 20.0 us; affinity hits 75.0 %");
}

#[test]
fn invalid_figures_are_not_quoted() {
    let plan = plan("pool/steady", &[], Some(Rate::OfCapacity(0.6)), 1);
    let mut lossy = measured("pool/steady", 0);
    lossy.counts.sent = 1;
    let headline = crate::summarise(&plan, &facts(), &[lossy]).scenarios[0].headlines[0].clone();
    assert!(headline.text.contains("invalid") && !headline.text.contains("p99"), "{}", headline.text);
    assert!(matches!(headline.data, HeadlineData::Case { p99_ns: None, .. }));
}

#[test]
fn goodput_is_told_where_it_falls_short() {
    let plan = plan("pool/steady", &[], Some(Rate::PerSecond(1000.0)), 1);
    let mut late = measured("pool/steady", 0);
    late.counts.ok_in_deadline = 1000;
    let text = crate::summarise(&plan, &facts(), &[late]).scenarios[0].headlines[0].text.clone();
    assert_eq!(text, "pool/steady: p99 9.00 ms at 1000/s with a goodput of 500/s");
}

#[test]
fn one_sentence_says_that_no_difference_was_seen() {
    let like = |value: &str| Comparison { value: value.to_owned(), ..comparison(vec![ratio(Metric::P99, 1.0, Some((0.9, 1.1)))]) };
    let headlines = of_scenario("a/b", &[], &[like("x"), like("y"), like("z")], &[]);
    assert_eq!(headlines.len(), 1);
    assert!(headlines[0].text.contains("no difference seen for journal-mode=x"));
}

#[test]
fn the_run_tells_its_largest_difference() {
    let plan = plan("a/b", &[("mode", &["x", "y", "z"])], Some(Rate::PerSecond(1000.0)), 3);
    let taking = |mode: &str, round: u32, ns: u64| {
        let mut r: Record = measured(&format!("a/b?mode={mode}"), round);
        r.histograms.insert("response".to_owned(), histogram(&[(2000, ns)]));
        r
    };
    let records: Vec<Record> =
        (0..3).flat_map(|r| [taking("x", r, 4_000_000), taking("y", r, 3_000_000), taking("z", r, 1_000_000)]).collect();
    let summary = crate::summarise(&plan, &facts(), &records);
    assert_eq!(summary.scenarios[0].headlines.len(), 2);
    assert!(summary.headlines[1].text.contains("mode=z is faster: 0.25x"), "{}", summary.headlines[1].text);
}
