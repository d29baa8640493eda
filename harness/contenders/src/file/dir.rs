//! The files that are read or saved: one per document, on the disk that is measured.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::{Opening, Refusal};

/// Files with what they hold.
pub(super) struct Files {
    /// Where.
    pub(super) paths: Vec<PathBuf>,
    /// What, by file.
    pub(super) documents: Vec<Vec<u8>>,
    /// Length of the longest, bytes.
    pub(super) longest: usize,
    sums: Vec<u64>,
}

impl Files {
    /// Writes `many` files, the documents by turns, and flushes them: a page that is dirty cannot be dropped.
    ///
    /// # Errors
    /// What could not be written.
    pub(super) fn create(opening: &Opening, many: usize) -> Result<Files, Refusal> {
        let documents: Vec<Vec<u8>> = opening.documents.iter().cycle().take(many.max(1)).cloned().collect();
        let paths: Vec<PathBuf> = (0..documents.len()).map(|i| opening.dir.join(format!("session-{i:04}.json"))).collect();
        for (path, document) in paths.iter().zip(&documents) {
            put(path, document).map_err(|e| Refusal::failed("cannot write a file to be read", e))?;
        }
        flush_dir(&opening.dir).map_err(|e| Refusal::failed("cannot flush the directory", e))?;
        let longest = documents.iter().map(Vec::len).max().unwrap_or(0);
        let sums = documents.iter().map(|d| sum(d)).collect();
        Ok(Files { paths, documents, longest, sums })
    }

    /// How many.
    pub(super) fn len(&self) -> usize {
        self.paths.len()
    }

    /// Whether these bytes add up as those of file `which` do. It looks at each of them, so that no way can leave a page unread.
    pub(super) fn adds_up(&self, which: usize, bytes: &[u8]) -> bool {
        self.sums.get(which) == Some(&sum(bytes))
    }
}

fn put(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Flushes a directory's entries.
pub(super) fn flush_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// The sum of all bytes as words, at the speed of memory, with their length.
fn sum(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let words = words.iter().fold(0u64, |sum, word| sum.wrapping_add(u64::from_le_bytes(*word)));
    rest.iter().fold(words.wrapping_add(bytes.len() as u64), |sum, byte| sum.wrapping_add(u64::from(*byte)))
}
