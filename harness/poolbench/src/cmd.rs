//! One file per subcommand.

mod check;
mod claims;
mod compare;
mod doctor;
mod durability;
mod hidden;
mod list;
mod merge;
mod recommend;
mod report;
mod run;
mod serve;

use std::io::Write;

use anyhow::Result;
use clap::CommandFactory;
use clap_complete::Shell;

use crate::args::{Cli, Command};
use crate::exit::Exit;

/// Runs the subcommand.
pub(crate) fn dispatch(cli: Cli) -> Result<Exit> {
    match cli.command {
        Command::Run(args) => run::run(&args),
        Command::Check(args) => check::check(&args),
        Command::List(args) => list::list(&args),
        Command::Report(args) => report::report(&args),
        Command::Compare(args) => compare::compare(&args),
        Command::Merge(args) => merge::merge(&args),
        Command::Claims(args) => claims::claims(&args),
        Command::Recommend(args) => recommend::recommend(&args),
        Command::Doctor(args) => doctor::doctor(&args),
        Command::Durability(args) => durability::durability(&args),
        Command::Serve(args) => serve::serve(&args),
        Command::Completions { shell } => completions(shell),
        Command::Worker { fault, journal } => hidden::worker(fault.as_deref(), journal),
        Command::Payload { shape, size, seed } => hidden::payload(&shape, size as usize, seed),
        Command::Trial => hidden::trial(),
        Command::CrashWriter { id, dir, seed } => hidden::crash_writer(&id, &dir, seed),
    }
}

/// Prints a completion script without the hidden subcommands. Into memory first: the generator panics at a closed pipe.
fn completions(shell: Shell) -> Result<Exit> {
    let whole = Cli::command();
    let visible = whole.get_subcommands().filter(|c| !c.is_hide_set()).cloned();
    let mut shown = clap::Command::new("poolbench").version(env!("CARGO_PKG_VERSION")).disable_help_subcommand(true).subcommands(visible);
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut shown, "poolbench", &mut script);
    std::io::stdout().lock().write_all(&script)?;
    Ok(Exit::Done)
}
