//! Opening a stored session and adding a turn to it, by the product's own code.

use crate::{Batch, Contender, Job, Limit, Opening, Refusal, Way};
use std::{collections::BTreeMap, ops::RangeInclusive};
use store::{Message, OpenSession, Role, Session, SessionId, config::Parse, json};

/// Bytes of sessions in one batch, at least.
const BATCH: usize = 16 << 10;
/// Text of one message, bytes.
const MESSAGE: RangeInclusive<usize> = 400..=2048;
/// Messages of a session, about, where that keeps to [`MESSAGE`].
const MESSAGES: usize = 32;

/// Opening sessions.
pub(crate) const OPEN: Job = Job {
    name: "session-open",
    doc: "one stored session opened",
    cpu_bound: true,
    ways: &[
        way("typed", "all of it parsed into types", |o| open(o, Parse::Typed, false)),
        way("lazy", "its head parsed, the place of each message found", |o| open(o, Parse::Lazy, false)),
        way("tree", "all of it parsed into a tree of values", |o| open(o, Parse::Tree, false)),
    ],
};

/// Turns.
pub(crate) const TURN: Job = Job {
    name: "session-turn",
    doc: "one stored session opened, a message added, written again as JSON",
    cpu_bound: true,
    ways: &[
        way("typed", "parsed into types and serialised again", |o| open(o, Parse::Typed, true)),
        way("lazy", "messages stay as they are, the new one is put behind them", |o| open(o, Parse::Lazy, true)),
        way("tree", "parsed into a tree of values and serialised again", |o| open(o, Parse::Tree, true)),
    ],
};

const fn way(name: &'static str, doc: &'static str, open: fn(&Opening) -> Result<Box<dyn Contender>, Refusal>) -> Way {
    Way { name, doc, trap: "", open }
}

fn message(text: &str) -> Message {
    Message { role: Role::Tool, tool: "search".to_owned(), digest: text.len() as u64, text: text.to_owned() }
}

/// A session as a store keeps it.
struct Kept {
    id: SessionId,
    json: Vec<u8>,
    messages: usize,
}

struct Sessions {
    sessions: Vec<Kept>,
    next: usize,
    parse: Parse,
    /// Whether a message is added and the session written again.
    turn: bool,
}

impl Sessions {
    /// Opens a session, as a store does with what it has read; its turns, and the document if it was written again.
    fn work(&self, kept: &Kept) -> Result<(u64, Vec<u8>), String> {
        let mut session = OpenSession::open(kept.json.clone(), &kept.id, self.parse)?;
        if !self.turn {
            return Ok((session.turns(), Vec::new()));
        }
        session.record_turn(message("found"), kept.messages).map_err(|why| why.to_string())?;
        let out = session.encode().map_err(|why| why.to_string())?;
        Ok((session.turns(), out))
    }
}

/// Sessions whose messages are pieces of the documents, each about as large as its document.
fn open(opening: &Opening, parse: Parse, turn: bool) -> Result<Box<dyn Contender>, Refusal> {
    let session = |(n, document): (usize, &Vec<u8>)| -> Result<Kept, String> {
        let id = SessionId::try_from(format!("session-{n:06}").as_str()).map_err(|why| why.to_string())?;
        let mut session = Session::new(id.clone());
        let size = (document.len() / MESSAGES).clamp(*MESSAGE.start(), *MESSAGE.end());
        document.chunks(size).for_each(|text| session.record_turn(message(&String::from_utf8_lossy(text)), usize::MAX));
        Ok(Kept { id, json: json::encode(&session).map_err(|why| why.to_string())?, messages: session.messages().len() })
    };
    let sessions: Vec<_> = opening.documents.iter().enumerate().map(session).collect::<Result<_, _>>().map_err(Refusal::Failed)?;
    if sessions.is_empty() {
        return Err(Refusal::Failed("no documents to make sessions of; give the scenario a payload".to_owned()));
    }
    Ok(Box::new(Sessions { sessions, next: 0, parse, turn }))
}

impl Contender for Sessions {
    fn batch(&mut self) -> Result<Batch, String> {
        let mut batch = Batch::default();
        while batch.operations == 0 || batch.bytes_in < BATCH as u64 {
            let kept = &self.sessions[self.next];
            let (_, out) = std::hint::black_box(self.work(kept)?);
            batch.operations += 1;
            batch.bytes_in += kept.json.len() as u64;
            batch.bytes_out += out.len() as u64;
            self.next = (self.next + 1) % self.sessions.len();
        }
        Ok(batch)
    }

    fn limit(&self) -> Option<Limit> {
        let bytes: usize = self.sessions.iter().map(|kept| kept.json.len()).sum();
        Some(Limit::Memcpy((bytes / self.sessions.len().max(1)) as u64))
    }

    fn finish(self: Box<Self>) -> Result<BTreeMap<String, String>, String> {
        for kept in &self.sessions {
            let mut expected = json::decode(&kept.json, &kept.id)?;
            let (turns, out) = self.work(kept)?;
            if self.turn {
                expected.record_turn(message("found"), kept.messages);
            }
            if turns != expected.turns() || self.turn && json::decode(&out, &kept.id)? != expected {
                return Err(format!("session {} is not what it should be", kept.id));
            }
        }
        let messages = self.sessions.first().map_or(0, |kept| kept.messages);
        Ok(BTreeMap::from([("messages".to_owned(), messages.to_string())]))
    }
}
