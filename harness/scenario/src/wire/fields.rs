//! Reading the keys of one table: each is taken once, what is left over is unknown.

use std::collections::BTreeMap;

use model::Located;

use super::{Sizes, WireKind};
use crate::problem::Problems;
use crate::tree::{self, Entry, Value};
use crate::words;

/// Most tables in a list of a kind's parameters.
const MOST_ENTRIES: usize = 100;

/// The keys of one table that were not taken yet.
pub(crate) struct Fields {
    path: String,
    file: String,
    pub(super) line: u32,
    entries: Vec<Entry>,
}

impl Fields {
    /// `path` is the table's own, empty for the file itself.
    pub(crate) fn new(path: &str, file: &str, line: u32, entries: Vec<Entry>) -> Self {
        Self { path: path.to_owned(), file: file.to_owned(), line, entries }
    }

    /// Another table of the same file.
    pub(super) fn sibling(&self, path: &str, line: u32, entries: Vec<Entry>) -> Self {
        Self::new(path, &self.file, line, entries)
    }

    fn name(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// Takes a key.
    pub(crate) fn entry(&mut self, key: &str) -> Option<Entry> {
        let at = self.entries.iter().position(|e| e.key == key)?;
        Some(self.entries.remove(at))
    }

    /// Takes a key that holds one value.
    pub(crate) fn leaf(&mut self, key: &str, problems: &mut Problems) -> Option<Located> {
        let entry = self.entry(key)?;
        match entry.node.value {
            Value::Leaf { text, .. } => Some(Located::new(text, self.file.clone(), entry.line)),
            _ => {
                problems.at(entry.line, format!("'{}' is {} (expected one value)", self.name(key), entry.node.noun()));
                None
            }
        }
    }

    /// Takes prose; a missing one is reported where it is required.
    pub(super) fn prose(&mut self, key: &str, required: bool, problems: &mut Problems) -> String {
        let Some(entry) = self.entry(key) else {
            if required {
                problems.at(self.line, format!("'{key}' is missing (expected a sentence for the reader of the report)"));
            }
            return String::new();
        };
        match entry.node.value {
            Value::Leaf { text, quoted: true } if !text.trim().is_empty() => text.trim().to_owned(),
            _ => {
                problems.at(entry.line, format!("'{key}' is {} (expected a sentence)", empty_or(&entry)));
                String::new()
            }
        }
    }

    /// Takes a list of at least one string.
    pub(super) fn texts(&mut self, key: &str, problems: &mut Problems) -> Vec<String> {
        let Some(entry) = self.entry(key) else {
            problems.at(self.line, format!("'{key}' is missing (expected a list such as [\"response.p99\"])"));
            return Vec::new();
        };
        let mut found = Vec::new();
        if let Value::List(nodes) = entry.node.value {
            for node in nodes {
                match node.value {
                    Value::Leaf { text, quoted: true } if !text.trim().is_empty() => found.push(text),
                    _ => problems.at(node.line, format!("'{key}' holds {} (expected strings)", node.noun())),
                }
            }
        }
        if found.is_empty() {
            problems.at(entry.line, format!("'{key}' is empty (expected a list such as [\"response.p99\"])"));
        }
        found
    }

    /// Takes a boolean that is true by default.
    pub(super) fn switch(&mut self, key: &str, problems: &mut Problems) -> bool {
        let Some(value) = self.leaf(key, problems) else { return true };
        if !["true", "false"].contains(&value.value.as_str()) {
            problems.with(&value, format!("'{}' for '{key}' is not a boolean (expected true or false)", value.value));
        }
        value.value != "false"
    }

    /// Takes `{ smoke = …, full = … }` or one value for both.
    pub(super) fn sizes(&mut self, key: &str, problems: &mut Problems) -> Sizes {
        match self.table(key) {
            Some(mut inner) => {
                let sizes = Sizes { smoke: inner.leaf("smoke", problems), full: inner.leaf("full", problems) };
                if sizes.smoke.is_none() || sizes.full.is_none() {
                    problems.at(inner.line, format!("'{}' lacks a size (expected both smoke and full)", self.name(key)));
                }
                inner.finish(&["smoke", "full"], problems);
                sizes
            }
            None => {
                let one = self.leaf(key, problems);
                Sizes { smoke: one.clone(), full: one }
            }
        }
    }

    /// Takes a key if it holds a table.
    pub(super) fn table(&mut self, key: &str) -> Option<Fields> {
        let at = self.entries.iter().position(|e| e.key == key && matches!(e.node.value, Value::Table(_)))?;
        let entry = self.entries.remove(at);
        match entry.node.value {
            Value::Table(inner) => Some(Fields::new(&self.name(key), &self.file, entry.line, inner)),
            _ => None,
        }
    }

    fn is_list(&self, key: &str) -> bool {
        self.entries.iter().any(|e| e.key == key && matches!(e.node.value, Value::List(_)))
    }

    /// Takes a list of tables; the key `b` of the first one becomes `KEY.0.b`.
    fn listed(&mut self, key: &str, problems: &mut Problems) -> Vec<(String, Located)> {
        let Some(entry) = self.entry(key) else { return Vec::new() };
        let line = entry.line;
        let tables = tables(&self.name(key), entry, problems);
        if tables.len() > MOST_ENTRIES {
            problems.at(line, format!("'{}' has {} entries (expected at most {MOST_ENTRIES})", self.name(key), tables.len()));
            return Vec::new();
        }
        let leaves = |(index, (_, table)): (usize, (u32, Vec<Entry>))| tree::leaves(&format!("{key}.{index}"), table, &self.file, problems);
        tables.into_iter().enumerate().flat_map(leaves).collect()
    }

    /// Reports the keys that are left.
    pub(crate) fn finish(self, names: &[&str], problems: &mut Problems) {
        for entry in &self.entries {
            problems.at(entry.line, format!("unknown key '{}' {}", self.name(&entry.key), words::expected(&entry.key, names)));
        }
    }
}

fn empty_or(entry: &Entry) -> &'static str {
    match &entry.node.value {
        Value::Leaf { text, quoted: true } if text.trim().is_empty() => "empty",
        _ => entry.node.noun(),
    }
}

