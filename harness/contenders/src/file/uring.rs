//! Reading through io_uring: a batch is opened, read and closed with a system call each.
#![allow(unsafe_code, reason = "the kernel reads paths and writes buffers behind the compiler's back; both outlive their submission here")]

use std::ffi::CString;
use std::io;
use std::os::fd::{FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;

use io_uring::{IoUring, Probe, opcode, squeue, types};

use super::dir::Files;
use super::reading::{Reading, See};
use crate::Refusal;

/// Files that are in the air together.
const DEPTH: usize = 64;

/// A ring with its buffers.
pub(super) struct Uring {
    ring: IoUring,
    paths: Vec<CString>,
    buffers: Vec<Vec<u8>>,
    results: Vec<i32>,
}

impl Uring {
    /// Sets a ring up, and asks whether the kernel knows what is needed.
    ///
    /// # Errors
    /// [`Refusal::NotHere`] where the kernel or a sandbox refuses.
    pub(super) fn new(files: &Files) -> Result<Self, Refusal> {
        let not_here = |e: io::Error| Refusal::NotHere(format!("the kernel refuses io_uring: {e}"));
        let ring = IoUring::new(DEPTH as u32).map_err(not_here)?;
        let mut probe = Probe::new();
        ring.submitter().register_probe(&mut probe).map_err(not_here)?;
        if ![opcode::OpenAt::CODE, opcode::Read::CODE, opcode::Close::CODE].iter().all(|code| probe.is_supported(*code)) {
            return Err(Refusal::NotHere("this kernel's io_uring cannot open, read and close".to_owned()));
        }
        let paths = files.paths.iter().map(|p| CString::new(p.as_os_str().as_bytes())).collect::<Result<_, _>>();
        let paths = paths.map_err(|e| Refusal::failed("a path cannot be given to the kernel", e))?;
        // One byte more than the longest file has, so that one read that is not filled shows the end.
        let buffers = vec![vec![0; files.longest + 1]; DEPTH.min(files.len())];
        Ok(Self { ring, paths, buffers, results: Vec::with_capacity(DEPTH) })
    }

    /// Submits all entries and waits for all of them; their results in order.
    fn round(&mut self, entries: &[squeue::Entry]) -> io::Result<&[i32]> {
        self.results.clear();
        self.results.resize(entries.len(), 0);
        for (i, entry) in entries.iter().enumerate() {
            let entry = entry.clone().user_data(i as u64);
            // SAFETY: whatever the entry points to is owned by `self` or by the caller, who waits here until the kernel is done with it.
            unsafe { self.ring.submission().push(&entry) }.map_err(|_| io::Error::other("the submission queue is full"))?;
        }
        let mut left = entries.len();
        while left > 0 {
            match self.ring.submit_and_wait(left) {
                Err(e) if e.kind() != io::ErrorKind::Interrupted => return Err(e),
                _ => {}
            }
            for done in self.ring.completion() {
                if let Some(result) = usize::try_from(done.user_data()).ok().and_then(|i| self.results.get_mut(i)) {
                    *result = done.result();
                    left -= 1;
                }
            }
        }
        Ok(&self.results)
    }

    fn open(&mut self, which: &[usize]) -> io::Result<Vec<OwnedFd>> {
        let entry = |i: &usize| {
            let path = self.paths.get(*i).ok_or(io::ErrorKind::NotFound)?;
            Ok(opcode::OpenAt::new(types::Fd(libc::AT_FDCWD), path.as_ptr()).flags(libc::O_RDONLY | libc::O_CLOEXEC).build())
        };
        let entries = which.iter().map(entry).collect::<io::Result<Vec<_>>>()?;
        // SAFETY: a result that is no error is a descriptor that was just opened for us and that nobody else owns.
        let owned = |fd: &i32| checked(*fd).map(|fd| unsafe { OwnedFd::from_raw_fd(fd) });
        // All are taken into ownership before the first error returns, so that none stays open.
        self.round(&entries)?.iter().map(owned).collect::<Vec<_>>().into_iter().collect()
    }
}

/// A result as the kernel gives it.
fn checked(result: i32) -> io::Result<RawFd> {
    if result < 0 { Err(io::Error::from_raw_os_error(-result)) } else { Ok(result) }
}

impl Reading for Uring {
    fn read(&mut self, _: &Files, which: &[usize], see: See<'_>) -> io::Result<()> {
        for which in which.chunks(DEPTH.min(self.buffers.len())) {
            let open: Vec<RawFd> = self.open(which)?.into_iter().map(IntoRawFd::into_raw_fd).collect();
            let read = |(fd, buffer): (&RawFd, &mut Vec<u8>)| {
                opcode::Read::new(types::Fd(*fd), buffer.as_mut_ptr(), u32::try_from(buffer.len()).unwrap_or(u32::MAX)).build()
            };
            let entries: Vec<_> = open.iter().zip(&mut self.buffers).map(read).collect();
            let lengths = self.round(&entries)?.to_vec();
            let entries: Vec<_> = open.iter().map(|fd| opcode::Close::new(types::Fd(*fd)).build()).collect();
            self.round(&entries)?.iter().try_for_each(|result| checked(*result).map(drop))?;
            for ((i, length), buffer) in which.iter().zip(lengths).zip(&self.buffers) {
                see(*i, buffer.get(..checked(length)? as usize).unwrap_or_default());
            }
        }
        Ok(())
    }
}
