//! The files that are read or saved: one per document, on the disk that is measured.

use std::fs::File;
use std::hint::black_box;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::json::whole;
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
    /// Whether each file is parsed into a tree once it is read, wherever that is.
    parsed: bool,
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
        Ok(Files { paths, documents, longest, sums, parsed: false })
    }

    /// The same, each document whole JSON and each file parsed as soon as it is read, on the thread that looks at it.
    ///
    /// # Errors
    /// A document that is no JSON, what could not be written.
    pub(super) fn create_parsed(opening: &Opening, many: usize) -> Result<Files, Refusal> {
        let json = |document: &Vec<u8>| whole(document).map(String::into_bytes);
        let documents = opening.documents.iter().map(json).collect::<Option<_>>();
        let documents = documents.ok_or_else(|| Refusal::Failed("a document is no JSON; choose another load.payload.shape".to_owned()))?;
        Ok(Files { parsed: true, ..Files::create(&Opening { documents, ..opening.clone() }, many)? })
    }

    /// How many.
    pub(super) fn len(&self) -> usize {
        self.paths.len()
    }

    /// Whether these bytes add up as those of file `which` do. It looks at each of them, so that no way can leave a page unread.
    fn adds_up(&self, which: usize, bytes: &[u8]) -> bool {
        self.sums.get(which) == Some(&sum(bytes))
    }
}

/// What was read, wherever it was looked at.
#[derive(Default)]
pub(super) struct Tally {
    /// Whether files are compared byte by byte instead of by their sums.
    pub(super) whole: bool,
    /// Files.
    pub(super) files: u32,
    /// Their bytes.
    pub(super) bytes: u64,
    /// One that was wrong.
    pub(super) wrong: Option<usize>,
}

impl Tally {
    /// An empty one that looks at files in the same way.
    pub(super) fn alike(&self) -> Tally {
        Tally { whole: self.whole, ..Tally::default() }
    }

    /// Looks at what was read of a file.
    pub(super) fn see(&mut self, files: &Files, which: usize, bytes: &[u8]) {
        self.files += 1;
        self.bytes += bytes.len() as u64;
        // A parser looks at every byte by itself; the sum beside it would be work that no user of the file has.
        let right = match (self.whole, files.parsed) {
            (true, parsed) => files.documents.get(which).is_some_and(|d| d == bytes) && (!parsed || parses(bytes)),
            (false, true) => parses(bytes),
            (false, false) => files.adds_up(which, bytes),
        };
        if !right {
            self.wrong = Some(which);
        }
    }

    /// Takes in what another one saw.
    pub(super) fn add(&mut self, other: &Tally) {
        self.files += other.files;
        self.bytes += other.bytes;
        self.wrong = self.wrong.or(other.wrong);
    }
}

/// Parses a file's bytes into a tree, which is dropped: whether they are JSON.
fn parses(bytes: &[u8]) -> bool {
    black_box(serde_json::from_slice::<serde_json::Value>(bytes)).is_ok()
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
