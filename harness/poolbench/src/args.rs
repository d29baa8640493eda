//! What was typed.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use model::plan::Size;
use scenario::{Pick, Selection};

use crate::progress::eprint_line;

/// Benchmarks and profiles tiered worker pools.
///
/// Runs scenarios against a whole worker pool - hot, warm and cold tiers, session affinity, real worker processes, sessions in
/// files or SQLite, compressed responses - and writes a Markdown report with percentiles, comparisons and flamegraphs.
#[derive(Debug, Parser)]
#[command(name = "poolbench", version, after_help = "Try: poolbench run -f '^pool/steady'", after_long_help = EXAMPLES, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  poolbench run                      the default suite, about three minutes
  poolbench run -f '^sqlite/' -s store.sqlite.synchronous=full

A run leaves a directory of plan, records, profiles and report; `poolbench report DIR` remakes the report.

Exit codes:
  0    done
  1    an error of the system or of poolbench itself (disk full, cannot spawn)
  2    usage, bad scenario or configuration, empty selection, plan over its limit
  3    a trial failed, timed out, gave a wrong answer, or was invalid
  12   this host is unfit to measure on (doctor)
  130  interrupted; finished trials are kept and `run --continue DIR` resumes";

/// The subcommands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Measure: run scenarios and write a report
    Run(RunArgs),
    /// Judge: run every scenario at smoke size and test what it expects
    Check(CheckArgs),
    /// Judge: hold the claims of a run's scenarios against its records
    Claims(ClaimsArgs),
    /// Judge: name the best settings of a run, and test the prediction
    Recommend(RecommendArgs),
    /// Judge: test this host, and say what can be measured on it
    Doctor(DoctorArgs),
    /// Look: name scenarios and their cases
    List(ListArgs),
    /// Look: remake the report of a run from its records
    Report(ReportArgs),
    /// Look: hold one run against another, case by case
    Compare(CompareArgs),
    /// Look: join runs of one plan, from several trials or hosts, into one run
    Merge(MergeArgs),
    /// Judge: kill writers and simulate power loss, and say what each store setting loses
    Durability(DurabilityArgs),
    /// Serve: be an MCP server on stdin and stdout, over a pool of workers
    Serve(ServeArgs),
    /// Look: print a completion script for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// A worker of a pool: frames on stdin and stdout
    #[command(hide = true)]
    Worker {
        /// What goes wrong with it on purpose
        #[arg(long, value_name = "FAULT")]
        fault: Option<String>,
        /// Where it notes each execution
        #[arg(long, value_name = "FILE")]
        journal: Option<PathBuf>,
    },
    /// One payload as scenarios have it, on stdout: for peers that are measured on the same documents
    #[command(hide = true)]
    Payload {
        /// Name of its shape
        shape: String,
        /// Bytes
        #[arg(value_parser = clap::value_parser!(u32).range(1..=67_108_864))]
        size: u32,
        /// Seed of what it holds
        seed: u64,
    },
    /// One trial: JSON lines on stdin and stdout
    #[command(hide = true)]
    Trial,
    /// A writer of sessions that is to be killed: numbers of acknowledged writes on stdout
    #[command(hide = true)]
    CrashWriter {
        /// Id of its settings
        id: String,
        /// Where its store is
        dir: PathBuf,
        /// Seed of what it writes
        seed: u64,
    },
}

/// Which cases.
#[derive(Args, Debug, Default)]
pub(crate) struct SelectionArgs {
    /// Select cases whose id matches; with -F the last match wins
    #[arg(short, long, value_name = "REGEX")]
    filter: Vec<String>,
    /// Leave out cases whose id matches
    #[arg(short = 'F', long, value_name = "REGEX")]
    exclude: Vec<String>,
    /// Set a value in every scenario that can have it, such as store.kind=sqlite; an axis is left with this one value
    #[arg(short, long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Read scenarios from this directory instead of the standard ones
    #[arg(long, value_name = "DIR")]
    pub(crate) scenarios: Option<PathBuf>,
    /// Filters in the order typed
    #[arg(skip)]
    picks: Vec<Pick>,
}

impl SelectionArgs {
    /// The standard cases whose id matches.
    pub(crate) fn only(filter: &str) -> Self {
        Self { picks: vec![Pick::Include(filter.to_owned())], ..Self::default() }
    }

