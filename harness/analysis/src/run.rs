//! The whole run: scenarios in plan order, failures, headlines.

use std::collections::{BTreeMap, BTreeSet};

use model::durability::Durability;
use model::facts::Facts;
use model::plan::{Case, Plan, Scenario};
use model::record::{Status, TrialKind};
use model::{Histogram, Record};

use crate::brands::held_up;
use crate::case::one_or_mixed;
use crate::compare::{Subject, axis_values, comparisons};
use crate::rounds::{Trials, by_case, percentile};
use crate::stats::{quotient, share};
use crate::summary::{
    BrandCounts, CaseSummary, Failure, FailureKind, Grade, ProfileSummary, Ran, SCHEMA, ScenarioSummary, StatusRow, Summary,
};
use crate::{brands, case, claims, classes, contenders, expect, headline, survives};

/// Judges a run. Records of cases that are not in the plan are ignored; cases without records show as such.
pub fn summarise(plan: &Plan, facts: &Facts, records: &[Record]) -> Summary {
    summarise_with(plan, facts, records, None)
}

/// As [`summarise`], with what a crash costs, so that claims are judged with their durability.
pub fn summarise_with(plan: &Plan, facts: &Facts, records: &[Record], durability: Option<&Durability>) -> Summary {
    let by_case = by_case(records);
    let scenarios: Vec<ScenarioSummary> = plan.scenarios.iter().map(|s| scenario(plan, facts, s, &by_case, durability)).collect();
    let failures: Vec<Failure> = scenarios.iter().flat_map(|s| &s.cases).flat_map(failures).collect();
    let ran = ran(plan, records, &by_case);
    let measured = || plan.cases.iter().filter_map(|c| by_case.get(c.id.as_str())).flat_map(|t| &t.measured);
    Summary {
        schema: SCHEMA,
        size: plan.size,
        seed: plan.seed,
        facts: facts.clone(),
        left_out: plan.left_out.clone(),
        timing_class: one_or_mixed(measured().filter(|r| r.open_loop).map(|r| r.timing_class.as_str())),
        ran,
        brands: brand_counts(&scenarios),
        headlines: headline::of_run(ran, &failures, &scenarios),
        failed: !failures.is_empty(),
        failures,
        survives: survives::survivals(plan, &scenarios, &by_case, durability),
        scenarios,
    }
}

