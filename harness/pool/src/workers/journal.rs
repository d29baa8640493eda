//! What a worker process notes of each execution, so that somebody else can tell what really ran: an append-only file of records of one
//! size, each written by one call before the service begins.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;

use crate::clock::Nanos;

/// Bytes of one record: request, pid, four zeros, begin; little endian.
const RECORD: usize = 24;
/// Records read at once.
const CHUNK: usize = 1024;

/// One execution of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Execution {
    /// The request's id in its pool.
    pub request: u64,
    /// The worker's process.
    pub pid: u32,
    /// When it began, ns on `CLOCK_MONOTONIC`.
    pub begin: Nanos,
}

impl Execution {
    fn encode(self) -> [u8; RECORD] {
        let mut out = [0; RECORD];
        out[..8].copy_from_slice(&self.request.to_le_bytes());
        out[8..12].copy_from_slice(&self.pid.to_le_bytes());
        out[16..].copy_from_slice(&self.begin.to_le_bytes());
        out
    }

    fn decode(record: &[u8; RECORD]) -> Execution {
        let long = |at: usize| u64::from_le_bytes(std::array::from_fn(|i| record[at + i]));
        Execution { request: long(0), pid: long(8) as u32, begin: long(16) }
    }
}

/// A worker's end of the journal.
#[derive(Debug)]
pub(super) struct Journal {
    file: File,
    pid: u32,
}

impl Journal {
    /// Opens the file, which may have other writers.
    pub(super) fn open(path: &Path) -> io::Result<Journal> {
        Ok(Journal { file: OpenOptions::new().append(true).create(true).open(path)?, pid: std::process::id() })
    }

    /// Notes one execution. A single write at the file's end: records of several writers never mix.
    pub(super) fn note(&mut self, request: u64, begin: Nanos) -> io::Result<()> {
        let record = Execution { request, pid: self.pid, begin }.encode();
        match self.file.write(&record)? {
            RECORD => Ok(()),
            _ => Err(io::ErrorKind::WriteZero.into()),
        }
    }
}

/// Reads a journal, record by record; a file that is not there has none.
///
/// # Errors
/// When the file cannot be read or ends within a record.
pub fn read_journal(path: &Path, mut each: impl FnMut(Execution)) -> io::Result<()> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other?,
    };
    let (mut chunk, mut kept) = (vec![0; RECORD * CHUNK], 0);
    loop {
        let read = file.read(&mut chunk[kept..])?;
        if read == 0 {
            break;
        }
        kept += read;
        let (records, rest) = chunk[..kept].as_chunks::<RECORD>();
        records.iter().for_each(|record| each(Execution::decode(record)));
        let (from, left) = (kept - rest.len(), rest.len());
        chunk.copy_within(from..kept, 0);
        kept = left;
    }
    if kept == 0 { Ok(()) } else { Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the journal ends within a record")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_noted_by_many_is_read_back_and_a_torn_end_is_told() {
        let dir = std::env::temp_dir().join(format!("journal-{}-{}", std::process::id(), line!()));
        let path = dir.join("journal");
        std::fs::create_dir_all(&dir).unwrap();
        let mut seen = Vec::new();
        read_journal(&path, |e| seen.push(e)).unwrap();
        assert!(seen.is_empty(), "no file, no execution");
        let writers: Vec<_> = (0..4u64)
            .map(|writer| {
                let mut journal = Journal::open(&path).unwrap();
                std::thread::spawn(move || (0..1_000).for_each(|n| journal.note(writer * 1_000 + n, n).unwrap()))
            })
            .collect();
        writers.into_iter().for_each(|w| w.join().unwrap());
        read_journal(&path, |e| seen.push(e)).unwrap();
        assert!(seen.iter().all(|e| e.pid == std::process::id() && e.begin == e.request % 1_000));
        let mut requests: Vec<u64> = seen.iter().map(|e| e.request).collect();
        requests.sort_unstable();
        assert_eq!(requests, (0..4_000).collect::<Vec<_>>());
        OpenOptions::new().append(true).open(&path).unwrap().write_all(&[7; 5]).unwrap();
        assert_eq!(read_journal(&path, |_| {}).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
