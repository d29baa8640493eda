//! What a case stands for: the settings of the product that it has, or that its way of doing a job amounts to.

use std::collections::BTreeMap;

use model::durability::settings_of;
use model::plan::Case;

use super::Part;
use crate::Summary;
use crate::summary::ContenderRow;

/// Ways of saving a file that the product has too.
const FILE_WAYS: [&str; 3] = ["truncate", "no-truncate", "temp-rename"];
/// The way of writing rows that is one save of the product.
const SQLITE_WAY: &str = "autocommit-prepared";
/// Saves of the product's own store by 64 callers at once, with what each sets.
const GROUP_WAYS: [&str; 2] = ["store-64-alone", "group-commit-64"];
/// The setting that they differ in.
pub(super) const GROUP: &str = "store.sqlite.group-commit";
/// Ways that write several rows in a transaction of the caller's: no setting does that.
const BATCH_WAYS: &str = "batch-";
/// Dictionaries by the name of their way, with `store.compress` and their size in bytes.
const DICTIONARIES: [(&str, &str, &str); 3] =
    [("zstd-3-dict-16k", "zstd", "16384"), ("zstd-3-dict-110k", "zstd", "112640"), ("zstd-small-dict-256k", "zstd-small", "262144")];
/// Levels that the product's settings permit.
const GZIP_LEVELS: std::ops::RangeInclusive<i64> = 0..=9;
const ZSTD_LEVELS: std::ops::RangeInclusive<i64> = -7..=19;

/// Settings by dotted key.
pub(super) type Settings = BTreeMap<String, String>;

/// The value that a case sets, or nothing.
pub(super) fn said<'a>(planned: &'a Case, key: &str) -> &'a str {
    planned.settings.get(key).map_or("", |value| value.value.as_str())
}

/// All that a case sets under a prefix.
pub(super) fn group(planned: &Case, prefix: &str) -> Settings {
    planned.settings.iter().filter(|(key, _)| key.starts_with(prefix)).map(|(key, value)| (key.clone(), value.value.clone())).collect()
}

fn pairs(of: &[(&str, &str)]) -> Settings {
    of.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn with(mut settings: Settings, key: &str, value: &str) -> Settings {
    settings.insert(key.to_owned(), value.to_owned());
    settings
}

/// The settings of the product that a case stands for.
pub(super) fn settings(planned: &Case, row: Option<&ContenderRow>) -> Vec<(Part, Settings)> {
    let Some(row) = row else {
        let keeps = ["files", "sqlite"].contains(&said(planned, "store.kind"));
        return if keeps { vec![(Part::Store, group(planned, "store."))] } else { Vec::new() };
    };
    match said(planned, "contender.job") {
        _ if row.not_here.is_some() => Vec::new(),
        "file-write" if FILE_WAYS.contains(&row.way.as_str()) => row
            .facts
            .get("protocol")
            .and_then(|protocol| settings_of(&pairs(&[("protocol", protocol)])))
            .map(|said| (Part::Store, with(said, "store.kind", "files")))
            .into_iter()
            .collect(),
        "sqlite-write" if row.way == SQLITE_WAY => vec![(Part::Store, with(group(planned, "store."), "store.kind", "sqlite"))],
        "sqlite-write" if GROUP_WAYS.contains(&row.way.as_str()) => grouped(row).into_iter().collect(),
        "compress" => codec(&row.way),
        _ => Vec::new(),
    }
}

/// As the store said of itself, which the way may have set.
fn grouped(row: &ContenderRow) -> Option<(Part, Settings)> {
    let most = row.facts.get("sqlite.group-commit")?;
    Some((Part::Group, pairs(&[(GROUP, most)])))
}

fn codec(way: &str) -> Vec<(Part, Settings)> {
    if let Some((_, compress, bytes)) = DICTIONARIES.iter().find(|(name, ..)| *name == way) {
        let kept = [("store.compress", *compress), ("store.dictionary", "trained"), ("store.dictionary-size", *bytes)];
        return vec![(Part::Rest, pairs(&kept))];
    }
    let level = |name: &str| way.strip_prefix(name).and_then(|level| level.parse::<i64>().ok());
    if let Some(level) = level("gzip-").filter(|level| GZIP_LEVELS.contains(level)) {
        return vec![(Part::Responses, pairs(&[("compress.offer", "gzip"), ("compress.gzip-level", &level.to_string())]))];
    }
    let Some(level) = level("zstd-").filter(|level| ZSTD_LEVELS.contains(level)) else { return Vec::new() };
    let mut stands = vec![(Part::Responses, pairs(&[("compress.offer", "zstd, gzip"), ("compress.zstd-level", &level.to_string())]))];
    // Stored sessions have no level to set: it is this one.
    if level == 3 {
        stands.push((Part::Rest, pairs(&[("store.compress", "zstd"), ("store.dictionary", "none")])));
    }
    stands
}

/// What was measured, looks like a setting and is none, a sentence per scenario.
pub(super) fn left_out(summary: &Summary) -> Vec<String> {
    let of = |scenario: &crate::summary::ScenarioSummary| {
        let rows = scenario.contenders.iter().filter(|table| table.job == "sqlite-write").flat_map(|table| &table.rows);
        let mut ways: Vec<&str> = rows.map(|row| row.way.as_str()).filter(|way| way.starts_with(BATCH_WAYS)).collect();
        ways.sort_unstable();
        ways.dedup();
        let (are, no) = if ways.len() == 1 { ("is", "no setting") } else { ("are", "no settings") };
        let (ways, name) = (ways.join(" and "), &scenario.name);
        (!ways.is_empty())
            .then(|| format!("{ways} of {name} {are} {no}: what the store does is to share a commit among saves that wait ({GROUP})"))
    };
    summary.scenarios.iter().filter_map(of).collect()
}
