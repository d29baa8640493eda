//! TOML + matrix + selection -> Plan.
//!
//! Text in, plan or all problems out: nothing here reads a file, a clock or an environment. Names of targets, arrival processes,
//! faults, shapes, workers and settings are handed in by whoever owns their tables, so that no list is kept twice.

mod matrix;
mod paths;
mod problem;
mod reading;
mod resolve;
mod select;
mod server;
mod strays;
mod traces;
mod tree;
mod values;
mod wire;
mod words;

pub use model::KnownKinds;
use model::plan::{Plan, SCHEMA, Scenario, Size};
use model::{Case, SettingRow};

use crate::matrix::Combination;
pub use crate::problem::Problem;
use crate::problem::Problems;
use crate::reading::{Read, read_all};
use crate::resolve::Wanted;
use crate::select::Filters;
pub use crate::server::{AlertTable, ServerFile, server};
use crate::wire::{Known, Wire, WireSurvives};

/// A scenario file, or a trace that one beside it replays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Path below the scenarios directory with `/`, such as `pool/steady.toml`; it gives the name `pool/steady`. A trace ends in `.trace`.
    pub file: String,
    /// The TOML text, at most 256 KiB; a trace's has its own limit.
    pub text: String,
}

/// One expression over case ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pick {
    /// Cases whose id it matches are in (`-f`).
    Include(String),
    /// Cases whose id it matches are out (`-F`).
    Exclude(String),
}

/// Which cases, and with which values set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// In the order typed, the last match wins; where the first is an `Exclude` everything starts selected, else nothing. Empty: everything.
    pub filters: Vec<Pick>,
    /// `-s key=value`: the value at that key in every scenario that can have it; an axis is left with this one value.
    pub set: Vec<(String, String)>,
    /// Only scenarios with `suite = true`, the default: what a bare run does.
    pub suite_only: bool,
    /// Each value of each axis once, the other axes at their first value, instead of the product.
    pub each_value_once: bool,
}

/// How large a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Which of the two sizes.
    pub size: Size,
    /// Seed of the run, copied into the plan.
    pub seed: u64,
    /// Rounds in place of each scenario's own.
    pub rounds: Option<u32>,
    /// Most cases of a plan.
    pub max_cases: usize,
    /// Whether the run is in virtual time: variants that exist only there are in, those that exist only live are out.
    pub virtual_time: bool,
}

/// A scenario as `list` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// `group/name`.
    pub name: String,
    /// What is driven.
    pub what: String,
    /// Whether a bare run includes it.
    pub suite: bool,
    /// Ids of its cases, in order.
    pub cases: Vec<String>,
}

/// Makes the plan: reads every file, checks every value of every axis, selects, and resolves what was selected.
///
/// # Errors
/// Every problem of every file and of the selection at once, by file and line; nothing selected; more cases than permitted.
pub fn expand(
    sources: &[Source],
    catalogue: &[SettingRow],
    kinds: &KnownKinds,
    selection: &Selection,
    options: &Options,
) -> Result<Plan, Vec<Problem>> {
    let mut found = Vec::new();
    let (sources, traces) = traces::apart(sources, &mut found);
    let known = Known { catalogue, kinds, traces: &traces };
    let wanted = Wanted { size: options.size, rounds: options.rounds };
    let filters = Filters::compile(&selection.filters, &mut found);
    select::check_keys(&selection.set, &known, &mut found);
    if options.rounds == Some(0) {
        found.push(Problem::new("--rounds", 0, "0 rounds measure nothing (expected 1 or more)"));
    }
    let touches = |wire: &Wire, ids: &[Combination]| (!selection.suite_only || wire.suite) && ids.iter().any(|c| filters.selects(&c.id));
    let read = read_all(sources, &known, &wanted, &|wire| set_where(&selection.set, wire, &known, &touches), found)?;
    let (chosen, left_out) = choose(&read, &filters, selection, options)?;
    let (size, seed, virtual_time) = (options.size, options.seed, options.virtual_time);
    let mut plan = Plan { schema: SCHEMA, size, seed, virtual_time, left_out, scenarios: Vec::new(), cases: Vec::new() };
    let mut found = Vec::new();
    for (read, chosen) in read.iter().zip(chosen).filter(|(_, chosen)| !chosen.is_empty()) {
        let mut problems = Problems::of(&read.wire.file);
        let cases = chosen.iter().filter_map(|c| resolve::case(&read.wire, c, &known, &wanted, &mut problems));
        plan.cases.extend(cases.collect::<Vec<Case>>());
        plan.scenarios.push(described(&read.wire, &chosen));
        found.extend(problems.into_vec());
    }
    if found.is_empty() { Ok(plan) } else { Err(sorted(found)) }
}

