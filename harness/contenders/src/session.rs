//! Opening a stored session and adding a turn to it, by the product's own code.

use crate::{Batch, Contender, Job, Limit, Opening, Refusal, Way};
use std::collections::BTreeMap;
use store::{LazySession, Message, Role, Session, SessionId, json};

/// Bytes of sessions in one batch, at least.
const BATCH: usize = 16 << 10;
/// Text of one message, bytes, about.
const MESSAGE: usize = 400;

/// Opening sessions.
pub(crate) const OPEN: Job = Job {
    name: "session-open",
    doc: "one stored session opened",
    cpu_bound: true,
    ways: &[
        way("parsed", "all of it parsed into types", |o| open(o, parsed)),
        way("lazy", "its head parsed, the place of each message found", |o| open(o, lazy)),
    ],
};

/// Turns.
pub(crate) const TURN: Job = Job {
    name: "session-turn",
    doc: "one stored session opened, a message added, written again as JSON",
    cpu_bound: true,
    ways: &[
        way("parsed", "parsed into types and serialised again", |o| open(o, turn_parsed)),
        way("lazy", "messages stay as they are, the new one is put behind them", |o| open(o, turn_lazy)),
    ],
};

type Work = fn(&SessionId, &[u8]) -> Result<(u64, Vec<u8>), String>;

const fn way(name: &'static str, doc: &'static str, open: fn(&Opening) -> Result<Box<dyn Contender>, Refusal>) -> Way {
    Way { name, doc, trap: "", open }
}

fn message(text: &str) -> Message {
    Message { role: Role::Tool, tool: "search".to_owned(), digest: text.len() as u64, text: text.to_owned() }
}

fn parsed(id: &SessionId, json: &[u8]) -> Result<(u64, Vec<u8>), String> {
    json::decode(json, id).map(|session| (session.turns(), Vec::new()))
}

fn lazy(id: &SessionId, json: &[u8]) -> Result<(u64, Vec<u8>), String> {
    LazySession::open(json.to_vec(), id).map(|session| (session.turns(), Vec::new()))
}

fn turn_parsed(id: &SessionId, json: &[u8]) -> Result<(u64, Vec<u8>), String> {
    let mut session = json::decode(json, id)?;
    session.record_turn(message("found"), session.messages().len());
    let out = json::encode(&session).map_err(|why| why.to_string())?;
    Ok((session.turns(), out))
}

fn turn_lazy(id: &SessionId, json: &[u8]) -> Result<(u64, Vec<u8>), String> {
    let mut session = LazySession::open(json.to_vec(), id)?;
    let keep = session.len();
    session.record_turn(&message("found"), keep).map_err(|why| why.to_string())?;
    Ok((session.turns(), session.encode()))
}

struct Sessions {
    sessions: Vec<(SessionId, Vec<u8>)>,
    next: usize,
    work: Work,
}

/// Sessions whose messages are pieces of the documents, each about as large as its document.
fn open(opening: &Opening, work: Work) -> Result<Box<dyn Contender>, Refusal> {
    let session = |(n, document): (usize, &Vec<u8>)| -> Result<(SessionId, Vec<u8>), String> {
        let id = SessionId::try_from(format!("session-{n:06}").as_str()).map_err(|why| why.to_string())?;
        let mut session = Session::new(id.clone());
        let size = MESSAGE.min(document.len().max(1));
        document.chunks(size).for_each(|text| session.record_turn(message(&String::from_utf8_lossy(text)), usize::MAX));
        Ok((id, json::encode(&session).map_err(|why| why.to_string())?))
    };
    let sessions: Vec<_> = opening.documents.iter().enumerate().map(session).collect::<Result<_, _>>().map_err(Refusal::Failed)?;
    if sessions.is_empty() {
        return Err(Refusal::Failed("no documents to make sessions of; give the scenario a payload".to_owned()));
    }
    Ok(Box::new(Sessions { sessions, next: 0, work }))
}

impl Contender for Sessions {
    fn batch(&mut self) -> Result<Batch, String> {
        let mut batch = Batch::default();
        while batch.operations == 0 || batch.bytes_in < BATCH as u64 {
            let (id, json) = &self.sessions[self.next];
            let (_, out) = std::hint::black_box((self.work)(id, json)?);
            batch.operations += 1;
            batch.bytes_in += json.len() as u64;
            batch.bytes_out += out.len() as u64;
            self.next = (self.next + 1) % self.sessions.len();
        }
        Ok(batch)
    }

    fn limit(&self) -> Option<Limit> {
        let bytes: usize = self.sessions.iter().map(|(_, json)| json.len()).sum();
        Some(Limit::Memcpy((bytes / self.sessions.len().max(1)) as u64))
    }

    fn finish(self: Box<Self>) -> Result<BTreeMap<String, String>, String> {
        for (id, json) in &self.sessions {
            let mut expected = json::decode(json, id)?;
            let (turns, out) = (self.work)(id, json)?;
            if !out.is_empty() {
                expected.record_turn(message("found"), expected.messages().len());
            }
            if turns != expected.turns() || !out.is_empty() && json::decode(&out, id)? != expected {
                return Err(format!("session {id} is not what it should be"));
            }
        }
        let messages = self.sessions.first().map_or(Ok(0), |(id, json)| json::decode(json, id).map(|session| session.messages().len()))?;
        Ok(BTreeMap::from([("messages".to_owned(), messages.to_string())]))
    }
}
