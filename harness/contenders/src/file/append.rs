//! The job `file-append`: records of sessions at the end of one log.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::dir::flush_dir;
use crate::{Batch, Contender, Job, Limit, Opening, Refusal, Way};

/// Appending one record.
pub(crate) const APPEND: Job = Job {
    name: "file-append",
    doc: "append a session's record to a log; 32 records are pending together",
    cpu_bound: false,
    ways: &[
        Way { name: "fdatasync-each", doc: "write, then fdatasync, record by record", trap: "", open: |o| open(o, FDATASYNC, Each::open) },
        Way { name: "plain", doc: "a write each, nothing flushed", trap: PLAIN, open: |o| open(o, PLAIN_WAY, Each::open) },
        Way {
            name: "buffered",
            doc: "a buffer of 64 KiB in the process, nothing flushed",
            trap: BUFFERED,
            open: |o| open(o, PLAIN_WAY, Buffered::open),
        },
        Way {
            name: "preallocated",
            doc: "into space that was written with zeros before, then fdatasync, record by record: no length to flush",
            trap: "",
            open: |o| open(o, FDATASYNC, Preallocated::open),
        },
        Way {
            name: "o-dsync",
            doc: "a write each through a descriptor opened with O_DSYNC",
            trap: "",
            open: |o| open(o, FDATASYNC, Dsync::open),
        },
        Way {
            name: "group-commit",
            doc: "all pending records in one write, then one fdatasync for all of them",
            trap: "",
            open: |o| open(o, GROUP, Group::open),
        },
        Way {
            name: "group-commit-compacted",
            doc: "the same; past 1 MiB the latest record of each session goes into a new log, flushed and renamed over the old one",
            trap: COMPACTED,
            open: |o| open(o, GROUP, Compacted::open),
        },
    ],
};

const PLAIN: &str = "nothing is flushed: a power loss takes the last seconds, acknowledged or not";
const BUFFERED: &str = "what is in the buffer is lost when the process dies, acknowledged or not";
const COMPACTED: &str = "compaction moves its cost into the tail: read p99 beside p50";

/// Records that are pending together.
const PENDING: u64 = 32;
/// A log longer than this begins anew between batches, bytes.
const LOG_MAX: u64 = 32 << 20;
/// A log is compacted when it is longer than this, and longer than [`COMPACT_RATIO`] times what it holds, bytes.
const COMPACT_AT: u64 = 1 << 20;
const COMPACT_RATIO: u64 = 8;
/// Length and number of a record before its document, bytes.
const HEAD: usize = 12;

/// Flushes per thousand records.
const PLAIN_WAY: u64 = 0;
const FDATASYNC: u64 = 1000;
const GROUP: u64 = 1000 / PENDING;

/// A log being written. Records come framed.
trait Log: Send {
    /// Appends the pending records, each as one slice, and returns when all of them count as written.
    fn append(&mut self, records: &[Vec<u8>]) -> io::Result<()>;
    /// Begins anew, empty.
    fn restart(&mut self) -> io::Result<()>;
    /// Bytes in the log.
    fn len(&self) -> u64;
    /// Writes what the process still holds.
    fn close(&mut self) -> io::Result<()> {
        Ok(())
    }
    /// Whether older records of a session may be gone.
    fn compacts(&self) -> bool {
        false
    }
}

type Make = fn(&Path, &Opening, u64) -> io::Result<Box<dyn Log>>;

fn open(opening: &Opening, flushes: u64, make: Make) -> Result<Box<dyn Contender>, Refusal> {
    let path = opening.dir.join("sessions.log");
    let log = make(&path, opening, flushes).map_err(|e| Refusal::failed("cannot open the log", e))?;
    flush_dir(&opening.dir).map_err(|e| Refusal::failed("cannot flush the directory", e))?;
    Ok(Box::new(Appender { path, log, documents: opening.documents.clone(), flushes, first: 0, next: 0, restarts: 0, records: Vec::new() }))
}

struct Appender {
    path: PathBuf,
    log: Box<dyn Log>,
    documents: Vec<Vec<u8>>,
    flushes: u64,
    /// First record of this log, and the next one.
    first: u64,
    next: u64,
    restarts: u64,
    records: Vec<Vec<u8>>,
}

/// The session of a record.
fn session(record: u64) -> u64 {
    record % PENDING
}

impl Appender {
    fn document(&self, record: u64) -> &[u8] {
        let many = self.documents.len() as u64;
        let which = (record / PENDING).wrapping_add(session(record)) % many.max(1);
        self.documents.get(which as usize).map(Vec::as_slice).unwrap_or_default()
    }

