//! Ways of reading files.

use std::fs::{self, File};
use std::future::Future;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;

use memmap2::Mmap;
use tokio::io::AsyncReadExt;
use tokio::runtime::Runtime;

use super::dir::{Files, Tally};
use super::map::map;
use crate::Refusal;

/// A way of reading files.
pub(super) trait Reading: Send {
    /// Reads each of the files `which` once, in any order, and tallies it before the next where the way permits: so that memory is used again.
    ///
    /// # Errors
    /// When one cannot be read.
    fn read(&mut self, files: &Arc<Files>, which: &[usize], tally: &mut Tally) -> io::Result<()>;
}

fn path(files: &Files, which: usize) -> io::Result<&PathBuf> {
    files.paths.get(which).ok_or_else(|| io::ErrorKind::NotFound.into())
}

pub(super) struct StdRead;

impl Reading for StdRead {
    fn read(&mut self, files: &Arc<Files>, which: &[usize], tally: &mut Tally) -> io::Result<()> {
        which.iter().try_for_each(|i| {
            tally.see(files, *i, &fs::read(path(files, *i)?)?);
            Ok(())
        })
    }
}

pub(super) struct StdString;

impl Reading for StdString {
    fn read(&mut self, files: &Arc<Files>, which: &[usize], tally: &mut Tally) -> io::Result<()> {
        which.iter().try_for_each(|i| {
            tally.see(files, *i, fs::read_to_string(path(files, *i)?)?.as_bytes());
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
    fn read(&mut self, files: &Arc<Files>, which: &[usize], tally: &mut Tally) -> io::Result<()> {
        which.iter().try_for_each(|i| {
            let read = File::open(path(files, *i)?)?.read(&mut self.0)?;
            tally.see(files, *i, self.0.get(..read).unwrap_or_default());
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
    fn read(&mut self, files: &Arc<Files>, which: &[usize], tally: &mut Tally) -> io::Result<()> {
        which.iter().try_for_each(|i| {
            let file = self.open.get(*i).ok_or(io::ErrorKind::NotFound)?;
            let read = file.read_at(&mut self.buffer, 0)?;
            tally.see(files, *i, self.buffer.get(..read).unwrap_or_default());
            Ok(())
        })
    }
}

pub(super) struct Unsized;

impl Reading for Unsized {
    fn read(&mut self, files: &Arc<Files>, which: &[usize], tally: &mut Tally) -> io::Result<()> {
        which.iter().try_for_each(|i| {
            let mut bytes = Vec::new();
            // Behind `take` nobody asks the file for its size.
            File::open(path(files, *i)?)?.take(u64::MAX).read_to_end(&mut bytes)?;
            tally.see(files, *i, &bytes);
            Ok(())
        })
    }
}

pub(super) struct Mapped;

impl Reading for Mapped {
    fn read(&mut self, files: &Arc<Files>, which: &[usize], tally: &mut Tally) -> io::Result<()> {
        which.iter().try_for_each(|i| {
            tally.see(files, *i, &map(path(files, *i)?)?);
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
    fn read(&mut self, files: &Arc<Files>, which: &[usize], tally: &mut Tally) -> io::Result<()> {
        which.iter().try_for_each(|i| {
            tally.see(files, *i, self.0.get(*i).ok_or(io::ErrorKind::NotFound)?);
            Ok(())
        })
    }
}

pub(super) struct Threads;

impl Reading for Threads {
    fn read(&mut self, files: &Arc<Files>, which: &[usize], tally: &mut Tally) -> io::Result<()> {
        let (first, second) = which.split_at(which.len() / 2);
        let mut other = tally.alike();
        let theirs = std::thread::scope(|scope| {
            let theirs = scope.spawn(|| StdRead.read(files, second, &mut other));
            StdRead.read(files, first, tally)?;
            theirs.join().map_err(|_| io::Error::other("the second thread panicked"))?
        });
        tally.add(&other);
        theirs
    }
}

/// A way that lives on tokio's runtime.
struct Pooled<R>(Runtime, R);

/// Reads and tallies.
trait Run: Send {
    fn run(&self, files: &Arc<Files>, which: &[usize], tally: &mut Tally) -> impl Future<Output = io::Result<()>>;
}

impl<R: Run> Reading for Pooled<R> {
    fn read(&mut self, files: &Arc<Files>, which: &[usize], tally: &mut Tally) -> io::Result<()> {
        self.0.block_on(self.1.run(files, which, tally))
    }
}

fn pooled(run: impl Run + 'static) -> Result<Box<dyn Reading>, Refusal> {
    let runtime = tokio::runtime::Builder::new_multi_thread().build().map_err(|e| Refusal::failed("cannot start tokio's runtime", e))?;
    Ok(Box::new(Pooled(runtime, run)))
}

struct OneByOne;

impl Run for OneByOne {
    async fn run(&self, files: &Arc<Files>, which: &[usize], tally: &mut Tally) -> io::Result<()> {
        for i in which {
            tally.see(files, *i, &tokio::fs::read(path(files, *i)?).await?);
        }
        Ok(())
    }
}

pub(super) fn tokio_one_by_one() -> Result<Box<dyn Reading>, Refusal> {
    pooled(OneByOne)
}

struct Joined;

impl Run for Joined {
    async fn run(&self, files: &Arc<Files>, which: &[usize], tally: &mut Tally) -> io::Result<()> {
        let task = |i: &usize| Ok((*i, tokio::spawn(tokio::fs::read(path(files, *i)?.clone()))));
        let tasks = which.iter().map(task).collect::<io::Result<Vec<_>>>()?;
        for (i, task) in tasks {
            tally.see(files, i, &task.await.map_err(io::Error::other)??);
        }
        Ok(())
    }
}

pub(super) fn tokio_joined() -> Result<Box<dyn Reading>, Refusal> {
    pooled(Joined)
}

struct ToEnd;

impl Run for ToEnd {
    async fn run(&self, files: &Arc<Files>, which: &[usize], tally: &mut Tally) -> io::Result<()> {
        for i in which {
            let mut bytes = Vec::new();
            tokio::fs::File::open(path(files, *i)?).await?.read_to_end(&mut bytes).await?;
            tally.see(files, *i, &bytes);
        }
        Ok(())
    }
}

pub(super) fn tokio_file() -> Result<Box<dyn Reading>, Refusal> {
    pooled(ToEnd)
}

struct Each;

impl Run for Each {
    async fn run(&self, files: &Arc<Files>, which: &[usize], tally: &mut Tally) -> io::Result<()> {
        for i in which {
            let path = path(files, *i)?.clone();
            let bytes = tokio::task::spawn_blocking(|| fs::read(path)).await.map_err(io::Error::other)??;
            tally.see(files, *i, &bytes);
        }
        Ok(())
    }
}

pub(super) fn blocking_each() -> Result<Box<dyn Reading>, Refusal> {
    pooled(Each)
}

struct Together;

impl Run for Together {
    async fn run(&self, files: &Arc<Files>, which: &[usize], tally: &mut Tally) -> io::Result<()> {
        let (files, which, mut theirs) = (Arc::clone(files), which.to_vec(), tally.alike());
        // What is done with the files is done there too, so that none has to be kept for the way back.
        let all = tokio::task::spawn_blocking(move || StdRead.read(&files, &which, &mut theirs).map(|()| theirs));
        tally.add(&all.await.map_err(io::Error::other)??);
        Ok(())
    }
}

pub(super) fn blocking_batch() -> Result<Box<dyn Reading>, Refusal> {
    pooled(Together)
}
