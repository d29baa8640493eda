//! Plan -> records: load, pacer, targets, the trial's child process.
//!
//! It drives and records; it judges nothing. A trial runs in a process of its own and leaves one record.

mod answers;
pub mod arrivals;
mod child;
mod contender;
mod evidence;
pub mod faults;
mod figures;
mod handoff;
pub mod host;
mod journal;
mod lag;
mod launch;
mod load;
mod pacer;
pub mod payload;
mod prepare;
mod rows;
pub mod schedule;
pub mod selftest;
mod simulation;
mod slice;
mod sys;
pub mod target;
mod trial;
mod trust;
pub mod truth;
mod turns;
mod twin;

pub use child::serve;
pub use contenders::JOBS;
pub use coordinator::monitor::http as monitor;
pub use launch::{LaunchError, Launcher, Lengths};
pub use load::{Intended, intended, stand_in_rate};
pub use pacer::fifo_allowed;
pub use payload::{GIVEN, GIVEN_MAX, given_bytes};
pub use prepare::{PreparedCase, Problem, catalogue, kinds, prepare};
pub use simulation::{Simulated, simulate};
pub use trial::{Finished, Order, Trial, WORKER_SUBCOMMAND, profile_hz};

/// Whether the case's target has a pool within, and so something for a monitor to see.
pub fn has_pool(case: &model::plan::Case) -> bool {
    target::TARGETS.iter().any(|kind| kind.has_pool && kind.name == case.target.value)
}

/// Versions of SQLite, zstd and zlib-rs, as linked.
pub fn versions() -> std::collections::BTreeMap<&'static str, String> {
    store::versions()
}

/// The kernel's tick rate, Hz: the ceiling of SIGPROF sampling.
pub fn tick_hz() -> u32 {
    profiler::tick_hz()
}
