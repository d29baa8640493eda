//! The hidden ends of pipes: a pool's worker and a trial's child.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::exit::{Complaint, Exit};
use crate::facts;

/// A worker: frames on stdin and stdout until end of input.
pub(super) fn worker(fault: Option<&str>, journal: Option<PathBuf>) -> Result<Exit> {
    let fault =
        fault.map(pool::WorkerFault::parse).transpose().map_err(|e| Complaint::usage(e.to_string(), "this subcommand is for tests"))?;
    let options = pool::WorkerOptions { fault, journal };
    let code = pool::worker_main(std::io::stdin(), std::io::stdout(), &options).context("worker")?;
    if code == 0 {
        return Ok(Exit::Done);
    }
    // The status itself is what the fault asks for.
    std::process::exit(i32::from(code));
}

/// One payload on stdout.
pub(super) fn payload(shape: &str, bytes: usize, seed: u64) -> Result<Exit> {
    let made = driver::payload::first(shape, bytes, seed).map_err(|(why, help)| Complaint::usage(why, help))?;
    std::io::stdout().lock().write_all(&made).context("standard output")?;
    Ok(Exit::Done)
}

/// A trial: JSON lines on stdin and stdout.
pub(super) fn trial() -> Result<Exit> {
    driver::serve(std::io::stdin().lock(), std::io::stdout(), &facts::build()).context("trial")?;
    Ok(Exit::Done)
}

/// A writer that is to be killed.
pub(super) fn crash_writer(id: &str, dir: &Path, seed: u64) -> Result<Exit> {
    let subject = crash::Subject::named(id).ok_or_else(|| {
        Complaint::usage(format!("'{id}' is no pair of settings"), "this subcommand is started by `poolbench durability`")
    })?;
    crash::serve_writer(subject, dir, seed, std::io::stdout())?;
    Ok(Exit::Done)
}
