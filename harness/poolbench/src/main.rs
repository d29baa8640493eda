//! The binary: arguments, progress, exit codes. Only this crate prints, exits, or reads arguments and environment.

mod args;
mod cmd;
mod exit;
mod facts;
mod progress;
mod rundir;
mod sources;

use std::process::ExitCode;

fn main() -> ExitCode {
    let parsed = match args::parse() {
        Ok(parsed) => parsed,
        Err(code) => return code,
    };
    match cmd::dispatch(parsed) {
        Ok(code) => code.into(),
        Err(error) => exit::complain(&error),
    }
}
