//! Predictions and confirmations: one figure, one load, two intervals.

use model::units::Rate;

use super::runs::{advice, files, run};
use super::*;
use crate::summary::Interval;

fn decided() -> (Advice, model::Plan, Vec<model::Record>) {
    let own = run(
        "io/a",
        "sync",
        &["file-and-dir", "none"],
        &|sync| [files("file-and-dir"), vec![("store.files.api", sync.to_owned())]].concat(),
        None,
    );
    (advice(&own), own.0, own.1)
}

#[test]
fn a_prediction_is_paired_over_the_rounds_of_the_run() {
    let (advice, ..) = decided();
    let [(first, time), (second, cpu)] = advice.decisions[0].predicted().try_into().unwrap();
    assert_eq!((first, second), (Measure::Time, Measure::Cpu));
    // Rounds are three times as slow at the end as at the begin, and half is half in each of them.
    assert_eq!(time.rounds, 3);
    for (end, width) in [(time.value, 0.01), (time.low, 0.02), (time.high, 0.02)] {
        assert!((end.unwrap() - 0.5).abs() < width, "{time:?}");
    }
    assert_eq!(cpu.value, Some(1.0));
    assert!(!advice.decisions[0].is_close(1) && !advice.decisions[0].is_close(0));
}

#[test]
fn a_confirmation_has_the_load_of_the_run_and_its_own_rate() {
    let (advice, plan, records) = decided();
    let own = confirmation((&plan, &records), &advice.decisions, 4, 9, None);
    let loads = |plan: &model::Plan| plan.cases.iter().map(|c| (c.load.arrivals.kind.value.clone(), c.load.rate)).collect::<Vec<_>>();
    // Half of the slower case's 1000/s.
    assert_eq!(loads(&own), vec![("poisson".to_owned(), Some(Rate::PerSecond(500.0))); 2]);
    assert!(crate::order(&own).iter().all(|trial| trial.kind == model::record::TrialKind::Measured), "nothing to calibrate");
    let large = Payload { shape: "file:x".to_owned(), bytes: 99_000 };
    let given = confirmation((&plan, &records), &advice.decisions, 4, 9, Some(&large));
    assert_eq!(loads(&given), vec![("poisson".to_owned(), Some(Rate::OfCapacity(0.5))); 2], "of what this payload permits");
    assert!(given.cases.iter().all(|c| c.load.mix.iter().all(|m| m.payload_bytes == 99_000)));
}

#[test]
fn an_error_is_held_against_both_intervals() {
    let over =
        |value: f64, low: f64, high: f64| Interval { value: Some(value), low: Some(low), high: Some(high), rounds: 5, why_blank: None };
    let miss = |a: &Interval, b: &Interval| Miss::of(a, b).unwrap();
    let narrow = over(0.50, 0.49, 0.51);
    let off = miss(&narrow, &over(0.31, 0.30, 0.32));
    assert!((off.value - 0.613).abs() < 0.001 && off.holds == Some(false), "{off:?}");
    assert_eq!(miss(&over(0.50, 0.30, 0.80), &over(0.31, 0.30, 0.32)).holds, Some(true), "the predicted interval counts");
    assert_eq!(miss(&narrow, &over(0.31, 0.15, 0.60)).holds, Some(true), "and so does the measured one");
    // ln 0.5 - ln 0.4 with halves of ln 1.25 below and ln 1.5 above: 0.2231, less hypot(0.2231, 0.4055), more hypot(0.4055, 0.2231).
    let both = miss(&over(0.5, 0.4, 0.75), &over(0.4, 0.32, 0.6)).interval.unwrap();
    assert!((both[0].ln_1p() - -0.2397).abs() < 1e-3 && (both[1].ln_1p() - 0.6859).abs() < 1e-3, "{both:?}");
    let one_round = Interval { low: None, high: None, rounds: 1, ..narrow.clone() };
    assert_eq!((miss(&one_round, &narrow).interval, miss(&one_round, &narrow).holds), (None, None));
}

#[test]
fn records_of_a_confirmation_are_read_as_those_of_the_run() {
    let (advice, plan, records) = decided();
    let own = confirmation((&plan, &records), &advice.decisions, 3, 9, None);
    // The same figures again, under the names of the confirmation.
    let named = |from: &str, to: &str| {
        records.iter().filter(|r| r.case == from).map(|r| model::Record { case: to.to_owned(), ..r.clone() }).collect::<Vec<_>>()
    };
    let again: Vec<_> = [(0, 0), (1, 1)].iter().flat_map(|(of, to)| named(&plan.cases[*of].id, &own.cases[*to].id)).collect();
    let all = confirmations(&advice.decisions, &again);
    assert_eq!(all.len(), 2);
    for one in &all {
        assert_eq!(one.predicted, one.measured, "{:?}", one.measure);
        assert_eq!(one.error.and_then(|error| error.holds), Some(true));
        assert_eq!(one.per_s, [[Some(1000.0); 2]; 2]);
    }
}
