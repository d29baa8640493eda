//! The place of each message in a document that this program wrote itself, found without a JSON parser.
//!
//! Nearly all of a document is the inside of strings, and a parser that skips it still looks at each escape by itself: nine tenths of the time
//! of opening a session. What [`crate::json::encode`] writes has one form, so only the ends of strings have to be found, 64 bytes at
//! a time. Whatever is not in that form to the last byte, damaged documents included, is left to the parser, which also says what is wrong.

use super::strings::Strings;
use crate::json::BEGIN;
use std::ops::Range;

/// A document in our own form.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found<'a> {
    pub(super) schema: u32,
    pub(super) id: &'a str,
    pub(super) turns: u64,
    pub(super) messages: Vec<Range<usize>>,
}

/// What stands in the document, or `None` if it is in another form.
pub(super) fn find(text: &str) -> Option<Found<'_>> {
    let mut scan = Scan { text, at: 0, strings: Strings::new(text.strip_suffix('\n')?.as_bytes()) };
    scan.literal(BEGIN)?;
    let schema = scan.number()?;
    scan.literal(",\"id\":\"")?;
    let id = scan.string()?;
    scan.literal(",\"turns\":")?;
    let turns = scan.number()?;
    scan.literal(",\"messages\":[")?;
    let messages = scan.messages()?;
    scan.literal("]}\n")?;
    // An escape in an id is the parser's affair: no id of ours has one.
    (scan.at == text.len() && !id.contains('\\')).then_some(Found { schema: u32::try_from(schema).ok()?, id, turns, messages })
}

struct Scan<'a> {
    text: &'a str,
    at: usize,
    strings: Strings<'a>,
}

impl<'a> Scan<'a> {
    fn literal(&mut self, expected: &str) -> Option<()> {
        let ahead = self.text.as_bytes().get(self.at..)?;
        self.at += ahead.starts_with(expected.as_bytes()).then_some(expected.len())?;
        Some(())
    }

    /// A number as serialised: digits without a leading zero.
    fn number(&mut self) -> Option<u64> {
        let ahead = self.text.get(self.at..)?;
        let digits = ahead.get(..ahead.bytes().take_while(u8::is_ascii_digit).count())?;
        self.at += digits.len();
        if digits.len() > 1 && digits.starts_with('0') { None } else { digits.parse().ok() }
    }

    /// The inside of a string that began before this place; goes behind its closing quote.
    fn string(&mut self) -> Option<&'a str> {
        let end = self.strings.end(self.at)?;
        let inside = self.text.get(self.at..end)?;
        self.at = end + 1;
        Some(inside)
    }

    fn messages(&mut self) -> Option<Vec<Range<usize>>> {
        let mut messages = Vec::new();
        if self.text.as_bytes().get(self.at) == Some(&b']') {
            return Some(messages);
        }
        loop {
            let begin = self.at;
            for key in ["{\"role\":\"", ",\"tool\":\"", ",\"digest\":\"", ",\"text\":\""] {
                self.literal(key)?;
                self.at = self.strings.end(self.at)? + 1;
            }
            self.literal("}")?;
            messages.push(begin..self.at);
            if self.literal(",").is_none() {
                return Some(messages);
            }
        }
    }
}

#[cfg(test)]
mod tests;
