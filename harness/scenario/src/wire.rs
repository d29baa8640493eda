//! The file as it is written: every key known, every value still text with its place.
//!
//! Only structure is judged here (unknown keys, a table where a value belongs); what values mean is [`crate::resolve`]'s.

mod claims;
mod fields;
mod load;
mod survives;
mod variants;

use std::collections::BTreeMap;

use model::{Claim, Located, SettingRow};

use crate::KnownKinds;
use crate::paths;
use crate::problem::Problems;
use crate::traces::Traces;
use crate::tree::{self, Entry, Node, Value};
use crate::words;
#[cfg(test)]
pub(crate) use claims::CLAIM;
pub(crate) use fields::Fields;
#[cfg(test)]
pub(crate) use load::{LOAD, MIX};
pub(crate) use survives::WireSurvives;
#[cfg(test)]
pub(crate) use survives::{ISOLATED, SURVIVES};
pub(crate) use variants::{Variant, unknown as unknown_variant};

/// Keys of a scenario's top level beside the settings' own tables.
pub(crate) const TOP: [&str; 14] =
    ["what", "why", "guards", "notes", "target", "suite", "profile", "load", "variants", "matrix", "faults", "expect", "claim", "survives"];
/// Most axes of one scenario.
const MOST_AXES: usize = 12;
/// Most values of one axis.
const MOST_VALUES: usize = 100;

/// A scenario file.
#[derive(Clone, Debug)]
pub(crate) struct Wire {
    pub(crate) file: String,
    /// `group/name`.
    pub(crate) name: String,
    pub(crate) what: String,
    pub(crate) why: String,
    pub(crate) guards: Vec<String>,
    pub(crate) notes: String,
    pub(crate) target: Option<Located>,
    pub(crate) suite: bool,
    pub(crate) profile: bool,
    pub(crate) load: WireLoad,
    /// By dotted key.
    pub(crate) settings: BTreeMap<String, Located>,
    pub(crate) axes: Vec<WireAxis>,
    /// In file order.
    pub(crate) variants: Vec<Variant>,
    pub(crate) faults: Vec<WireKind>,
    /// Figure and bounds.
    pub(crate) expect: Vec<(String, Located)>,
    /// In file order.
    pub(crate) claims: Vec<Claim>,
    /// In file order.
    pub(crate) survives: Vec<WireSurvives>,
}

/// `[load]`.
#[derive(Clone, Debug, Default)]
pub(crate) struct WireLoad {
    /// Line of the table, for what is missing in it.
    pub(crate) line: u32,
    pub(crate) arrivals: WireKind,
    pub(crate) clients: Option<Located>,
    pub(crate) warmup: Sizes,
    pub(crate) length: Sizes,
    pub(crate) rounds: Sizes,
    pub(crate) timeout: Option<Located>,
    pub(crate) accept: Option<Located>,
    pub(crate) time_scale: Option<Located>,
    pub(crate) session_count: Option<Located>,
    pub(crate) popularity: Option<Located>,
    pub(crate) mix: Vec<WireMix>,
}

/// A value per size.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sizes {
    pub(crate) smoke: Option<Located>,
    pub(crate) full: Option<Located>,
}

/// A kind with its parameters.
#[derive(Clone, Debug, Default)]
pub(crate) struct WireKind {
    pub(crate) line: u32,
    pub(crate) kind: Option<Located>,
    pub(crate) with: BTreeMap<String, Located>,
}

/// One `[[load.mix]]`.
#[derive(Clone, Debug, Default)]
pub(crate) struct WireMix {
    pub(crate) line: u32,
    pub(crate) tool: Option<Located>,
    pub(crate) share: Option<Located>,
    pub(crate) shape: Option<Located>,
    pub(crate) size: Option<Located>,
    pub(crate) service: Option<Located>,
    pub(crate) work: Option<Located>,
    pub(crate) deadline: Option<Located>,
}

/// One key of `[matrix]`.
#[derive(Clone, Debug)]
pub(crate) struct WireAxis {
    pub(crate) key: String,
    pub(crate) line: u32,
    pub(crate) values: Vec<Located>,
}

/// What the keys of a file are read against.
pub(crate) struct Known<'a> {
    pub(crate) catalogue: &'a [SettingRow],
    pub(crate) kinds: &'a KnownKinds,
    pub(crate) traces: &'a Traces,
}

/// Reads one file; `None` when it is not TOML.
pub(crate) fn read(file: &str, name: &str, text: &str, known: &Known<'_>, problems: &mut Problems) -> Option<Wire> {
    let mut fields = Fields::new("", file, 1, tree::read(text, problems)?);
    let expect = fields.entry("expect").map(|e| tree_leaves("", e, file, problems)).unwrap_or_default();
    let (claims, survives) = (fields.entry("claim"), fields.entry("survives"));
    let mut wire = Wire {
        file: file.to_owned(),
        name: name.to_owned(),
        what: fields.prose("what", true, problems),
        why: fields.prose("why", true, problems),
        guards: fields.texts("guards", problems),
        notes: fields.prose("notes", false, problems),
        target: fields.leaf("target", problems),
        suite: fields.switch("suite", problems),
        profile: fields.switch("profile", problems),
        load: load::read(&mut fields, known.kinds, problems),
        variants: fields.entry("variants").map(|e| variants::read(e, file, known, problems)).unwrap_or_default(),
        axes: fields.entry("matrix").map(|e| axes(e, file, known, problems)).unwrap_or_default(),
        faults: fields.entry("faults").map(|e| faults(e, file, known.kinds, problems)).unwrap_or_default(),
        expect,
        claims: Vec::new(),
        survives: survives.map(|e| survives::read(e, file, name, known, problems)).unwrap_or_default(),
        settings: settings(&mut fields, file, known, problems),
    };
    let mut names: Vec<&str> = TOP.to_vec();
    names.extend(sections(known.catalogue));
    fields.finish(&names, problems);
    wire.claims = claims.map(|e| claims::read(e, file, &wire.axes, known, problems)).unwrap_or_default();
    variants::check(&wire, problems);
    Some(wire)
}

