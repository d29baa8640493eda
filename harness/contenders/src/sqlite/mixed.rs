//! One writer, and readers that read while it writes.

use super::config;
use super::peer::Peer;
use super::table::{Facts, SELECT, Table, name};
use crate::{Batch, Contender, Limit, Opening, Refusal};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;
use rusqlite::ErrorCode;

/// Rows each reader reads while one is written.
const READS: u32 = 8;

#[derive(Default)]
struct Read {
    rows: u32,
    bytes: u64,
    busy: u32,
}

struct Mixed {
    table: Table,
    readers: Vec<Peer<Read>>,
    /// Reads that were refused after the busy timeout.
    busy: u64,
}

pub(super) fn open(opening: &Opening, readers: u64) -> Result<Box<dyn Contender>, Refusal> {
    let table = Table::open(opening, config(opening)?)?;
    let readers = (1..=readers).map(|n| reader(&table, opening.seed.wrapping_add(n))).collect::<Result<_, _>>()?;
    Ok(Box::new(Mixed { table, readers, busy: 0 }))
}

fn reader(table: &Table, seed: u64) -> Result<Peer<Read>, Refusal> {
    let (connection, count) = (table.another()?, table.rows.count());
    let mut rng = Pcg64::seed_from_u64(seed);
    let work = move || {
        let mut read = Read::default();
        for _ in 0..READS {
            let size = connection.prepare_cached(SELECT).and_then(|mut select| {
                select.query_row([name(rng.random_range(0..count))], |row| Ok(row.get_ref(1)?.as_blob()?.len() as u64))
            });
            match size {
                Ok(size) => (read.rows, read.bytes) = (read.rows + 1, read.bytes + size),
                Err(why) if why.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => read.busy += 1,
                Err(why) => return Err(format!("a reader failed: {why}")),
            }
        }
        Ok(read)
    };
    Peer::start(work).map_err(Refusal::Failed)
}

impl Contender for Mixed {
    fn batch(&mut self) -> Result<Batch, String> {
        self.readers.iter().try_for_each(Peer::call)?;
        let written = self.table.upsert().map_err(|why| format!("sqlite cannot write beside readers: {why}"));
        let mut batch = Batch { operations: 1, ..Batch::default() };
        for reader in &self.readers {
            let read = reader.answer()?;
            batch.operations += read.rows;
            batch.bytes_out += read.bytes;
            self.busy += u64::from(read.busy);
        }
        batch.bytes_in = written?;
        Ok(batch)
    }

    fn limit(&self) -> Option<Limit> {
        super::limit(&self.table.config, 1 + READS * self.readers.len() as u32)
    }

    fn finish(self: Box<Self>) -> Result<Facts, String> {
        let readers = self.readers.len();
        drop(self.readers);
        let mut seen = self.table.finish()?;
        seen.extend([("readers".to_owned(), readers.to_string()), ("reads-busy".to_owned(), self.busy.to_string())]);
        Ok(seen)
    }
}
