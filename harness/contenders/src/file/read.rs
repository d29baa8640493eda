//! The jobs `file-read` and `file-scan`: one file after another, or a whole directory of sessions at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::cold::Cold;
use super::dir::{Files, Tally};
use super::reading::{self, Reading};
use super::uring::Uring;
use crate::{Batch, Contender, Job, Limit, Opening, Refusal, Way};

/// Reading one session's file.
pub(crate) const READ: Job = Job {
    name: "file-read",
    doc: "read a session's file whole, every byte of it looked at",
    cpu_bound: false,
    ways: &[
        way("std-read", "std::fs::read", "", |o| read(o, |_| Ok(Box::new(reading::StdRead)))),
        way("read-to-string", "std::fs::read_to_string, which also checks UTF-8", "", |o| read(o, |_| Ok(Box::new(reading::StdString)))),
        way("reused-buffer", "open and one read into a buffer that is kept", "", |o| read(o, |f| Ok(Box::new(reading::Reused::new(f))))),
        way("kept-descriptor", "pread of a descriptor that is kept, into a buffer that is kept", "", |o| {
            read(o, |f| Ok(Box::new(reading::Kept::new(f)?)))
        }),
        way("unsized", "read_to_end of a reader that does not know its size", UNSIZED, |o| read(o, |_| Ok(Box::new(reading::Unsized)))),
        way("mmap", "map, read, unmap", MMAP, |o| read(o, |_| Ok(Box::new(reading::Mapped)))),
        way("mapping-kept", "a mapping that is kept", MAPPING_KEPT, mapping_kept),
        way("tokio-one-by-one", "tokio::fs::read, each awaited before the next", TOKIO, |o| read(o, |_| reading::tokio_one_by_one())),
        way("tokio-joined", "tokio::fs::read in a task each, all awaited together", TOKIO, |o| read(o, |_| reading::tokio_joined())),
        way("tokio-file-read-to-end", "tokio::fs::File and read_to_end", TOKIO_FILE, |o| read(o, |_| reading::tokio_file())),
        way("spawn-blocking-each", "std::fs::read in a spawn_blocking each", TOKIO, |o| read(o, |_| reading::blocking_each())),
        way("spawn-blocking-batch", "std::fs::read of the whole batch in one spawn_blocking", "", |o| {
            read(o, |_| reading::blocking_batch())
        }),
        way("io-uring", "io_uring: the batch opened, read and closed with three system calls", URING, |o| {
            read(o, |f| Ok(Box::new(Uring::new(f)?)))
        }),
    ],
};

/// Reading one session's file and parsing it: what `JSON.parse(readFileSync(…))` does.
pub(crate) const READ_PARSE: Job = Job {
    name: "file-read-parse",
    doc: "read a session's file whole and parse it with serde_json into a tree, on the thread that has read it or awaits it",
    cpu_bound: false,
    ways: &[
        way("std-read", "std::fs::read and parse, on the thread that asked", "", |o| parse(o, |_| Ok(Box::new(reading::StdRead)))),
        way("kept-descriptor", "pread of a descriptor that is kept, into a buffer that is kept, and parse", "", |o| {
            parse(o, |f| Ok(Box::new(reading::Kept::new(f)?)))
        }),
        way("tokio-one-by-one", "tokio::fs::read, each awaited and parsed before the next", TOKIO, |o| {
            parse(o, |_| reading::tokio_one_by_one())
        }),
        way("tokio-joined", "tokio::fs::read in a task each, parsed as they are awaited", TOKIO, |o| parse(o, |_| reading::tokio_joined())),
        way("spawn-blocking-each", "std::fs::read in a spawn_blocking each, parsed where it is awaited", TOKIO, |o| {
            parse(o, |_| reading::blocking_each())
        }),
        way("spawn-blocking-batch", "the whole batch read and parsed in one spawn_blocking", "", |o| {
            parse(o, |_| reading::blocking_batch())
        }),
        way("io-uring", "io_uring: the batch opened, read and closed with three system calls, then parsed", URING, |o| {
            parse(o, |f| Ok(Box::new(Uring::new(f)?)))
        }),
    ],
};

/// Reading many sessions' files.
pub(crate) const SCAN: Job = Job {
    name: "file-scan",
    doc: "read one of many session files (`contender.files`), all of them in one batch, as a start or a search does",
    cpu_bound: false,
    ways: &[
        way("std-one-by-one", "std::fs::read, one after another", "", |o| scan(o, |_| Ok(Box::new(reading::StdRead)))),
        way("std-two-threads", "std::fs::read on two threads that are started for the scan", "", |o| {
            scan(o, |_| Ok(Box::new(reading::Threads)))
        }),
        way("tokio-one-by-one", "tokio::fs::read, each awaited before the next", TOKIO, |o| scan(o, |_| reading::tokio_one_by_one())),
        way("tokio-joined", "tokio::fs::read in a task each, all awaited together", TOKIO, |o| scan(o, |_| reading::tokio_joined())),
        way("spawn-blocking-batch", "std::fs::read of all in one spawn_blocking", "", |o| scan(o, |_| reading::blocking_batch())),
        way("io-uring", "io_uring: 64 files at a time opened, read and closed with three system calls", URING, |o| {
            scan(o, |f| Ok(Box::new(Uring::new(f)?)))
        }),
    ],
};

const UNSIZED: &str = "the buffer grows by copying itself, most on large files: ask for the size first (std::fs::read does)";
const MMAP: &str = "each page costs a fault, so that small files are read slower than by read; a file that shrinks while mapped kills the process \
                    (SIGBUS)";
