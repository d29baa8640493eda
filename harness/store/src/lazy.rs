//! A session opened without parsing its messages: its head is read, each message stays the JSON that it is.
//!
//! Serving a request appends one message and drops the oldest. That needs to know where messages begin and end, not what is in them, and
//! opening, changing and writing a session that way takes a fraction of the time (scenario `json/session-turn`). A document in the very
//! form that this program writes needs no parser for it (`own`). What it cannot
//! notice is a message that is JSON and no message of ours: it is kept as it is, until somebody reads it.

use crate::{
    json::{self, SCHEMA},
    session::{Message, SessionId},
};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::ops::Range;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Head<'a> {
    schema: u32,
    id: std::borrow::Cow<'a, str>,
    turns: u64,
    #[serde(borrow)]
    messages: Vec<&'a RawValue>,
}

mod own;
mod strings;

/// Where in `text` a message is that was borrowed from it.
fn place_in(text: &str, message: &RawValue) -> Range<usize> {
    let at = message.get().as_ptr() as usize - text.as_ptr() as usize;
    at..at + message.get().len()
}

/// A session whose messages are JSON still.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LazySession {
    id: SessionId,
    turns: u64,
    /// The document as it was loaded, and what was appended since.
    text: String,
    /// Where in `text` the messages are, oldest first.
    messages: Vec<Range<usize>>,
}

impl LazySession {
    /// A session without a turn.
    pub fn new(id: SessionId) -> Self {
        Self { id, turns: 0, text: String::new(), messages: Vec::new() }
    }

    /// The session in `bytes`, which must be the one called `id`.
    ///
    /// # Errors
    /// What is wrong with the document, as a clause: as [`json::decode`], but for what is inside of messages.
    pub fn open(bytes: Vec<u8>, id: &SessionId) -> Result<Self, String> {
        let text = String::from_utf8(bytes).map_err(|why| format!("not UTF-8 ({})", why.utf8_error()))?;
        let (turns, messages) = if let Some(found) = own::find(&text) {
            json::check_head(found.schema, found.id, found.turns, found.messages.len(), id)?;
            (found.turns, found.messages)
        } else {
            let head: Head<'_> = serde_json::from_str(&text).map_err(|why| json::refused(&text, &why))?;
            json::check_head(head.schema, &head.id, head.turns, head.messages.len(), id)?;
            (head.turns, head.messages.iter().map(|message| place_in(&text, message)).collect())
        };
        Ok(Self { id: id.clone(), turns, messages, text })
    }

    /// Its name.
    pub fn id(&self) -> &SessionId {
        &self.id
    }

    /// Turns since it began, dropped messages included.
    pub fn turns(&self) -> u64 {
        self.turns
    }

    /// Counts a turn and appends its message; drops the oldest messages beyond `keep`.
    ///
    /// # Errors
    /// Where JSON cannot hold the message.
    pub fn record_turn(&mut self, message: &Message, keep: usize) -> Result<(), serde_json::Error> {
        let json = serde_json::to_string(message)?;
        self.turns = self.turns.saturating_add(1);
        let at = self.text.len();
        self.text.push_str(&json);
        self.messages.push(at..self.text.len());
        let excess = self.messages.len().saturating_sub(keep);
        self.messages.drain(..excess);
        Ok(())
    }

    /// The document, the same bytes as [`json::encode`] gives for the same session if this program wrote the messages.
    pub fn encode(&self) -> Vec<u8> {
        let size: usize = self.messages.iter().map(|message| message.len() + 1).sum();
        let mut out = String::with_capacity(size + self.id.as_str().len() + 80);
        out.push_str(&format!("{{\"schema\":{SCHEMA},\"id\":\"{}\",\"turns\":{},\"messages\":[", self.id, self.turns));
        for (at, message) in self.messages.iter().enumerate() {
            out.push_str(if at > 0 { "," } else { "" });
            out.push_str(self.text.get(message.clone()).unwrap_or_default());
        }
        out.push_str("]}\n");
        out.into_bytes()
    }
}

#[cfg(test)]
mod tests;
