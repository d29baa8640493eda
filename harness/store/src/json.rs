//! The JSON form of a session: versioned, unknown keys refused, the same bytes for the same session.
//!
//! Parses from `&str` into the typed form: the fastest of the safe ways that were measured.

use crate::session::{Message, Session, SessionId};
use serde::{Deserialize, Serialize};

/// Version of the document.
pub(crate) const SCHEMA: u32 = 1;

/// What a document as it is written begins with.
pub(crate) const BEGIN: &str = "{\"schema\":";

/// A session as it is written.
#[derive(Serialize)]
pub(crate) struct Document<'a, M> {
    pub(crate) schema: u32,
    pub(crate) id: &'a str,
    pub(crate) turns: u64,
    pub(crate) messages: &'a [M],
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Read {
    schema: u32,
    id: String,
    turns: u64,
    messages: Vec<Message>,
}

/// Only the version, for documents of another one.
#[derive(Deserialize)]
struct Version {
    schema: u32,
}

/// The document of `session`, with a final line feed.
pub fn encode(session: &Session) -> Result<Vec<u8>, serde_json::Error> {
    let text: usize = session.messages().iter().map(|message| message.text.len() + message.tool.len() + 96).sum();
    let document = Document { schema: SCHEMA, id: session.id().as_str(), turns: session.turns(), messages: session.messages() };
    write(&document, text + text / 16 + 128)
}

/// `document` as text of `about` bytes, with a final line feed.
pub(crate) fn write<M: Serialize>(document: &Document<'_, M>, about: usize) -> Result<Vec<u8>, serde_json::Error> {
    let mut out = Vec::with_capacity(about);
    serde_json::to_writer(&mut out, document)?;
    out.push(b'\n');
    Ok(out)
}

/// The session in `bytes`, which must be the one called `id`.
///
/// # Errors
/// What is wrong with the document, as a clause: not UTF-8, not this JSON, another schema, another id, too few turns.
pub fn decode(bytes: &[u8], id: &SessionId) -> Result<Session, String> {
    let text = std::str::from_utf8(bytes).map_err(|why| format!("not UTF-8 ({why})"))?;
    let read: Read = serde_json::from_str(text).map_err(|why| refused(text, &why))?;
    check_head(read.schema, &read.id, read.turns, read.messages.len(), id)?;
    Ok(Session::from_parts(id.clone(), read.turns, read.messages))
}

/// Checks what stands outside of messages.
pub(crate) fn check_head(schema: u32, named: &str, turns: u64, messages: usize, id: &SessionId) -> Result<(), String> {
    if schema != SCHEMA {
        return Err(wrong_version(schema));
    }
    if named != id.as_str() {
        return Err(format!("it is the document of session `{}`", named.chars().take(80).collect::<String>()));
    }
    if messages as u64 > turns {
        return Err(format!("{messages} messages in {turns} turns"));
    }
    Ok(())
}

/// Why a text is no session, in words.
pub(crate) fn refused(text: &str, why: &serde_json::Error) -> String {
    other_version(text).unwrap_or_else(|| format!("not a session document ({why})"))
}

fn other_version(text: &str) -> Option<String> {
    let version: Version = serde_json::from_str(text).ok()?;
    (version.schema != SCHEMA).then(|| wrong_version(version.schema))
}

fn wrong_version(schema: u32) -> String {
    format!("schema {schema}, and this build reads {SCHEMA}")
}

/// A `u64` as 16 hexadecimal digits.
pub(crate) mod hex {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(crate) fn serialize<S: Serializer>(value: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{value:016x}"))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        let plain = text.len() == 16 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if !plain {
            return Err(D::Error::custom("expected 16 hexadecimal digits"));
        }
        u64::from_str_radix(&text, 16).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests;
