//! Commands that look at runs and scenarios: `list`, `report`, `compare`, `merge`, `claims`, `recommend`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// `list`.
#[derive(Args, Debug)]
pub(crate) struct ListArgs {
    /// Read scenarios from this directory instead of the standard ones
    #[arg(long, value_name = "DIR")]
    pub(crate) scenarios: Option<PathBuf>,
    /// Print the id of every case
    #[arg(long)]
    pub(crate) cases: bool,
    /// Print the settings that scenarios may use, with types and defaults
    #[arg(long, conflicts_with = "cases")]
    pub(crate) settings: bool,
    /// Print a digest of the load of every scenario at smoke size, without running any
    #[arg(long, conflicts_with_all = ["cases", "settings"])]
    pub(crate) fingerprints: bool,
    /// Print the jobs of contenders and the ways of doing them, with their traps
    #[arg(long, conflicts_with_all = ["cases", "settings", "fingerprints"])]
    pub(crate) jobs: bool,
}

/// `report`.
#[derive(Args, Debug)]
pub(crate) struct ReportArgs {
    /// Directory of a run
    #[arg(value_name = "DIR")]
    pub(crate) run: PathBuf,
    /// Write the report's files here instead of into the run's directory
    #[arg(short, long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}

/// `compare`.
#[derive(Args, Debug)]
pub(crate) struct CompareArgs {
    /// Directory of the run that is compared against
    #[arg(value_name = "A")]
    pub(crate) a: PathBuf,
    /// Directory of the other run
    #[arg(value_name = "B")]
    pub(crate) b: PathBuf,
    /// Write the Markdown into this file instead of printing it
    #[arg(short, long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

/// `merge`.
#[derive(Args, Debug)]
#[command(after_long_help = MERGING)]
pub(crate) struct MergeArgs {
    /// Directories of the runs
    #[arg(value_name = "RUN", required = true, num_args = 2..)]
    pub(crate) runs: Vec<PathBuf>,
    /// Where the merged run goes, a new or empty directory
    #[arg(short, long, value_name = "DIR")]
    pub(crate) out: PathBuf,
}

const MERGING: &str = "\
Runs may differ in seed, rounds and host; what their hosts differ in is said in the report. Records are kept as they
are but for their rounds, which follow those of the runs before. Runs of other cases, settings, loads, sizes, builds or
timing classes are refused, and so is a run that is unfinished or named twice.";

/// `claims`.
#[derive(Args, Debug)]
pub(crate) struct ClaimsArgs {
    /// Directory of a run
    #[arg(value_name = "RUN")]
    pub(crate) run: PathBuf,
    /// Print JSON instead of a table
    #[arg(long)]
    pub(crate) json: bool,
}

/// After what no acknowledged save may be lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DurableArg {
    /// The power fails.
    PowerLoss,
    /// The process is killed.
    Kill,
    /// Nothing is asked.
    None,
}

/// `recommend`.
#[derive(Args, Debug)]
#[command(after_long_help = RECOMMENDING)]
pub(crate) struct RecommendArgs {
    /// Directory of a run
    #[arg(value_name = "RUN")]
    pub(crate) run: PathBuf,
    /// After what no acknowledged save may be lost
    #[arg(long, value_enum, value_name = "WHAT", default_value = "power-loss")]
    pub(crate) durable: DurableArg,
    /// Greatest 99th percentile of the time of a request or operation, such as 5ms
    #[arg(long, value_name = "DURATION", value_parser = model::units::parse_duration)]
    pub(crate) p99: Option<u64>,
    /// Choose for payloads as large as this file, and confirm on it: UTF-8 text of at most 1 MiB
    #[arg(long, value_name = "FILE")]
    pub(crate) payload: Option<PathBuf>,
    /// Rounds of the confirmation
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(3..=100))]
    pub(crate) rounds: u32,
    /// Predict only
    #[arg(long, conflicts_with = "rounds")]
    pub(crate) no_confirm: bool,
    /// Confirm with a debug build, whose figures mean little
    #[arg(long)]
    pub(crate) allow_debug: bool,
    /// Print JSON instead of Markdown
    #[arg(long)]
    pub(crate) json: bool,
    /// No progress on stderr
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

const RECOMMENDING: &str = "\
Compared are the settings of stores and codecs that the run holds under one load. What a crash
costs has to be in the run: `poolbench durability --into RUN` adds it. Without --payload the
confirmation has payloads of another seed. If no settings meet the constraints, the exit code is
2, and the error names what each of them excludes.";
