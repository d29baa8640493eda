//! Files out of the page cache, and the proof of it.

use std::fs::File;
use std::io;
use std::path::Path;

use rustix::fs::{Advice, fadvise};

use super::map::resident;

/// How often dropping is tried: pages may wait in lists of a CPU's own for a moment.
const TRIES: usize = 3;

/// Drops pages, and counts what could be verified.
#[derive(Default)]
pub(super) struct Cold {
    dropped: u64,
    /// Files of which pages were left.
    warm: u64,
}

impl Cold {
    /// Drops a file's pages and asks the kernel whether any is left.
    ///
    /// # Errors
    /// When the file cannot be opened or the kernel does not answer.
    pub(super) fn drop_pages(&mut self, path: &Path) -> io::Result<()> {
        let file = File::open(path)?;
        self.dropped += 1;
        for _ in 0..TRIES {
            fadvise(&file, 0, None, Advice::DontNeed)?;
            if resident(path)? == 0 {
                return Ok(());
            }
        }
        self.warm += 1;
        Ok(())
    }

    /// What can be said of the files' being cold.
    pub(super) fn says(&self) -> String {
        match self.warm {
            0 => format!(
                "cold: verified, no page was left of any of {} files dropped (directory entries and inodes stay warm)",
                self.dropped
            ),
            warm => format!("not verified: pages were left of {warm} of {} files dropped", self.dropped),
        }
    }
}
