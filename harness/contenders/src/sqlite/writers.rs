//! Two connections whose transactions read a row and then write it, at the same time.

use super::peer::Peer;
use super::table::{Facts, SELECT, Table, UPSERT, Write, name};
use super::{config, limit};
use crate::{Batch, Contender, Limit, Opening, Refusal};
use rusqlite::{Connection, ErrorCode, ffi, params};
use std::sync::{Arc, Mutex, PoisonError};

/// Transactions of each writer in one batch: enough for them to meet.
const TRANSACTIONS: u32 = 8;
/// Attempts at one transaction; the busy timeout counts within each. A deferred one may fail as often as it can try while the other flushes.
const ATTEMPTS: u32 = 200_000;

/// How a transaction begins.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Begin {
    /// With the lock of writers.
    Immediate,
    /// With no lock.
    Deferred,
}

/// Transactions that had to be done again.
#[derive(Clone, Copy, Default)]
struct Again {
    busy: u64,
    snapshot: u64,
}

struct Writers {
    table: Table,
    begin: Begin,
    again: Again,
    other: Peer<Again>,
    /// What the other thread is to write.
    orders: Arc<Mutex<Vec<Write>>>,
}

pub(super) fn open(opening: &Opening, begin: Begin) -> Result<Box<dyn Contender>, Refusal> {
    let table = Table::open(opening, config(opening)?)?;
    let (connection, documents) = (table.another()?, Arc::clone(&table.rows.documents));
    let orders = Arc::new(Mutex::new(Vec::new()));
    let taken = Arc::clone(&orders);
    let work = move || {
        let mut again = Again::default();
        for write in std::mem::take(&mut *taken.lock().unwrap_or_else(PoisonError::into_inner)) {
            transaction(&connection, &write, &documents[write.document], begin, &mut again)?;
        }
        Ok(again)
    };
    let other = Peer::start(work).map_err(Refusal::Failed)?;
    Ok(Box::new(Writers { table, begin, again: Again::default(), other, orders }))
}

/// Reads and writes one row, as often as it takes.
fn transaction(connection: &Connection, write: &Write, body: &[u8], begin: Begin, again: &mut Again) -> Result<(), String> {
    for _ in 0..ATTEMPTS {
        let Err(why) = attempt(connection, write, body, begin) else { return Ok(()) };
        if !connection.is_autocommit() {
            connection.execute_batch("ROLLBACK").map_err(|why| format!("sqlite cannot roll back: {why}"))?;
        }
        match &why {
            rusqlite::Error::SqliteFailure(code, _) if code.extended_code == ffi::SQLITE_BUSY_SNAPSHOT => again.snapshot += 1,
            _ if why.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => again.busy += 1,
            _ => return Err(format!("one of two writers failed: {why}")),
        }
        std::thread::yield_now();
    }
    Err(format!("one of two writers found the file busy {ATTEMPTS} times; raise store.sqlite.busy-timeout"))
}

fn attempt(connection: &Connection, write: &Write, body: &[u8], begin: Begin) -> rusqlite::Result<()> {
    let words = if begin == Begin::Immediate { "BEGIN IMMEDIATE" } else { "BEGIN DEFERRED" };
    connection.prepare_cached(words)?.execute([])?;
    let key = name(write.key);
    connection.prepare_cached(SELECT)?.query_row([&key], |row| row.get::<_, u32>(0))?;
    connection.prepare_cached(UPSERT)?.execute(params![key, write.version, body])?;
    connection.prepare_cached("COMMIT")?.execute([]).map(|_| ())
}

impl Writers {
    /// The next writes of one of the two: its keys are its own, because what a row must hold is known only then.
    fn plan(&mut self, odd: u32) -> Vec<Write> {
        let rows = &mut self.table.rows;
        let mut writes = Vec::new();
        for _ in 0..TRANSACTIONS {
            let key = (rows.key() & !1) | odd;
            let write = rows.next(key.min(rows.count() - 2 + odd));
            rows.written(&write);
            writes.push(write);
        }
        writes
    }
}

impl Contender for Writers {
    fn batch(&mut self) -> Result<Batch, String> {
        let (mine, other) = (self.plan(0), self.plan(1));
        let documents = Arc::clone(&self.table.rows.documents);
        let bytes = mine.iter().chain(&other).map(|write| documents[write.document].len() as u64).sum();
        *self.orders.lock().unwrap_or_else(PoisonError::into_inner) = other;
        self.other.call()?;
        let mut done = Ok(());
        for write in mine {
            done = transaction(&self.table.connection, &write, &documents[write.document], self.begin, &mut self.again);
            if done.is_err() {
                break;
            }
        }
        let other = self.other.answer()?;
        done?;
        (self.again.busy, self.again.snapshot) = (self.again.busy + other.busy, self.again.snapshot + other.snapshot);
        Ok(Batch { operations: 2 * TRANSACTIONS, bytes_in: bytes, bytes_out: 0 })
    }

    fn limit(&self) -> Option<Limit> {
        limit(&self.table.config, 1)
    }

    fn finish(self: Box<Self>) -> Result<Facts, String> {
        drop(self.other);
        let mut seen = self.table.finish()?;
        seen.insert("busy".to_owned(), self.again.busy.to_string());
        seen.insert("busy-snapshot".to_owned(), self.again.snapshot.to_string());
        Ok(seen)
    }
}
