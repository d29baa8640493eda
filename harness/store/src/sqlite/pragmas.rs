//! Settings as PRAGMAs of a connection, each read back: SQLite ignores what it does not take, and says nothing.

use crate::{
    config::{JournalMode, SqliteConfig},
    error::StoreError,
};
use rusqlite::{Connection, types::FromSql};
use std::{collections::BTreeMap, path::Path, time::Duration};

/// What a journal or write-ahead log is cut to after use, bytes.
const JOURNAL_SIZE: i64 = 64 << 20;

/// Why settings are not in force.
#[derive(Debug, thiserror::Error)]
pub enum PragmaError {
    /// SQLite refused.
    #[error("sqlite cannot set {0}: {1}")]
    Sqlite(&'static str, rusqlite::Error),
    /// SQLite kept another value.
    #[error("sqlite did not take {pragma} = {asked}, it reports {got}")]
    Kept {
        /// The PRAGMA.
        pragma: &'static str,
        /// The value asked for.
        asked: String,
        /// The value in force.
        got: String,
    },
}

impl PragmaError {
    /// The same as an error of the store whose file is at `path`.
    pub(crate) fn at(self, path: &Path) -> StoreError {
        match self {
            Self::Sqlite(_, source) => StoreError::Sqlite { action: "configure", path: path.to_owned(), source },
            Self::Kept { pragma, asked, got } => StoreError::Pragma { pragma, asked, got },
        }
    }
}

/// Puts the settings in force on `connection`, whose file may be new, and reads each back.
///
/// Order matters: `page_size` before anything writes to a new file, `locking_mode` before the log's shared memory is made, `synchronous`
/// after `journal_mode`, which may reset it.
///
/// # Errors
/// The first setting that SQLite did not take.
pub fn apply(connection: &Connection, config: &SqliteConfig) -> Result<(), PragmaError> {
    let busy = Duration::from_millis(config.busy_timeout.into());
    connection.busy_timeout(busy).map_err(|why| PragmaError::Sqlite("busy_timeout", why))?;
    let number = |pragma, value: i64| set(connection, pragma, value, &value.to_string());
    number("page_size", config.page_size.into())?;
    // An existing file keeps its own page size, and reports it only when it is read: it is checked again at the end.
    set(connection, "locking_mode", config.locking.word(), config.locking.word())?;
    set(connection, "journal_mode", config.journal_mode.word(), config.journal_mode.word())?;
    number("synchronous", config.synchronous as i64)?;
    number("cache_size", config.cache_size)?;
    number("mmap_size", config.mmap_size)?;
    number("temp_store", config.temp_store as i64)?;
    if config.journal_mode == JournalMode::Wal {
        number("wal_autocheckpoint", config.wal_autocheckpoint.into())?;
    }
    number("journal_size_limit", JOURNAL_SIZE)?;
    expect(connection, "page_size", &config.page_size.to_string())
}

/// What SQLite reports to be in force, by PRAGMA.
///
/// # Errors
/// What SQLite said.
pub fn report(connection: &Connection) -> rusqlite::Result<BTreeMap<&'static str, String>> {
    let names = [
        "journal_mode",
        "synchronous",
        "cache_size",
        "page_size",
        "mmap_size",
        "temp_store",
        "wal_autocheckpoint",
        "journal_size_limit",
        "busy_timeout",
        "locking_mode",
    ];
    names.into_iter().map(|name| Ok((name, read(connection, name)?))).collect()
}

fn set(connection: &Connection, pragma: &'static str, value: impl rusqlite::ToSql, expected: &str) -> Result<(), PragmaError> {
    // Some PRAGMAs answer with the new value and some with nothing, so the answer is asked for separately.
    connection.pragma_update(None, pragma, value).map_err(|why| PragmaError::Sqlite(pragma, why))?;
    expect(connection, pragma, expected)
}

fn expect(connection: &Connection, pragma: &'static str, expected: &str) -> Result<(), PragmaError> {
    let got = read(connection, pragma).map_err(|why| PragmaError::Sqlite(pragma, why))?;
    if got == expected {
        return Ok(());
    }
    Err(PragmaError::Kept { pragma, asked: expected.to_owned(), got })
}

fn read(connection: &Connection, pragma: &str) -> rusqlite::Result<String> {
    connection.pragma_query_value(None, pragma, |row| {
        let value = row.get_ref(0)?;
        Ok(i64::column_result(value).map_or_else(|_| value.as_str().unwrap_or_default().to_owned(), |number| number.to_string()))
    })
}
