//! Which cases of a run stand for settings of the product, and which of them may be compared.

use std::collections::BTreeMap;

use model::durability::{Class, Durability, Row, settings_of};
use model::plan::{Case, Plan};
use model::units::show_bytes;

use super::{Candidate, Constraints, Contest, Crashes, Part};
use crate::Summary;
use crate::summary::{CaseSummary, ContenderRow, Grade};

/// Ways of saving a file that the product has too.
const FILE_WAYS: [&str; 3] = ["truncate", "no-truncate", "temp-rename"];
/// The way of writing rows that is one save of the product.
const SQLITE_WAY: &str = "autocommit-prepared";
/// Dictionaries by the name of their way, with `store.compress` and their size in bytes.
const DICTIONARIES: [(&str, &str, &str); 3] =
    [("zstd-3-dict-16k", "zstd", "16384"), ("zstd-3-dict-110k", "zstd", "112640"), ("zstd-small-dict-256k", "zstd-small", "262144")];
/// Levels that the product's settings permit.
const GZIP_LEVELS: std::ops::RangeInclusive<i64> = 0..=9;
const ZSTD_LEVELS: std::ops::RangeInclusive<i64> = -7..=19;

type Settings = BTreeMap<String, String>;

/// The contests of a run, whole requests before contenders, and of each part those whose payload is nearest to the one asked for. Settings that
/// a run holds under one load alone are compared with nothing and left out.
pub fn contests(plan: &Plan, summary: &Summary, durability: Option<&Durability>, constraints: &Constraints) -> Vec<Contest> {
    let mut found: Vec<Found> = Vec::new();
    for scenario in &summary.scenarios {
        let rows = || scenario.contenders.iter().flat_map(|table| &table.rows);
        for case in &scenario.cases {
            let row = rows().find(|row| row.case == case.id);
            if let Some(planned) = plan.cases.iter().find(|planned| planned.id == case.id).filter(|planned| sound(planned, case)) {
                for (part, settings) in settings(planned, row) {
                    add(&mut found, planned, case, row, part, settings, durability);
                }
            }
        }
    }
    found.retain(|one| one.contest.candidates.len() > 1);
    let parts = [Part::Store, Part::Responses, Part::Rest];
    parts.into_iter().filter_map(|part| nearest(&found, part, constraints.payload_bytes)).collect()
}

struct Found {
    alike: String,
    whole: bool,
    contest: Contest,
}

/// One contest per part: its settings could not be pasted together with those of another.
fn nearest(found: &[Found], part: Part, bytes: Option<u64>) -> Option<Contest> {
    let own = || found.iter().filter(|one| one.contest.part == part);
    let whole = own().any(|one| one.whole);
    let far = |one: &&Found| bytes.map_or(0, |bytes| (distance(bytes, one.contest.payload_bytes) * 1e6) as u64);
    own().filter(|one| one.whole == whole).min_by_key(far).map(|one| one.contest.clone())
}

/// How far two sizes are apart, as a factor's logarithm.
fn distance(a: u64, b: u64) -> f64 {
    (a.max(1) as f64 / b.max(1) as f64).ln().abs()
}

/// Whether its figures may be used: measured, undisturbed, nothing broken on purpose, no repeat.
fn sound(planned: &Case, case: &CaseSummary) -> bool {
    let again = case.axes.iter().any(|(_, value)| value.ends_with(model::claim::AGAIN));
    let invalid = case.brands.iter().any(|brand| brand.grade == Grade::Invalid);
    planned.faults.is_empty() && !again && !invalid && case.rounds_measured > 0 && case.rounds_failed == 0
}

fn said<'a>(planned: &'a Case, key: &str) -> &'a str {
    planned.settings.get(key).map_or("", |value| value.value.as_str())
}

fn group(planned: &Case, prefix: &str) -> Settings {
    planned.settings.iter().filter(|(key, _)| key.starts_with(prefix)).map(|(key, value)| (key.clone(), value.value.clone())).collect()
}

fn pairs(of: &[(&str, &str)]) -> Settings {
    of.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// The settings of the product that a case stands for.
fn settings(planned: &Case, row: Option<&ContenderRow>) -> Vec<(Part, Settings)> {
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
        "compress" => codec(&row.way),
        _ => Vec::new(),
    }
}

