//! The connection: its PRAGMAs, its layout and its statements. Everything here blocks.

use crate::{
    config::{SqliteConfig, SqliteHook},
    error::StoreError,
    session::SessionId,
};
use rusqlite::{Connection, OpenFlags, OptionalExtension, Statement, TransactionBehavior, params, types::FromSql};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

/// `PRAGMA user_version` of our layout.
const LAYOUT: i64 = 1;
/// How long SQLite waits for another process that holds the file.
const BUSY: Duration = Duration::from_secs(5);
/// What a journal or write-ahead log is cut to after use, bytes.
const JOURNAL_SIZE: i64 = 64 << 20;

const CREATE: &str = "
CREATE TABLE sessions(id TEXT PRIMARY KEY NOT NULL, body BLOB NOT NULL) WITHOUT ROWID, STRICT;
CREATE TABLE corrupt(number INTEGER PRIMARY KEY, id TEXT NOT NULL, why TEXT NOT NULL, body ANY) STRICT;
PRAGMA user_version = 1;";

const LOAD: &str = "SELECT body FROM sessions WHERE id = ?1";
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
        let connection = connect(path, config.hook).map_err(failed("open", path))?;
        connection.busy_timeout(BUSY).map_err(failed("configure", path))?;
        let mut database = Self { connection, path: path.to_owned(), prepared: config.prepared, max };
        database.configure(config)?;
        database.lay_out()?;
        let report = database.report()?;
        Ok((database, report))
    }

    /// `synchronous` comes after `journal_mode`, which may reset it.
    fn configure(&self, config: SqliteConfig) -> Result<(), StoreError> {
        self.set("journal_mode", config.journal_mode.word(), config.journal_mode.word())?;
        let level = config.synchronous as i64;
        self.set("synchronous", level, &level.to_string())?;
        self.set("cache_size", config.cache_size, &config.cache_size.to_string())?;
        if let Some(hook) = config.hook {
            self.set("wal_autocheckpoint", hook.autocheckpoint, &hook.autocheckpoint.to_string())?;
        }
        self.set("journal_size_limit", JOURNAL_SIZE, &JOURNAL_SIZE.to_string())
    }

    fn set(&self, pragma: &'static str, value: impl rusqlite::ToSql, expected: &str) -> Result<(), StoreError> {
        // Some PRAGMAs answer with the new value and some with nothing, so the answer is asked for separately.
        self.connection.pragma_update(None, pragma, value).map_err(failed("configure", &self.path))?;
        let got = self.pragma(pragma)?;
        if got == expected {
            return Ok(());
        }
        Err(StoreError::Pragma { pragma, asked: expected.to_owned(), got })
    }

    fn pragma(&self, pragma: &str) -> Result<String, StoreError> {
        let text = |row: &rusqlite::Row<'_>| {
            let value = row.get_ref(0)?;
            Ok(i64::column_result(value).map_or_else(|_| value.as_str().unwrap_or_default().to_owned(), |number| number.to_string()))
        };
        self.connection.pragma_query_value(None, pragma, text).map_err(failed("read a PRAGMA of", &self.path))
    }

    fn lay_out(&mut self) -> Result<(), StoreError> {
        let failed = |why| failed("lay out", &self.path)(why);
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        let found: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(failed)?;
        match found {
            0 => transaction.execute_batch(CREATE).map_err(failed)?,
            LAYOUT => {}
            _ => return Err(StoreError::Layout { path: self.path.clone(), found, known: LAYOUT }),
        }
        transaction.commit().map_err(failed)
    }

    fn report(&self) -> Result<BTreeMap<&'static str, String>, StoreError> {
        let names = ["journal_mode", "synchronous", "cache_size", "page_size", "wal_autocheckpoint", "journal_size_limit", "busy_timeout"];
        names.into_iter().map(|name| Ok((name, self.pragma(name)?))).collect()
    }

    /// A session's row, at most one byte more than the limit.
    pub(super) fn load(&self, id: &SessionId) -> Result<Option<Vec<u8>>, StoreError> {
        let limit = self.max.saturating_add(1);
        let body =
            |row: &rusqlite::Row<'_>| row.get_ref(0)?.as_blob().map(|body| body[..body.len().min(limit)].to_vec()).map_err(Into::into);
        self.with("load from", LOAD, |statement| statement.query_row([id.as_str()], body).optional())
    }

    pub(super) fn save(&self, id: &SessionId, bytes: &[u8]) -> Result<(), StoreError> {
        self.with("save to", SAVE, |statement| statement.execute(params![id.as_str(), bytes])).map(|_| ())
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
fn connect(path: &Path, hook: Option<SqliteHook>) -> rusqlite::Result<Connection> {
    // The connection stays on one thread, and a path is never taken for a URI.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    match hook {
        Some(hook) => Connection::open_with_flags_and_vfs(path, flags, hook.vfs),
        None => Connection::open_with_flags(path, flags),
    }
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(rusqlite::Error) -> StoreError {
    let path = path.to_owned();
    move |source| StoreError::Sqlite { action, path, source }
}
