//! Before a run: which trials, in which order, with which seeds, at which rate, and how long it will take.

use model::plan::{Case, Plan, Size};
use model::record::{Status, TrialKind};
use model::units::Rate;
use model::{Record, plan::Scenario};
use serde::Serialize;
use xxhash_rust::xxh3::xxh3_64;

use crate::rounds::capacity;
use crate::stats::median;

/// Calibration trials per case.
pub const CALIBRATIONS: u32 = 1;
/// Warm-up and measured window of a calibration trial, ns. At smoke size a rough capacity is enough: figures are not quoted from it.
pub const fn calibration_ns(size: Size) -> (u64, u64) {
    match size {
        Size::Smoke => (50_000_000, 200_000_000),
        Size::Full => (200_000_000, 800_000_000),
    }
}

/// Samples that a profile should hold: a function with 5 % of the time is then seen some ten times.
const PROFILE_SAMPLES: f64 = 200.0;
/// Longest window of a profiled trial, ns.
const PROFILED_MAX_NS: u64 = 6_000_000_000;
/// What a profiled window is taken to last in estimates, ns.
const PROFILED_NS: u64 = 4_500_000_000;

/// Window of the profiled trial of `case`, ns: long enough for its samples at `hz` per CPU-second, going by the CPU time that the measured
/// trials used; never shorter than the load's own, and no longer at smoke size.
pub fn profiled_ns(plan: &Plan, case: &Case, records: &[Record], hz: u32) -> u64 {
    let own = case.load.length_ns;
    let measured = records.iter().filter(|r| r.case == case.id && r.kind == TrialKind::Measured && r.window_ns > 0);
    let busy = median(&measured.map(|r| r.cpu.process_ns as f64 / r.window_ns as f64).collect::<Vec<_>>());
    match (plan.size, busy.filter(|b| *b > 0.0)) {
        (Size::Full, Some(busy)) => {
            ((PROFILE_SAMPLES / f64::from(hz.max(1)) / busy * 1e9) as u64).min(PROFILED_MAX_NS).min(case.timeout_ns / 2).max(own)
        }
        _ => own,
    }
}

/// What starting and ending a trial is taken to cost in estimates, ns.
pub const START_NS: u64 = 300_000_000;

/// One trial to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Trial {
    /// Index into [`Plan::cases`].
    pub case: usize,
    /// Round, from 0.
    pub round: u32,
    /// What it is for.
    pub kind: TrialKind,
    /// Its seed: the same for all cases of a scenario in a round, so that they get the same load.
    pub seed: u64,
}

/// How long a run will take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Estimate {
    /// Trials of all kinds.
    pub trials: u32,
    /// All of it, ns.
    pub total_ns: u64,
    /// By case, in plan order.
    pub per_case: Vec<CaseEstimate>,
}

/// How long a case will take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CaseEstimate {
    /// Id of the case.
    pub case: String,
    /// Its trials of all kinds.
    pub trials: u32,
    /// All of them, ns.
    pub total_ns: u64,
}

/// Whether the case's scenario has a rate of capacity, which takes the capacity of all its open-loop cases.
fn is_calibrated(plan: &Plan, case: &Case) -> bool {
    case.load.rate.is_some() && plan.cases_of(&case.scenario).any(|c| matches!(c.load.rate, Some(Rate::OfCapacity(_))))
}

/// A digest of parts, each with its length so that no two lists of parts give the same bytes.
fn digest(parts: &[&[u8]]) -> u64 {
    let mut bytes = Vec::new();
    for part in parts {
        bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
        bytes.extend_from_slice(part);
    }
    xxh3_64(&bytes)
}

/// The seed of a trial: of the plan's seed, scenario and round, never of the axis values.
fn trial_seed(plan: &Plan, case: &Case, round: u32) -> u64 {
    digest(&[&plan.seed.to_le_bytes(), case.scenario.as_bytes(), &round.to_le_bytes()])
}

