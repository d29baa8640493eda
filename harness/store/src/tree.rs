//! A session parsed into a tree of values, as a program without types does it: the baseline of the original plan, and the dearest of the three ways.
//!
//! Like a lazily opened session it keeps a message that is JSON and no message of ours, until somebody reads it; unlike the two others it does
//! not notice a key that is there twice.

use crate::{
    json::{self, SCHEMA},
    session::{Message, SessionId},
};
use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::{Map, Value};

/// Keys of a message in the order in which they are written.
const KEYS: [&str; 4] = ["role", "tool", "digest", "text"];

/// A session whose messages are trees.
#[derive(Clone, Debug, PartialEq)]
pub struct TreeSession {
    id: SessionId,
    turns: u64,
    messages: Vec<Value>,
}

impl TreeSession {
    /// A session without a turn.
    pub fn new(id: SessionId) -> Self {
        Self { id, turns: 0, messages: Vec::new() }
    }

    /// The session in `bytes`, which must be the one called `id`.
    ///
    /// # Errors
    /// What is wrong with the document, as a clause: as [`json::decode`], but for what is inside of messages and for keys that are there twice.
    pub fn open(bytes: &[u8], id: &SessionId) -> Result<Self, String> {
        let text = std::str::from_utf8(bytes).map_err(|why| format!("not UTF-8 ({why})"))?;
        let mut tree: Map<String, Value> = serde_json::from_str(text).map_err(|why| json::refused(text, &why))?;
        let mut take = |key: &str| tree.remove(key).ok_or_else(|| format!("not a session document (missing field `{key}`)"));
        let (schema, named, turns, messages) = (take("schema")?, take("id")?, take("turns")?, take("messages")?);
        let schema = schema.as_u64().and_then(|n| u32::try_from(n).ok()).ok_or("not a session document (`schema` is no version)")?;
        let turns = turns.as_u64().ok_or("not a session document (`turns` is no count)")?;
        let (Value::String(named), Value::Array(messages)) = (named, messages) else {
            return Err("not a session document (`id` is no text or `messages` no list)".to_owned());
        };
        json::check_head(schema, &named, turns, messages.len(), id)?;
        match tree.keys().next() {
            Some(key) => Err(format!("not a session document (unknown field `{}`)", key.chars().take(80).collect::<String>())),
            None => Ok(Self { id: id.clone(), turns, messages }),
        }
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
        self.messages.push(serde_json::to_value(message)?);
        self.turns = self.turns.saturating_add(1);
        let excess = self.messages.len().saturating_sub(keep);
        self.messages.drain(..excess);
        Ok(())
    }

    /// The document, the same bytes as [`json::encode`] gives for the same session.
    ///
    /// # Errors
    /// Where JSON cannot hold it.
    pub fn encode(&self) -> Result<Vec<u8>, serde_json::Error> {
        let messages: Vec<Written<'_>> = self.messages.iter().map(Written).collect();
        json::write(&json::Document { schema: SCHEMA, id: self.id.as_str(), turns: self.turns, messages: &messages }, 0)
    }
}

/// A message as it is written: a tree orders its keys by name, a document has them as [`KEYS`] does.
struct Written<'a>(&'a Value);

impl Serialize for Written<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Some(ours) = self.0.as_object().filter(|map| map.len() == KEYS.len() && KEYS.iter().all(|key| map.contains_key(*key))) else {
            return self.0.serialize(serializer);
        };
        let mut map = serializer.serialize_map(Some(KEYS.len()))?;
        KEYS.iter().try_for_each(|key| map.serialize_entry(key, &ours.get(*key)))?;
        map.end()
    }
}

#[cfg(test)]
mod tests;
