//! One file per subcommand.

mod check;
mod list;
mod report;
mod run;
mod serve;

use anyhow::Result;
use clap::CommandFactory;

use crate::args::{Cli, Command};
use crate::exit::Exit;

/// Runs the subcommand.
pub(crate) fn dispatch(cli: Cli) -> Result<Exit> {
    match cli.command {
        Command::Run(args) => run::run(&args),
        Command::Check(args) => check::check(&args),
        Command::List(args) => list::list(&args),
        Command::Report(args) => report::report(&args),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "poolbench", &mut std::io::stdout().lock());
            Ok(Exit::Done)
        }
        Command::Worker { fault } => serve::worker(fault.as_deref()),
        Command::Trial => serve::trial(),
    }
}
