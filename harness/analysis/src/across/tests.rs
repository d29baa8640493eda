use model::record::VIRTUAL;
use model::units::Rate;

use super::*;
use crate::testkit;

/// A run of one case whose rounds answered in `ms`.
fn run(ms: &[u64], fingerprint: &str) -> (Plan, Facts, Vec<Record>) {
    let plan = testkit::plan("a/b", &[], Some(Rate::PerSecond(1000.0)), ms.len() as u32);
    let records = ms.iter().enumerate().map(|(round, ms)| {
        let mut r = testkit::measured("a/b", round as u32);
        r.fingerprint = format!("{fingerprint}{round}");
        r.histograms.clear();
        for i in 0..1000 {
            for name in ["response", "class.hot.response", "phase.service"] {
                r.histograms.entry(name.to_owned()).or_default().record(ms * 1_000_000 + i);
            }
        }
        r
    });
    let records = records.collect();
    (plan, testkit::facts(), records)
}

fn side(run: &(Plan, Facts, Vec<Record>)) -> Side<'_> {
    Side { plan: &run.0, facts: &run.1, records: &run.2 }
}

fn row<'a>(found: &'a Across, name: &str) -> &'a AcrossRow {
    found.cases[0].rows.iter().find(|r| r.figure == name).unwrap()
}

#[test]
fn rounds_with_the_same_requests_are_paired() {
    // Rounds differ much, B is always a tenth slower: only pairs show it.
    let (a, b) = (run(&[100, 200, 400], "same"), run(&[110, 220, 440], "same"));
    let found = across(side(&a), side(&b)).unwrap();
    assert_eq!((found.cases[0].paired, found.cases[0].rounds), (3, (3, 3)));
    let mean = row(&found, "mean");
    assert!((mean.ratio.value.unwrap() - 1.1).abs() < 0.01 && mean.ratio.low.unwrap() > 1.09, "{mean:?}");
    assert_eq!(mean.agree, Some(true), "each run's own interval is wide");
    assert!(row(&found, "hot p50").a.value.is_some());
    let service = found.cases[0].phases.iter().find(|p| p.0 == "service").unwrap();
    assert!(service.1.unwrap() < service.2.unwrap());
}

#[test]
fn independent_rounds_have_the_wider_interval() {
    let (a, b) = (run(&[100, 101, 102], "one"), run(&[150, 151, 152], "two"));
    let found = across(side(&a), side(&b)).unwrap();
    assert_eq!(found.cases[0].paired, 0);
    let mean = row(&found, "mean");
    assert_eq!(mean.agree, Some(false));
    let (low, high) = (mean.ratio.low.unwrap(), mean.ratio.high.unwrap());
    assert!(low > 1.4 && high < 1.6 && high - low > 0.02, "{mean:?}");
}

#[test]
fn what_does_not_match_is_refused_with_the_reason() {
    let (a, mut b) = (run(&[100], "x"), run(&[100], "x"));
    b.0.schema += 1;
    assert!(across(side(&a), side(&b)).unwrap_err().contains("schemas"));
    b.0.schema -= 1;
    b.0.cases[0].load.sessions += 1;
    assert!(across(side(&a), side(&b)).unwrap_err().contains("differ in sessions"));
    b.0.cases[0].load.sessions -= 1;
    let located = b.0.cases[0].target.clone();
    b.0.cases[0].settings.insert("virtual.dispatch".to_owned(), located.clone());
    assert!(across(side(&a), side(&b)).is_ok(), "what only virtual time is told may differ");
    b.0.cases[0].settings.insert("pool.hot.max".to_owned(), located);
    assert!(across(side(&a), side(&b)).unwrap_err().contains("pool.hot.max"));
    b.0.cases[0].id = "a/c".to_owned();
    assert!(across(side(&a), side(&b)).unwrap_err().contains("no case in common"));
}

#[test]
fn timing_classes_may_differ_and_are_named() {
    let (a, mut b) = (run(&[100, 101], "x"), run(&[100, 101], "x"));
    b.2.iter_mut().for_each(|r| VIRTUAL.clone_into(&mut r.timing_class));
    let found = across(side(&a), side(&b)).unwrap();
    assert_eq!((found.a.timing_class.as_str(), found.b.timing_class.as_str()), ("fifo", "virtual"));
    assert_eq!(row(&found, "p50").ratio.value, Some(1.0));
}