/// First segments of the catalogue's keys, each once.
fn sections(catalogue: &[SettingRow]) -> Vec<&str> {
    let mut found: Vec<&str> = catalogue.iter().filter_map(|row| row.key.split('.').next()).collect();
    found.sort_unstable();
    found.dedup();
    found
}

pub(super) fn tree_leaves(prefix: &str, entry: Entry, file: &str, problems: &mut Problems) -> Vec<(String, Located)> {
    match entry.node.value {
        Value::Table(inner) => tree::leaves(prefix, inner, file, problems),
        _ => {
            problems.at(entry.line, format!("'{}' is {} (expected a table)", entry.key, entry.node.noun()));
            Vec::new()
        }
    }
}

fn settings(fields: &mut Fields, file: &str, known: &Known<'_>, problems: &mut Problems) -> BTreeMap<String, Located> {
    let mut found = BTreeMap::new();
    for section in sections(known.catalogue) {
        let Some(entry) = fields.entry(section) else { continue };
        for (key, value) in tree_leaves(section, entry, file, problems) {
            if !known.catalogue.iter().any(|row| row.declares(&key)) {
                problems.with(&value, unknown_setting(&key, known.catalogue, &[]));
            } else if let Some(earlier) = found.get(&key) {
                let place = Located::place(earlier);
                problems.with(&value, format!("setting '{key}' is given twice (first at {place})"));
            } else {
                found.insert(key, value);
            }
        }
    }
    found
}

/// The message for a key that no row (and none of `more`) declares.
pub(crate) fn unknown_setting(key: &str, catalogue: &[SettingRow], more: &[&str]) -> String {
    let inner = format!("{key}.");
    if catalogue.iter().any(|row| row.key.starts_with(&inner)) {
        return format!("'{key}' is a table of settings (expected a table, such as {{ … }})");
    }
    let segments: Vec<&str> = key.split('.').collect();
    let fill = |row: &SettingRow| -> String {
        let own = row.key.split('.').enumerate();
        let filled: Vec<&str> = own.map(|(i, s)| if s == "*" { segments.get(i).copied().unwrap_or("NAME") } else { s }).collect();
        filled.join(".")
    };
    let names: Vec<String> = catalogue.iter().map(fill).chain(more.iter().map(|m| (*m).to_owned())).collect();
    format!("unknown setting '{key}' {}", words::expected(key, &names))
}

fn axes(entry: Entry, file: &str, known: &Known<'_>, problems: &mut Problems) -> Vec<WireAxis> {
    let Value::Table(rows) = entry.node.value else {
        problems.at(entry.line, format!("'matrix' is {} (expected a table)", entry.node.noun()));
        return Vec::new();
    };
    if rows.len() > MOST_AXES {
        problems.at(entry.line, format!("[matrix] has {} axes (expected at most {MOST_AXES})", rows.len()));
        return Vec::new();
    }
    rows.into_iter().filter_map(|row| axis(row, file, known, problems)).collect()
}

fn axis(row: Entry, file: &str, known: &Known<'_>, problems: &mut Problems) -> Option<WireAxis> {
    let (key, line) = (row.key, row.line);
    if let Err(why) = axis_key(&key, &row.node, known) {
        problems.at(line, why);
        return None;
    }
    let Value::List(nodes) = row.node.value else {
        problems.at(line, format!("axis '{key}' is {} (expected a list of values)", row.node.noun()));
        return None;
    };
    if nodes.is_empty() || nodes.len() > MOST_VALUES {
        problems.at(line, format!("axis '{key}' has {} values (expected 1 to {MOST_VALUES})", nodes.len()));
        return None;
    }
    let mut values = Vec::new();
    for node in nodes {
        let (noun, line) = (node.noun(), node.line);
        match node.value {
            Value::Leaf { text, .. } => values.push(Located::new(text, file, line)),
            _ => problems.at(line, format!("axis '{key}' holds {noun} (expected plain values)")),
        }
    }
    (!values.is_empty()).then_some(WireAxis { key, line, values })
}

fn axis_key(key: &str, node: &Node, known: &Known<'_>) -> Result<(), String> {
    let paths = paths::axes();
    if paths.contains(&key) || known.catalogue.iter().any(|row| row.declares(key)) {
        return Ok(());
    }
    if paths::all().contains(&key) {
        return Err(format!("'{key}' cannot be an axis (the cases of a scenario share it)"));
    }
    if matches!(node.value, Value::Table(_)) {
        return Err(format!("axis '{key}' is a table (expected a dotted path in quotes, such as \"pool.affinity\" = [...])"));
    }
    Err(unknown_setting(key, known.catalogue, &paths).replacen("unknown setting", "unknown axis", 1))
}

fn faults(entry: Entry, file: &str, kinds: &KnownKinds, problems: &mut Problems) -> Vec<WireKind> {
    let mut found = Vec::new();
    for (line, table) in fields::tables("faults", entry, problems) {
        let kind = fields::kind("fault", Fields::new("faults", file, line, table), &kinds.faults, problems);
        if kind.kind.is_none() {
            problems.at(line, "a fault lacks 'kind' (expected such as kind = \"kill\")");
        }
        found.push(kind);
    }
    found
}
