//! The job `file-write`: saving a session over its older self.

use std::collections::BTreeMap;

use super::dir::Files;
use super::writing::{InPlace, InPlaceKept, Rename, Sync, TokioWrite, Truncate, Writing};
use crate::{Batch, Contender, Job, Limit, Opening, Refusal, Way};

/// Saving one session.
pub(crate) const WRITE: Job = Job {
    name: "file-write",
    doc: "save a session over its older self, flushed as `contender.sync` says",
    cpu_bound: false,
    ways: &[
        Way {
            name: "truncate",
            doc: "std::fs::write: empty the file, write it",
            trap: TRUNCATE,
            open: |o| open(o, |_, s| Ok(Box::new(Truncate(s)))),
        },
        Way {
            name: "no-truncate",
            doc: "open, overwrite from the start, cut to the new length",
            trap: IN_PLACE,
            open: |o| open(o, |_, s| Ok(Box::new(InPlace(s)))),
        },
        Way {
            name: "in-place-kept",
            doc: "overwrite through a descriptor that is kept, cut only where the session got shorter",
            trap: IN_PLACE,
            open: |o| open(o, |files, s| Ok(Box::new(InPlaceKept::new(files, s)?))),
        },
        Way {
            name: "temp-rename",
            doc: "write a temporary file, rename it over the old one",
            trap: RENAME,
            open: |o| open(o, |_, s| Ok(Box::new(Rename(s)))),
        },
        Way {
            name: "tokio-write",
            doc: "tokio::fs::write, awaited",
            trap: TOKIO,
            open: |o| open(o, |_, s| Ok(Box::new(TokioWrite::new(s)?))),
        },
    ],
};

const TRUNCATE: &str = "a power loss leaves files empty or torn, even where the data is flushed afterwards; on ext4 it costs as much as a rename, which \
                        does not";
const IN_PLACE: &str = "the fastest, and a power loss in its middle leaves half a session, flushed or not";
const RENAME: &str = "never half a session; but unless file and directory are flushed a power loss takes acknowledged saves back, and without the \
                      first flush a filesystem other than ext4 may leave an empty file";
const TOKIO: &str = "it truncates, with all that goes wrong there, and adds a hop to another thread";

type Make = fn(&Files, Sync) -> Result<Box<dyn Writing>, Refusal>;

/// Sessions that are saved by turns.
const SESSIONS: usize = 32;

fn open(opening: &Opening, make: Make) -> Result<Box<dyn Contender>, Refusal> {
    let sync = Sync::parse(opening.setting("contender.sync"))?;
    let files = Files::create(opening, SESSIONS.min(opening.documents.len().max(2)))?;
    let writing = make(&files, sync)?;
    let per_batch = match (sync, files.longest) {
        (Sync::None, 0..=65_536) => 16,
        (Sync::None, _) => 2,
        // A flush takes longer than any batch has to.
        _ => 1,
    };
    let saved = (0..files.len()).collect();
    Ok(Box::new(Writer { files, writing, sync, per_batch, next: 0, saved }))
}

struct Writer {
    files: Files,
    writing: Box<dyn Writing>,
    sync: Sync,
    per_batch: u32,
    next: usize,
    /// Which document each file must hold.
    saved: Vec<usize>,
}

impl Contender for Writer {
    fn batch(&mut self) -> Result<Batch, String> {
        let many = self.files.len();
        let mut bytes = 0;
        for _ in 0..self.per_batch {
            let which = self.next % many;
            // Each round over the sessions gives each of them the next document.
            let document = (which + self.next / many + 1) % many;
            let text = self.files.documents.get(document).ok_or("there is no document to save")?;
            self.writing.save(&self.files, which, text).map_err(|e| format!("cannot save a session: {e}"))?;
            bytes += text.len() as u64;
            if let Some(saved) = self.saved.get_mut(which) {
                *saved = document;
            }
            self.next += 1;
        }
        Ok(Batch { operations: self.per_batch, bytes_in: bytes, bytes_out: bytes })
    }

    fn limit(&self) -> Option<Limit> {
        Some(match self.sync {
            Sync::None => Limit::Memcpy((self.files.documents.iter().map(Vec::len).sum::<usize>() / self.files.len()) as u64),
            Sync::File => Limit::Flushes(1000),
            Sync::FileAndDir => Limit::Flushes(2000),
        })
    }

    fn finish(self: Box<Self>) -> Result<BTreeMap<String, String>, String> {
        for (which, (path, document)) in self.files.paths.iter().zip(&self.saved).enumerate() {
            let found = std::fs::read(path).map_err(|e| format!("cannot read a session back: {e}"))?;
            if self.files.documents.get(*document) != Some(&found) {
                return Err(format!("session {which} does not hold what was saved last ({} bytes found)", found.len()));
            }
        }
        let protocol = format!("store.files.write={} store.files.sync={}", self.writing.protocol(), self.sync.word());
        let saves = format!("{} sessions of {} bytes by turns", self.files.len(), self.files.longest);
        Ok(BTreeMap::from([("protocol".to_owned(), protocol), ("files".to_owned(), saves)]))
    }
}
