//! A table filled with documents, what each row must hold, and the comparison of the two at the end.

use crate::{Opening, Refusal};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;
use rusqlite::{Connection, params};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};
use store::{config::SqliteConfig, sqlite::pragmas};

/// Rows, at most. Tests, in which SQLite is built unoptimised, need no more than their batches.
const ROWS: u64 = if cfg!(test) { 300 } else { 4000 };
/// Bytes of documents in the table, at most about.
const BYTES: u64 = 16 << 20;

const CREATE: &str = "CREATE TABLE sessions(id TEXT PRIMARY KEY NOT NULL, version INTEGER NOT NULL, body BLOB NOT NULL) STRICT";
pub(super) const UPSERT: &str = "INSERT INTO sessions(id, version, body) VALUES(?1, ?2, ?3) ON CONFLICT(id) DO UPDATE SET version = excluded.version, body = excluded.body";
pub(super) const SELECT: &str = "SELECT version, body FROM sessions WHERE id = ?1";

pub(super) type Facts = BTreeMap<String, String>;

/// A new file with its table filled.
pub(super) struct Table {
    pub(super) connection: Connection,
    pub(super) config: SqliteConfig,
    pub(super) rows: Rows,
    path: PathBuf,
    filled: u64,
}

/// What the rows must hold: row `k` at version `v` holds document `k + v`, so that each write changes its row.
pub(super) struct Rows {
    pub(super) documents: Arc<[Vec<u8>]>,
    versions: Vec<u32>,
    rng: Pcg64,
}

/// A row to be written.
pub(super) struct Write {
    pub(super) key: u32,
    pub(super) version: u32,
    pub(super) document: usize,
}

impl Rows {
    /// How many rows there are.
    pub(super) fn count(&self) -> u32 {
        self.versions.len() as u32
    }

    /// A random key.
    pub(super) fn key(&mut self) -> u32 {
        self.rng.random_range(0..self.count())
    }

    /// The next version of row `key`. Once written it must be [`Rows::written`].
    pub(super) fn next(&self, key: u32) -> Write {
        let version = self.versions[key as usize] + 1;
        Write { key, version, document: (key as usize + version as usize) % self.documents.len() }
    }

    /// From now on the row must be found so.
    pub(super) fn written(&mut self, write: &Write) {
        self.versions[write.key as usize] = write.version;
    }

    /// The row's version and document as they must be.
    pub(super) fn expected(&self, key: u32) -> (u32, &[u8]) {
        let version = self.versions[key as usize];
        (version, &self.documents[(key as usize + version as usize) % self.documents.len()])
    }
}

impl Table {
    /// Makes the file under the settings and fills it.
    pub(super) fn open(opening: &Opening, config: SqliteConfig) -> Result<Self, Refusal> {
        let size: u64 = opening.documents.iter().map(|document| document.len() as u64).sum::<u64>() / opening.documents.len().max(1) as u64;
        if size == 0 {
            return Err(Refusal::Failed("no documents to keep; give the scenario a payload".to_owned()));
        }
        let count = (BYTES / size).clamp(8, ROWS) as usize;
        let documents = opening.documents.as_slice().into();
        let rows = Rows { documents, versions: vec![0; count], rng: Pcg64::seed_from_u64(opening.seed) };
        let path = opening.dir.join("contender.sqlite3");
        let connection = connect(&path, &config)?;
        let mut table = Self { connection, config, rows, path, filled: 0 };
        table.fill().map_err(|why| Refusal::Failed(format!("sqlite cannot fill the table: {why}")))?;
        table.filled = length(&table.path);
        Ok(table)
    }

    fn fill(&mut self) -> rusqlite::Result<()> {
        self.connection.execute_batch(CREATE)?;
        let transaction = self.connection.unchecked_transaction()?;
        {
            let mut insert = transaction.prepare(UPSERT)?;
            for key in 0..self.rows.count() {
                let (version, body) = self.rows.expected(key);
                insert.execute(params![name(key), version, body])?;
            }
        }
        transaction.commit()?;
        // The log begins empty, so that no trial pays for the filling.
        self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
    }

    /// One more connection, under the same settings.
    pub(super) fn another(&self) -> Result<Connection, Refusal> {
        connect(&self.path, &self.config)
    }

    /// Writes the next version of a random row, the statement kept.
    pub(super) fn upsert(&mut self) -> rusqlite::Result<u64> {
        let key = self.rows.key();
        let write = self.rows.next(key);
        let body = &self.rows.documents[write.document];
        self.connection.prepare_cached(UPSERT)?.execute(params![name(key), write.version, body])?;
        let bytes = body.len() as u64;
        self.rows.written(&write);
        Ok(bytes)
    }

    /// Size of the log, bytes.
    pub(super) fn log_bytes(&self) -> u64 {
        length(&self.path.with_extension("sqlite3-wal"))
    }

    /// Compares every row with what it must hold, and says what was seen.
    pub(super) fn finish(self) -> Result<Facts, String> {
        let text = |why: rusqlite::Error| format!("sqlite cannot read the table back: {why}");
        let mut seen = Facts::from([
            ("rows".to_owned(), self.rows.count().to_string()),
            ("wal-bytes".to_owned(), self.log_bytes().to_string()),
            ("growth-bytes".to_owned(), (length(&self.path).saturating_sub(self.filled)).to_string()),
            ("durability".to_owned(), self.config.durability().word().to_owned()),
            ("protocol".to_owned(), super::protocol(&self.config)),
        ]);
        seen.extend(pragmas::report(&self.connection).map_err(text)?.into_iter().map(|(name, value)| (format!("sqlite.{name}"), value)));
        let mut select = self.connection.prepare(SELECT).map_err(text)?;
        for key in 0..self.rows.count() {
            let right = select
                .query_row([name(key)], |row| {
                    let (version, body) = self.rows.expected(key);
                    Ok(row.get::<_, u32>(0)? == version && row.get_ref(1)?.as_blob()? == body)
                })
                .map_err(text)?;
            if !right {
                return Err(format!("row {key} does not hold what was written last"));
            }
        }
        let check: String = self.connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).map_err(text)?;
        if check == "ok" { Ok(seen) } else { Err(format!("the file is corrupt: {check}")) }
    }
}

/// The key of row `key`.
pub(super) fn name(key: u32) -> String {
    format!("session-{key:06}")
}

fn connect(path: &Path, config: &SqliteConfig) -> Result<Connection, Refusal> {
    let connection = Connection::open(path).map_err(|why| Refusal::Failed(format!("sqlite cannot open its file: {why}")))?;
    pragmas::apply(&connection, config).map_err(|why| Refusal::Failed(why.to_string()))?;
    Ok(connection)
}

fn length(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |about| about.len())
}
