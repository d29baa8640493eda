//! A disk for tests that fails where it is told to.

use super::{Disk, Open, StdDisk};
use std::{
    fs::File,
    io::{self, ErrorKind},
    path::Path,
    sync::{Mutex, MutexGuard},
};

/// What happens at the chosen operation. A failing write writes half of its bytes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It fails, and what follows works.
    Error(ErrorKind),
    /// It fails, and so does everything that follows, as if the process had ended there.
    Crash,
    /// From there on every write takes one byte only.
    Short,
}

#[derive(Default)]
struct State {
    fault: Option<(u32, Fault)>,
    fired: bool,
    crashed: bool,
    short: bool,
}

/// [`StdDisk`] with one fault.
#[derive(Default)]
pub(crate) struct FaultyDisk(Mutex<State>);

impl FaultyDisk {
    /// The fault fires at the operation after `before` others, counted from now.
    pub(crate) fn arm(&self, before: u32, fault: Fault) {
        *self.state() = State { fault: Some((before, fault)), ..State::default() };
    }

    pub(crate) fn fired(&self) -> bool {
        self.state().fired
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    fn gate(&self) -> io::Result<()> {
        let mut state = self.state();
        if state.crashed {
            return Err(ErrorKind::BrokenPipe.into());
        }
        match state.fault {
            Some((0, fault)) => {
                (state.fault, state.fired) = (None, true);
                state.crashed = fault == Fault::Crash;
                state.short = fault == Fault::Short;
                match fault {
                    Fault::Error(kind) => Err(kind.into()),
                    Fault::Crash => Err(ErrorKind::BrokenPipe.into()),
                    Fault::Short => Ok(()),
                }
            }
            Some((left, fault)) => {
                state.fault = Some((left - 1, fault));
                Ok(())
            }
            None => Ok(()),
        }
    }
}

impl Disk for FaultyDisk {
    type File = File;

    async fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.gate()?;
        StdDisk.create_dir(path).await
    }

    async fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        self.gate()?;
        StdDisk.list(dir).await
    }

    async fn read(&self, path: &Path, max: usize) -> io::Result<Vec<u8>> {
        self.gate()?;
        StdDisk.read(path, max).await
    }

    async fn open(&self, path: &Path, how: Open) -> io::Result<File> {
        self.gate()?;
        StdDisk.open(path, how).await
    }

    async fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<usize> {
        let crashed = self.state().crashed;
        if let Err(why) = self.gate() {
            if !crashed {
                StdDisk.write(file, &bytes[..bytes.len() / 2]).await?;
            }
            return Err(why);
        }
        let short = self.state().short;
        StdDisk.write(file, if short { &bytes[..1] } else { bytes }).await
    }

    async fn truncate(&self, file: &mut File, len: u64) -> io::Result<()> {
        self.gate()?;
        StdDisk.truncate(file, len).await
    }

    async fn sync(&self, file: &mut File) -> io::Result<()> {
        self.gate()?;
        StdDisk.sync(file).await
    }

    async fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.gate()?;
        StdDisk.sync_dir(dir).await
    }

    async fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.gate()?;
        StdDisk.rename(from, to).await
    }

    async fn unlink(&self, path: &Path) -> io::Result<()> {
        self.gate()?;
        StdDisk.unlink(path).await
    }
}
