//! The child's side of a `process` worker: a blocking loop over two file descriptors. It knows nothing of pools.

mod faulty;
mod serve;

use std::io;
use std::num::NonZeroU64;
use std::os::fd::AsFd;
use std::path::PathBuf;

use super::journal::Journal;
use crate::frames::FrameError;
use serve::Server;

/// Bytes read at once.
const READ: usize = 64 * 1024;

/// What a worker is started with.
#[derive(Clone, Debug, Default)]
pub struct WorkerOptions {
    /// What goes wrong with it from the start.
    pub fault: Option<WorkerFault>,
    /// Where it notes each execution, if anywhere.
    pub journal: Option<PathBuf>,
}

/// A way in which a worker misbehaves on purpose, so that tests can see the pool's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkerFault {
    /// `exit=N`: a line on stderr, then exit with that code before the hello.
    Exit(u8),
    /// `garbage`: text instead of frames.
    Garbage,
    /// `silent`: never a word.
    Silent,
    /// `huge-frame`: announces a frame of 4 GiB.
    HugeFrame,
    /// `stderr-flood=BYTES`: that much noise on stderr before the hello, then a good worker.
    StderrFlood(u64),
    /// `wrong-digest`: a good worker whose answers carry another payload's digest.
    WrongDigest,
    /// `wrong-body`: a good worker that changes one byte of what it echoes.
    WrongBody,
}

/// A fault that cannot be understood.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown worker fault `{0}`; use exit=0..255, garbage, silent, huge-frame, stderr-flood=BYTES, wrong-digest or wrong-body")]
pub struct FaultError(String);

/// Why a worker's loop ended other than by EOF.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// A pipe failed.
    #[error("cannot read or write a pipe: {0}; a worker is started by a pool, not by hand")]
    Pipe(#[from] io::Error),
    /// The journal cannot be written.
    #[error("cannot write the journal: {0}; name a file in a directory that exists and has room")]
    Journal(String),
    /// The pool sent what is no frame.
    #[error("bad frame from the pool: {0}")]
    Frame(#[from] FrameError),
}

impl WorkerFault {
    /// Reads `exit=3`, `garbage`, `silent`, `huge-frame`, `stderr-flood=BYTES`, `wrong-digest` or `wrong-body`.
    ///
    /// # Errors
    /// Anything else.
    pub fn parse(text: &str) -> Result<Self, FaultError> {
        let bad = || FaultError(text.to_owned());
        match text.split_once('=') {
            None if text == "garbage" => Ok(WorkerFault::Garbage),
            None if text == "silent" => Ok(WorkerFault::Silent),
            None if text == "huge-frame" => Ok(WorkerFault::HugeFrame),
            None if text == "wrong-digest" => Ok(WorkerFault::WrongDigest),
            None if text == "wrong-body" => Ok(WorkerFault::WrongBody),
            Some(("exit", code)) => code.parse().map(WorkerFault::Exit).map_err(|_| bad()),
            Some(("stderr-flood", bytes)) => bytes.parse().map(WorkerFault::StderrFlood).map_err(|_| bad()),
            _ => Err(bad()),
        }
    }
}

/// Serves requests from `stdin` on `stdout` until EOF; returns the exit code. Pass the plain descriptors: buffered writers
/// would hold replies back.
///
/// # Errors
/// A pipe that fails or a frame that is none; a reader that went away is an ordinary end.
pub fn worker_main(stdin: impl AsFd, stdout: impl AsFd, options: &WorkerOptions) -> Result<u8, WorkerError> {
    // Without it a sleep may end 50 us late; a kernel that refuses only makes sleeps coarser.
    let _ = rustix::thread::set_current_timer_slack(NonZeroU64::new(1));
    let journal = match &options.journal {
        None => None,
        Some(path) => Some(Journal::open(path).map_err(|error| WorkerError::Journal(format!("{}: {error}", path.display())))?),
    };
    match options.fault {
        Some(WorkerFault::Exit(code)) => {
            write_all(io::stderr(), b"worker: told to exit\n")?;
            return Ok(code);
        }
        Some(WorkerFault::Garbage) => write_all(&stdout, b"Hello, I am not a worker of this pool.\n")?,
        Some(WorkerFault::HugeFrame) => write_all(&stdout, &u32::MAX.to_le_bytes())?,
        Some(WorkerFault::Silent) => {}
        Some(WorkerFault::StderrFlood(bytes)) => noise(bytes)?,
        None | Some(WorkerFault::WrongDigest | WorkerFault::WrongBody) => {}
    }
    match options.fault {
        Some(WorkerFault::Garbage | WorkerFault::HugeFrame | WorkerFault::Silent) => ignore(stdin),
        // An answer is the digest, 8 bytes, and the echo.
        Some(WorkerFault::WrongDigest) => Server::new(stdin, stdout, Some(0), journal).run(),
        Some(WorkerFault::WrongBody) => Server::new(stdin, stdout, Some(8), journal).run(),
        _ => Server::new(stdin, stdout, None, journal).run(),
    }
}

fn ignore(stdin: impl AsFd) -> Result<u8, WorkerError> {
    let mut chunk = vec![0; READ];
    while read(&stdin, &mut chunk)? > 0 {}
    Ok(0)
}

fn noise(bytes: u64) -> io::Result<()> {
    let line = b"noise noise noise noise noise noise noise noise noise noise noi\n";
    for _ in 0..bytes / line.len() as u64 {
        write_all(io::stderr(), line)?;
    }
    write_all(io::stderr(), b"end of noise\n")
}

fn read(fd: impl AsFd, chunk: &mut [u8]) -> io::Result<usize> {
    loop {
        match rustix::io::read(&fd, &mut *chunk) {
            Err(rustix::io::Errno::INTR) => {}
            other => return other.map_err(Into::into),
        }
    }
}

fn write_all(fd: impl AsFd, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match rustix::io::write(&fd, bytes) {
            Ok(n) => bytes = &bytes[n..],
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