/// The tables of an array of tables.
pub(super) fn tables(name: &str, entry: Entry, problems: &mut Problems) -> Vec<(u32, Vec<Entry>)> {
    let Value::List(nodes) = entry.node.value else {
        problems.at(entry.line, format!("'{name}' is {} (expected a list of tables: write [[{name}]])", entry.node.noun()));
        return Vec::new();
    };
    let mut found = Vec::new();
    for node in nodes {
        let (noun, line) = (node.noun(), node.line);
        match node.value {
            Value::Table(inner) => found.push((line, inner)),
            _ => problems.at(line, format!("'{name}' holds {noun} (expected tables: write [[{name}]])")),
        }
    }
    found
}

/// Reads `kind` and its parameters against a table of kinds.
pub(super) fn kind(noun: &str, mut fields: Fields, known: &[(String, Vec<String>)], problems: &mut Problems) -> WireKind {
    let line = fields.line;
    let kind = fields.leaf("kind", problems);
    let keys: Vec<String> = fields.entries.iter().map(|e| e.key.clone()).collect();
    let mut with = BTreeMap::new();
    for key in keys {
        if fields.is_list(&key) {
            with.extend(fields.listed(&key, problems));
        } else if let Some(value) = fields.leaf(&key, problems) {
            with.insert(key, value);
        }
    }
    let found = WireKind { line, kind, with };
    if let Some(kind) = &found.kind {
        let names: Vec<&String> = known.iter().map(|(name, _)| name).collect();
        problems.one_of(noun, kind, &names);
    }
    found
}