const MAPPING_KEPT: &str = "a file that shrinks while mapped kills the process (SIGBUS), and a live mapping keeps its pages in the cache";
const TOKIO: &str = "each call is handed to another thread and back, which on a warm page cache costs more than the call: put a whole batch into one \
                     spawn_blocking";
const TOKIO_FILE: &str = "one hop per read, of a buffer that grows: tokio::fs::read, or better one spawn_blocking for the batch";
const URING: &str = "many sandboxes forbid io_uring: keep a fallback to read";

const fn way(name: &'static str, doc: &'static str, trap: &'static str, open: fn(&Opening) -> Result<Box<dyn Contender>, Refusal>) -> Way {
    Way { name, doc, trap, open }
}

/// Files that are read by turns.
const READ_FILES: usize = 32;

type Make = fn(&Files) -> Result<Box<dyn Reading>, Refusal>;

fn read(opening: &Opening, make: Make) -> Result<Box<dyn Contender>, Refusal> {
    let (files, per_batch) = by_turns(opening);
    job(opening, make, Files::create(opening, files)?, per_batch)
}

fn parse(opening: &Opening, make: Make) -> Result<Box<dyn Contender>, Refusal> {
    let (files, per_batch) = by_turns(opening);
    job(opening, make, Files::create_parsed(opening, files)?, per_batch)
}

/// How many files are read by turns, and how many of them in a batch.
fn by_turns(opening: &Opening) -> (usize, usize) {
    let longest = opening.documents.iter().map(Vec::len).max().unwrap_or(0);
    // Some 100 us: of files up to 64 KiB a batch that io_uring and joined tasks have something to gain of.
    let per_batch = match longest {
        0..=65_536 => 32,
        65_537..=1_048_576 => 8,
        _ => 2,
    };
    (READ_FILES.min(opening.documents.len().max(per_batch)), per_batch)
}

fn scan(opening: &Opening, make: Make) -> Result<Box<dyn Contender>, Refusal> {
    let files = usize::try_from(opening.number("contender.files")?).unwrap_or(usize::MAX).clamp(1, 4096);
    job(opening, make, Files::create(opening, files)?, files)
}

fn mapping_kept(opening: &Opening) -> Result<Box<dyn Contender>, Refusal> {
    if is_cold(opening) {
        return Err(Refusal::NotHere("a live mapping keeps its pages in the cache, so that its file is never cold".to_owned()));
    }
    read(opening, |files| Ok(Box::new(reading::MappingKept::new(files)?)))
}

fn is_cold(opening: &Opening) -> bool {
    opening.setting("contender.cache") == "cold"
}

fn job(opening: &Opening, make: Make, files: Files, per_batch: usize) -> Result<Box<dyn Contender>, Refusal> {
    let reading = make(&files)?;
    let bytes = files.documents.iter().map(Vec::len).sum::<usize>() / files.len();
    let cold = is_cold(opening).then(Cold::default);
    let mut job = Reader { reading, limit: bytes as u64, cold, which: Vec::new(), next: 0, per_batch, files: Arc::new(files) };
    job.turn();
    Ok(Box::new(job))
}

struct Reader {
    files: Arc<Files>,
    reading: Box<dyn Reading>,
    cold: Option<Cold>,
    /// The files of the next batch.
    which: Vec<usize>,
    next: usize,
    per_batch: usize,
    limit: u64,
}

impl Reader {
    /// Chooses the files of the next batch.
    fn turn(&mut self) {
        let many = self.files.len();
        self.which.clear();
        self.which.extend((self.next..self.next + self.per_batch).map(|i| i % many));
        self.next = (self.next + self.per_batch) % many;
    }
}

impl Reader {
    fn read(&mut self, which: &[usize], tally: &mut Tally) -> Result<(), String> {
        self.reading.read(&self.files, which, tally).map_err(|e| format!("cannot read a file: {e}"))?;
        match tally.wrong {
            Some(wrong) => Err(format!("file {wrong} was read wrong")),
            None if tally.files as usize != which.len() => Err(format!("{} files were read instead of {}", tally.files, which.len())),
            None => Ok(()),
        }
    }
}

impl Contender for Reader {
    fn batch(&mut self) -> Result<Batch, String> {
        let mut tally = Tally::default();
        let which = std::mem::take(&mut self.which);
        self.read(&which, &mut tally)?;
        self.which = which;
        self.turn();
        Ok(Batch { operations: tally.files, bytes_in: tally.bytes, bytes_out: 0 })
    }

    fn between(&mut self) -> Result<(), String> {
        let Some(cold) = &mut self.cold else { return Ok(()) };
        let paths = self.which.iter().filter_map(|which| self.files.paths.get(*which));
        paths.into_iter().try_for_each(|path| cold.drop_pages(path)).map_err(|e| format!("cannot drop a file from the page cache: {e}"))
    }

    fn limit(&self) -> Option<Limit> {
        Some(if self.cold.is_some() { Limit::DeviceRead(self.limit) } else { Limit::Memcpy(self.limit) })
    }

    fn finish(mut self: Box<Self>) -> Result<BTreeMap<String, String>, String> {
        let all: Vec<usize> = (0..self.files.len()).collect();
        self.read(&all, &mut Tally { whole: true, ..Tally::default() })?;
        let cache = self.cold.map_or_else(|| "warm".to_owned(), |cold| cold.says());
        let files = format!("{}, {} in a batch", self.files.len(), self.per_batch);
        Ok(BTreeMap::from([("cache".to_owned(), cache), ("files".to_owned(), files)]))
    }
}
