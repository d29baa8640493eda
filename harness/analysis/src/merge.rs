//! Several runs of one plan as one: which may be merged, and what plan and facts the merged run has.
//!
//! Only what is of one kind is merged: the same cases, settings and loads, run by one build, each case in one timing class. Hosts may differ,
//! and then the merged run says so. Records stay as they are but for their round, which moves behind the rounds of the runs before.

use std::collections::{BTreeMap, BTreeSet};

use model::facts::{Facts, MIXED, Part};
use model::plan::Plan;
use model::record::{Status, TrialKind};
use model::units::show_bytes;
use model::{Record, plan::SCHEMA};

use crate::across::Side;
use crate::schedule::order;

mod plans;
#[cfg(test)]
mod tests;

/// A run and what a refusal calls it.
#[derive(Clone, Debug)]
pub struct Named<'a> {
    /// The directory as given.
    pub name: String,
    /// What it holds.
    pub run: Side<'a>,
}

/// What the merged run is but for its records.
#[derive(Clone, Debug, PartialEq)]
pub struct Merged {
    /// The plan that all share, with the rounds of all.
    pub plan: Plan,
    /// What the runs have in common, and each one's own facts.
    pub facts: Facts,
    /// For each run: how many rounds of each scenario come before its own.
    pub before: Vec<BTreeMap<String, u32>>,
}

/// Why runs are not merged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What is wrong with which run, and what was expected.
    pub why: String,
    /// What to do about it.
    pub help: String,
}

fn refuse<T>(why: String, help: &str) -> Result<T, Refusal> {
    Err(Refusal { why, help: help.to_owned() })
}

/// Joins runs, in the order given.
///
/// # Errors
/// [`Refusal`] where a run is another plan's or another build's than the first, is unfinished or holds records that are not of its plan, where two
/// runs hold the same record, and where a case was timed in more than one class.
pub fn merge(runs: &[Named<'_>]) -> Result<Merged, Refusal> {
    let Some((first, others)) = runs.split_first() else {
        return refuse("there is no run to merge".to_owned(), "name two runs or more");
    };
    for other in others {
        one_build(first, other)?;
        if let Some(what) = plans::difference(first.run.plan, other.run.plan) {
            let why = format!("'{}' is a run of another plan than '{}': {what}", other.name, first.name);
            return refuse(why, "merge runs of the same cases, settings, loads and size; only rounds and seed may differ");
        }
    }
    runs.iter().try_for_each(whole)?;
    nothing_twice(runs)?;
    one_timing_class(runs)?;
    let (plan, before) = joined_plan(first.run.plan, runs)?;
    Ok(Merged { plan, facts: joined_facts(first.run.facts, runs), before })
}

/// A case's figures are those of one program.
fn one_build(first: &Named<'_>, other: &Named<'_>) -> Result<(), Refusal> {
    let build = |run: &Named<'_>| {
        let f = run.run.facts;
        format!("{} {} {}", f.version, f.commit, f.profile)
    };
    let (is, expected) = (build(other), build(first));
    if is == expected {
        return Ok(());
    }
    let why = format!("'{}' was run by another build ({is}) than '{}' ({expected})", other.name, first.name);
    refuse(why, "one run holds figures of one build: hold two builds against each other with `poolbench compare`")
}

/// Rounds of a scenario: those of its case with most.
fn rounds_of(plan: &Plan, scenario: &str) -> u32 {
    plan.cases_of(scenario).map(|c| c.rounds).max().unwrap_or(0)
}

