//! Autocommit under different fates of the write-ahead log.

use super::peer::Peer;
use super::table::{Facts, Table};
use super::{limit, logged};
use crate::{Batch, Contender, Limit, Opening, Refusal};
use rusqlite::Connection;
use std::time::{Duration, Instant};

/// Transactions between two checkpoints of the thread.
const EVERY: u64 = 500;
/// The log is cut at this size even where that is not part of the way, bytes: a trap must not fill the disk.
const LOG_MAX: u64 = 1 << 30;
/// Transactions between two looks at the log's size.
const LOOK: u64 = 256;

struct Logged {
    table: Table,
    /// A reader that keeps its snapshot.
    reader: Option<Connection>,
    checkpointer: Option<Peer<Duration>>,
    running: bool,
    transactions: u64,
    checkpoints: u64,
    longest: Duration,
    largest: u64,
    cut: u64,
}

fn open(opening: &Opening, autocheckpoint: Option<u32>) -> Result<Logged, Refusal> {
    let mut config = logged(opening)?;
    config.wal_autocheckpoint = autocheckpoint.unwrap_or(config.wal_autocheckpoint);
    let (reader, checkpointer, longest) = (None, None, Duration::ZERO);
    let table = Table::open(opening, config)?;
    Ok(Logged { table, reader, checkpointer, running: false, transactions: 0, checkpoints: 0, longest, largest: 0, cut: 0 })
}

pub(super) fn off(opening: &Opening) -> Result<Box<dyn Contender>, Refusal> {
    Ok(Box::new(open(opening, Some(0))?))
}

pub(super) fn stuck_reader(opening: &Opening) -> Result<Box<dyn Contender>, Refusal> {
    let mut logged = open(opening, None)?;
    let reader = logged.table.another()?;
    // The first write after the filling gives the log a frame for the reader to hold on to.
    logged.table.upsert().map_err(|why| Refusal::Failed(format!("sqlite cannot write: {why}")))?;
    let begin = reader.execute_batch("BEGIN; SELECT count(*) FROM sessions;");
    begin.map_err(|why| Refusal::Failed(format!("sqlite cannot begin to read: {why}")))?;
    logged.reader = Some(reader);
    Ok(Box::new(logged))
}

/// `mode` is an argument of `PRAGMA wal_checkpoint`.
pub(super) fn threaded(opening: &Opening, mode: &'static str) -> Result<Box<dyn Contender>, Refusal> {
    let mut logged = open(opening, Some(0))?;
    let connection = logged.table.another()?;
    let work = move || {
        let begun = Instant::now();
        let sql = format!("PRAGMA wal_checkpoint({mode})");
        connection.query_row(&sql, [], |_| Ok(())).map_err(|why| format!("the checkpoint failed: {why}"))?;
        Ok(begun.elapsed())
    };
    logged.checkpointer = Some(Peer::start(work).map_err(Refusal::Failed)?);
    Ok(Box::new(logged))
}

impl Logged {
    fn checkpointed(&mut self, took: Result<Duration, String>) -> Result<(), String> {
        self.longest = self.longest.max(took?);
        self.checkpoints += 1;
        self.running = false;
        Ok(())
    }
}

impl Contender for Logged {
    fn batch(&mut self) -> Result<Batch, String> {
        let bytes = self.table.upsert().map_err(|why| format!("sqlite cannot write: {why}"))?;
        self.transactions += 1;
        if let Some(checkpointer) = &self.checkpointer {
            let took = if self.running { checkpointer.answered() } else { None };
            if !self.running && self.transactions.is_multiple_of(EVERY) {
                checkpointer.call()?;
                self.running = true;
            }
            if let Some(took) = took {
                self.checkpointed(took)?;
            }
        }
        Ok(Batch { operations: 1, bytes_in: bytes, bytes_out: 0 })
    }

    fn between(&mut self) -> Result<(), String> {
        if !self.transactions.is_multiple_of(LOOK) {
            return Ok(());
        }
        let size = self.table.log_bytes();
        self.largest = self.largest.max(size);
        if size > LOG_MAX && self.reader.is_none() {
            self.table.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).map_err(|why| why.to_string())?;
            self.cut += 1;
        }
        if size > LOG_MAX && self.reader.is_some() {
            return Err(format!("the log has grown to {size} bytes behind the stuck reader; measure for less time"));
        }
        Ok(())
    }

    fn limit(&self) -> Option<Limit> {
        limit(&self.table.config, 1)
    }

    fn finish(mut self: Box<Self>) -> Result<Facts, String> {
        if self.running {
            let took = self.checkpointer.as_ref().map_or(Ok(Duration::ZERO), Peer::answer);
            self.checkpointed(took)?;
        }
        self.checkpointer = None;
        let largest = self.largest.max(self.table.log_bytes());
        self.reader = None;
        let mut seen = self.table.finish()?;
        seen.insert("wal-largest-bytes".to_owned(), largest.to_string());
        if self.checkpoints > 0 {
            seen.insert("checkpoints".to_owned(), self.checkpoints.to_string());
            seen.insert("checkpoint-longest-us".to_owned(), self.longest.as_micros().to_string());
        }
        if self.cut > 0 {
            seen.insert("wal-cut".to_owned(), format!("{} times at {LOG_MAX} bytes", self.cut));
        }
        Ok(seen)
    }
}
