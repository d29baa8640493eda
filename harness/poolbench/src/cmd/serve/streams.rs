//! Standard input and output as streams that wait without a thread where the kernel can: pipes and sockets, which is what MCP
//! clients give (measured in the pool research: a thread per read costs more than the call). Files and terminals go through threads.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream as StdStream;

use rustix::fs::{FileType, OFlags};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::UnixStream;
use tokio::net::unix::pipe;

pub(super) type Input = Box<dyn AsyncRead + Send + Unpin>;
pub(super) type Output = Box<dyn AsyncWrite + Send + Unpin>;

/// Standard input.
pub(super) fn input() -> Input {
    let stdin = io::stdin();
    let fd = stdin.as_fd();
    match kind(fd) {
        Some(FileType::Fifo) => reopened(fd, false).and_then(pipe::Receiver::from_owned_fd).map(|pipe| Box::new(pipe) as Input),
        Some(FileType::Socket) => socket(fd).map(|socket| Box::new(socket) as Input),
        _ => Ok(Box::new(tokio::io::stdin()) as Input),
    }
    .unwrap_or_else(|_| Box::new(tokio::io::stdin()))
}

/// Standard output.
pub(super) fn output() -> Output {
    let stdout = io::stdout();
    let fd = stdout.as_fd();
    match kind(fd) {
        Some(FileType::Fifo) => reopened(fd, true).and_then(pipe::Sender::from_owned_fd).map(|pipe| Box::new(pipe) as Output),
        Some(FileType::Socket) => socket(fd).map(|socket| Box::new(socket) as Output),
        _ => Ok(Box::new(tokio::io::stdout()) as Output),
    }
    .unwrap_or_else(|_| Box::new(tokio::io::stdout()))
}

fn kind(fd: BorrowedFd<'_>) -> Option<FileType> {
    rustix::fs::fstat(fd).ok().map(|stat| FileType::from_raw_mode(stat.st_mode))
}

/// The pipe opened anew: not waiting is a property of the open file, which others may share.
fn reopened(fd: BorrowedFd<'_>, write: bool) -> io::Result<OwnedFd> {
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let file =
        std::fs::OpenOptions::new().read(!write).write(write).custom_flags(flags).open(format!("/proc/self/fd/{}", fd.as_raw_fd()))?;
    Ok(file.into())
}

/// A socket cannot be opened anew; each end is its own open file, so that only who shares this very end would notice.
fn socket(fd: BorrowedFd<'_>) -> io::Result<UnixStream> {
    let own = StdStream::from(fd.try_clone_to_owned()?);
    own.set_nonblocking(true)?;
    UnixStream::from_std(own)
}
