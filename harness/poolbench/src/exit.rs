//! Exit codes and the one way to complain.

use std::fmt;
use std::io::Write;
use std::process::ExitCode;

/// How the program ends. The numbers are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done.
    Done = 0,
    /// An error of the system, or of ours.
    System = 1,
    /// Usage, a bad scenario or configuration, an empty selection, a plan over its limit.
    Usage = 2,
    /// A trial failed, timed out, gave a wrong answer or was invalid.
    Failed = 3,
    /// The host is unfit to measure on.
    Unfit = 12,
    /// Interrupted; finished trials are kept.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}

/// An error that knows its exit code and its remedy.
#[derive(Debug)]
pub(crate) struct Complaint {
    pub(crate) exit: Exit,
    pub(crate) lines: Vec<String>,
    pub(crate) help: Option<String>,
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.lines.join("; "))
    }
}

impl std::error::Error for Complaint {}

impl Complaint {
    /// A mistake of the user's.
    pub(crate) fn usage(line: impl Into<String>, help: impl Into<String>) -> anyhow::Error {
        Self { exit: Exit::Usage, lines: vec![line.into()], help: Some(help.into()) }.into()
    }

    /// Something the system would not do.
    pub(crate) fn system(line: impl Into<String>, help: impl Into<String>) -> anyhow::Error {
        Self { exit: Exit::System, lines: vec![line.into()], help: Some(help.into()) }.into()
    }
}

/// A path as a shell takes it.
pub(crate) fn shell_word(path: &std::path::Path) -> String {
    let text = path.display().to_string();
    let plain = !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || "/._-+,:@%=".contains(c));
    if plain { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

/// Prints an error as `error: …` lines and a `help:` line; returns its exit code.
pub(crate) fn complain(error: &anyhow::Error) -> ExitCode {
    if is_broken_pipe(error) {
        return Exit::Done.into();
    }
    let mut stderr = std::io::stderr().lock();
    // Nobody is left to tell if stderr is gone.
    let _ = match error.downcast_ref::<Complaint>() {
        Some(complaint) => complaint
            .lines
            .iter()
            .try_for_each(|line| writeln!(stderr, "error: {line}"))
            .and_then(|()| complaint.help.as_ref().map_or(Ok(()), |help| writeln!(stderr, "help: {help}"))),
        None => writeln!(stderr, "error: {error:#}"),
    };
    error.downcast_ref::<Complaint>().map_or(Exit::System, |c| c.exit).into()
}

/// A reader that closes its end early has what it wanted.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|e| e.downcast_ref::<std::io::Error>().is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe))
}
