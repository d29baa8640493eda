//! `[[claim]]`: sentences with a number, checked against the axes of their own file.

use model::Located;
use model::claim::{AGAIN, Choice, Claim, Durability, METRICS, more_is_better};

use super::fields::{self, Fields};
use super::{Known, WireAxis};
use crate::matrix;
use crate::problem::Problems;
use crate::tree::{Entry, Node, Value};
use crate::words;

pub(crate) const CLAIM: [&str; 8] = ["says", "metric", "of", "over", "at-least", "at-most", "repeat", "durability"];
/// Most claims of one scenario.
const MOST_CLAIMS: usize = 50;
/// Largest gain that can be claimed.
const LARGEST_GAIN: f64 = 1e6;

/// A table of a claim: short key of an axis, its values, line.
type Row = (String, Vec<Located>, u32);

/// Takes all claims; what is wrong is reported and left out.
pub(super) fn read(entry: Entry, file: &str, axes: &[WireAxis], known: &Known<'_>, problems: &mut Problems) -> Vec<Claim> {
    let line = entry.line;
    let tables = fields::tables("claim", entry, problems);
    if tables.len() > MOST_CLAIMS {
        problems.at(line, format!("the scenario has {} claims (expected at most {MOST_CLAIMS})", tables.len()));
        return Vec::new();
    }
    let about = About { file, axes, shorts: matrix::shorts(axes), known };
    tables.into_iter().filter_map(|(line, table)| about.claim(line, table, problems)).collect()
}

/// What claims are read against.
struct About<'a> {
    file: &'a str,
    axes: &'a [WireAxis],
    shorts: Vec<String>,
    known: &'a Known<'a>,
}

impl About<'_> {
    fn claim(&self, line: u32, table: Vec<Entry>, problems: &mut Problems) -> Option<Claim> {
        let before = problems.count();
        let mut fields = Fields::new("claim", self.file, line, table);
        let says = fields.entry("says").map(|e| (e.line, e.node.value));
        let metric = fields.leaf("metric", problems);
        let (of, over) = (fields.entry("of"), fields.entry("over"));
        let (at_least, at_most) = (fields.leaf("at-least", problems), fields.leaf("at-most", problems));
        let repeat = fields.entry("repeat");
        let durability = fields.leaf("durability", problems);
        fields.finish(&CLAIM, problems);
        let says = self.sentence(line, says, problems);
        let metric = self.metric(line, metric, problems);
        let (of, over) = (self.side("of", line, of, problems), self.side("over", line, over, problems));
        let (at_least, at_most) = (gain("at-least", at_least, problems), gain("at-most", at_most, problems));
        if problems.count() == before {
            bounds(line, at_least, at_most, problems);
            unlike(line, &of, &over, problems);
        }
        let repeat = repeat.map(|e| self.repeat(e, problems)).unwrap_or_default();
        let durability = durability.map(|text| which(&text, problems)).unwrap_or_default();
        (problems.count() == before).then_some(Claim { says, metric, of, over, at_least, at_most, repeat, durability })
    }

    fn sentence(&self, line: u32, says: Option<(u32, Value)>, problems: &mut Problems) -> Located {
        let (line, text) = match says {
            Some((line, Value::Leaf { text, quoted: true })) if !text.trim().is_empty() => (line, text.trim().to_owned()),
            Some((line, _)) => {
                problems.at(line, "'claim.says' is no sentence (expected a sentence with a number)");
                (line, String::new())
            }
            None => {
                problems.at(line, "a claim lacks 'says' (expected a sentence with a number)");
                (line, String::new())
            }
        };
        Located::new(text, self.file, line)
    }

    fn metric(&self, line: u32, given: Option<Located>, problems: &mut Problems) -> String {
        let Some(given) = given else {
            problems.at(line, "a claim lacks 'metric' (expected such as metric = \"cpu-per-request\")");
            return String::new();
        };
        let phases = |name: &str| self.known.kinds.phases.iter().map(|phase| name.replace('*', phase)).collect::<Vec<_>>();
        let names: Vec<String> =
            METRICS.iter().flat_map(|(name, _)| if name.contains('*') { phases(name) } else { vec![(*name).to_owned()] }).collect();
        problems.one_of("metric", &given, &names);
        debug_assert!(names.iter().all(|name| more_is_better(name).is_some()));
        given.value
    }

    /// `of` or `over`.
    fn side(&self, name: &str, line: u32, given: Option<Entry>, problems: &mut Problems) -> Choice {
        let Some(entry) = given else {
            problems.at(line, format!("a claim lacks '{name}' (expected values of axes, such as {name} = {{ way = \"std-read\" }})"));
            return Vec::new();
        };
        let (line, before) = (entry.line, problems.count());
        let rows = self.rows(name, entry, problems);
        if rows.is_empty() && problems.count() == before {
            problems.at(line, format!("'claim.{name}' is empty (expected values of axes, such as {{ way = \"std-read\" }})"));
        }
        rows.into_iter().map(|(axis, values, _)| (axis, values.into_iter().map(|v| v.value).collect())).collect()
    }

    fn repeat(&self, entry: Entry, problems: &mut Problems) -> Vec<(String, String, String)> {
        let mut found = Vec::new();
        for (axis, values, line) in self.rows("repeat", entry, problems) {
            match values.as_slice() {
                [a, b] if a.value != b.value => found.push((axis, a.value.clone(), b.value.clone())),
                _ => problems.at(
                    line,
                    format!(
                        "'claim.repeat.{axis}' is no pair (expected two values that are the same thing, such as [\"x\", \"x{AGAIN}\"])"
                    ),
                ),
            }
        }
        found
    }

    /// The rows of a table of axes; each axis and value known.
    fn rows(&self, name: &str, entry: Entry, problems: &mut Problems) -> Vec<Row> {
        let Value::Table(entries) = entry.node.value else {
            problems.at(
                entry.line,
                format!("'claim.{name}' is {} (expected a table of axes and values, such as {{ way = \"std-read\" }})", entry.node.noun()),
            );
            return Vec::new();
        };
        let mut found = Vec::new();
        for (axis, line, node) in flat("", entries) {
            let Some(at) = self.shorts.iter().position(|short| *short == axis) else {
                problems.at(line, format!("claim.{name}: the scenario has no axis '{axis}' {}", words::expected(&axis, &self.shorts)));
                problems.strays(&axis, None);
                continue;
            };
            let values = values(name, &axis, node, self.file, problems);
            let names: Vec<&str> = self.axes.get(at).iter().flat_map(|a| &a.values).map(|v| v.value.as_str()).collect();
            for value in values.iter().filter(|value| !names.contains(&value.value.as_str())) {
                let expected = words::expected_of_all(&value.value, &names);
                problems.with(value, format!("claim.{name}: unknown value of '{axis}' '{}' {expected}", value.value));
                problems.strays(&axis, Some(&value.value));
            }
            found.push((axis, values, line));
        }
        found
    }
}

