//! `tokio::fs`: each operation is a hop to tokio's blocking pool.

use super::{Disk, Open, blocking};
use std::{io, path::Path};
use tokio::{
    fs::{self, File, OpenOptions},
    io::AsyncWriteExt,
    task::spawn_blocking,
};

/// Calls that leave the runtime's workers free, at the price of a hop each.
///
/// Not safe to cancel: a dropped operation may still take place later.
#[derive(Clone, Copy, Debug, Default)]
pub struct TokioDisk;

impl Disk for TokioDisk {
    type File = File;

    async fn create_dir(&self, path: &Path) -> io::Result<()> {
        let path = path.to_owned();
        hop(move || blocking::create_dir(&path)).await
    }

    async fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let dir = dir.to_owned();
        hop(move || blocking::list(&dir)).await
    }

    /// One hop, as `tokio::fs::read` does it, with a bound; reading a tokio `File` to its end takes one per piece.
    async fn read(&self, path: &Path, max: usize) -> io::Result<Vec<u8>> {
        let path = path.to_owned();
        hop(move || blocking::read(&path, max)).await
    }

    async fn open(&self, path: &Path, how: Open) -> io::Result<File> {
        OpenOptions::from(blocking::options(how)).open(path).await
    }

    /// Flushed at once: tokio's `write` returns when the bytes are in its buffer, and an error of the disk would be
    /// reported by some later call or by none.
    async fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<usize> {
        let written = file.write(bytes).await?;
        file.flush().await?;
        Ok(written)
    }

    async fn truncate(&self, file: &mut File, len: u64) -> io::Result<()> {
        file.set_len(len).await
    }

    async fn sync(&self, file: &mut File) -> io::Result<()> {
        file.sync_data().await
    }

    async fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        File::open(dir).await?.sync_all().await
    }

    async fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to).await
    }

    async fn unlink(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path).await
    }
}

async fn hop<T: Send + 'static>(call: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    spawn_blocking(call).await.map_err(io::Error::other)?
}
