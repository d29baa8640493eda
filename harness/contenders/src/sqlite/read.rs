//! One connection that reads.

use super::config;
use super::table::{Facts, SELECT, Table, name};
use crate::{Batch, Contender, Limit, Opening, Refusal};

/// How rows are read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// By key, the statement kept.
    Point,
    /// By key, the statement compiled each time.
    AdHoc,
    /// All in order.
    Scan,
}

/// Rows read by key in one batch: some 50 us where the file is cached.
const POINTS: u32 = 6;

struct Reading {
    table: Table,
    kind: Kind,
}

pub(super) fn open(opening: &Opening, kind: Kind) -> Result<Box<dyn Contender>, Refusal> {
    Ok(Box::new(Reading { table: Table::open(opening, config(opening)?)?, kind }))
}

impl Reading {
    /// Reads a random row; its size, or what is wrong with it.
    fn point(&mut self) -> rusqlite::Result<Result<u64, String>> {
        let key = self.table.rows.key();
        let connection = &self.table.connection;
        let (version, body) = self.table.rows.expected(key);
        let check = |row: &rusqlite::Row<'_>| {
            let right = row.get::<_, u32>(0)? == version && row.get_ref(1)?.as_blob()?.len() == body.len();
            Ok(if right { Ok(body.len() as u64) } else { Err(format!("row {key} is not what it was filled with")) })
        };
        match self.kind {
            Kind::AdHoc => connection.prepare(SELECT)?.query_row([name(key)], check),
            _ => connection.prepare_cached(SELECT)?.query_row([name(key)], check),
        }
    }

    fn scan(&self) -> rusqlite::Result<Batch> {
        let mut batch = Batch::default();
        let mut statement = self.table.connection.prepare_cached("SELECT version, body FROM sessions ORDER BY id")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            batch.operations += 1;
            batch.bytes_in += row.get_ref(1)?.as_blob()?.len() as u64;
        }
        Ok(batch)
    }
}

impl Contender for Reading {
    fn batch(&mut self) -> Result<Batch, String> {
        let text = |why: rusqlite::Error| format!("sqlite cannot read: {why}");
        let mut batch = Batch { operations: POINTS, ..Batch::default() };
        if self.kind == Kind::Scan {
            batch = self.scan().map_err(text)?;
            if batch.operations != self.table.rows.count() {
                return Err(format!("the scan met {} rows of {}", batch.operations, self.table.rows.count()));
            }
        } else {
            for _ in 0..POINTS {
                batch.bytes_in += self.point().map_err(text)??;
            }
        }
        batch.bytes_out = batch.bytes_in;
        Ok(batch)
    }

    fn limit(&self) -> Option<Limit> {
        let documents = &self.table.rows.documents;
        Some(Limit::Memcpy(documents.iter().map(|document| document.len() as u64).sum::<u64>() / documents.len().max(1) as u64))
    }

    fn finish(self: Box<Self>) -> Result<Facts, String> {
        self.table.finish()
    }
}
