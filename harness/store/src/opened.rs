//! A session between load and save, parsed as far as `store.parse` says.

use crate::{
    config::Parse,
    json,
    lazy::LazySession,
    session::{Message, Session, SessionId},
    tree::TreeSession,
};

/// A session that was opened. All three write the same document for the same turns.
#[derive(Clone, Debug, PartialEq)]
pub enum OpenSession {
    /// Messages are the JSON that they were.
    Lazy(LazySession),
    /// Messages are parsed into types.
    Typed(Session),
    /// Messages are parsed into trees.
    Tree(TreeSession),
}

impl OpenSession {
    /// A session without a turn.
    pub fn new(id: SessionId, parse: Parse) -> Self {
        match parse {
            Parse::Lazy => Self::Lazy(LazySession::new(id)),
            Parse::Typed => Self::Typed(Session::new(id)),
            Parse::Tree => Self::Tree(TreeSession::new(id)),
        }
    }

    /// The session in `bytes`, which must be the one called `id`.
    ///
    /// # Errors
    /// What is wrong with the document, as a clause. What is wrong inside of a message is noticed with [`Parse::Typed`] only.
    pub fn open(bytes: Vec<u8>, id: &SessionId, parse: Parse) -> Result<Self, String> {
        Ok(match parse {
            Parse::Lazy => Self::Lazy(LazySession::open(bytes, id)?),
            Parse::Typed => Self::Typed(json::decode(&bytes, id)?),
            Parse::Tree => Self::Tree(TreeSession::open(&bytes, id)?),
        })
    }

    /// Its name.
    pub fn id(&self) -> &SessionId {
        match self {
            Self::Lazy(session) => session.id(),
            Self::Typed(session) => session.id(),
            Self::Tree(session) => session.id(),
        }
    }

    /// Turns since it began, dropped messages included.
    pub fn turns(&self) -> u64 {
        match self {
            Self::Lazy(session) => session.turns(),
            Self::Typed(session) => session.turns(),
            Self::Tree(session) => session.turns(),
        }
    }

    /// Counts a turn and appends its message; drops the oldest messages beyond `keep`.
    ///
    /// # Errors
    /// Where JSON cannot hold the message.
    pub fn record_turn(&mut self, message: Message, keep: usize) -> Result<(), serde_json::Error> {
        match self {
            Self::Lazy(session) => session.record_turn(&message, keep),
            Self::Typed(session) => {
                session.record_turn(message, keep);
                Ok(())
            }
            Self::Tree(session) => session.record_turn(&message, keep),
        }
    }

    /// The document.
    ///
    /// # Errors
    /// Where JSON cannot hold it.
    pub fn encode(&self) -> Result<Vec<u8>, serde_json::Error> {
        match self {
            Self::Lazy(session) => Ok(session.encode()),
            Self::Typed(session) => json::encode(session),
            Self::Tree(session) => session.encode(),
        }
    }
}

#[cfg(test)]
mod tests;