/// Cases as trials of one kind and round, shuffled by the plan's seed.
fn shuffled(plan: &Plan, kind: TrialKind, round: u32, cases: impl Fn(&Case) -> bool) -> Vec<Trial> {
    let chosen = plan.cases.iter().enumerate().filter(|(_, c)| cases(c));
    let mut keyed: Vec<(u64, Trial)> = chosen
        .map(|(index, case)| {
            // Sorting by a hash of the id shuffles; the kind keeps calibration and round 0 apart.
            let key = digest(&[&plan.seed.to_le_bytes(), &round.to_le_bytes(), &[kind as u8], case.id.as_bytes()]);
            (key, Trial { case: index, round, kind, seed: trial_seed(plan, case, round) })
        })
        .collect();
    keyed.sort_by_key(|(key, trial)| (*key, trial.case));
    keyed.into_iter().map(|(_, trial)| trial).collect()
}

/// The case of a scenario that is profiled.
fn profiled_case(plan: &Plan, scenario: &Scenario) -> Option<usize> {
    plan.cases.iter().position(|c| scenario.profile && c.scenario == scenario.name)
}

/// All trials of a plan in the order in which they run: calibration, rounds (each in an order of its own), profiled.
pub fn order(plan: &Plan) -> Vec<Trial> {
    let mut trials = Vec::new();
    for round in 0..CALIBRATIONS {
        trials.extend(shuffled(plan, TrialKind::Calibration, round, |c| is_calibrated(plan, c)));
    }
    let rounds = plan.cases.iter().map(|c| c.rounds).max().unwrap_or(0);
    for round in 0..rounds {
        trials.extend(shuffled(plan, TrialKind::Measured, round, |c| round < c.rounds));
    }
    for index in plan.scenarios.iter().filter_map(|s| profiled_case(plan, s)) {
        let seed = plan.cases.get(index).map_or(0, |c| trial_seed(plan, c, 0));
        trials.push(Trial { case: index, round: 0, kind: TrialKind::Profiled, seed });
    }
    trials
}

/// How long the trials of [`order`] will take.
pub fn estimate(plan: &Plan) -> Estimate {
    let empty = |c: &Case| CaseEstimate { case: c.id.clone(), trials: 0, total_ns: 0 };
    let mut per_case: Vec<CaseEstimate> = plan.cases.iter().map(empty).collect();
    for trial in order(plan) {
        let (Some(row), Some(case)) = (per_case.get_mut(trial.case), plan.cases.get(trial.case)) else { continue };
        let load_ns = match trial.kind {
            TrialKind::Calibration => {
                let (warmup_ns, length_ns) = calibration_ns(plan.size);
                warmup_ns + length_ns
            }
            TrialKind::Profiled if plan.size == Size::Full => PROFILED_NS.max(case.load.length_ns),
            TrialKind::Measured | TrialKind::Profiled => case.load.warmup_ns.saturating_add(case.load.length_ns),
        };
        row.trials += 1;
        row.total_ns = row.total_ns.saturating_add(START_NS.saturating_add(load_ns).min(case.timeout_ns));
    }
    Estimate {
        trials: per_case.iter().map(|c| c.trials).sum(),
        total_ns: per_case.iter().fold(0, |t, c| t.saturating_add(c.total_ns)),
        per_case,
    }
}

/// Arrivals per second of a case: as given, or its share of the capacity of its scenario's slowest case (the median over that case's
/// calibration trials). `None` for a closed loop, and where nothing was calibrated.
pub fn resolve_rate(plan: &Plan, case: &Case, calibrations: &[Record]) -> Option<f64> {
    let share = match case.load.rate? {
        Rate::PerSecond(rate) => return Some(rate),
        Rate::OfCapacity(share) => share,
    };
    let capacity_of = |c: &Case| {
        let own = |r: &&Record| r.case == c.id && r.kind == TrialKind::Calibration && r.status == Status::Measured;
        let values: Vec<f64> = calibrations.iter().filter(own).filter_map(|r| capacity(r).ok()).collect();
        median(&values).filter(|v| *v > 0.0)
    };
    plan.cases_of(&case.scenario).filter_map(capacity_of).reduce(f64::min).map(|slowest| share * slowest)
}

#[cfg(test)]
mod tests;
