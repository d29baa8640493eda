//! What is wrong with a scenario or a selection, and the collector that lets all of it be said at once.

use std::fmt;

use model::Located;

use crate::strays::Stray;
use crate::words;

/// One thing that is wrong, with its place. Shown as `file:line: what (what was expected)`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub struct Problem {
    /// The scenario file relative to the scenarios directory; `-s`, `-f` or `-F` for the command line; empty for the plan as a whole.
    pub file: String,
    /// Line from 1; 0 where there is none.
    pub line: u32,
    /// What is wrong and, in brackets, what was expected.
    pub what: String,
    /// The remedy, where it is more than what was expected.
    pub help: Option<String>,
}

/// Characters of a message after which it is cut: values in files may be long.
const LONGEST: usize = 500;

impl Problem {
    /// One line of bounded length, whatever the quoted values hold.
    pub(crate) fn new(file: &str, line: u32, what: &str) -> Self {
        let mut shown = String::new();
        for c in what.chars().take(LONGEST) {
            if c.is_control() { shown.extend(c.escape_default()) } else { shown.push(c) }
        }
        if what.chars().nth(LONGEST).is_some() {
            shown.push('…');
        }
        Self { file: file.to_owned(), line, what: shown, help: None }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.file.is_empty(), self.line) {
            (true, _) => f.write_str(&self.what),
            (false, 0) => write!(f, "{}: {}", self.file, self.what),
            (false, line) => write!(f, "{}:{line}: {}", self.file, self.what),
        }
    }
}

/// Collects problems of one file (and of the command line's values in it).
#[derive(Debug)]
pub(crate) struct Problems {
    file: String,
    found: Vec<Problem>,
    strays: Vec<Stray>,
}

impl Problems {
    pub(crate) fn of(file: &str) -> Self {
        Self { file: file.to_owned(), found: Vec::new(), strays: Vec::new() }
    }

    pub(crate) fn at(&mut self, line: u32, what: impl Into<String>) {
        self.found.push(Problem::new(&self.file, line, &what.into()));
    }

    /// At the place that the value came from, which may be the command line.
    pub(crate) fn with(&mut self, value: &Located, what: impl Into<String>) {
        self.found.push(Problem::new(&value.file, value.line, &what.into()));
    }

    /// Checks `value` against a list of names, with the nearest one in the message; `noun` such as `target`.
    pub(crate) fn one_of<S: AsRef<str>>(&mut self, noun: &str, value: &Located, names: &[S]) {
        if !names.iter().any(|n| n.as_ref() == value.value) {
            self.with(value, format!("unknown {noun} '{}' {}", value.value, words::expected(&value.value, names)));
        }
    }

    /// Of the problem that was said last: it is a word of a claim that another file may have.
    pub(crate) fn strays(&mut self, axis: &str, value: Option<&str>) {
        if let Some(problem) = self.found.len().checked_sub(1) {
            self.strays.push(Stray { problem, file: self.file.clone(), axis: axis.to_owned(), value: value.map(str::to_owned) });
        }
    }

    /// The result, or the problem at the value's place.
    pub(crate) fn ok<T>(&mut self, value: &Located, result: Result<T, String>) -> Option<T> {
        result.map_err(|what| self.with(value, what)).ok()
    }

    pub(crate) fn count(&self) -> usize {
        self.found.len()
    }

    /// Problems, and which of them are words that another file may have.
    pub(crate) fn into_parts(self) -> (Vec<Problem>, Vec<Stray>) {
        (self.found, self.strays)
    }

    pub(crate) fn into_vec(self) -> Vec<Problem> {
        self.found
    }
}