/// Every trial of the plan has left a record, and every record is of a trial of the plan.
fn whole(named: &Named<'_>) -> Result<(), Refusal> {
    let Side { plan, facts, records } = named.run;
    let rounds: BTreeMap<&str, u32> = plan.cases.iter().map(|c| (c.id.as_str(), rounds_of(plan, &c.scenario).max(1))).collect();
    let stray = records.iter().find(|r| rounds.get(r.case.as_str()).is_none_or(|rounds| r.round >= *rounds));
    if let Some(record) = stray {
        let why =
            format!("'{}': records.jsonl holds a record of {}, round {}, which is not in plan.json", named.name, record.case, record.round);
        return refuse(why, "give run directories as `poolbench run` left them");
    }
    // The parts of a merged run were looked at when they were merged; its trials are not those of one order.
    if !facts.parts.is_empty() {
        return Ok(());
    }
    let unfinished = |done: usize, trials: u64| {
        let why = format!("'{}' is unfinished: {done} of its {trials} trials have left a record", named.name);
        refuse(why, "finish it with `poolbench run --continue DIR`, then merge")
    };
    let planned: u64 = plan.cases.iter().map(|c| u64::from(c.rounds)).sum();
    // Not by their order: a plan may claim any number of rounds.
    if planned > records.len() as u64 {
        return unfinished(records.len(), planned);
    }
    let left: BTreeSet<(&str, TrialKind, u32)> = records.iter().map(|r| (r.case.as_str(), r.kind, r.round)).collect();
    let trials = order(plan);
    let has = |trial: &&crate::Trial| plan.cases.get(trial.case).is_some_and(|c| left.contains(&(c.id.as_str(), trial.kind, trial.round)));
    let done = trials.iter().filter(has).count();
    if done == trials.len() { Ok(()) } else { unfinished(done, trials.len() as u64) }
}

/// What tells most trials apart: case, kind, seed and begin.
type TrialName<'a> = (&'a str, TrialKind, u64, u64);

