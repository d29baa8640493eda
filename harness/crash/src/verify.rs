//! What a directory holds after a crash: opened with the real store, read, and held against what was written.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};
use store::config::Kind;
use store::{Store, StoreError};
use tokio::runtime::Runtime;

use crate::error::CrashError;
use crate::subject::Subject;
use crate::writer;

/// One session after a crash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionFound {
    /// Not there.
    Missing,
    /// As it was at this version, byte for byte.
    Whole(u64),
    /// There, without a byte.
    Empty,
    /// There, and not as it ever was.
    Torn(String),
}

/// A store after a crash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Why it does not open.
    pub refused: Option<String>,
    /// What SQLite's integrity check finds wrong.
    pub damage: Option<String>,
    /// The sessions, in the order in which they are written; empty where it does not open.
    pub sessions: Vec<SessionFound>,
}

/// Opens the store in `dir` as `subject` says, reads every session that the writer of `seed` writes, closes it, and has SQLite check its file.
///
/// # Errors
/// Where the experiment itself fails. What the crash did is in the answer.
pub fn verify(runtime: &Runtime, subject: Subject, dir: &Path, seed: u64) -> Result<Found, CrashError> {
    let mut found = Found { refused: None, damage: None, sessions: Vec::new() };
    let store = match runtime.block_on(Store::open(&subject.config(), dir)) {
        Ok(store) => store,
        Err(why) => {
            found.refused = Some(spare(&why, dir));
            return Ok(found);
        }
    };
    for (index, id) in (0..).zip(writer::ids()?) {
        let empty = subject.kind() == Kind::Files && std::fs::metadata(dir.join(format!("{id}.json"))).is_ok_and(|about| about.len() == 0);
        found.sessions.push(match runtime.block_on(store.load(&id)) {
            Ok(None) => SessionFound::Missing,
            Ok(Some(session)) => {
                let expected = writer::message(seed, writer::write_of(index, session.turns()));
                if session.turns() > 0 && session.messages() == [expected] {
                    SessionFound::Whole(session.turns())
                } else {
                    SessionFound::Torn(format!("session {id} is at turn {} with the text of another", session.turns()))
                }
            }
            Err(_) if empty => SessionFound::Empty,
            Err(why) => SessionFound::Torn(spare(&why, dir)),
        });
    }
    if let Err(why) = runtime.block_on(store.close()) {
        found.damage = Some(spare(&why, dir));
    }
    if subject.kind() == Kind::Sqlite && found.damage.is_none() {
        found.damage = integrity(dir);
    }
    Ok(found)
}

/// What is wrong with the database, if anything.
fn integrity(dir: &Path) -> Option<String> {
    let check = || {
        let connection = Connection::open_with_flags(dir.join("sessions.sqlite3"), OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let mut statement = connection.prepare("PRAGMA integrity_check(1)")?;
        statement.query_row([], |row| row.get::<_, String>(0))
    };
    match check() {
        Ok(said) if said == "ok" => None,
        Ok(said) => Some(said),
        Err(why) => Some(why.to_string()),
    }
}

/// An error without the name of a directory that is gone when it is read, and without its remedy, which is for another occasion.
fn spare(why: &StoreError, dir: &Path) -> String {
    let text = why.to_string().replace(&format!("{}/", dir.display()), "");
    text.split(';').next().unwrap_or_default().chars().take(200).collect()
}
