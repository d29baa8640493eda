//! A session: what the pool remembers of one client between requests. Its JSON form is in [`crate::json`].

use serde::{Deserialize, Serialize};
use std::fmt;

/// The longest session id, in characters.
pub const ID_MAX: usize = 64;

/// Names that some filesystem or copying tool gives a meaning of its own, whatever follows a dot.
const RESERVED: &[&str] = &["con", "prn", "aux", "nul"];
const RESERVED_NUMBERED: &[&str] = &["com", "lpt"];

/// A session's name: 1 to 64 of `A-Z a-z 0-9 _ -`, so that no file name made from it can leave the store's directory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(String);

/// Why a text is no session id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Empty or longer than [`ID_MAX`].
    #[error("session id has {0} characters; use 1 to 64")]
    Length(usize),
    /// A character outside the set.
    #[error("session id has the character {0:?}; use letters, digits, `_` and `-`")]
    Character(char),
    /// A device name on some systems.
    #[error("session id `{0}` is a reserved name; choose another one")]
    Reserved(String),
}

impl TryFrom<&str> for SessionId {
    type Error = IdError;

    fn try_from(text: &str) -> Result<Self, IdError> {
        let length = text.chars().take(ID_MAX + 1).count();
        if !(1..=ID_MAX).contains(&length) {
            return Err(IdError::Length(text.chars().count()));
        }
        if let Some(other) = text.chars().find(|c| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '-')) {
            return Err(IdError::Character(other));
        }
        let lower = text.to_ascii_lowercase();
        let numbered = lower.strip_suffix(|c: char| c.is_ascii_digit()).is_some_and(|stem| RESERVED_NUMBERED.contains(&stem));
        if numbered || RESERVED.contains(&lower.as_str()) {
            return Err(IdError::Reserved(text.to_owned()));
        }
        Ok(Self(text.to_owned()))
    }
}

impl SessionId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Who said a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The client.
    User,
    /// The model behind the client.
    Assistant,
    /// A tool's result.
    Tool,
}

/// One message of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// Who said it.
    pub role: Role,
    /// The tool that was called.
    pub tool: String,
    /// Digest of the call's payload; 16 hexadecimal digits in JSON, because many readers round integers beyond 2^53.
    #[serde(with = "crate::json::hex")]
    pub digest: u64,
    /// What was said.
    pub text: String,
}

/// A session as loaded, changed and saved. Holds at most as many messages as it counts turns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    id: SessionId,
    turns: u64,
    messages: Vec<Message>,
}

impl Session {
    /// A session without a turn.
    pub fn new(id: SessionId) -> Self {
        Self { id, turns: 0, messages: Vec::new() }
    }

    pub(crate) fn from_parts(id: SessionId, turns: u64, messages: Vec<Message>) -> Self {
        Self { id, turns, messages }
    }

    /// Its name.
    pub fn id(&self) -> &SessionId {
        &self.id
    }

    /// Turns since it began, dropped messages included.
    pub fn turns(&self) -> u64 {
        self.turns
    }

    /// The messages kept, oldest first.
    pub fn messages(&self) -> &[Message] {
        &self.messages
    }

    /// Counts a turn and appends its message; drops the oldest messages beyond `keep`.
    pub fn record_turn(&mut self, message: Message, keep: usize) {
        self.turns = self.turns.saturating_add(1);
        self.messages.push(message);
        let excess = self.messages.len().saturating_sub(keep);
        self.messages.drain(..excess);
    }
}

#[cfg(test)]
mod tests;
