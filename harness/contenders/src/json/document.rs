//! A session as types: owned, borrowed, as raw text, as its headers only, and packed.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// A conversation of the shape `agent-session`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Session {
    pub(super) messages: Vec<Message>,
}

/// One message: a question, a call of a tool, or what the tool said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Message {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<String>,
    pub(super) role: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) turn: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) tool: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) arguments: Option<Arguments>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) content: Option<String>,
}

/// What a tool is called with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Arguments {
    pub(super) path: String,
    pub(super) line: u64,
}

/// A text that is borrowed where nothing in it is escaped. Without the mark on the field serde would copy it always.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

/// A session whose texts are borrowed.
#[derive(Deserialize)]
pub(super) struct SessionRef<'a> {
    #[serde(borrow)]
    pub(super) messages: Vec<MessageRef<'a>>,
}

#[derive(Deserialize)]
pub(super) struct MessageRef<'a> {
    #[serde(borrow, default)]
    pub(super) id: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) role: Text<'a>,
    #[serde(default)]
    pub(super) turn: Option<u64>,
    #[serde(borrow, default)]
    pub(super) text: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) tool: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) arguments: Option<ArgumentsRef<'a>>,
    #[serde(borrow, default)]
    pub(super) content: Option<Text<'a>>,
}

#[derive(Deserialize)]
pub(super) struct ArgumentsRef<'a> {
    #[serde(borrow)]
    pub(super) path: Text<'a>,
    pub(super) line: u64,
}

/// A session whose bodies stay text until somebody asks for them.
#[derive(Deserialize)]
pub(super) struct SessionRaw<'a> {
    #[serde(borrow)]
    pub(super) messages: Vec<MessageRaw<'a>>,
}

#[derive(Deserialize)]
pub(super) struct MessageRaw<'a> {
    #[serde(borrow, default)]
    pub(super) id: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) role: Text<'a>,
    #[serde(default)]
    pub(super) turn: Option<u64>,
    #[serde(borrow, default)]
    pub(super) text: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) tool: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) arguments: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) content: Option<&'a RawValue>,
}

/// What a list of sessions needs to know: the rest is skipped.
#[derive(Deserialize)]
pub(super) struct Headers<'a> {
    #[serde(borrow)]
    pub(super) messages: Vec<Header<'a>>,
}

#[derive(Deserialize)]
pub(super) struct Header<'a> {
    #[serde(borrow, default)]
    pub(super) id: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) role: Text<'a>,
    #[serde(default)]
    pub(super) turn: Option<u64>,
}

/// A session for a format that does not name its fields, and so cannot leave one out.
#[derive(Serialize, Deserialize)]
pub(super) struct Packed {
    pub(super) messages: Vec<PackedMessage>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct PackedMessage {
    id: Option<String>,
    role: String,
    turn: Option<u64>,
    text: Option<String>,
    tool: Option<String>,
    arguments: Option<Arguments>,
    content: Option<String>,
}

/// The same, borrowed.
#[derive(Deserialize)]
pub(super) struct PackedRef<'a> {
    #[serde(borrow)]
    pub(super) messages: Vec<PackedMessageRef<'a>>,
}

#[derive(Deserialize)]
pub(super) struct PackedMessageRef<'a> {
    id: Option<&'a str>,
    role: &'a str,
    turn: Option<u64>,
    text: Option<&'a str>,
    tool: Option<&'a str>,
    #[serde(borrow)]
    arguments: Option<PackedArgumentsRef<'a>>,
    content: Option<&'a str>,
}

#[derive(Deserialize)]
pub(super) struct PackedArgumentsRef<'a> {
    path: &'a str,
    line: u64,
}

fn owned(text: &Option<Text<'_>>) -> Option<String> {
    text.as_ref().map(|text| text.0.clone().into_owned())
}

impl SessionRef<'_> {
    /// The same, owned.
    pub(super) fn to_session(&self) -> Session {
        let message = |m: &MessageRef<'_>| Message {
            id: owned(&m.id),
            role: m.role.0.clone().into_owned(),
            turn: m.turn,
            text: owned(&m.text),
            tool: owned(&m.tool),
            arguments: m.arguments.as_ref().map(|a| Arguments { path: a.path.0.clone().into_owned(), line: a.line }),
            content: owned(&m.content),
        };
        Session { messages: self.messages.iter().map(message).collect() }
    }
}

impl SessionRaw<'_> {
    /// The same, its bodies parsed now.
    ///
    /// # Errors
    /// A body that is not what it should be.
    pub(super) fn to_session(&self) -> serde_json::Result<Session> {
        fn body<'a, T: Deserialize<'a>>(raw: Option<&'a RawValue>) -> serde_json::Result<Option<T>> {
            raw.map(|raw| serde_json::from_str(raw.get())).transpose()
        }
        let message = |m: &MessageRaw<'_>| {
            Ok(Message {
                id: owned(&m.id),
                role: m.role.0.clone().into_owned(),
                turn: m.turn,
                text: body(m.text)?,
                tool: body(m.tool)?,
                arguments: body(m.arguments)?,
                content: body(m.content)?,
            })
        };
        Ok(Session { messages: self.messages.iter().map(message).collect::<serde_json::Result<_>>()? })
    }
}

/// A header, owned: id, role, turn.
pub(super) type Head = (Option<String>, String, Option<u64>);

impl Headers<'_> {
    /// The headers, owned.
    pub(super) fn heads(&self) -> Vec<Head> {
        self.messages.iter().map(|m| (owned(&m.id), m.role.0.clone().into_owned(), m.turn)).collect()
    }
}

impl Session {
    /// The headers of its messages.
    pub(super) fn heads(&self) -> Vec<Head> {
        self.messages.iter().map(|m| (m.id.clone(), m.role.clone(), m.turn)).collect()
    }

    /// The same for a format without names.
    pub(super) fn packed(&self) -> Packed {
        let message = |m: Message| PackedMessage {
            id: m.id,
            role: m.role,
            turn: m.turn,
            text: m.text,
            tool: m.tool,
            arguments: m.arguments,
            content: m.content,
        };
        Packed { messages: self.messages.iter().cloned().map(message).collect() }
    }
}

impl Packed {
    /// The same as a session.
    pub(super) fn to_session(&self) -> Session {
        let message = |m: &PackedMessage| Message {
            id: m.id.clone(),
            role: m.role.clone(),
            turn: m.turn,
            text: m.text.clone(),
            tool: m.tool.clone(),
            arguments: m.arguments.clone(),
            content: m.content.clone(),
        };
        Session { messages: self.messages.iter().map(message).collect() }
    }
}

impl PackedRef<'_> {
    /// The same as a session.
    pub(super) fn to_session(&self) -> Session {
        let text = |text: Option<&str>| text.map(str::to_owned);
        let message = |m: &PackedMessageRef<'_>| Message {
            id: text(m.id),
            role: m.role.to_owned(),
            turn: m.turn,
            text: text(m.text),
            tool: text(m.tool),
            arguments: m.arguments.as_ref().map(|a| Arguments { path: a.path.to_owned(), line: a.line }),
            content: text(m.content),
        };
        Session { messages: self.messages.iter().map(message).collect() }
    }
}
