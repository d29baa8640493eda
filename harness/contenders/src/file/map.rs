//! Mapped files, and the kernel's word on which of a file's pages are in memory.
#![allow(
    unsafe_code,
    reason = "mapping a file and asking mincore have no safe form; the files are this trial's own and nobody shortens them"
)]

use std::fs::File;
use std::io;
use std::path::Path;

use memmap2::Mmap;

/// Maps a whole file for reading.
///
/// # Errors
/// When it cannot be opened or mapped.
pub(super) fn map(path: &Path) -> io::Result<Mmap> {
    let file = File::open(path)?;
    // SAFETY: the file lies in this trial's own directory, and nothing writes to it or shortens it while it is mapped.
    unsafe { Mmap::map(&file) }
}

/// Pages of the file that are in memory.
///
/// # Errors
/// When it cannot be mapped or the kernel does not say.
pub(super) fn resident(path: &Path) -> io::Result<usize> {
    // A mapping that is never touched brings no page in.
    let mapping = map(path)?;
    let page = rustix::param::page_size();
    let mut pages = vec![0u8; mapping.len().div_ceil(page)];
    // SAFETY: the address and length are of a live mapping, and the vector has a byte for each of its pages.
    let done = unsafe { libc::mincore(mapping.as_ptr().cast_mut().cast(), mapping.len(), pages.as_mut_ptr()) };
    if done != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(pages.iter().filter(|p| *p & 1 == 1).count())
}
