//! Ways of doing one job, each measured alone: files, JSON, compression, SQLite.
//!
//! A [`Job`] is what is to be done (read a session's file, parse a document); a [`Contender`] is one way of doing it, made ready on
//! real data. Nothing here knows of load, rounds, records or reports: the driver calls [`Contender::batch`] on one thread and times it.

mod codec;
mod file;
mod json;
mod session;
mod settings;
mod sqlite;

use std::collections::BTreeMap;
use std::path::PathBuf;

pub use settings::{SETTINGS, SettingRow};

/// A job and the ways of doing it: its row in [`JOBS`].
pub struct Job {
    /// Name in scenario files (`contender.job`).
    pub name: &'static str,
    /// What one operation is.
    pub doc: &'static str,
    /// Whether the work is bound by the CPU, and is therefore judged on CPU time rather than wall time.
    pub cpu_bound: bool,
    /// The ways; the first is what the others are compared with unless a scenario says otherwise.
    pub ways: &'static [Way],
}

/// One way of doing a job: its row in [`Job::ways`].
pub struct Way {
    /// Name in scenario files (`contender.way`). With [`AGAIN`] behind it, the same way once more.
    pub name: &'static str,
    /// What it does.
    pub doc: &'static str,
    /// What goes wrong for who uses it unawares, and the remedy; empty where nothing does.
    pub trap: &'static str,
    /// Makes it ready.
    pub open: fn(&Opening) -> Result<Box<dyn Contender>, Refusal>,
}

/// Behind the name of a way: its repeat, whose distance from the way itself is the noise that a difference must exceed.
pub const AGAIN: &str = "-again";

/// All jobs, one a line.
#[rustfmt::skip]
pub const JOBS: &[&Job] = &[
    &file::READ,
    &file::READ_PARSE,
    &file::SCAN,
    &file::WRITE,
    &file::APPEND,
    &json::PARSE,
    &json::SERIALISE,
    &session::OPEN,
    &session::TURN,
    &codec::COMPRESS,
    &codec::DECOMPRESS,
    &sqlite::WRITE,
    &sqlite::READ,
    &sqlite::MIXED,
];

impl Job {
    /// The way of that name, with or without [`AGAIN`] behind it.
    pub fn way(&self, name: &str) -> Option<&'static Way> {
        let plain = name.strip_suffix(AGAIN).unwrap_or(name);
        self.ways.iter().find(|way| way.name == plain)
    }
}

/// What a contender is opened with.
#[derive(Clone, Debug)]
pub struct Opening {
    /// An empty directory of its own, on the disk that is measured.
    pub dir: PathBuf,
    /// The documents to work on, all of about the size asked for, at least one.
    pub documents: Vec<Vec<u8>>,
    /// Seed of whatever it draws.
    pub seed: u64,
    /// Settings of `contender.*` and of the store, each checked against its row.
    pub settings: BTreeMap<String, String>,
}

impl Opening {
    /// The value of a setting: as given, or its row's default; empty for one that has no row and was not given.
    pub fn setting(&self, key: &str) -> &str {
        let default = || SETTINGS.iter().find(|row| row.0 == key).map_or("", |row| row.2);
        self.settings.get(key).map_or_else(default, String::as_str)
    }

    /// The same as a whole number.
    ///
    /// # Errors
    /// When it is none.
    pub fn number(&self, key: &str) -> Result<u64, Refusal> {
        let text = self.setting(key);
        text.parse().map_err(|_| Refusal::Failed(format!("{key} = '{text}' is no whole number")))
    }
}

/// What one batch did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// Operations, at least 1.
    pub operations: u32,
    /// Bytes that went in: of documents before compression, of sessions to be written, of files to be read.
    pub bytes_in: u64,
    /// Bytes that came out.
    pub bytes_out: u64,
}

/// What cannot be passed, and therefore how near a contender is to it: measured in the same trial, just after the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Copying so many bytes in memory, per operation.
    Memcpy(u64),
    /// Reading so many bytes of the device, past the page cache, per operation.
    DeviceRead(u64),
    /// Flushing so many times (fdatasync of a 4 KiB overwrite), per thousand operations.
    Flushes(u64),
    /// A system call that does nothing, so many times per operation.
    Syscalls(u64),
}

/// One way of doing a job, ready to do it. Used on one thread at a time.
pub trait Contender: Send {
    /// Does the job a few times: as often as takes some 50 us, so that reading the clock twice costs little; once where one takes longer.
    ///
    /// # Errors
    /// What failed. The trial fails with it.
    fn batch(&mut self) -> Result<Batch, String>;

    /// What has to happen between batches and is not part of the job, such as dropping the page cache. Neither timed nor counted as CPU.
    ///
    /// # Errors
    /// What failed.
    fn between(&mut self) -> Result<(), String> {
        Ok(())
    }

    /// What cannot be passed.
    fn limit(&self) -> Option<Limit>;

    /// Compares the answers (what was parsed, decompressed, read back) with what they must be, and says what was seen, by name: the
    /// settings as the system reports them, growth of files, memory of contexts.
    ///
    /// # Errors
    /// What was wrong. The trial fails with it.
    fn finish(self: Box<Self>) -> Result<BTreeMap<String, String>, String>;
}

/// Why a contender could not be made ready.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not on this host: a row that says so, not a failure.
    #[error("not available here: {0}")]
    NotHere(String),
    /// It should have worked.
    #[error("{0}")]
    Failed(String),
}

impl Refusal {
    /// It should have worked: what was tried, and why it did not.
    pub fn failed(what: &str, why: impl std::fmt::Display) -> Refusal {
        Refusal::Failed(format!("{what}: {why}"))
    }
}

#[cfg(test)]
mod tests;
