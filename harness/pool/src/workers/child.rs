//! The child's side of a `process` worker: a blocking loop over two file descriptors. It knows nothing of pools.

use std::io;
use std::num::NonZeroU64;
use std::os::fd::AsFd;

use bytes::Bytes;

use super::sleep::{block_until, spin_until};
use super::{Echo, Handler, How};
use crate::clock::{Clock, MonotonicClock};
use crate::frames::{Decoder, Frame, FrameError, encode_reply, hello};

/// The longest request that a child accepts, bytes: whatever its pool was configured to send.
const FRAME_MAX: u32 = u32::MAX - 1;
const READ: usize = 64 * 1024;

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
pub fn worker_main(stdin: impl AsFd, stdout: impl AsFd, fault: Option<WorkerFault>) -> Result<u8, WorkerError> {
    // Without it a sleep may end 50 us late; a kernel that refuses only makes sleeps coarser.
    let _ = rustix::thread::set_current_timer_slack(NonZeroU64::new(1));
    match fault {
        Some(WorkerFault::Exit(code)) => {
            write_all(io::stderr(), b"worker: told to exit\n")?;
            return Ok(code);
        }
        Some(WorkerFault::Garbage) => write_all(&stdout, b"Hello, I am not a worker of this pool.\n")?,
        Some(WorkerFault::HugeFrame) => write_all(&stdout, &u32::MAX.to_le_bytes())?,
        Some(WorkerFault::Silent) => {}
        Some(WorkerFault::StderrFlood(bytes)) => flood(bytes)?,
        None | Some(WorkerFault::WrongDigest | WorkerFault::WrongBody) => {}
    }
    match fault {
        Some(WorkerFault::Garbage | WorkerFault::HugeFrame | WorkerFault::Silent) => ignore(stdin),
        // An answer is the digest, 8 bytes, and the echo.
        Some(WorkerFault::WrongDigest) => serve(stdin, stdout, Some(0)),
        Some(WorkerFault::WrongBody) => serve(stdin, stdout, Some(8)),
        _ => serve(stdin, stdout, None),
    }
}

/// `spoil` is the place of a byte that is changed in every answer that has one there.
fn serve(stdin: impl AsFd, stdout: impl AsFd, spoil: Option<usize>) -> Result<u8, WorkerError> {
    write_all(&stdout, &hello())?;
    let mut decoder = Decoder::new(FRAME_MAX);
    let (mut chunk, mut reply) = (vec![0; READ], Vec::new());
    loop {
        while let Some(frame) = decoder.next_frame()? {
            let Frame::Request { id, work, payload } = frame else {
                return Err(FrameError::Unexpected("a request").into());
            };
            let begin = MonotonicClock.now();
            let until = begin.saturating_add(work.ns);
            match work.how {
                How::Sleep => block_until(until),
                How::Spin => spin_until(&MonotonicClock, until, || false),
            }
            let answer = Echo.handle(&payload);
            let (ok, body) = answer.map_or_else(|error| (false, Bytes::from(error)), |body| (true, spoilt(body, spoil)));
            reply.clear();
            encode_reply(id, begin, MonotonicClock.now(), ok, &body, &mut reply);
            match write_all(&stdout, &reply) {
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(0),
                other => other?,
            }
        }
        let read = read(&stdin, &mut chunk)?;
        if read == 0 {
            return Ok(0);
        }
        decoder.extend(&chunk[..read]);
    }
}

fn spoilt(body: Bytes, at: Option<usize>) -> Bytes {
    let Some(at) = at.filter(|at| *at < body.len()) else { return body };
    let mut bytes = body.to_vec();
    // Another byte below 128, so that text stays text.
    bytes[at] = bytes[at].wrapping_add(1) & 0x7f;
    Bytes::from(bytes)
}

fn ignore(stdin: impl AsFd) -> Result<u8, WorkerError> {
    let mut chunk = vec![0; READ];
    while read(&stdin, &mut chunk)? > 0 {}
    Ok(0)
}

fn flood(bytes: u64) -> io::Result<()> {
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
