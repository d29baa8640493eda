//! What is asked, what stands for a setting, what is compared.

use std::collections::BTreeMap;

use model::durability::{Class, Durability};
use model::{Plan, Record};
use serde::Serialize;

use super::measure::ByRound;
use crate::Summary;

/// The values that the product has by default, of the settings that distinguish candidates.
pub const DEFAULTS: &[(&str, &str)] = &[
    ("store.kind", "sqlite"),
    ("store.files.api", "std"),
    ("store.files.write", "rename"),
    ("store.files.sync", "file-and-dir"),
    ("store.sqlite.journal-mode", "wal"),
    ("store.sqlite.synchronous", "full"),
    ("store.sqlite.cache-size", "-2000"),
    ("store.sqlite.group-commit", "64"),
    ("store.compress", "none"),
    ("store.dictionary", "none"),
    ("compress.offer", "zstd, gzip"),
    ("compress.gzip-level", "6"),
    ("compress.zstd-level", "3"),
];

/// What is known of a run.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// What was run.
    pub plan: &'a Plan,
    /// Its figures.
    pub summary: &'a Summary,
    /// What they come from.
    pub records: &'a [Record],
    /// What a crash costs, where that was measured.
    pub durability: Option<&'a Durability>,
}

/// What is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// How sessions are saved: time first, then CPU.
    Store,
    /// How many saves that wait share a transaction: time first, then CPU.
    Group,
    /// How responses are compressed: CPU first, then size.
    Responses,
    /// How stored sessions are compressed: size first, then CPU.
    Rest,
}

impl Part {
    /// All of them, in the order in which they are told.
    pub const ALL: [Part; 4] = [Part::Store, Part::Group, Part::Responses, Part::Rest];

    /// Whether it is about keeping sessions, which crashes may cost, and whose time is that of a disk.
    pub fn keeps(self) -> bool {
        matches!(self, Part::Store | Part::Group)
    }

    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Part::Store => "session store",
            Part::Group => "group commit",
            Part::Responses => "compression of responses",
            Part::Rest => "compression of stored sessions",
        }
    }
}

/// After what no acknowledged save may be lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Survive {
    /// Nothing is asked.
    Nothing,
    /// The death of the process.
    Kill,
    /// That, and the loss of power.
    PowerLoss,
}

/// What a user asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Constraints {
    /// What has to be survived; asked of the session store only.
    pub survive: Survive,
    /// Greatest 99th percentile of an operation's time, ns.
    pub p99_ns: Option<u64>,
    /// Size of the payload that the choice is for, bytes: contests of another size are left out where one is nearer.
    pub payload_bytes: Option<u64>,
}

impl Default for Constraints {
    fn default() -> Self {
        Self { survive: Survive::PowerLoss, p99_ns: None, payload_bytes: None }
    }
}

/// What crashes were seen to cost under a candidate's settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crashes {
    /// After a kill alone.
    pub kill: Class,
    /// After the worst of all crashes.
    pub all: Class,
}

/// Settings that were measured.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Candidate {
    /// Id of the case.
    pub case: String,
    /// What to set, by dotted key.
    pub settings: BTreeMap<String, String>,
    /// Median wall time of an operation at the scenario's own load, ns: of a whole request, or of a contender's job. A store has one, a codec that
    /// was seldom called may have none.
    pub time_ns: Option<f64>,
    /// 99th percentile of it, ns; `None` on too few samples.
    pub p99_ns: Option<f64>,
    /// The longest of all rounds, ns, which the p99 of those that were measured cannot pass.
    pub max_ns: Option<f64>,
    /// CPU time of an operation, ns.
    pub cpu_ns: f64,
    /// Bytes in by bytes out; of codecs only.
    pub bytes_ratio: Option<f64>,
    /// Requests sent per second; `None` of a closed loop.
    pub per_s: Option<f64>,
    /// Rounds behind the figures.
    pub rounds: u32,
    /// The figures of each round, of which the others are medians.
    #[serde(skip)]
    pub by_round: ByRound,
    /// What a crash costs; `None` for codecs and where it was not measured.
    #[serde(skip)]
    pub crashes: Option<Crashes>,
    /// The class of it, in the report's word.
    pub class: Option<&'static str>,
}

impl Candidate {
    /// What a limit on p99 is held against, ns: the p99; where too few samples carry one, of a store the longest time, which is more, and of a codec the
    /// CPU time, since it is but a part of the request that the limit is about.
    pub fn tail_ns(&self, part: Part) -> Option<f64> {
        self.p99_ns.or(if part.keeps() { self.max_ns } else { Some(self.cpu_ns) })
    }

    /// What that is.
    pub(super) fn tail_of(&self, part: Part) -> &'static str {
        match (self.p99_ns, part) {
            (Some(_), _) => "its p99 is",
            (None, Part::Store | Part::Group) => "too few samples carry a p99, and the longest was",
            (None, _) => "its CPU time alone is",
        }
    }

    /// What is to be small, the most important first.
    pub fn objectives(&self, part: Part) -> [f64; 2] {
        let size = 1.0 / self.bytes_ratio.unwrap_or(1.0);
        match part {
            Part::Store | Part::Group => [self.time_ns.unwrap_or(f64::INFINITY), self.cpu_ns],
            Part::Responses => [self.cpu_ns, size],
            Part::Rest => [size, self.cpu_ns],
        }
    }
}

/// Candidates that were measured under one load.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Contest {
    /// What is chosen.
    pub part: Part,
    /// The scenarios and their load, in words.
    pub at: String,
    /// Size of the payload, bytes.
    pub payload_bytes: u64,
    /// In plan order, no two of the same settings.
    pub candidates: Vec<Candidate>,
}

/// How a candidate stands.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Nothing of its class that is allowed beats it.
    Optimal,
    /// The one with this index is no worse in anything and better in something.
    Beaten(usize),
    /// A constraint excludes it.
    Excluded(String),
}