    /// The same with a value set, as by `-s KEY=VALUE`.
    pub(crate) fn with(mut self, set: &str) -> Self {
        self.set.push(set.to_owned());
        self
    }

    /// The selection for `scenario::expand`; `None` with the bad text if a `-s` has no `=`.
    pub(crate) fn selection(&self, each_value_once: bool) -> Result<Selection, String> {
        let set =
            self.set.iter().map(|s| s.split_once('=').map(|(k, v)| (k.trim().to_owned(), v.trim().to_owned())).ok_or_else(|| s.clone()));
        Ok(Selection {
            filters: self.picks.clone(),
            set: set.collect::<Result<_, _>>()?,
            // A check leaves nothing out.
            suite_only: self.picks.is_empty() && !each_value_once,
            each_value_once,
        })
    }
}

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

const MERGING: &str = "\
Runs may differ in seed, rounds and host; what their hosts differ in is said in the report. Records are kept as they
are but for their rounds, which follow those of the runs before. Runs of other cases, settings, loads, sizes, builds or
timing classes are refused, and so is a run that is unfinished or named twice.";

/// `serve`.
#[derive(Args, Debug)]
#[command(after_long_help = SERVING)]
pub(crate) struct ServeArgs {
    /// What to serve and how; without it, the tools `echo` and `wait` on worker processes of this program
    #[arg(short, long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Serve health and metrics over HTTP, such as 127.0.0.1:9464; in place of server.monitor
    #[arg(short, long, value_name = "ADDR")]
    pub(crate) monitor: Option<String>,
    /// Least severe lines logged on stderr; in place of server.log
    #[arg(long, value_name = "LEVEL", value_parser = ["error", "warn", "info", "debug", "trace"])]
    pub(crate) log: Option<String>,
    /// Check the configuration, print what would be served, and stop
    #[arg(long)]
    pub(crate) check: bool,
    /// Print the configuration that is served without --config, to begin one's own with
    #[arg(long, conflicts_with_all = ["config", "check"])]
    pub(crate) example: bool,
    /// Print the keys that a configuration may have, with types and defaults
    #[arg(long, conflicts_with_all = ["config", "check", "example"])]
    pub(crate) keys: bool,
}

const SERVING: &str = "\
It ends with code 0 when stdin ends, and on SIGTERM or SIGINT once what is in flight is answered. A second signal
ends it at once. SIGHUP replaces the workers one by one.";

/// Parses the command line; help, version and usage errors are printed here.
pub(crate) fn parse() -> Result<Cli, ExitCode> {
    let matches = match Cli::command().try_get_matches() {
        Ok(matches) => matches,
        Err(error) => return Err(answer(&error)),
    };
    let mut cli = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(error) => return Err(answer(&error)),
    };
    if let (Command::Run(RunArgs { selection, .. }) | Command::Check(CheckArgs { selection, .. }), Some((_, matches))) =
        (&mut cli.command, matches.subcommand())
    {
        selection.picks = in_order(selection, matches);
    }
    Ok(cli)
}

/// Prints what clap has to say: help and version as results, mistakes as errors that end with a `help:` line like all others.
fn answer(error: &clap::Error) -> ExitCode {
    let shows_help = error.kind() == clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
    if !error.use_stderr() || shows_help {
        // Printing help to a closed pipe is no error.
        let _ = error.print();
    } else {
        let said = error.render().to_string();
        let said = said.replace("\nFor more information, try '--help'.\n", "help: for more information, try '--help'");
        eprint_line(said.trim_end());
    }
    ExitCode::from(error.exit_code() as u8)
}

/// Filters in the order typed, which clap keeps apart by flag.
fn in_order(selection: &SelectionArgs, matches: &clap::ArgMatches) -> Vec<Pick> {
    let places = |id: &str| matches.indices_of(id).into_iter().flatten().collect::<Vec<_>>();
    let included = places("filter").into_iter().zip(selection.filter.iter().cloned().map(Pick::Include));
    let excluded = places("exclude").into_iter().zip(selection.exclude.iter().cloned().map(Pick::Exclude));
    let mut picks: Vec<(usize, Pick)> = included.chain(excluded).collect();
    picks.sort_by_key(|(place, _)| *place);
    picks.into_iter().map(|(_, pick)| pick).collect()
}
