//! Settings as the catalogue declares them and as a scenario file gives them.

use serde::{Deserialize, Serialize};

/// A value as typed (or made canonical), with the place it came from, so that any later error can name it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Located {
    /// The text.
    pub value: String,
    /// The scenario file, relative to the scenarios directory, or `-s` for the command line.
    pub file: String,
    /// Line in the file, from 1; 0 where there is none.
    pub line: u32,
}

impl Located {
    /// A value with its place.
    pub fn new(value: impl Into<String>, file: impl Into<String>, line: u32) -> Self {
        Self { value: value.into(), file: file.into(), line }
    }

    /// `file:line`, or the file alone where there is no line.
    pub fn place(&self) -> String {
        if self.line == 0 { self.file.clone() } else { format!("{}:{}", self.file, self.line) }
    }
}

/// One knob of pool, store or codec, declared once by its owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingRow {
    /// Dotted key; a segment `*` stands for any name.
    pub key: &'static str,
    /// `duration`, `bytes`, `integer MIN..=MAX`, `bool`, `choice a|b|c` or `text`.
    pub kind: &'static str,
    /// The default, as a person writes it; `none` for "absent".
    pub default: &'static str,
    /// What it does, with units.
    pub doc: &'static str,
}

impl SettingRow {
    /// Whether this row declares `key`, counting `*` as any one segment.
    pub fn declares(&self, key: &str) -> bool {
        matches(self.key, key)
    }
}

/// Whether a dotted `pattern` stands for `key`: a segment `*` of it is any one segment.
pub fn matches(pattern: &str, key: &str) -> bool {
    let (mut a, mut b) = (pattern.split('.'), key.split('.'));
    loop {
        match (a.next(), b.next()) {
            (None, None) => return true,
            (Some("*"), Some(_)) => {}
            (Some(x), Some(y)) if x == y => {}
            _ => return false,
        }
    }
}