/// All scenarios with their cases, whatever a run would select.
///
/// # Errors
/// Every problem of every file at once.
pub fn list(sources: &[Source], catalogue: &[SettingRow], kinds: &KnownKinds) -> Result<Vec<Listing>, Vec<Problem>> {
    let mut found = Vec::new();
    let (sources, traces) = traces::apart(sources, &mut found);
    let known = Known { catalogue, kinds, traces: &traces };
    let wanted = Wanted { size: Size::Full, rounds: None };
    let read = read_all(sources, &known, &wanted, &|wire| wire, found)?;
    let listing = |r: Read| Listing {
        name: r.wire.name,
        what: r.wire.what,
        suite: r.wire.suite,
        cases: r.combinations.into_iter().map(|c| c.id).collect(),
    };
    Ok(read.into_iter().map(listing).collect())
}

/// Applies `-s` to a scenario that has selected cases then, and leaves any other as it is: a value that one scenario cannot have is no
/// fault of a run that does not select it.
fn set_where(set: &[(String, String)], wire: Wire, known: &Known<'_>, touches: &dyn Fn(&Wire, &[Combination]) -> bool) -> Wire {
    let mut changed = wire.clone();
    select::apply(set, &mut changed, known);
    // What is wrong with the combinations is found again, and said, where they are read.
    let combinations = matrix::combinations(&changed, &mut Problems::of(&changed.file));
    if touches(&changed, &combinations) { changed } else { wire }
}

/// Combinations of each file, and a sentence on each variant that was left out.
type Chosen = (Vec<Vec<Combination>>, Vec<String>);

/// The chosen combinations of each file, in the same order as `read`.
fn choose(read: &[Read], filters: &Filters, selection: &Selection, options: &Options) -> Result<Chosen, Vec<Problem>> {
    let most = options.max_cases;
    let open = |r: &&Read| !selection.suite_only || r.wire.suite;
    let all: Vec<Vec<Combination>> = read.iter().filter(open).map(|r| r.combinations.clone()).collect();
    let mut left_out = Vec::new();
    let mut picked = |r: &Read| {
        let of_filters = if open(&r) { pick(r, filters) } else { Vec::new() };
        let existing = exists_in(r, of_filters, options.virtual_time, &mut left_out);
        if selection.each_value_once { matrix::cover(&existing) } else { existing }
    };
    let chosen: Vec<Vec<Combination>> = read.iter().map(&mut picked).collect();
    if !left_out.is_empty() && chosen.iter().all(Vec::is_empty) {
        let help = if options.virtual_time { "run it without --virtual" } else { "run it with --virtual" };
        let problem = |what: String| Problem { help: Some(help.to_owned()), ..Problem::new("", 0, &what) };
        return Err(left_out.into_iter().map(problem).collect());
    }
    match chosen.iter().map(Vec::len).sum::<usize>() {
        0 => Err(vec![filters.nothing(&all)]),
        n if n > most => Err(vec![Problem {
            file: String::new(),
            line: 0,
            what: format!("the plan has {n} cases (expected at most {most})"),
            help: Some("take values out of [matrix], fix an axis with -s key=value, or select fewer cases with -f".to_owned()),
        }]),
        _ => Ok((chosen, left_out)),
    }
}

fn pick(read: &Read, filters: &Filters) -> Vec<Combination> {
    read.combinations.iter().filter(|c| filters.selects(&c.id)).cloned().collect()
}

/// The combinations that a run in virtual time, or a live one, can have; what it cannot is noted once per variant.
fn exists_in(read: &Read, picked: Vec<Combination>, virtual_time: bool, left_out: &mut Vec<String>) -> Vec<Combination> {
    let Some(at) = read.wire.axes.iter().position(|axis| axis.key == paths::VARIANT) else { return picked };
    let of = |c: &Combination| {
        let name = &read.wire.axes.get(at)?.values.get(*c.picks.get(at)?)?.value;
        read.wire.variants.iter().find(|variant| variant.name == *name)
    };
    let place = if virtual_time { "live" } else { "in virtual time" };
    for variant in picked.iter().filter_map(of).filter(|variant| !variant.exists(virtual_time)) {
        let note = format!("{}?variant={} is left out: it exists only {place}", read.wire.name, variant.name);
        if !left_out.contains(&note) {
            left_out.push(note);
        }
    }
    picked.into_iter().filter(|c| of(c).is_none_or(|variant| variant.exists(virtual_time))).collect()
}

fn described(wire: &Wire, chosen: &[Combination]) -> Scenario {
    Scenario {
        name: wire.name.clone(),
        what: wire.what.clone(),
        why: wire.why.clone(),
        guards: wire.guards.clone(),
        notes: wire.notes.clone(),
        axes: matrix::plan_axes(wire, chosen),
        profile: wire.profile,
        claims: wire.claims.clone(),
        survives: wire.survives.iter().map(WireSurvives::told).collect(),
    }
}

/// By file, line and text; each once, however many cases ran into it.
fn sorted(mut problems: Vec<Problem>) -> Vec<Problem> {
    problems.sort();
    problems.dedup();
    problems
}

#[cfg(test)]
mod tests;
