//! A trace: when requests once came, to be sent again.
//!
//! As a file: one arrival per line, in whole nanoseconds from the trace's begin, ascending; `#` begins a comment. Whole nanoseconds, because
//! what is recorded must come back as it was. In JSON: the gaps between arrivals in one string, which is half as long.

use std::fmt::Write as _;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Largest trace file in bytes.
pub const FILE_BYTES_MAX: usize = 32 << 20;
/// Most arrivals of a trace: the 2 million that one trial may expect, and what chance may add.
pub const ARRIVALS_MAX: usize = 2_100_000;
/// Ending of a trace's file.
pub const ENDING: &str = ".trace";

/// Offsets of arrivals from the trace's begin in ns, ascending. Cheap to clone: all cases of a scenario share one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace(Arc<[u64]>);

/// Why a text is no trace.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct BadTrace {
    /// Line from 1; 0 for the file as a whole.
    pub line: u32,
    /// What is wrong and what was expected.
    pub what: String,
}

impl Trace {
    /// Reads a file's text.
    ///
    /// # Errors
    /// The first line that is no offset or is earlier than the one before; nothing in it; more than fits.
    pub fn parse(text: &str) -> Result<Trace, BadTrace> {
        let bad = |line: usize, what: String| Err(BadTrace { line: line as u32, what });
        if text.len() > FILE_BYTES_MAX {
            return bad(0, format!("the trace has {} bytes (expected at most {FILE_BYTES_MAX})", text.len()));
        }
        let mut offsets: Vec<u64> = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let word = line.split('#').next().unwrap_or_default().trim();
            if word.is_empty() {
                continue;
            }
            // i64 leaves room for sums.
            let Some(at) = word.parse::<u64>().ok().filter(|at| i64::try_from(*at).is_ok()) else {
                let word: String = word.chars().take(40).collect();
                return bad(
                    index + 1,
                    format!("'{word}' is no arrival (expected whole nanoseconds from the trace's begin, such as 1500000)"),
                );
            };
            if let Some(before) = offsets.last().filter(|before| **before > at) {
                return bad(
                    index + 1,
                    format!("the arrival at {at} ns is earlier than the one before, at {before} (expected ascending times)"),
                );
            }
            if offsets.len() == ARRIVALS_MAX {
                return bad(index + 1, format!("the trace has more than {ARRIVALS_MAX} arrivals (a trial may have no more requests)"));
            }
            offsets.push(at);
        }
        if offsets.is_empty() { bad(0, "the trace holds no arrival (expected one per line)".to_owned()) } else { Ok(Trace(offsets.into())) }
    }

    /// The text of a file that reads as these offsets. Each line of `comment` is put before them.
    pub fn text(offsets: &[u64], comment: &str) -> String {
        let mut out = String::with_capacity(offsets.len() * 12 + comment.len() + 100);
        // Writing to a string cannot fail.
        for line in comment.lines() {
            let _ = writeln!(out, "# {line}");
        }
        for at in offsets {
            let _ = writeln!(out, "{at}");
        }
        out
    }

    /// The offsets, ns.
    pub fn offsets(&self) -> &[u64] {
        &self.0
    }

    /// The same order of arrivals with every time multiplied by `factor`, to whole ns.
    #[must_use]
    pub fn stretched(&self, factor: f64) -> Trace {
        Trace(self.0.iter().map(|at| (*at as f64 * factor).round() as u64).collect())
    }
}

impl Serialize for Trace {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = String::with_capacity(self.0.len() * 8);
        let mut before = 0;
        for at in self.0.iter() {
            let _ = write!(text, "{}{}", if text.is_empty() { "" } else { " " }, at - before);
            before = *at;
        }
        serializer.serialize_str(&text)
    }
}

impl<'de> Deserialize<'de> for Trace {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut at = 0u64;
        let mut offsets = Vec::new();
        for gap in text.split_ascii_whitespace().take(ARRIVALS_MAX) {
            let gap: u64 = gap.parse().map_err(|_| serde::de::Error::custom("a trace is gaps in whole ns"))?;
            at = at.checked_add(gap).ok_or_else(|| serde::de::Error::custom("a trace is longer than time"))?;
            offsets.push(at);
        }
        Ok(Trace(offsets.into()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_bad_line_is_named() {
        for (text, line, says) in [
            ("# nothing\n\n", 0, "no arrival"),
            ("1\n2.5\n", 2, "'2.5' is no arrival"),
            ("1\n-2\n", 2, "'-2'"),
            ("5 # five\n\n4\n", 3, "earlier than the one before, at 5"),
            ("99999999999999999999\n", 1, "whole nanoseconds"),
        ] {
            let bad = Trace::parse(text).unwrap_err();
            assert!(bad.line == line && bad.what.contains(says), "{bad}");
        }
        assert!(Trace::parse(&"1\n".repeat(ARRIVALS_MAX + 1)).unwrap_err().what.contains("more than"));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(mut offsets in prop::collection::vec(0u64..(1 << 60), 1..200)) {
            offsets.sort_unstable();
            let trace = Trace::parse(&Trace::text(&offsets, "recorded\nsomewhere")).unwrap();
            prop_assert_eq!(trace.offsets(), offsets.as_slice());
            let json = serde_json::to_string(&trace).unwrap();
            prop_assert_eq!(serde_json::from_str::<Trace>(&json).unwrap(), trace);
        }

        #[test]
        fn no_text_panics(text in "[0-9# .\\n-]{0,60}") {
            let _ = Trace::parse(&text);
            let _ = serde_json::from_value::<Trace>(serde_json::Value::String(text));
        }
    }
}
