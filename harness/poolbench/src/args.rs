//! What was typed.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use clap_complete::Shell;

use crate::progress::eprint_line;

mod look;
mod measure;
mod selection;
mod serve;

pub(crate) use look::{ClaimsArgs, CompareArgs, DurableArg, ListArgs, MergeArgs, RecommendArgs, ReportArgs};
pub(crate) use measure::{CheckArgs, DoctorArgs, DurabilityArgs, RunArgs};
pub(crate) use selection::SelectionArgs;
pub(crate) use serve::ServeArgs;

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
        selection.keep_order(matches);
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
