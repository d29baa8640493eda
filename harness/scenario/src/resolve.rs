//! A scenario with every axis fixed -> a [`Case`]: what the values mean, and whether they can be meant.

mod expect;
mod load;
mod scale;

use std::collections::BTreeMap;

use model::plan::{Case, Fault, Kind, Size};
use model::{Located, SettingRow};

use crate::matrix::{Combination, shorts};
use crate::paths;
use crate::problem::Problems;
use crate::values;
use crate::wire::{Known, Sizes, Wire, unknown_variant};
use crate::words;

/// The target of a scenario that names none: the whole path.
const TARGET: &str = "coordinator";
const SECOND: u64 = 1_000_000_000;
/// Longest warm-up, window and deadline, ns: what the histogram can tell apart.
const HOUR: u64 = 3_600 * SECOND;

/// What a case is made with beside its file.
pub(crate) struct Wanted {
    pub(crate) size: Size,
    /// In place of the scenario's own.
    pub(crate) rounds: Option<u32>,
}

/// Makes the case; `None` after reporting.
pub(crate) fn case(wire: &Wire, combination: &Combination, known: &Known<'_>, wanted: &Wanted, problems: &mut Problems) -> Option<Case> {
    let mut fixed = wire.clone();
    let mut axes = Vec::new();
    for ((axis, pick), short) in wire.axes.iter().zip(&combination.picks).zip(shorts(&wire.axes)) {
        let value = axis.values.get(*pick)?;
        axes.push((short, value.value.clone()));
        if axis.key == paths::VARIANT && !wire.variants.iter().any(|variant| variant.name == value.value) {
            problems.with(value, unknown_variant(wire, &value.value));
        }
        paths::set(&mut fixed, &axis.key, value.clone());
    }
    let target = fixed.target.clone().unwrap_or_else(|| Located::new(TARGET, wire.file.clone(), 0));
    problems.one_of("target", &target, &known.kinds.targets);
    let mut settings = settings(&fixed, known, problems);
    let mut load = load::load(&fixed, known, wanted, problems);
    let rounds = rounds(&fixed.load.rounds, wanted, problems);
    let expect = expect::all(&fixed.expect, wanted.size, known, problems);
    let mut faults = faults(&fixed, known, problems);
    if let Some(scale) = scale::of(&fixed, problems) {
        load.iter_mut().for_each(|load| scale.load(load));
        faults.iter_mut().for_each(|fault| scale.parameters(&mut fault.with));
        scale.settings(&mut settings, known);
    }
    let load = load?;
    let timeout_ns = match &fixed.load.timeout {
        Some(text) => load::duration(text, "load.timeout", 1, 24 * HOUR, problems)?,
        None => 10 * (load.warmup_ns + load.length_ns) + 20 * SECOND,
    };
    Some(Case { id: combination.id.clone(), scenario: wire.name.clone(), axes, target, settings, load, faults, expect, rounds, timeout_ns })
}

fn settings(wire: &Wire, known: &Known<'_>, problems: &mut Problems) -> BTreeMap<String, Located> {
    let mut found = BTreeMap::new();
    for (key, given) in &wire.settings {
        let Some(row) = known.catalogue.iter().find(|row| row.declares(key)) else { continue };
        setting_names(wire, key, given, row, known, problems);
        match values::canonical(row.kind, row.default, &given.value) {
            Ok(text) => drop(found.insert(key.clone(), Located { value: text, ..given.clone() })),
            Err(why) => problems.with(given, format!("{key}: {why}")),
        }
    }
    found
}

/// Settings that hold a name from elsewhere: a tool of the mix, a kind of worker.
fn setting_names(wire: &Wire, key: &str, given: &Located, row: &SettingRow, known: &Known<'_>, problems: &mut Problems) {
    if let Some(tool) = key.strip_prefix("pool.tools.").and_then(|rest| rest.split('.').next()) {
        let tools: Vec<&str> = wire.load.mix.iter().filter_map(|m| m.tool.as_ref()).map(|t| t.value.as_str()).collect();
        // A mix that lacks a tool is a problem of its own, which this would only repeat.
        if !tools.is_empty() && tools.len() == wire.load.mix.len() && !tools.contains(&tool) {
            problems.with(given, format!("{key}: no request calls the tool '{tool}' {}", words::expected(tool, &tools)));
        }
    }
    if key.ends_with(".worker") && row.kind == "text" {
        problems.one_of("worker kind", given, &known.kinds.workers);
    }
}

fn rounds(given: &Sizes, wanted: &Wanted, problems: &mut Problems) -> u32 {
    let text = match wanted.size {
        Size::Smoke => given.smoke.as_ref(),
        Size::Full => given.full.as_ref(),
    };
    let own = match text {
        Some(text) => load::integer(text, "load.rounds", 1..=1000, problems).unwrap_or(1),
        None if wanted.size == Size::Smoke => 1,
        None => 5,
    };
    wanted.rounds.unwrap_or(own)
}

fn faults(wire: &Wire, known: &Known<'_>, problems: &mut Problems) -> Vec<Fault> {
    let mut found = Vec::new();
    for fault in &wire.faults {
        let Some(kind) = fault.kind.clone() else { continue };
        if let Some((_, names)) = known.kinds.faults.iter().find(|(name, _)| *name == kind.value) {
            parameters(&kind.value, &fault.with, names, problems);
        }
        found.push(Kind { kind, with: fault.with.clone() });
    }
    found
}

/// Refuses parameters that a kind does not have.
fn parameters(kind: &str, given: &BTreeMap<String, Located>, names: &[String], problems: &mut Problems) {
    for (key, value) in given {
        if !names.iter().any(|name| model::settings::matches(name, key)) {
            problems.with(value, format!("'{kind}' has no parameter '{key}' {}", words::expected(key, names)));
        }
    }
}
