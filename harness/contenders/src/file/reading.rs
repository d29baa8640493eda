//! Ways of reading files.

use std::fs::{self, File};
use std::future::Future;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use memmap2::Mmap;
use tokio::io::AsyncReadExt;
use tokio::runtime::Runtime;

use super::dir::Files;
use super::map::map;
use crate::Refusal;

/// What is told of each file: which, and its bytes.
pub(super) type See<'a> = &'a mut dyn FnMut(usize, &[u8]);

/// A way of reading files.
pub(super) trait Reading: Send {
    /// Reads each of the files `which` once, in any order.
    ///
    /// # Errors
    /// When one cannot be read.
    fn read(&mut self, files: &Files, which: &[usize], see: See<'_>) -> io::Result<()>;
}

fn path(files: &Files, which: usize) -> io::Result<&PathBuf> {
    files.paths.get(which).ok_or_else(|| io::ErrorKind::NotFound.into())
}

pub(super) struct StdRead;

impl Reading for StdRead {
    fn read(&mut self, files: &Files, which: &[usize], see: See<'_>) -> io::Result<()> {
        which.iter().try_for_each(|i| {
            see(*i, &fs::read(path(files, *i)?)?);
            Ok(())
        })
    }
}

pub(super) struct StdString;

impl Reading for StdString {
    fn read(&mut self, files: &Files, which: &[usize], see: See<'_>) -> io::Result<()> {
        which.iter().try_for_each(|i| {
            see(*i, fs::read_to_string(path(files, *i)?)?.as_bytes());
            Ok(())
        })
    }
}

/// One byte more than the longest file has, so that one read that is not filled shows the end.
fn buffer(files: &Files) -> Vec<u8> {
    vec![0; files.longest + 1]
}

pub(super) struct Reused(Vec<u8>);

impl Reused {
    pub(super) fn new(files: &Files) -> Self {
        Self(buffer(files))
    }
}

impl Reading for Reused {
    fn read(&mut self, files: &Files, which: &[usize], see: See<'_>) -> io::Result<()> {
        which.iter().try_for_each(|i| {
            let read = File::open(path(files, *i)?)?.read(&mut self.0)?;
            see(*i, self.0.get(..read).unwrap_or_default());
            Ok(())
        })
    }
}

pub(super) struct Kept {
    open: Vec<File>,
    buffer: Vec<u8>,
}

impl Kept {
    pub(super) fn new(files: &Files) -> Result<Self, Refusal> {
        let open = files.paths.iter().map(File::open).collect::<io::Result<_>>();
        Ok(Self { open: open.map_err(|e| Refusal::failed("cannot open the files", e))?, buffer: buffer(files) })
    }
}

impl Reading for Kept {
    fn read(&mut self, _: &Files, which: &[usize], see: See<'_>) -> io::Result<()> {
        which.iter().try_for_each(|i| {
            let file = self.open.get(*i).ok_or(io::ErrorKind::NotFound)?;
            let read = file.read_at(&mut self.buffer, 0)?;
            see(*i, self.buffer.get(..read).unwrap_or_default());
            Ok(())
        })
    }
}

pub(super) struct Unsized;

impl Reading for Unsized {
    fn read(&mut self, files: &Files, which: &[usize], see: See<'_>) -> io::Result<()> {
        which.iter().try_for_each(|i| {
            let mut bytes = Vec::new();
            // Behind `take` nobody asks the file for its size.
            File::open(path(files, *i)?)?.take(u64::MAX).read_to_end(&mut bytes)?;
            see(*i, &bytes);
            Ok(())
        })
    }
}

pub(super) struct Mapped;

impl Reading for Mapped {
    fn read(&mut self, files: &Files, which: &[usize], see: See<'_>) -> io::Result<()> {
        which.iter().try_for_each(|i| {
            see(*i, &map(path(files, *i)?)?);
            Ok(())
        })
    }
}

pub(super) struct MappingKept(Vec<Mmap>);

impl MappingKept {
    pub(super) fn new(files: &Files) -> Result<Self, Refusal> {
        let all = files.paths.iter().map(|path| map(path)).collect::<io::Result<_>>();
        all.map(Self).map_err(|e| Refusal::failed("cannot map the files", e))
    }
}

impl Reading for MappingKept {
    fn read(&mut self, _: &Files, which: &[usize], see: See<'_>) -> io::Result<()> {
        which.iter().try_for_each(|i| {
            see(*i, self.0.get(*i).ok_or(io::ErrorKind::NotFound)?);
            Ok(())
        })
    }
}

pub(super) struct Threads;

impl Reading for Threads {
    fn read(&mut self, files: &Files, which: &[usize], see: See<'_>) -> io::Result<()> {
        let (first, second) = which.split_at(which.len() / 2);
        let all = |which: &[usize]| which.iter().map(|i| Ok((*i, fs::read(path(files, *i)?)?))).collect::<io::Result<Vec<_>>>();
        let (ours, theirs) = std::thread::scope(|scope| {
            let theirs = scope.spawn(|| all(second));
            (all(first), theirs.join())
        });
        let theirs = theirs.map_err(|_| io::Error::other("the second thread panicked"))?;
        for (i, bytes) in ours?.into_iter().chain(theirs?) {
            see(i, &bytes);
        }
        Ok(())
    }
}

/// A way that lives on tokio's runtime.
struct Pooled<R>(Runtime, R);

/// Reads the paths and gives their contents, in order.
trait Run: Send {
    fn run(&self, paths: Vec<PathBuf>) -> impl Future<Output = io::Result<Vec<Vec<u8>>>>;
}

impl<R: Run> Reading for Pooled<R> {
    fn read(&mut self, files: &Files, which: &[usize], see: See<'_>) -> io::Result<()> {
        let paths = which.iter().map(|i| path(files, *i).cloned()).collect::<io::Result<_>>()?;
        let all = self.0.block_on(self.1.run(paths))?;
        which.iter().zip(&all).for_each(|(i, bytes)| see(*i, bytes));
        Ok(())
    }
}

fn pooled(run: impl Run + 'static) -> Result<Box<dyn Reading>, Refusal> {
    let runtime = tokio::runtime::Builder::new_multi_thread().build().map_err(|e| Refusal::failed("cannot start tokio's runtime", e))?;
    Ok(Box::new(Pooled(runtime, run)))
}

struct OneByOne;

impl Run for OneByOne {
    async fn run(&self, paths: Vec<PathBuf>) -> io::Result<Vec<Vec<u8>>> {
        let mut all = Vec::with_capacity(paths.len());
        for path in paths {
            all.push(tokio::fs::read(path).await?);
        }
        Ok(all)
    }
}

pub(super) fn tokio_one_by_one() -> Result<Box<dyn Reading>, Refusal> {
    pooled(OneByOne)
}

struct Joined;

impl Run for Joined {
    async fn run(&self, paths: Vec<PathBuf>) -> io::Result<Vec<Vec<u8>>> {
        let tasks: Vec<_> = paths.into_iter().map(|path| tokio::spawn(tokio::fs::read(path))).collect();
        let mut all = Vec::with_capacity(tasks.len());
        for task in tasks {
            all.push(task.await.map_err(io::Error::other)??);
        }
        Ok(all)
    }
}

pub(super) fn tokio_joined() -> Result<Box<dyn Reading>, Refusal> {
    pooled(Joined)
}

struct ToEnd;

impl Run for ToEnd {
    async fn run(&self, paths: Vec<PathBuf>) -> io::Result<Vec<Vec<u8>>> {
        let mut all = Vec::with_capacity(paths.len());
        for path in paths {
            let mut bytes = Vec::new();
            tokio::fs::File::open(path).await?.read_to_end(&mut bytes).await?;
            all.push(bytes);
        }
        Ok(all)
    }
}

pub(super) fn tokio_file() -> Result<Box<dyn Reading>, Refusal> {
    pooled(ToEnd)
}

struct Each;

impl Run for Each {
    async fn run(&self, paths: Vec<PathBuf>) -> io::Result<Vec<Vec<u8>>> {
        let mut all = Vec::with_capacity(paths.len());
        for path in paths {
            all.push(tokio::task::spawn_blocking(|| fs::read(path)).await.map_err(io::Error::other)??);
        }
        Ok(all)
    }
}

pub(super) fn blocking_each() -> Result<Box<dyn Reading>, Refusal> {
    pooled(Each)
}

struct Together;

impl Run for Together {
    async fn run(&self, paths: Vec<PathBuf>) -> io::Result<Vec<Vec<u8>>> {
        tokio::task::spawn_blocking(|| paths.into_iter().map(fs::read).collect()).await.map_err(io::Error::other)?
    }
}

pub(super) fn blocking_batch() -> Result<Box<dyn Reading>, Refusal> {
    pooled(Together)
}
