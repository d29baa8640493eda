//! The one door to the filesystem: everything the file store does to a disk is an operation of [`Disk`].
//!
//! Faults and power loss can therefore be simulated by another implementation. Policy (what to write in which order,
//! what to flush) is not here but in `files`.

use std::{future::Future, io, path::Path};

mod blocking;
mod pooled;

#[cfg(test)]
pub(crate) mod faulty;

pub use blocking::StdDisk;
pub use pooled::TokioDisk;

/// How a file is opened for writing. Every way creates a file that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Open {
    /// Only if it is not there yet.
    New,
    /// Emptied.
    Truncate,
    /// As it is, at its start.
    Keep,
}

/// The operations of a disk. Each is one call of the API that is compared, or the fewest it needs.
pub trait Disk: Send + Sync + 'static {
    /// A file open for writing.
    type File: Send;

    /// Creates one directory; that it is there already is no error.
    fn create_dir(&self, path: &Path) -> impl Future<Output = io::Result<()>> + Send;

    /// The names in a directory that are UTF-8 (the store makes no others), in no order.
    fn list(&self, dir: &Path) -> impl Future<Output = io::Result<Vec<String>>> + Send;

    /// The whole file, or its first `max + 1` bytes where it is longer than `max`.
    fn read(&self, path: &Path, max: usize) -> impl Future<Output = io::Result<Vec<u8>>> + Send;

    /// Opens a file for writing.
    fn open(&self, path: &Path, how: Open) -> impl Future<Output = io::Result<Self::File>> + Send;

    /// Writes some of `bytes` at the file's position; how many reached the operating system.
    fn write(&self, file: &mut Self::File, bytes: &[u8]) -> impl Future<Output = io::Result<usize>> + Send;

    /// Cuts or extends the file to `len` bytes.
    fn truncate(&self, file: &mut Self::File, len: u64) -> impl Future<Output = io::Result<()>> + Send;

    /// Flushes the file's data and the metadata needed to read it back (fdatasync).
    fn sync(&self, file: &mut Self::File) -> impl Future<Output = io::Result<()>> + Send;

    /// Flushes a directory's entries.
    fn sync_dir(&self, dir: &Path) -> impl Future<Output = io::Result<()>> + Send;

    /// Renames a file, replacing one of the new name.
    fn rename(&self, from: &Path, to: &Path) -> impl Future<Output = io::Result<()>> + Send;

    /// Removes a file's name.
    fn unlink(&self, path: &Path) -> impl Future<Output = io::Result<()>> + Send;
}

#[cfg(test)]
mod tests;
