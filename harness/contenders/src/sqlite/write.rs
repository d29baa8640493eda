//! One connection that writes, some rows per transaction.

use super::table::{Facts, Table, name};
use super::{config, limit};
use crate::{Batch, Contender, Limit, Opening, Refusal};

/// Where the values of a row go.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Text {
    /// Bound to a statement that is kept.
    Prepared,
    /// Into the text of a statement that is compiled for them.
    AdHoc,
}

struct Writing {
    table: Table,
    rows: u32,
    text: Text,
}

pub(super) fn open(opening: &Opening, rows: u32, text: Text) -> Result<Box<dyn Contender>, Refusal> {
    Ok(Box::new(Writing { table: Table::open(opening, config(opening)?)?, rows, text }))
}

impl Writing {
    fn row(&mut self) -> rusqlite::Result<u64> {
        if self.text == Text::Prepared {
            return self.table.upsert();
        }
        let rows = &mut self.table.rows;
        let key = rows.key();
        let write = rows.next(key);
        let body = String::from_utf8_lossy(&rows.documents[write.document]).replace('\'', "''");
        let sql = format!(
            "INSERT INTO sessions(id, version, body) VALUES('{}', {}, CAST('{body}' AS BLOB)) \
             ON CONFLICT(id) DO UPDATE SET version = excluded.version, body = excluded.body",
            name(key),
            write.version
        );
        self.table.connection.execute(&sql, [])?;
        self.table.rows.written(&write);
        Ok(body.len() as u64)
    }

    fn transaction(&mut self) -> rusqlite::Result<Batch> {
        let mut batch = Batch { operations: self.rows, ..Batch::default() };
        let alone = self.rows == 1;
        if !alone {
            self.table.connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        }
        for _ in 0..self.rows {
            batch.bytes_in += self.row()?;
        }
        if !alone {
            self.table.connection.prepare_cached("COMMIT")?.execute([])?;
        }
        Ok(batch)
    }
}

impl Contender for Writing {
    fn batch(&mut self) -> Result<Batch, String> {
        self.transaction().map_err(|why| format!("sqlite cannot write: {why}"))
    }

    fn limit(&self) -> Option<Limit> {
        limit(&self.table.config, self.rows)
    }

    fn finish(self: Box<Self>) -> Result<Facts, String> {
        self.table.finish()
    }
}