/// `{ a.b = 1 }` is the key `a.b`, as in names of cases.
fn flat(prefix: &str, entries: Vec<Entry>) -> Vec<(String, u32, Node)> {
    let mut found = Vec::new();
    for entry in entries {
        let key = if prefix.is_empty() { entry.key } else { format!("{prefix}.{}", entry.key) };
        match entry.node.value {
            Value::Table(inner) => found.extend(flat(&key, inner)),
            value => found.push((key, entry.line, Node { line: entry.node.line, value })),
        }
    }
    found
}

/// One value, or a list of them.
fn values(name: &str, axis: &str, node: Node, file: &str, problems: &mut Problems) -> Vec<Located> {
    let line = node.line;
    let nodes = match node.value {
        Value::List(nodes) => nodes,
        value => vec![Node { line, value }],
    };
    let mut found = Vec::new();
    for node in nodes {
        let noun = node.noun();
        match node.value {
            Value::Leaf { text, .. } => found.push(Located::new(text, file, node.line)),
            _ => problems.at(node.line, format!("'claim.{name}.{axis}' holds {noun} (expected plain values)")),
        }
    }
    if found.is_empty() {
        problems.at(line, format!("'claim.{name}.{axis}' is empty (expected at least one value of the axis)"));
    }
    found
}

fn gain(name: &str, given: Option<Located>, problems: &mut Problems) -> Option<f64> {
    let given = given?;
    let parsed = given.value.parse::<f64>().ok().filter(|gain| *gain > 0.0 && *gain <= LARGEST_GAIN);
    if parsed.is_none() {
        let why = format!("claim.{name}: '{}' is no gain (expected how many times better, such as 1.3 for 30 %)", given.value);
        problems.with(&given, why);
    }
    parsed
}

fn bounds(line: u32, at_least: Option<f64>, at_most: Option<f64>, problems: &mut Problems) {
    match (at_least, at_most) {
        (None, None) => problems.at(line, "a claim lacks its number (expected at-least, at-most or both)"),
        (Some(least), Some(most)) if least > most => {
            problems.at(line, format!("at-least = {least} is above at-most = {most} (expected the smaller one first)"));
        }
        _ => {}
    }
}

/// The axes that are not named are matched, so both sides must name the same ones; and a case is not claimed to be better than itself.
fn unlike(line: u32, of: &Choice, over: &Choice, problems: &mut Problems) {
    let lacks = |a: &Choice, b: &Choice| a.iter().find(|(axis, _)| !b.iter().any(|(other, _)| other == axis)).map(|(axis, _)| axis.clone());
    if let Some(axis) = lacks(of, over).or_else(|| lacks(over, of)) {
        problems.at(line, format!("only one of 'of' and 'over' names the axis '{axis}' (expected both to name the same axes)"));
        return;
    }
    let shared = |(axis, values): &(String, Vec<String>)| {
        over.iter().any(|(other, theirs)| other == axis && values.iter().any(|v| theirs.contains(v)))
    };
    if of.iter().all(shared) {
        problems.at(line, "'of' and 'over' can choose the same case (expected them to differ in an axis)");
    }
}

fn which(text: &Located, problems: &mut Problems) -> Durability {
    problems.one_of("durability", text, &["any", "equal"]);
    if text.value == "equal" { Durability::Equal } else { Durability::Any }
}
