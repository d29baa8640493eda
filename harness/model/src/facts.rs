//! What ran and on what: the facts without which figures mean nothing.

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
    /// Arguments after the program's name, as typed, without directories.
    pub arguments: Vec<String>,
}
