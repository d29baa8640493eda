//! Commands that measure: `run`, `check`, `doctor`, `durability`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use model::plan::Size;

use super::SelectionArgs;

/// Size of a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SizeArg {
    /// Short: is it right?
    Smoke,
    /// Long enough for the figures.
    Full,
}

impl From<SizeArg> for Size {
    fn from(size: SizeArg) -> Self {
        match size {
            SizeArg::Smoke => Size::Smoke,
            SizeArg::Full => Size::Full,
        }
    }
}

/// `run`.
#[derive(Args, Debug)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) selection: SelectionArgs,
    /// Where the run's files go, a new or empty directory [default: reports/local/TIME]
    #[arg(short, long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// How long the scenarios run
    #[arg(long, value_enum, value_name = "SIZE", default_value = "full")]
    pub(crate) size: SizeArg,
    /// Rounds in place of each scenario's own
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) rounds: Option<u32>,
    /// Seed of everything random: order of cases, schedules, payloads, jitter
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Most cases of a plan
    #[arg(long, value_name = "N", default_value_t = 500)]
    pub(crate) max_cases: usize,
    /// Print the cases and how long they will take, and stop
    #[arg(long)]
    pub(crate) plan: bool,
    /// Write the intended starts of the one case that is selected, of its first round, as a trace that a scenario can replay
    #[arg(long, value_name = "FILE", conflicts_with = "plan")]
    pub(crate) record_arrivals: Option<PathBuf>,
    /// Resume an interrupted run: its finished trials are kept
    #[arg(long = "continue", value_name = "DIR", conflicts_with_all = ["out", "filter", "exclude", "set", "scenarios", "rounds", "plan", "virtual_time", "record_arrivals"])]
    pub(crate) resume: Option<PathBuf>,
    /// Simulate: the pool's own core in virtual time, without workers, pipes or a host
    #[arg(long = "virtual", conflicts_with = "in_process")]
    pub(crate) virtual_time: bool,
    /// Run trials in this process, for a debugger; they share memory and caches, so trust no figure
    #[arg(long)]
    pub(crate) in_process: bool,
    /// Measure a debug build; its figures carry a brand
    #[arg(long)]
    pub(crate) allow_debug: bool,
    /// Serve the metrics and health of each trial's pool over HTTP while it runs: a port on loopback, or HOST:PORT
    #[arg(long, value_name = "ADDR", value_parser = driver::monitor::parse_address)]
    pub(crate) monitor: Option<SocketAddr>,
    /// No progress on stderr
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

/// `check`.
#[derive(Args, Debug)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    pub(crate) selection: SelectionArgs,
    /// Seed of everything random
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// No progress on stderr
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

/// `doctor`.
#[derive(Args, Debug)]
pub(crate) struct DoctorArgs {
    /// Also check arrivals of ten seeds, queueing theory, coverage of intervals, overload and false brands: some minutes
    #[arg(long)]
    pub(crate) full: bool,
    /// Run this check alone, of whichever sort; may be given several times
    #[arg(long, value_name = "CHECK")]
    pub(crate) only: Vec<String>,
    /// Keep the report and its figures in this directory
    #[arg(short, long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// No progress on stderr
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

/// `durability`.
#[derive(Args, Debug)]
#[command(after_long_help = CRASHING)]
pub(crate) struct DurabilityArgs {
    /// Keep the report and its figures in this directory, which must be new or empty
    #[arg(short, long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Add the figures to this run, and remake its report with them
    #[arg(long, value_name = "RUN", conflicts_with = "out")]
    pub(crate) into: Option<PathBuf>,
    /// Select pairs of settings whose id matches
    #[arg(short, long, value_name = "REGEX")]
    pub(crate) filter: Option<String>,
    /// Kills of each
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) kills: u32,
    /// Simulated crash states of each, at a sixteenth as many moments
    #[arg(long, value_name = "N", default_value_t = 3200, value_parser = clap::value_parser!(u32).range(16..=1_000_000))]
    pub(crate) states: u32,
    /// Seed of everything random: moments, states, sessions
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// No progress on stderr
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

const CRASHING: &str = "\
Ids are such as durability/files?write=rename&sync=none and durability/sqlite?journal-mode=wal&synchronous=full. A finding is no
failure: the exit code is 0 whatever a setting loses. docs/METHODOLOGY.md says which crashes are simulated and which are not.";
