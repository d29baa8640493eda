//! The connection: its PRAGMAs, its layout and its statements. Everything here blocks.

use super::pragmas;
use crate::{config::SqliteConfig, error::StoreError, session::SessionId};
use rusqlite::{Connection, OpenFlags, OptionalExtension, Statement, TransactionBehavior, params};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// `PRAGMA user_version` of the layout that new files get. Those of layout 1 are used as they are: its sessions were a table without
/// rowids, whose rows of some KiB span two pages each, so that every save wrote twice as much.
const LAYOUT: i64 = 2;

const CREATE: &str = "
CREATE TABLE sessions(id TEXT PRIMARY KEY NOT NULL, body BLOB NOT NULL) STRICT;
CREATE TABLE corrupt(number INTEGER PRIMARY KEY, id TEXT NOT NULL, why TEXT NOT NULL, body ANY) STRICT;
PRAGMA user_version = 2;";

const LOAD: &str = "SELECT body FROM sessions WHERE id = ?1";
const UPDATE: &str = "UPDATE sessions SET body = ?2 WHERE id = ?1";
const SAVE: &str = "INSERT INTO sessions(id, body) VALUES(?1, ?2) ON CONFLICT(id) DO UPDATE SET body = excluded.body";
const DELETE: &str = "DELETE FROM sessions WHERE id = ?1";
const IDS: &str = "SELECT id FROM sessions ORDER BY id";
const SET_ASIDE: &str = "INSERT INTO corrupt(id, why, body) SELECT id, ?2, body FROM sessions WHERE id = ?1";

/// A connection with our layout.
pub(super) struct Database {
    connection: Connection,
    path: PathBuf,
    prepared: bool,
    max: usize,
}

impl Database {
    /// Opens or creates the file, applies the settings and reads back what holds.
    pub(super) fn open(path: &Path, config: SqliteConfig, max: usize) -> Result<(Self, BTreeMap<&'static str, String>), StoreError> {
        let connection = connect(path, config.vfs).map_err(failed("open", path))?;
        let mut database = Self { connection, path: path.to_owned(), prepared: config.prepared, max };
        pragmas::apply(&database.connection, &config).map_err(|why| why.at(path))?;
        database.lay_out()?;
        let report = pragmas::report(&database.connection).map_err(failed("read a PRAGMA of", path))?;
        Ok((database, report))
    }

    fn lay_out(&mut self) -> Result<(), StoreError> {
        let failed = |why| failed("lay out", &self.path)(why);
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        let found: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(failed)?;
        match found {
            0 => transaction.execute_batch(CREATE).map_err(failed)?,
            1..=LAYOUT => {}
            _ => return Err(StoreError::Layout { path: self.path.clone(), found, known: LAYOUT }),
        }
        transaction.commit().map_err(failed)
    }

    /// A session's row, at most one byte more than the limit.
    pub(super) fn load(&self, id: &SessionId) -> Result<Option<Vec<u8>>, StoreError> {
        let limit = self.max.saturating_add(1);
        let body =
            |row: &rusqlite::Row<'_>| row.get_ref(0)?.as_blob().map(|body| body[..body.len().min(limit)].to_vec()).map_err(Into::into);
        self.with("load from", LOAD, |statement| statement.query_row([id.as_str()], body).optional())
    }

    /// Puts a session's row in place. Nearly every save is of a session that is there, and an update has no conflict to look for.
    pub(super) fn save(&self, id: &SessionId, bytes: &[u8]) -> Result<(), StoreError> {
        let run = |sql| self.with("save to", sql, |statement| statement.execute(params![id.as_str(), bytes]));
        if run(UPDATE)? == 0 {
            run(SAVE)?;
        }
        Ok(())
    }

    /// Begins a transaction that [`Database::commit`] ends.
    pub(super) fn begin(&self) -> Result<(), StoreError> {
        self.with("begin a transaction in", "BEGIN IMMEDIATE", |statement| statement.execute([])).map(|_| ())
    }

    /// Ends the transaction: all its saves are in the file, as durably as the settings say, or it is still open.
    pub(super) fn commit(&self) -> Result<(), StoreError> {
        self.with("commit to", "COMMIT", |statement| statement.execute([])).map(|_| ())
    }

    /// Undoes the transaction. SQLite has done so already after some errors (a full disk), which is fine too.
    pub(super) fn roll_back(&self) -> Result<(), StoreError> {
        if self.connection.is_autocommit() {
            return Ok(());
        }
        self.with("roll back", "ROLLBACK", |statement| statement.execute([])).map(|_| ())
    }

    /// Removes a session; whether there was one.
    pub(super) fn delete(&self, id: &SessionId) -> Result<bool, StoreError> {
        self.with("delete from", DELETE, |statement| statement.execute([id.as_str()])).map(|rows| rows > 0)
    }

    /// All ids, sorted; rows with a key that is no id cannot be asked for and are left out.
    pub(super) fn ids(&self) -> Result<Vec<SessionId>, StoreError> {
        let texts: Vec<String> = self.with("list", IDS, |statement| statement.query_map([], |row| row.get(0))?.collect())?;
        Ok(texts.iter().filter_map(|text| SessionId::try_from(text.as_str()).ok()).collect())
    }

    /// Moves a row to the table of corrupt ones; where it is now.
    pub(super) fn set_aside(&mut self, id: &SessionId, why: &str) -> Result<String, StoreError> {
        let failed = |why| failed("set a row aside in", &self.path)(why);
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        transaction.execute(SET_ASIDE, [id.as_str(), why]).map_err(failed)?;
        let number = transaction.last_insert_rowid();
        transaction.execute(DELETE, [id.as_str()]).map_err(failed)?;
        transaction.commit().map_err(failed)?;
        Ok(format!("row {number} of table corrupt"))
    }

    /// The file may have so many pages and no more, as on a disk that is full.
    #[cfg(test)]
    pub(super) fn limit_pages(&self, pages: u32) {
        self.connection.pragma_update(None, "max_page_count", pages).unwrap();
    }

    /// Closes the file; under `wal` the log is folded back into it.
    pub(super) fn close(self) -> Result<(), StoreError> {
        let path = self.path;
        self.connection.close().map_err(|(_, why)| failed("close", &path)(why))
    }

    fn with<T>(
        &self,
        action: &'static str,
        sql: &str,
        run: impl FnOnce(&mut Statement<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let outcome = if self.prepared {
            self.connection.prepare_cached(sql).and_then(|mut statement| run(&mut statement))
        } else {
            self.connection.prepare(sql).and_then(|mut statement| run(&mut statement))
        };
        outcome.map_err(failed(action, &self.path))
    }
}

/// The one place that opens a database, so that a named VFS has one place to go.
fn connect(path: &Path, vfs: Option<&str>) -> rusqlite::Result<Connection> {
    // The connection stays on one thread, and a path is never taken for a URI.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    match vfs {
        Some(vfs) => Connection::open_with_flags_and_vfs(path, flags, vfs),
        None => Connection::open_with_flags(path, flags),
    }
}

pub(super) fn failed(action: &'static str, path: &Path) -> impl FnOnce(rusqlite::Error) -> StoreError {
    let path = path.to_owned();
    move |source| StoreError::Sqlite { action, path, source }
}