fn ran(plan: &Plan, records: &[Record], by_case: &BTreeMap<&str, Trials<'_>>) -> Ran {
    let trials: Vec<&Trials<'_>> = plan.cases.iter().filter_map(|c| by_case.get(c.id.as_str())).collect();
    let ran_to_end = records.iter().filter(|r| r.kind == TrialKind::Measured && r.status == Status::Measured).count();
    let repeated = ran_to_end.saturating_sub(trials.iter().map(|t| t.measured.len()).sum()) as u32;
    let total = |of: fn(&Trials<'_>) -> usize| trials.iter().map(|t| of(t)).sum::<usize>() as u32;
    Ran {
        scenarios: plan.scenarios.len() as u32,
        cases: plan.cases.len() as u32,
        trials_planned: plan.cases.iter().fold(0, |t, c| t.saturating_add(c.rounds)),
        trials_measured: total(|t| t.measured.len()),
        trials_repeated: (records.iter().filter(|r| held_up(r)).count() as u32).min(repeated),
        trials_failed: total(|t| t.unfinished.len()),
        calibrations: total(|t| t.calibration.len()),
        profiled: total(|t| t.profiled.len()),
    }
}

fn brand_counts(scenarios: &[ScenarioSummary]) -> BrandCounts {
    let grades = scenarios.iter().flat_map(|s| &s.cases).flat_map(|c| &c.brands).map(|b| b.grade);
    grades.fold(BrandCounts::default(), |mut counts, grade| {
        match grade {
            Grade::Note => counts.note += 1,
            Grade::Degraded => counts.degraded += 1,
            Grade::Invalid => counts.invalid += 1,
        }
        counts
    })
}

fn scenario(
    plan: &Plan,
    facts: &Facts,
    scenario: &Scenario,
    by_case: &BTreeMap<&str, Trials<'_>>,
    durability: Option<&Durability>,
) -> ScenarioSummary {
    let none = Trials::default();
    let planned: Vec<(&Case, &Trials<'_>)> =
        plan.cases_of(&scenario.name).map(|c| (c, by_case.get(c.id.as_str()).unwrap_or(&none))).collect();
    let mut cases: Vec<CaseSummary> = planned.iter().map(|(c, t)| judged(facts, c, t)).collect();
    mark_different_load(scenario, &planned, &mut cases);
    let subjects: Vec<Subject<'_>> = cases.iter().zip(&planned).map(|(case, (_, trials))| Subject { case, trials }).collect();
    let axis_values: Vec<_> = scenario.axes.iter().flat_map(|a| axis_values(a, &subjects)).collect();
    let comparisons: Vec<_> = scenario.axes.iter().flat_map(|a| comparisons(a, &subjects)).collect();
    let contenders = contenders::tables(&scenario.axes, &subjects);
    let claims = claims::judge(&scenario.claims, &subjects, &plan.cases, durability);
    let targets: BTreeSet<&str> = planned.iter().map(|(c, _)| c.target.value.as_str()).collect();
    ScenarioSummary {
        name: scenario.name.clone(),
        what: scenario.what.clone(),
        why: scenario.why.clone(),
        guards: scenario.guards.clone(),
        notes: scenario.notes.clone(),
        target: targets.into_iter().collect::<Vec<_>>().join(", "),
        axes: scenario.axes.clone(),
        headlines: if contenders.is_empty() {
            headline::of_scenario(&scenario.name, &scenario.guards, &comparisons, &cases)
        } else {
            contenders::headlines(&scenario.name, &contenders)
        },
        profile: subjects.iter().find_map(profile),
        classes: classes::tables(&scenario.axes, &subjects),
        contenders,
        claims,
        axis_values,
        comparisons,
        cases,
    }
}

fn judged(facts: &Facts, planned: &Case, trials: &Trials<'_>) -> CaseSummary {
    let mut summary = case::summarise(planned, trials);
    summary.brands = brands::brands(facts, &summary, &trials.measured);
    summary.checks = expect::checks(planned, trials);
    summary
}

/// Brands each case whose load was not that of the scenario's first case of the round, unless an axis changes the load.
fn mark_different_load(scenario: &Scenario, planned: &[(&Case, &Trials<'_>)], cases: &mut [CaseSummary]) {
    if scenario.axes.iter().any(|a| a.key.starts_with("load")) {
        return;
    }
    let measured: Vec<&Record> = planned.iter().flat_map(|(_, t)| t.measured.iter().copied()).collect();
    for summary in cases {
        let own = measured.iter().copied().filter(|r| r.case == summary.id);
        let brand = own.into_iter().find_map(|record| {
            let first = measured.iter().find(|r| r.round == record.round && r.seed == record.seed)?;
            brands::different_load(&[record, first])
        });
        summary.brands.extend(brand);
    }
}

/// The first finished profiled trial of a case, beside the case's own figures.
fn profile(subject: &Subject<'_>) -> Option<ProfileSummary> {
    let record = subject.trials.profiled.iter().find(|r| r.profile.is_some())?;
    let figures = record.profile.as_ref()?;
    let response: Option<&Histogram> = record.histograms.get("response");
    let (p50_ns, p99_ns) = (percentile(response, 0.5).ok(), percentile(response, 0.99).ok());
    let over = |profiled: Option<f64>, plain: Option<f64>| profiled.zip(plain).and_then(|(a, b)| quotient(a, b));
    Some(ProfileSummary {
        case: subject.case.id.clone(),
        sampler: figures.sampler.clone(),
        hz: figures.hz,
        samples: figures.samples,
        captured_share: quotient(figures.samples as f64, figures.expected),
        unnamed_share: share(figures.unnamed, figures.samples),
        folded: figures.folded.clone(),
        outside_ns: figures.outside_ns,
        p50_ns,
        p99_ns,
        p50_ratio: over(p50_ns, subject.case.response.p50_ns.value),
        p99_ratio: over(p99_ns, subject.case.response.p99_ns.value),
    })
}

/// What failed in a case: trials first, then checks, then invalid figures.
fn failures(case: &CaseSummary) -> Vec<Failure> {
    let failure = |kind, why: String| Failure { case: case.id.clone(), kind, why };
    let trial = |row: &StatusRow| {
        let name = match row.kind {
            TrialKind::Calibration => "calibration".to_owned(),
            TrialKind::Measured => format!("round {}", row.round),
            TrialKind::Profiled => "profiled trial".to_owned(),
        };
        failure(FailureKind::Trial, format!("{name}: {}", row.why))
    };
    let trials = case.statuses.iter().map(trial);
    // Expectations on a case that measured nothing would say the same once more.
    let judged = case.rounds_measured > 0;
    let checks = case.checks.iter().filter(|c| !c.ok && (judged || c.place.is_empty())).map(|c| {
        let place = if c.place.is_empty() { String::new() } else { format!("{}: ", c.place) };
        failure(FailureKind::Check, format!("{place}{} was expected to be {}, measured {}", c.figure, c.says, c.measured))
    });
    let invalid = case.brands.iter().filter(|b| b.grade == Grade::Invalid);
    let brands = invalid.map(|b| failure(FailureKind::Brand, format!("{}: {} ({})", b.name, b.reason, b.remedy)));
    trials.chain(checks).chain(brands).collect()
}
