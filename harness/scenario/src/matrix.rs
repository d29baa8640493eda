//! Axes -> cases: short names, ids, the product and its cover.

use std::collections::BTreeSet;

use model::plan::Axis;

use crate::problem::Problems;
use crate::wire::{Wire, WireAxis};

/// Largest product of one scenario that is spelled out at all; selection works on what is spelled out.
const MOST_COMBINATIONS: usize = 100_000;

/// Most characters of an axis' value: it is part of every name that the case has.
const LONGEST_VALUE: usize = 80;

/// A scenario with every axis fixed: the value's index per axis.
#[derive(Clone, Debug)]
pub(crate) struct Combination {
    pub(crate) id: String,
    pub(crate) picks: Vec<usize>,
}

/// All combinations in order, the last axis fastest; empty after reporting.
pub(crate) fn combinations(wire: &Wire, problems: &mut Problems) -> Vec<Combination> {
    let before = problems.count();
    for axis in &wire.axes {
        let mut seen = BTreeSet::new();
        for value in &axis.values {
            if value.value.trim().is_empty() || value.value.chars().count() > LONGEST_VALUE {
                problems.with(
                    value,
                    format!("axis '{}': the value has to be part of a name (expected 1 to {LONGEST_VALUE} characters)", axis.key),
                );
            }
            if !seen.insert(in_id(&value.value)) {
                problems.with(value, format!("axis '{}' has the value '{}' twice (case ids must differ)", axis.key, value.value));
            }
        }
    }
    let total = wire.axes.iter().fold(1usize, |n, axis| n.saturating_mul(axis.values.len()));
    if total > MOST_COMBINATIONS {
        let line = wire.axes.first().map_or(1, |a| a.line);
        problems.at(line, format!("[matrix] has {total} combinations (expected at most {MOST_COMBINATIONS}; take values or axes away)"));
    }
    if problems.count() > before {
        return Vec::new();
    }
    let shorts = shorts(&wire.axes);
    (0..total).map(|index| combination(wire, &shorts, index)).collect()
}

fn combination(wire: &Wire, shorts: &[String], mut index: usize) -> Combination {
    let mut picks = vec![0; wire.axes.len()];
    for (pick, axis) in picks.iter_mut().zip(&wire.axes).rev() {
        *pick = index % axis.values.len();
        index /= axis.values.len();
    }
    let values = picks.iter().zip(&wire.axes).zip(shorts);
    let pairs: Vec<String> = values.map(|((pick, axis), short)| format!("{short}={}", in_id(&axis.values[*pick].value))).collect();
    let mark = if pairs.is_empty() { "" } else { "?" };
    Combination { id: format!("{}{mark}{}", wire.name, pairs.join("&")), picks }
}

/// Of combinations in order, those that bring a value not seen before: each value of each axis once, the others at their first.
pub(crate) fn cover(combinations: &[Combination]) -> Vec<Combination> {
    let mut seen = BTreeSet::new();
    let brings_new = |c: &&Combination| {
        let before = seen.len();
        seen.extend(c.picks.iter().copied().enumerate());
        seen.len() > before || c.picks.is_empty()
    };
    combinations.iter().filter(brings_new).cloned().collect()
}

/// The axes as the plan states them, without the values that no chosen combination has.
pub(crate) fn plan_axes(wire: &Wire, chosen: &[Combination]) -> Vec<Axis> {
    let used = |axis: usize, value: usize| chosen.iter().any(|c| c.picks.get(axis) == Some(&value));
    let axes = wire.axes.iter().zip(shorts(&wire.axes)).enumerate();
    axes.map(|(at, (axis, short))| Axis {
        key: axis.key.clone(),
        short,
        values: axis.values.iter().enumerate().filter(|(i, _)| used(at, *i)).map(|(_, v)| v.value.clone()).collect(),
    })
    .collect()
}

/// The shortest tail of each key that is no other key's tail.
pub(crate) fn shorts(axes: &[WireAxis]) -> Vec<String> {
    let tail = |key: &str, n: usize| -> String {
        let segments: Vec<&str> = key.split('.').collect();
        segments[segments.len().saturating_sub(n)..].join(".")
    };
    axes.iter()
        .map(|axis| {
            let most = axis.key.split('.').count();
            let alone = |n: &usize| axes.iter().filter(|other| tail(&other.key, *n) == tail(&axis.key, *n)).count() == 1;
            tail(&axis.key, (1..=most).find(alone).unwrap_or(most))
        })
        .collect()
}

/// A value as case ids show it: no blanks and none of the marks that ids are made of.
fn in_id(value: &str) -> String {
    let joined = value.split([',', ';']).map(str::trim).collect::<Vec<_>>().join(",");
    joined.chars().map(|c| if c.is_whitespace() || c.is_control() || "?&=\"'".contains(c) { '-' } else { c }).collect()
}