    /// Frames the pending records; a program would have built them before it writes.
    fn frame(&mut self) {
        self.records.resize(PENDING as usize, Vec::new());
        let mut records = std::mem::take(&mut self.records);
        for (number, record) in (self.next..).zip(&mut records) {
            let document = self.document(number);
            record.clear();
            record.extend_from_slice(&(document.len() as u32).to_le_bytes());
            record.extend_from_slice(&number.to_le_bytes());
            record.extend_from_slice(document);
        }
        self.records = records;
    }

    /// Reads the log and compares it with what was acknowledged.
    fn check(&self, log: &[u8]) -> Result<u64, String> {
        let mut latest = BTreeMap::new();
        let mut found = 0;
        for (number, document) in frames(log) {
            if document != self.document(number) {
                return Err(format!("record {number} is not what was appended"));
            }
            if latest.insert(session(number), number).is_some_and(|before| before >= number) {
                return Err(format!("record {number} stands behind a later one of its session"));
            }
            found += 1;
        }
        let expected: BTreeMap<u64, u64> =
            (self.first.max(self.next.saturating_sub(PENDING))..self.next).map(|n| (session(n), n)).collect();
        if latest != expected {
            return Err(format!(
                "the latest records of {} sessions were found, {} were appended, and they differ",
                latest.len(),
                expected.len()
            ));
        }
        if !self.log.compacts() && found != self.next - self.first {
            return Err(format!("{found} records were found, {} were appended", self.next - self.first));
        }
        Ok(found)
    }
}

