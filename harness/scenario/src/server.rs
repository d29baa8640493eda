//! A server's file: tables of settings, `[tools.NAME]` and `[[alert]]`, checked against the rows of their owners.
//!
//! As with scenarios, nothing here knows what a setting means, only its declared type; unlike there, nothing has several values.

use std::collections::BTreeMap;

use model::{Located, SettingRow};
use serde_json::{Map, Number, Value as Json};

use crate::problem::{Problem, Problems};
use crate::tree::{self, Entry, Node, Value};
use crate::values;
use crate::wire::unknown_setting;
use crate::words;

/// Kind of a setting that is a JSON object: written as a table, or as JSON text.
const JSON: &str = "json";
/// The table of tools, and the array of alert rules.
const TOOLS: &str = "tools";
const ALERT: &str = "alert";
/// Most alert rules of one file.
const MOST_ALERTS: usize = 1000;

/// A server's file as read: every key known, every value canonical (durations in ns, sizes in bytes) and with its place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerFile {
    /// By dotted key.
    pub settings: BTreeMap<String, Located>,
    /// One per `[[alert]]`.
    pub alerts: Vec<AlertTable>,
}

/// One `[[alert]]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlertTable {
    /// Line of the table.
    pub line: u32,
    /// By key, without `alert.`.
    pub values: BTreeMap<String, Located>,
}

impl ServerFile {
    /// Keys and values without their places.
    pub fn values(&self) -> BTreeMap<String, String> {
        self.settings.iter().map(|(key, value)| (key.clone(), value.value.clone())).collect()
    }

    /// A problem at the place of the setting `key`, or of one below it; else at no line of `file`.
    pub fn problem(&self, file: &str, key: &str, why: &str) -> Problem {
        let below = format!("{key}.");
        let place = self.settings.get(key).or_else(|| self.settings.iter().find(|(k, _)| k.starts_with(&below)).map(|(_, v)| v));
        Problem::new(file, place.map_or(0, |p| p.line), &format!("{key}: {why}"))
    }
}

impl AlertTable {
    /// A problem at the place of `key`, or of the table.
    pub fn problem(&self, file: &str, key: &str, why: &str) -> Problem {
        let own = key.strip_prefix("alert.").unwrap_or(key);
        Problem::new(file, self.values.get(own).map_or(self.line, |value| value.line), &format!("alert: {own}: {why}"))
    }
}

/// Reads a server's file: `rows` are its settings, `alert` the keys of each `[[alert]]`.
///
/// # Errors
/// Every problem of the file at once, by line.
pub fn server(file: &str, text: &str, rows: &[SettingRow], alert: &[SettingRow]) -> Result<ServerFile, Vec<Problem>> {
    let mut problems = Problems::of(file);
    let Some(entries) = tree::read(text, &mut problems) else { return Err(problems.into_vec()) };
    let mut reader = Reader { file, rows, alert, problems, found: ServerFile::default() };
    entries.into_iter().for_each(|entry| reader.top(entry));
    let mut problems = reader.problems.into_vec();
    problems.sort();
    if problems.is_empty() { Ok(reader.found) } else { Err(problems) }
}

struct Reader<'a> {
    file: &'a str,
    rows: &'a [SettingRow],
    alert: &'a [SettingRow],
    problems: Problems,
    found: ServerFile,
}

