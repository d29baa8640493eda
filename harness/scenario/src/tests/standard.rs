//! The standard scenarios: all of them expand, and the suite keeps to its time.

use std::path::{Path, PathBuf};

use super::*;

/// Longest bare run at full size, seconds: the three minutes promised, less the report and the drains.
const FULL_S: f64 = 165.0;
/// Longest check, seconds.
const SMOKE_S: f64 = 35.0;
/// Start, preparation and drain of a trial, seconds (119 trials with 143 s of load took 167 s).
const OVERHEAD_S: f64 = 0.25;
/// A profiled trial at full size, seconds.
const PROFILED_S: f64 = 4.5;
/// A calibration with its warm-up at smoke and at full size, seconds.
const CALIBRATION_S: [f64; 2] = [0.25, 1.0];

pub(super) fn sources() -> Vec<Source> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    let mut found = Vec::new();
    for group in folder(&root).into_iter().filter(|p| p.is_dir()) {
        for file in folder(&group).into_iter().filter(|p| p.extension().is_some_and(|e| e == "toml" || e == "trace")) {
            let name = |p: &Path| p.file_name().unwrap().to_string_lossy().into_owned();
            found.push(source(&format!("{}/{}", name(&group), name(&file)), &std::fs::read_to_string(&file).unwrap()));
        }
    }
    found
}

fn folder(path: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(path).unwrap().map(|e| e.unwrap().path()).collect();
    found.sort();
    found
}

fn planned(size: Size, selection: &Selection) -> Plan {
    let options = Options { size, ..options() };
    expand(&sources(), &catalogue(), &kinds(), selection, &options)
        .unwrap_or_else(|found| panic!("{}", found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")))
}

fn seconds(plan: &Plan) -> f64 {
    let window = |c: &model::Case| (c.load.warmup_ns + c.load.length_ns) as f64 / 1e9;
    // Only a share of capacity is calibrated first.
    let calibration = |c: &model::Case| {
        if matches!(c.load.rate, Some(model::units::Rate::OfCapacity(_))) {
            CALIBRATION_S[usize::from(plan.size == Size::Full)] + OVERHEAD_S
        } else {
            0.0
        }
    };
    let cases: f64 = plan.cases.iter().map(|c| (window(c) + OVERHEAD_S) * f64::from(c.rounds) + calibration(c)).sum();
    let profiled_s = if plan.size == Size::Full { PROFILED_S } else { 0.0 };
    let profiled = plan.scenarios.iter().filter(|s| s.profile);
    cases + profiled.filter_map(|s| plan.cases_of(&s.name).next()).map(|c| window(c).max(profiled_s)).sum::<f64>()
}

#[test]
fn every_standard_scenario_expands_at_both_sizes() {
    for size in [Size::Smoke, Size::Full] {
        let plan = planned(size, &Selection::default());
        assert!(plan.scenarios.len() >= 14, "{}", plan.scenarios.len());
        assert!(plan.scenarios.iter().all(|s| s.notes.len() > 100 && !s.guards.is_empty()), "each has prose for its reader");
        assert!(plan.cases.iter().all(|c| !c.expect.is_empty()), "a benchmark is a test");
    }
}

#[test]
fn the_suite_keeps_to_its_time() {
    let full = seconds(&planned(Size::Full, &Selection { suite_only: true, ..Selection::default() }));
    let smoke = seconds(&planned(Size::Smoke, &Selection { suite_only: true, each_value_once: true, ..Selection::default() }));
    assert!((30.0..FULL_S).contains(&full), "{full:.1} s at full size");
    assert!((5.0..SMOKE_S).contains(&smoke), "{smoke:.1} s at smoke size");
}

#[test]
fn a_guarded_p99_of_a_planned_rate_rests_on_enough_requests() {
    let plan = planned(Size::Full, &Selection::default());
    for case in &plan.cases {
        let guards = &plan.scenario(&case.scenario).unwrap().guards;
        if let Some(model::units::Rate::PerSecond(rate)) = case.load.rate
            && guards.iter().any(|g| g.ends_with("response.p99"))
        {
            let requests = rate * case.load.length_ns as f64 / 1e9;
            assert!(requests >= 1000.0, "{}: {requests} requests", case.id);
        }
    }
}

#[test]
fn sessions_are_checked_where_they_are_stored() {
    let plan = planned(Size::Full, &Selection::default());
    for case in &plan.cases {
        let stored = ["coordinator", "store"].contains(&case.target.value.as_str());
        let checked = case.expect.iter().any(|e| e.figure == "sessions");
        assert_eq!(stored && case.load.sessions > 0, checked, "{}", case.id);
    }
}