fn with(mut settings: Settings, key: &str, value: &str) -> Settings {
    settings.insert(key.to_owned(), value.to_owned());
    settings
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

/// What has to be equal for two cases to be compared: everything but the settings that are chosen, and the rate, which follows the capacity.
fn alike(planned: &Case, part: Part) -> String {
    let load = &planned.load;
    let mix: Vec<String> = (load.mix.iter())
        .map(|m| format!("{} {} {} {} {} {:?}", m.share, m.shape.value, m.payload_bytes, m.service.value, m.work.value, m.deadline_ns))
        .collect();
    let chosen = |key: &str| key.starts_with("store.") || ["contender.way", "contender.sync"].contains(&key);
    let others: Vec<String> =
        planned.settings.iter().filter(|(key, _)| !chosen(key)).map(|(key, value)| format!("{key}={}", value.value)).collect();
    format!(
        "{part:?} {} {} {} {} {} {mix:?} {others:?}",
        planned.target.value, load.clients, load.sessions, load.popularity.value, load.accept
    )
}

fn add(
    found: &mut Vec<Found>,
    planned: &Case,
    case: &CaseSummary,
    row: Option<&ContenderRow>,
    part: Part,
    settings: Settings,
    durability: Option<&Durability>,
) {
    let Some(candidate) = candidate(planned, case, row, part, settings, durability) else { return };
    let alike = alike(planned, part);
    let Some(one) = found.iter_mut().find(|one| one.alike == alike) else {
        let (shape, bytes) = planned.load.mix.first().map_or(("", 0), |m| (m.shape.value.as_str(), m.payload_bytes));
        let at = format!("{} of {shape}, {}", show_bytes(bytes as f64), planned.scenario);
        let contest = Contest { part, at, payload_bytes: bytes, candidates: vec![candidate] };
        return found.push(Found { alike, whole: row.is_none(), contest });
    };
    let known = &one.contest.candidates;
    if !known.iter().any(|c| c.case.split('?').next() == Some(planned.scenario.as_str())) {
        one.contest.at.push_str(&format!(", {}", planned.scenario));
    }
    if !known.iter().any(|c| c.settings == candidate.settings) {
        one.contest.candidates.push(candidate);
    }
}

fn candidate(
    planned: &Case,
    case: &CaseSummary,
    row: Option<&ContenderRow>,
    part: Part,
    settings: Settings,
    durability: Option<&Durability>,
) -> Option<Candidate> {
    // The time of a request where nothing but the next one limits them: rates differ between scenarios, capacities do not depend on them.
    let per_s = if case.open_loop == Some(false) { &case.goodput_per_s } else { &case.capacity_per_s };
    let (time_ns, time_rounds) = match row {
        Some(_) => (case.response.p50_ns.value, case.response.p50_ns.rounds),
        None => (per_s.value.map(|per_s| 1e9 / per_s), per_s.rounds),
    };
    let bytes_ratio = row.and_then(|row| row.bytes_ratio).filter(|_| part != Part::Store);
    let usable = |ns: &f64| ns.is_finite() && *ns > 0.0;
    let time_ns = time_ns.filter(usable);
    let main = if part == Part::Store { time_ns } else { bytes_ratio };
    main.filter(usable)?;
    let crashes = durability.filter(|_| part == Part::Store).and_then(|all| tested(all, case, &settings));
    Some(Candidate {
        case: planned.id.clone(),
        time_ns,
        time_rounds,
        p99_ns: case.response.p99_ns.value,
        max_ns: case.response.max_ns.high,
        cpu_ns: case.cpu_per_request_ns.value.filter(usable)?,
        bytes_ratio,
        rounds: case.rounds_measured,
        class: crashes.map(|c| c.all.word()),
        crashes,
        settings,
    })
}

/// What crashes cost under the settings: as the store said of itself, else as they are set.
fn tested(all: &Durability, case: &CaseSummary, settings: &Settings) -> Option<Crashes> {
    let pair: [&str; 2] = match settings.get("store.kind").map(String::as_str) {
        Some("sqlite") => ["store.sqlite.journal-mode", "store.sqlite.synchronous"],
        _ => ["store.files.write", "store.files.sync"],
    };
    let said = |key: &str| {
        let default = || super::DEFAULTS.iter().find(|(of, _)| *of == key).map(|(_, value)| (*value).to_owned());
        settings.get(key).cloned().or_else(default).map(|value| (key.to_owned(), value))
    };
    let set: Settings = pair.into_iter().filter_map(said).collect();
    let row: &Row = all.row_of(&case.seen).or_else(|| all.rows.iter().find(|row| row.settings == set))?;
    let kill: Class = row.kill.class();
    Some(Crashes { kill, all: row.class() })
}