impl Reader<'_> {
    fn sections(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.rows.iter().filter_map(|row| row.key.split('.').next()).collect();
        names.push(ALERT);
        names.sort_unstable();
        names.dedup();
        names
    }

    fn top(&mut self, entry: Entry) {
        if !self.sections().contains(&entry.key.as_str()) {
            let expected = words::expected(&entry.key, &self.sections());
            return self.problems.at(entry.line, format!("unknown table '{}' {expected}", entry.key));
        }
        match (entry.key.as_str(), entry.node.value) {
            (ALERT, Value::List(nodes)) => self.alerts(entry.line, nodes),
            (ALERT, _) => self.problems.at(entry.line, "'alert' is not a list of tables (write [[alert]])"),
            (TOOLS, Value::Table(tools)) => tools.into_iter().for_each(|tool| self.tool(tool)),
            (key, Value::Table(inner)) => {
                for entry in inner {
                    self.setting(key, entry);
                }
            }
            (key, value) => {
                let noun = Node { line: entry.line, value }.noun();
                self.problems.at(entry.line, format!("'{key}' is {noun} (expected a table)"));
            }
        }
    }

    fn tool(&mut self, tool: Entry) {
        match tool.node.value {
            Value::Table(inner) if inner.is_empty() => {
                self.problems.at(tool.line, format!("[tools.{}] is empty (expected at least a description)", tool.key));
            }
            Value::Table(inner) => {
                let path = format!("{TOOLS}.{}", tool.key);
                if tool.key.contains('.') {
                    return self.problems.at(tool.line, format!("'{}' is not a tool's name (expected letters, digits, - and _)", tool.key));
                }
                inner.into_iter().for_each(|entry| self.setting(&path, entry));
            }
            _ => self.problems.at(tool.line, format!("'tools.{}' is not a table (write [tools.{}])", tool.key, tool.key)),
        }
    }

    /// One key below `prefix`, and whatever lies below it.
    fn setting(&mut self, prefix: &str, entry: Entry) {
        let key = format!("{prefix}.{}", entry.key);
        let row = self.rows.iter().find(|row| row.declares(&key)).cloned();
        match (row, entry.node.value) {
            (Some(row), value) if row.kind == JSON => {
                if let Some(text) = self.json(&key, Node { line: entry.line, value }) {
                    self.put(key, Located::new(text, self.file, entry.line));
                }
            }
            (Some(row), Value::Leaf { text, .. }) => self.leaf(key, &row, &text, entry.line),
            (Some(_), value) => {
                let noun = Node { line: entry.line, value }.noun();
                self.problems.at(entry.line, format!("'{key}' is {noun} (expected one value)"));
            }
            (None, Value::Table(inner)) => inner.into_iter().for_each(|entry| self.setting(&key, entry)),
            (None, _) => self.problems.at(entry.line, unknown_setting(&key, self.rows, &[])),
        }
    }

    fn leaf(&mut self, key: String, row: &SettingRow, text: &str, line: u32) {
        match values::canonical(row.kind, row.default, text) {
            Ok(text) => self.put(key, Located::new(text, self.file, line)),
            Err(why) => self.problems.at(line, format!("{key}: {why}")),
        }
    }

    fn put(&mut self, key: String, value: Located) {
        if let Some(earlier) = self.found.settings.get(&key) {
            let place = earlier.place();
            return self.problems.with(&value, format!("setting '{key}' is given twice (first at {place})"));
        }
        self.found.settings.insert(key, value);
    }

    fn json(&mut self, key: &str, node: Node) -> Option<String> {
        let line = node.line;
        match node.value {
            Value::Leaf { text, quoted: true } => match serde_json::from_str::<Json>(&text) {
                Ok(value @ Json::Object(_)) => return Some(value.to_string()),
                Ok(_) => {
                    self.problems.at(line, format!("{key}: the text is JSON but no object (expected such as '{{\"type\": \"object\"}}')"));
                }
                Err(error) => self.problems.at(line, format!("{key}: the text is not JSON: {error} (write a TOML table, or JSON text)")),
            },
            Value::Table(_) => return Some(json(&node).to_string()),
            _ => self.problems.at(line, format!("'{key}' is {} (expected a table, or JSON text)", node.noun())),
        }
        None
    }

    fn alerts(&mut self, line: u32, nodes: Vec<Node>) {
        if nodes.len() > MOST_ALERTS {
            return self.problems.at(line, format!("the file has {} alerts (expected at most {MOST_ALERTS})", nodes.len()));
        }
        for node in nodes {
            let Value::Table(inner) = node.value else {
                self.problems.at(node.line, "'alert' holds what is no table (write [[alert]])");
                continue;
            };
            // The table's keys are read as settings and then taken aside.
            let before = std::mem::take(&mut self.found.settings);
            inner.into_iter().for_each(|entry| self.alert_key(entry));
            let own = std::mem::replace(&mut self.found.settings, before);
            let own = own.into_iter().filter_map(|(key, value)| Some((key.strip_prefix("alert.")?.to_owned(), value)));
            self.found.alerts.push(AlertTable { line: node.line, values: own.collect() });
        }
    }

    fn alert_key(&mut self, entry: Entry) {
        let key = format!("{ALERT}.{}", entry.key);
        let Some(row) = self.alert.iter().find(|row| row.key == entry.key).cloned() else {
            let names: Vec<&str> = self.alert.iter().map(|row| row.key).collect();
            let expected = words::expected(&entry.key, &names);
            return self.problems.at(entry.line, format!("unknown key '{key}' {expected}"));
        };
        match entry.node.value {
            Value::Leaf { text, .. } => self.leaf(key, &row, &text, entry.line),
            // A command's words.
            Value::List(_) if row.kind == "text" => self.put(key, Located::new(json(&entry.node).to_string(), self.file, entry.line)),
            _ => self.problems.at(entry.line, format!("'{key}' is {} (expected one value)", entry.node.noun())),
        }
    }
}

/// TOML as JSON: numbers and booleans as such.
fn json(node: &Node) -> Json {
    match &node.value {
        Value::Leaf { text, quoted: true } => Json::from(text.as_str()),
        Value::Leaf { text, .. } => match (text.as_str(), text.parse::<i64>(), text.parse::<f64>()) {
            ("true", ..) => Json::Bool(true),
            ("false", ..) => Json::Bool(false),
            (_, Ok(n), _) => Json::from(n),
            (_, _, Ok(f)) => Number::from_f64(f).map_or_else(|| Json::from(text.as_str()), Json::Number),
            _ => Json::from(text.as_str()),
        },
        Value::List(nodes) => Json::Array(nodes.iter().map(json).collect()),
        Value::Table(entries) => Json::Object(entries.iter().map(|e| (e.key.clone(), json(&e.node))).collect::<Map<_, _>>()),
    }
}

#[cfg(test)]
mod tests;
