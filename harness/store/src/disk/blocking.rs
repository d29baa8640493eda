//! `std::fs`, called in place: on a warm cache a call is shorter than the hop to another thread would be.

use super::{Disk, Open};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    path::Path,
};

/// Blocking calls on the calling thread. They hold up the runtime's worker for as long as the disk takes; that is what
/// the setting `store.files.api` compares.
#[derive(Clone, Copy, Debug, Default)]
pub struct StdDisk;

impl Disk for StdDisk {
    type File = File;

    async fn create_dir(&self, path: &Path) -> io::Result<()> {
        create_dir(path)
    }

    async fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        list(dir)
    }

    async fn read(&self, path: &Path, max: usize) -> io::Result<Vec<u8>> {
        read(path, max)
    }

    async fn open(&self, path: &Path, how: Open) -> io::Result<File> {
        options(how).open(path)
    }

    async fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<usize> {
        file.write(bytes)
    }

    async fn truncate(&self, file: &mut File, len: u64) -> io::Result<()> {
        file.set_len(len)
    }

    async fn sync(&self, file: &mut File) -> io::Result<()> {
        file.sync_data()
    }

    async fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        File::open(dir)?.sync_all()
    }

    async fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    async fn unlink(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }
}

pub(super) fn create_dir(path: &Path) -> io::Result<()> {
    match fs::create_dir(path) {
        Err(why) if why.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        other => other,
    }
}

pub(super) fn list(dir: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(dir)? {
        names.extend(entry?.file_name().into_string());
    }
    Ok(names)
}

/// Reads with the size known beforehand: growing a buffer by guesses costs several times as much.
pub(super) fn read(path: &Path, max: usize) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    let limit = max.saturating_add(1);
    let size = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX).min(max);
    // One byte more than the file, so that the read that finds its end needs no larger buffer.
    let mut bytes = Vec::with_capacity(size + 1);
    file.take(limit as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

pub(super) fn options(how: Open) -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    match how {
        Open::New => options.create_new(true),
        Open::Truncate => options.create(true).truncate(true),
        Open::Keep => options.create(true).truncate(false),
    };
    options
}
