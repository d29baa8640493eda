//! SQLite: rows of one session each, written, read, and both at once. The settings are the product's own (`store.sqlite.*`), put in force
//! by the product's own code; what a way changes of them, it says.

use crate::{Contender, Job, Opening, Refusal, Way};
use store::config::{JournalMode, SqliteConfig};

mod checkpoints;
mod mixed;
mod peer;
mod product;
mod read;
mod table;
mod write;
mod writers;

/// Writing rows.
pub(crate) const WRITE: Job = Job {
    name: "sqlite-write",
    doc: "one row of a filled table replaced, at a random key",
    cpu_bound: false,
    ways: &[
        way("autocommit-prepared", "each row a transaction, the statement kept", "", |o| write::open(o, 1, write::Text::Prepared)),
        way("autocommit-adhoc", "each row a transaction, its values written into the SQL text", ADHOC, |o| {
            write::open(o, 1, write::Text::AdHoc)
        }),
        way("batch-10", "10 rows per transaction", "", |o| write::open(o, 10, write::Text::Prepared)),
        way("batch-100", "100 rows per transaction", "", |o| write::open(o, 100, write::Text::Prepared)),
        way("batch-1000", "1000 rows per transaction", "", |o| write::open(o, 1000, write::Text::Prepared)),
        way("store-alone", "the product's store, one session saved at a time", "", |o| product::open(o, 1, None)),
        way("store-64-alone", "the product's store, 64 sessions saved at once, each a transaction of its own", ALONE, |o| {
            product::open(o, 64, Some(1))
        }),
        way("group-commit-64", "the product's store, 64 sessions saved at once, sharing transactions", "", |o| product::open(o, 64, None)),
        way("group-commit-128", "the same with 128 at once", "", |o| product::open(o, 128, None)),
        way("immediate-two-writers", "two connections, 8 transactions each that read and then write, `BEGIN IMMEDIATE`", "", |o| {
            writers::open(o, writers::Begin::Immediate)
        }),
        way("deferred-two-writers", "the same with `BEGIN`, which locks at the first write only", UPGRADE, |o| {
            writers::open(o, writers::Begin::Deferred)
        }),
        way("stuck-reader", "autocommit beside a read transaction that never ends", STUCK, checkpoints::stuck_reader),
        way("autocheckpoint-off", "autocommit, the log never folded back", OFF, checkpoints::off),
        way("checkpointer-passive", "autocommit, a thread that folds the log back every 500 transactions, passively", "", |o| {
            checkpoints::threaded(o, "PASSIVE")
        }),
        way("checkpointer-truncate", "the same, each time emptying the log", TRUNCATE, |o| checkpoints::threaded(o, "TRUNCATE")),
    ],
};

/// Reading rows.
pub(crate) const READ: Job = Job {
    name: "sqlite-read",
    doc: "one row read, at a random key or in order",
    cpu_bound: true,
    ways: &[
        way("point-prepared", "by key, the statement kept", "", |o| read::open(o, read::Kind::Point)),
        way(
            "point-adhoc",
            "by key, the statement compiled each time",
            "compiling costs about a quarter of a warm read; keep statements",
            |o| read::open(o, read::Kind::AdHoc),
        ),
        way("scan", "all rows in order of the key", "", |o| read::open(o, read::Kind::Scan)),
    ],
};

/// One writer, several readers.
pub(crate) const MIXED: Job = Job {
    name: "sqlite-mixed",
    doc: "rows written by one connection while others read 8 each at random keys",
    cpu_bound: false,
    ways: &[
        way("readers-1", "one row written, one reader", "", |o| mixed::open(o, 1)),
        way("readers-2", "one row written, two readers", "", |o| mixed::open(o, 2)),
        way("readers-4", "one row written, four readers", "", |o| mixed::open(o, 4)),
    ],
};

const ADHOC: &str =
    "every statement is compiled anew and values must be quoted: 2 to 3 times dearer, and an injection if quoting fails; bind values";
const ALONE: &str = "one flush per save, however many wait: group them (store.sqlite.group-commit)";
const UPGRADE: &str =
    "a transaction that reads first and writes later fails with SQLITE_BUSY or BUSY_SNAPSHOT whatever the busy timeout; BEGIN IMMEDIATE";
const STUCK: &str =
    "the log cannot be folded back while it lasts, and every commit walks the whole log: end read transactions, reset statements";
const OFF: &str = "the log grows without end until someone folds it back; run a checkpointer and watch the log's size";
const TRUNCATE: &str = "emptying the log waits for all and holds up writers for as long as the flush of the whole file takes";

type Open = fn(&Opening) -> Result<Box<dyn Contender>, Refusal>;

const fn way(name: &'static str, doc: &'static str, trap: &'static str, open: Open) -> Way {
    Way { name, doc, trap, open }
}

fn config(opening: &Opening) -> Result<SqliteConfig, Refusal> {
    SqliteConfig::from_settings(&opening.settings).map_err(|why| Refusal::Failed(why.to_string()))
}

/// As [`config`], for a way that only makes sense with a write-ahead log.
fn logged(opening: &Opening) -> Result<SqliteConfig, Refusal> {
    let config = config(opening)?;
    if config.journal_mode == JournalMode::Wal {
        return Ok(config);
    }
    Err(Refusal::NotHere(format!("journal mode `{}` has no log; set store.sqlite.journal-mode = wal", config.journal_mode.word())))
}

/// Flushes per thousand rows where `rows` share a commit; `None` where no commit flushes.
fn limit(config: &SqliteConfig, rows: u32) -> Option<crate::Limit> {
    let flushes = config.flushes_per_commit();
    (flushes > 0).then(|| crate::Limit::Flushes((1000 * flushes).div_ceil(rows.max(1).into())))
}

/// What decides how durable a commit is, as settings: rows of the same protocol share a class.
fn protocol(config: &SqliteConfig) -> String {
    format!("store.sqlite.journal-mode={} store.sqlite.synchronous={}", config.journal_mode.word(), config.synchronous.word())
}

#[cfg(test)]
mod tests;