/// No trial counts twice: not the same directory, a copy of it, or a simulation that was repeated.
fn nothing_twice(runs: &[Named<'_>]) -> Result<(), Refusal> {
    let mut seen: BTreeMap<TrialName<'_>, Vec<(usize, &Record)>> = BTreeMap::new();
    for (place, named) in runs.iter().enumerate() {
        for record in named.run.records.iter().filter(|r| r.status == Status::Measured) {
            let alike = seen.entry((&record.case, record.kind, record.seed, record.started_unix_ms)).or_default();
            if let Some((other, _)) = alike.iter().find(|(other, r)| *other != place && same_evidence(r, record)) {
                let of = runs.get(*other).map_or("", |r| &r.name);
                let why = format!(
                    "'{}' and '{of}' hold the same record of {} (round {}, seed {}): it would count twice",
                    named.name, record.case, record.round, record.seed
                );
                return refuse(why, "name each run once; runs in virtual time are other runs only with another --seed");
            }
            alike.push((place, record));
        }
    }
    Ok(())
}

/// Whether two records are of one trial: all is equal but what merging changes.
fn same_evidence(a: &Record, b: &Record) -> bool {
    let mut a = a.clone();
    a.round = b.round;
    if let (Some(a), Some(b)) = (&mut a.profile, &b.profile) {
        a.folded.clone_from(&b.folded);
    }
    a == *b
}

/// Latencies of two timing classes are never mixed.
fn one_timing_class(runs: &[Named<'_>]) -> Result<(), Refusal> {
    let mut classes: BTreeMap<&str, (&str, &str)> = BTreeMap::new();
    for named in runs {
        for record in named.run.records.iter().filter(|r| r.kind == TrialKind::Measured && r.status == Status::Measured) {
            let (class, first) = *classes.entry(&record.case).or_insert((&record.timing_class, &named.name));
            if class != record.timing_class {
                let why = format!(
                    "{} was timed in class `{class}` in '{first}' and in class `{}` in '{}' (expected one class in all runs)",
                    record.case, record.timing_class, named.name
                );
                let help = "allow SCHED_FIFO on all hosts or on none, or hold the runs against each other with `poolbench compare`";
                return refuse(why, help);
            }
        }
    }
    Ok(())
}

/// The plan of all rounds, and for each run the rounds before its own.
fn joined_plan(first: &Plan, runs: &[Named<'_>]) -> Result<(Plan, Vec<BTreeMap<String, u32>>), Refusal> {
    let mut plan = first.clone();
    let too_many = || Refusal { why: "the runs have more rounds than can be counted".to_owned(), help: "merge fewer runs".to_owned() };
    for case in &mut plan.cases {
        let of = |named: &Named<'_>| named.run.plan.cases.iter().find(|c| c.id == case.id).map_or(0, |c| c.rounds);
        case.rounds = runs.iter().map(of).try_fold(0u32, u32::checked_add).ok_or_else(too_many)?;
    }
    let mut before = Vec::new();
    let mut so_far: BTreeMap<String, u32> = plan.scenarios.iter().map(|s| (s.name.clone(), 0)).collect();
    for named in runs {
        before.push(so_far.clone());
        for (scenario, rounds) in &mut so_far {
            *rounds = rounds.checked_add(rounds_of(named.run.plan, scenario)).ok_or_else(too_many)?;
        }
    }
    Ok((plan, before))
}

fn parts(named: &Named<'_>) -> Vec<Part> {
    let Side { plan, facts, .. } = named.run;
    if !facts.parts.is_empty() {
        return facts.parts.clone();
    }
    let rounds = plan.scenarios.iter().map(|s| (s.name.clone(), rounds_of(plan, &s.name))).collect();
    vec![Part { facts: facts.clone(), seed: plan.seed, rounds }]
}

/// What all runs agree in; what they differ in is mixed, and each part says its own.
fn joined_facts(first: &Facts, runs: &[Named<'_>]) -> Facts {
    let parts: Vec<Part> = runs.iter().flat_map(parts).collect();
    let alike = |same: &dyn Fn(&Facts) -> bool| parts.iter().all(|p| same(&p.facts));
    let text = |of: fn(&Facts) -> &String| if alike(&|f| of(f) == of(first)) { of(first).clone() } else { MIXED.to_owned() };
    let number = |of: fn(&Facts) -> u32| if alike(&|f| of(f) == of(first)) { of(first) } else { 0 };
    Facts {
        schema: SCHEMA,
        started: parts.iter().map(|p| p.facts.started.clone()).min().unwrap_or_default(),
        version: first.version.clone(),
        commit: first.commit.clone(),
        dirty: parts.iter().any(|p| p.facts.dirty),
        profile: first.profile.clone(),
        rustc: text(|f| &f.rustc),
        kernel: text(|f| &f.kernel),
        cpu: text(|f| &f.cpu),
        cpus: number(|f| f.cpus),
        memory_bytes: if alike(&|f| f.memory_bytes == first.memory_bytes) { first.memory_bytes } else { 0 },
        filesystem: text(|f| &f.filesystem),
        sqlite: text(|f| &f.sqlite),
        zstd: text(|f| &f.zstd),
        zlib: text(|f| &f.zlib),
        tick_hz: number(|f| f.tick_hz),
        timing_class: text(|f| &f.timing_class),
        generator_per_s: parts.iter().map(|p| p.facts.generator_per_s).min().flatten(),
        arguments: if alike(&|f| f.arguments == first.arguments) { first.arguments.clone() } else { Vec::new() },
        parts,
    }
}

/// A fact of a host or a build that figures depend on.
type HostFact = (&'static str, fn(&Facts) -> String);

const HOST_FACTS: [HostFact; 7] = [
    ("CPU", |f| format!("{} of {}", f.cpus, f.cpu)),
    // As shown: two like machines differ in some kilobytes.
    ("memory", |f| show_bytes(f.memory_bytes as f64)),
    ("kernel", |f| format!("{}, {} ticks/s", f.kernel, f.tick_hz)),
    ("filesystem", |f| f.filesystem.clone()),
    ("libraries", |f| format!("{} {} {}", f.sqlite, f.zstd, f.zlib)),
    ("compiler", |f| f.rustc.clone()),
    ("uncommitted changes", |f| f.dirty.to_string()),
];

/// In what the hosts and builds of a merged run's parts differ; empty for a run of its own.
pub(crate) fn hosts_differ(facts: &Facts) -> Vec<&'static str> {
    let differs = |of: fn(&Facts) -> String| facts.parts.windows(2).any(|w| matches!(w, [a, b] if of(&a.facts) != of(&b.facts)));
    HOST_FACTS.into_iter().filter(|(_, of)| differs(*of)).map(|(name, _)| name).collect()
}
