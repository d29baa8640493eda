//! TOML text -> a tree of values that know their lines, tables in file order.

use model::Located;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::problem::Problems;

/// Largest scenario file in bytes.
pub(crate) const LARGEST_FILE: usize = 256 * 1024;
/// Syntax errors after these are echoes of the first.
const MOST_SYNTAX_ERRORS: usize = 5;

#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    /// Line of the key.
    pub(crate) line: u32,
    pub(crate) node: Node,
}

#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) line: u32,
    pub(crate) value: Value,
}

#[derive(Clone, Debug)]
pub(crate) enum Value {
    /// A string, number or boolean as text.
    Leaf {
        text: String,
        quoted: bool,
    },
    List(Vec<Node>),
    Table(Vec<Entry>),
}

impl Node {
    /// What it is, for messages.
    pub(crate) fn noun(&self) -> &'static str {
        match self.value {
            Value::Leaf { quoted: true, .. } => "a string",
            Value::Leaf { .. } => "a number or boolean",
            Value::List(_) => "a list",
            Value::Table(_) => "a table",
        }
    }
}

/// Reads a document; `None` after reporting when it is too large or not TOML.
pub(crate) fn read(text: &str, problems: &mut Problems) -> Option<Vec<Entry>> {
    if text.len() > LARGEST_FILE {
        problems.at(0, format!("the file has {} bytes (expected at most {LARGEST_FILE})", text.len()));
        return None;
    }
    let lines = Lines::of(text);
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in errors.iter().take(MOST_SYNTAX_ERRORS) {
        let line = error.span().map_or(1, |span| lines.at(span.start));
        problems.at(line, format!("not TOML: {}", error.message().replace('\n', " ")));
    }
    errors.is_empty().then(|| entries(document.get_ref(), &lines))
}

/// Reads one value as typed after `-s key=`: TOML where it parses as a number, boolean or string, else the text itself.
pub(crate) fn command_line_value(text: &str) -> String {
    match DeValue::parse(text) {
        Ok(value) => leaf_text(value.get_ref()).map_or_else(|| text.to_owned(), |(text, _)| text),
        Err(_) => text.to_owned(),
    }
}

/// All leaves below `entries` by dotted path from `prefix`, in file order; lists are reported.
pub(crate) fn leaves(prefix: &str, entries: Vec<Entry>, file: &str, problems: &mut Problems) -> Vec<(String, Located)> {
    let mut found = Vec::new();
    for entry in entries {
        let path = if prefix.is_empty() { entry.key } else { format!("{prefix}.{}", entry.key) };
        match entry.node.value {
            Value::Table(inner) => found.extend(leaves(&path, inner, file, problems)),
            Value::Leaf { text, .. } => found.push((path, Located::new(text, file, entry.line))),
            Value::List(_) => {
                problems.at(entry.line, format!("'{path}' is a list (expected one value; several values belong in [matrix])"));
            }
        }
    }
    found
}

fn entries(table: &DeTable<'_>, lines: &Lines) -> Vec<Entry> {
    let mut spanned: Vec<(&Spanned<_>, &Spanned<DeValue<'_>>)> = table.iter().collect();
    spanned.sort_by_key(|(key, _)| key.span().start);
    spanned
        .into_iter()
        .map(|(key, value)| {
            let line = lines.at(key.span().start);
            Entry { key: key.get_ref().to_string(), line, node: node(value, lines) }
        })
        .collect()
}

fn node(value: &Spanned<DeValue<'_>>, lines: &Lines) -> Node {
    let line = lines.at(value.span().start);
    let value = match value.get_ref() {
        DeValue::Array(items) => Value::List(items.iter().map(|item| node(item, lines)).collect()),
        DeValue::Table(table) => Value::Table(entries(table, lines)),
        leaf => leaf_text(leaf).map_or(Value::List(Vec::new()), |(text, quoted)| Value::Leaf { text, quoted }),
    };
    Node { line, value }
}

/// The text of a leaf and whether it was quoted; `None` for lists and tables.
fn leaf_text(value: &DeValue<'_>) -> Option<(String, bool)> {
    Some(match value {
        DeValue::String(text) => (text.to_string(), true),
        // Other radixes become decimal; what does not fit stays as it is and is refused by its setting's kind.
        DeValue::Integer(n) => (i64::from_str_radix(n.as_str(), n.radix()).map_or_else(|_| n.to_string(), |n| n.to_string()), false),
        DeValue::Float(f) => (f.as_str().to_owned(), false),
        DeValue::Boolean(b) => (b.to_string(), false),
        DeValue::Datetime(d) => (d.to_string(), false),
        DeValue::Array(_) | DeValue::Table(_) => return None,
    })
}

/// Byte offsets at which lines begin.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        Self(std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect())
    }

    /// Line from 1.
    fn at(&self, offset: usize) -> u32 {
        u32::try_from(self.0.partition_point(|begin| *begin <= offset)).unwrap_or(u32::MAX)
    }
}