/// The records of a log, with their numbers.
fn frames(mut log: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    std::iter::from_fn(move || {
        let (length, rest) = log.split_first_chunk::<4>()?;
        let (number, rest) = rest.split_first_chunk::<8>()?;
        let (document, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        log = rest;
        Some((u64::from_le_bytes(*number), document))
    })
}

impl Contender for Appender {
    fn batch(&mut self) -> Result<Batch, String> {
        self.log.append(&self.records).map_err(|e| format!("cannot append: {e}"))?;
        let bytes = self.records.iter().map(|r| r.len() as u64).sum();
        self.next += PENDING;
        Ok(Batch { operations: PENDING as u32, bytes_in: bytes, bytes_out: bytes })
    }

    fn between(&mut self) -> Result<(), String> {
        self.frame();
        let pending: u64 = self.records.iter().map(|r| r.len() as u64).sum();
        if self.log.len() + pending > LOG_MAX {
            self.log.restart().map_err(|e| format!("cannot begin the log anew: {e}"))?;
            self.first = self.next;
            self.restarts += 1;
        }
        Ok(())
    }

    fn limit(&self) -> Option<Limit> {
        let bytes = self.documents.iter().map(|d| d.len() as u64 + HEAD as u64).sum::<u64>() / self.documents.len().max(1) as u64;
        Some(if self.flushes == 0 { Limit::Memcpy(bytes) } else { Limit::Flushes(self.flushes) })
    }

    fn finish(mut self: Box<Self>) -> Result<BTreeMap<String, String>, String> {
        self.log.close().map_err(|e| format!("cannot write the rest of the log: {e}"))?;
        let log = std::fs::read(&self.path).map_err(|e| format!("cannot read the log back: {e}"))?;
        let end = usize::try_from(self.log.len()).unwrap_or(usize::MAX).min(log.len());
        let found = self.check(log.get(..end).unwrap_or_default())?;
        let says = format!("{found} records read back; the log was begun anew {} times", self.restarts);
        Ok(BTreeMap::from([("log".to_owned(), says), ("log-bytes".to_owned(), self.log.len().to_string())]))
    }
}

/// One write per record, flushed each or not at all.
struct Each {
    file: File,
    len: u64,
    flushes: bool,
}

impl Each {
    fn open(path: &Path, _: &Opening, flushes: u64) -> io::Result<Box<dyn Log>> {
        Ok(Box::new(Each { file: File::create(path)?, len: 0, flushes: flushes > 0 }))
    }
}

fn empty(file: &File, len: &mut u64) -> io::Result<()> {
    file.set_len(0)?;
    *len = 0;
    file.sync_all()
}

impl Log for Each {
    fn append(&mut self, records: &[Vec<u8>]) -> io::Result<()> {
        for record in records {
            self.file.write_all_at(record, self.len)?;
            self.len += record.len() as u64;
            if self.flushes {
                self.file.sync_data()?;
            }
        }
        Ok(())
    }

    fn restart(&mut self) -> io::Result<()> {
        empty(&self.file, &mut self.len)
    }

    fn len(&self) -> u64 {
        self.len
    }
}

struct Buffered {
    path: PathBuf,
    file: BufWriter<File>,
    len: u64,
}

impl Buffered {
    fn open(path: &Path, _: &Opening, _: u64) -> io::Result<Box<dyn Log>> {
        Ok(Box::new(Buffered { path: path.to_owned(), file: BufWriter::with_capacity(1 << 16, File::create(path)?), len: 0 }))
    }
}

impl Log for Buffered {
    fn append(&mut self, records: &[Vec<u8>]) -> io::Result<()> {
        for record in records {
            self.file.write_all(record)?;
            self.len += record.len() as u64;
        }
        Ok(())
    }

    fn restart(&mut self) -> io::Result<()> {
        self.file.flush()?;
        self.file = BufWriter::with_capacity(1 << 16, File::create(&self.path)?);
        self.len = 0;
        self.file.get_ref().sync_all()
    }

    fn len(&self) -> u64 {
        self.len
    }

    fn close(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

struct Preallocated {
    file: File,
    len: u64,
}

impl Preallocated {
    fn open(path: &Path, _: &Opening, _: u64) -> io::Result<Box<dyn Log>> {
        let mut file = File::create(path)?;
        let zeros = vec![0; 1 << 20];
        for _ in 0..LOG_MAX >> 20 {
            file.write_all(&zeros)?;
        }
        file.sync_all()?;
        Ok(Box::new(Preallocated { file, len: 0 }))
    }
}

impl Log for Preallocated {
    fn append(&mut self, records: &[Vec<u8>]) -> io::Result<()> {
        for record in records {
            self.file.write_all_at(record, self.len)?;
            self.len += record.len() as u64;
            self.file.sync_data()?;
        }
        Ok(())
    }

    fn restart(&mut self) -> io::Result<()> {
        self.len = 0;
        Ok(())
    }

    fn len(&self) -> u64 {
        self.len
    }
}

struct Dsync;

impl Dsync {
    fn open(path: &Path, _: &Opening, _: u64) -> io::Result<Box<dyn Log>> {
        let file = OpenOptions::new().write(true).create(true).truncate(true).custom_flags(libc::O_DSYNC).open(path)?;
        // The descriptor flushes each write itself.
        Ok(Box::new(Each { file, len: 0, flushes: false }))
    }
}

/// One write and one flush for all that are pending.
struct Group {
    path: PathBuf,
    file: File,
    len: u64,
    gathered: Vec<u8>,
}

impl Group {
    fn new(path: &Path) -> io::Result<Group> {
        Ok(Group { path: path.to_owned(), file: File::create(path)?, len: 0, gathered: Vec::new() })
    }

    fn open(path: &Path, _: &Opening, _: u64) -> io::Result<Box<dyn Log>> {
        Ok(Box::new(Group::new(path)?))
    }
}

impl Log for Group {
    fn append(&mut self, records: &[Vec<u8>]) -> io::Result<()> {
        self.gathered.clear();
        records.iter().for_each(|record| self.gathered.extend_from_slice(record));
        self.file.write_all_at(&self.gathered, self.len)?;
        self.len += self.gathered.len() as u64;
        self.file.sync_data()
    }

    fn restart(&mut self) -> io::Result<()> {
        empty(&self.file, &mut self.len)
    }

    fn len(&self) -> u64 {
        self.len
    }
}

struct Compacted {
    log: Group,
    /// The latest record of each session, framed.
    latest: BTreeMap<u64, Vec<u8>>,
}

impl Compacted {
    fn open(path: &Path, _: &Opening, _: u64) -> io::Result<Box<dyn Log>> {
        Ok(Box::new(Compacted { log: Group::new(path)?, latest: BTreeMap::new() }))
    }

    /// The latest records into a new file, flushed, in place of the old one, and the directory flushed: a crash leaves the one or the other.
    fn compact(&mut self) -> io::Result<()> {
        let temporary = self.log.path.with_extension("compacted");
        let mut file = File::create(&temporary)?;
        let mut whole = Vec::new();
        self.latest.values().for_each(|record| whole.extend_from_slice(record));
        file.write_all(&whole)?;
        file.sync_data()?;
        std::fs::rename(&temporary, &self.log.path)?;
        self.log.path.parent().map_or(Ok(()), flush_dir)?;
        (self.log.file, self.log.len) = (file, whole.len() as u64);
        Ok(())
    }
}

impl Log for Compacted {
    fn append(&mut self, records: &[Vec<u8>]) -> io::Result<()> {
        self.log.append(records)?;
        for record in records {
            for (number, _) in frames(record) {
                let kept = self.latest.entry(session(number)).or_default();
                kept.clear();
                kept.extend_from_slice(record);
            }
        }
        let live: u64 = self.latest.values().map(|record| record.len() as u64).sum();
        if self.log.len() > COMPACT_AT.max(COMPACT_RATIO * live) { self.compact() } else { Ok(()) }
    }

    fn restart(&mut self) -> io::Result<()> {
        self.latest.clear();
        self.log.restart()
    }

    fn len(&self) -> u64 {
        self.log.len()
    }

    fn compacts(&self) -> bool {
        true
    }
}
