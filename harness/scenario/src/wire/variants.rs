//! `[variants]`: values under one name, for comparisons in which several settings change together.

use model::Located;

use super::{Known, Wire, tree_leaves, unknown_setting};
use crate::paths;
use crate::problem::Problems;
use crate::tree::{Entry, Value};
use crate::words;

/// Most variants of a scenario.
const MOST_VARIANTS: usize = 100;
/// Where a variant may exist.
const ONLY: [&str; 2] = ["virtual", "live"];

/// One `[variants.NAME]`.
#[derive(Clone, Debug)]
pub(crate) struct Variant {
    pub(crate) name: String,
    /// `virtual` or `live`, where it does not exist in both.
    pub(crate) only: Option<Located>,
    /// What it sets, by dotted key.
    pub(crate) set: Vec<(String, Located)>,
}

impl Variant {
    /// Whether a run in virtual time, or a live one, can have it.
    pub(crate) fn exists(&self, virtual_time: bool) -> bool {
        self.only.as_ref().is_none_or(|only| (only.value == "virtual") == virtual_time)
    }
}

/// Takes `variants` apart.
pub(super) fn read(entry: Entry, file: &str, known: &Known<'_>, problems: &mut Problems) -> Vec<Variant> {
    let Value::Table(rows) = entry.node.value else {
        problems.at(entry.line, format!("'variants' is {} (expected a table of tables, such as [variants.NAME])", entry.node.noun()));
        return Vec::new();
    };
    if rows.len() > MOST_VARIANTS {
        problems.at(entry.line, format!("[variants] has {} variants (expected at most {MOST_VARIANTS})", rows.len()));
        return Vec::new();
    }
    rows.into_iter().map(|row| variant(row, file, known, problems)).collect()
}

fn variant(row: Entry, file: &str, known: &Known<'_>, problems: &mut Problems) -> Variant {
    let mut found = Variant { name: row.key.clone(), only: None, set: Vec::new() };
    for (key, value) in tree_leaves("", row, file, problems) {
        if key == "only" {
            problems.one_of("word for 'only'", &value, &ONLY);
            found.only = Some(value);
            continue;
        }
        match settable(&key, known) {
            Ok(()) => found.set.push((key, value)),
            Err(why) => problems.with(&value, format!("variant '{}': {why}", found.name)),
        }
    }
    found
}

/// A variant may set what an axis may be, but for another variant.
fn settable(key: &str, known: &Known<'_>) -> Result<(), String> {
    let mut paths = paths::axes();
    paths.retain(|path| *path != paths::VARIANT);
    if paths.contains(&key) || known.catalogue.iter().any(|row| row.declares(key)) {
        return Ok(());
    }
    if key == paths::VARIANT || paths::all().contains(&key) {
        return Err(format!("'{key}' cannot be set here (the variants of a scenario share it)"));
    }
    paths.push("only");
    Err(unknown_setting(key, known.catalogue, &paths))
}

/// A key has one place: an axis that a variant sets as well would depend on the order of the axes.
pub(super) fn check(wire: &Wire, problems: &mut Problems) {
    for variant in &wire.variants {
        for (key, value) in &variant.set {
            if let Some(axis) = wire.axes.iter().find(|axis| axis.key == *key) {
                let why = format!("variant '{}' sets '{key}', which line {} makes an axis (expected one of them)", variant.name, axis.line);
                problems.with(value, why);
            }
        }
    }
}

/// The message for a variant that the scenario does not have.
pub(crate) fn unknown(wire: &Wire, name: &str) -> String {
    let names: Vec<&str> = wire.variants.iter().map(|v| v.name.as_str()).collect();
    match names.as_slice() {
        [] => format!("unknown variant '{name}' (the scenario has no [variants.{name}])"),
        names => format!("unknown variant '{name}' {}", words::expected(name, names)),
    }
}
