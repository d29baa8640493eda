//! What ran and on what: the facts without which figures mean nothing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Facts of a run, `run.json`. No path of the machine is in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// [`crate::plan::SCHEMA`].
    pub schema: u32,
    /// UTC time of the begin, `2026-01-31T12:00:00Z`.
    pub started: String,
    /// The program's version.
    pub version: String,
    /// Commit of the build, or `not a git checkout`.
    pub commit: String,
    /// Whether the tree differed from the commit when it was built.
    pub dirty: bool,
    /// `release` or `debug`.
    pub profile: String,
    /// Compiler.
    pub rustc: String,
    /// Kernel name and release.
    pub kernel: String,
    /// CPU model.
    pub cpu: String,
    /// Logical CPUs that this process may use.
    pub cpus: u32,
    /// Memory, bytes.
    pub memory_bytes: u64,
    /// Type of the filesystem that holds the stores' files.
    pub filesystem: String,
    /// SQLite.
    pub sqlite: String,
    /// zstd.
    pub zstd: String,
    /// zlib implementation behind gzip.
    pub zlib: String,
    /// The kernel's tick rate, Hz: the ceiling of SIGPROF sampling; 0 where it cannot be learnt.
    pub tick_hz: u32,
    /// `fifo` where the pacing thread may have real-time priority, else `other`.
    pub timing_class: String,
    /// The highest rate, per second, at which the pacing thread of this host kept its lag p99 within bounds just before the run, with nobody behind
    /// it; `None` where nothing was paced in real time, where no rate was kept, and in old runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generator_per_s: Option<u32>,
    /// Arguments after the program's name, as typed, without directories.
    pub arguments: Vec<String>,
    /// The runs that a merged run was made of, in order; empty for a run of its own. Where they differ, a text above is [`MIXED`], a number 0.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
}

/// What a text of the facts of a merged run says where its parts differ.
pub const MIXED: &str = "mixed";

/// A run that is part of a merged one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Its own facts; it has no parts itself.
    pub facts: Facts,
    /// Its seed.
    pub seed: u64,
    /// How many rounds of each scenario are its: they follow those of the parts before it.
    pub rounds: BTreeMap<String, u32>,
}
