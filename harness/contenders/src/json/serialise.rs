//! The job `json-serialise`.

use std::collections::BTreeMap;
use std::fs::File;
use std::hint::black_box;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::PathBuf;

use super::document::{Packed, Session};
use super::parse::{per_batch, sessions, texts};
use crate::{Batch, Contender, Job, Limit, Opening, Refusal, Way};

/// Writing one document.
pub(crate) const SERIALISE: Job = Job {
    name: "json-serialise",
    doc: "write a session as a document, into memory or over a file",
    cpu_bound: true,
    ways: &[
        way("serde-to-vec", "serde_json::to_vec", "", |o| open(o, to_vec)),
        way("serde-reused", "serde_json::to_writer into a buffer that is kept", "", |o| open(o, reused)),
        way("serde-pretty", "serde_json::to_vec_pretty", "", |o| open(o, pretty)),
        way("sonic-to-vec", "sonic_rs::to_vec", "", |o| open(o, sonic)),
        way("simd-to-vec", "simd_json::serde::to_vec", "", |o| open(o, simd)),
        way("postcard", "no JSON: the same types in postcard", PACKED, |o| open(o, packed)),
        way("to-vec-then-file", "serde_json::to_vec, then one write to the file", "", |o| open(o, vec_then_file)),
        way("to-writer-buffered", "serde_json::to_writer to the file behind a BufWriter of 64 KiB", "", |o| open(o, buffered)),
        way("to-writer-file", "serde_json::to_writer to the file itself", FILE, |o| open(o, file)),
    ],
};

const PACKED: &str = "not self-describing: a field more or less and old documents cannot be read";
const FILE: &str = "each piece of a document is a system call: 9 to 66 times slower, and it looks innocent";

const fn way(name: &'static str, doc: &'static str, trap: &'static str, open: fn(&Opening) -> Result<Box<dyn Contender>, Refusal>) -> Way {
    Way { name, doc, trap, open }
}

struct Input {
    session: Session,
    packed: Packed,
}

struct Kept {
    buffer: Vec<u8>,
    file: File,
    /// Whether the last document went to the file rather than the buffer.
    in_file: bool,
}

/// Writes a document into the buffer or the file; how many bytes.
type Serialise = fn(&Input, &mut Kept) -> io::Result<u64>;

impl Kept {
    fn is(&mut self, document: Vec<u8>) -> u64 {
        self.buffer = black_box(document);
        self.in_file = false;
        self.buffer.len() as u64
    }

    /// The file at its begin: each document goes over the last, so that none makes the file longer.
    fn rewound(&mut self) -> io::Result<&mut File> {
        self.in_file = true;
        self.file.seek(SeekFrom::Start(0))?;
        Ok(&mut self.file)
    }
}

fn to_vec(input: &Input, kept: &mut Kept) -> io::Result<u64> {
    Ok(kept.is(serde_json::to_vec(&input.session)?))
}

fn reused(input: &Input, kept: &mut Kept) -> io::Result<u64> {
    kept.in_file = false;
    kept.buffer.clear();
    serde_json::to_writer(&mut kept.buffer, &input.session)?;
    Ok(black_box(&kept.buffer).len() as u64)
}

fn pretty(input: &Input, kept: &mut Kept) -> io::Result<u64> {
    Ok(kept.is(serde_json::to_vec_pretty(&input.session)?))
}

fn sonic(input: &Input, kept: &mut Kept) -> io::Result<u64> {
    Ok(kept.is(sonic_rs::to_vec(&input.session).map_err(io::Error::other)?))
}

fn simd(input: &Input, kept: &mut Kept) -> io::Result<u64> {
    Ok(kept.is(simd_json::serde::to_vec(&input.session).map_err(io::Error::other)?))
}

fn packed(input: &Input, kept: &mut Kept) -> io::Result<u64> {
    Ok(kept.is(postcard::to_allocvec(&input.packed).map_err(io::Error::other)?))
}

fn vec_then_file(input: &Input, kept: &mut Kept) -> io::Result<u64> {
    let document = serde_json::to_vec(&input.session)?;
    kept.rewound()?.write_all(&document)?;
    Ok(document.len() as u64)
}

fn buffered(input: &Input, kept: &mut Kept) -> io::Result<u64> {
    let mut file = BufWriter::with_capacity(1 << 16, kept.rewound()?);
    serde_json::to_writer(&mut file, &input.session)?;
    file.flush()?;
    file.stream_position()
}

fn file(input: &Input, kept: &mut Kept) -> io::Result<u64> {
    let file = kept.rewound()?;
    serde_json::to_writer(&mut *file, &input.session)?;
    file.stream_position()
}

fn open(opening: &Opening, serialise: Serialise) -> Result<Box<dyn Contender>, Refusal> {
    let texts = texts(opening)?;
    let per_batch = per_batch(&texts);
    let inputs = sessions(&texts)?.into_iter().map(|session| Input { packed: session.packed(), session }).collect();
    let path = opening.dir.join("document.json");
    let file = File::create(&path).map_err(|e| Refusal::failed("cannot create the document's file", e))?;
    let lengths = texts.iter().map(|text| text.len() as u64).collect();
    let kept = Kept { buffer: Vec::new(), file, in_file: false };
    Ok(Box::new(Serialiser { inputs, lengths, serialise, per_batch, next: 0, path, kept }))
}

struct Serialiser {
    inputs: Vec<Input>,
    /// Bytes of each document as JSON: what goes in, whatever comes out.
    lengths: Vec<u64>,
    serialise: Serialise,
    per_batch: u32,
    next: usize,
    path: PathBuf,
    kept: Kept,
}

impl Contender for Serialiser {
    fn batch(&mut self) -> Result<Batch, String> {
        let mut batch = Batch { operations: self.per_batch, bytes_in: 0, bytes_out: 0 };
        for _ in 0..self.per_batch {
            let (input, length) = self.inputs.get(self.next).zip(self.lengths.get(self.next)).ok_or("there is no document")?;
            batch.bytes_out += (self.serialise)(input, &mut self.kept).map_err(|e| format!("cannot write a document: {e}"))?;
            batch.bytes_in += length;
            self.next = (self.next + 1) % self.inputs.len();
        }
        Ok(batch)
    }

    fn limit(&self) -> Option<Limit> {
        Some(Limit::Memcpy(self.lengths.iter().sum::<u64>() / self.lengths.len().max(1) as u64))
    }

    fn finish(mut self: Box<Self>) -> Result<BTreeMap<String, String>, String> {
        for (i, input) in self.inputs.iter().enumerate() {
            let written = (self.serialise)(input, &mut self.kept).map_err(|e| format!("cannot write a document: {e}"))?;
            let mut found =
                if self.kept.in_file { std::fs::read(&self.path).map_err(|e| e.to_string())? } else { self.kept.buffer.clone() };
            found.truncate(written as usize);
            let json = serde_json::from_slice::<Session>(&found).is_ok_and(|session| session == input.session);
            let packed = || postcard::from_bytes::<Packed>(&found).is_ok_and(|packed| packed.to_session() == input.session);
            if !json && !packed() {
                return Err(format!("document {i} was written wrong: reading it gives another session"));
            }
        }
        let bytes = self.lengths.iter().sum::<u64>() / self.lengths.len().max(1) as u64;
        let documents = format!("{} of {bytes} bytes in the mean, {} in a batch", self.inputs.len(), self.per_batch);
        Ok(BTreeMap::from([("documents".to_owned(), documents)]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// It writes one message too few.
    fn forgetful(input: &Input, kept: &mut Kept) -> io::Result<u64> {
        let mut session = input.session.clone();
        session.messages.pop();
        Ok(kept.is(serde_json::to_vec(&session)?))
    }

    #[test]
    fn a_wrong_document_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let document = br#"{"messages":[{"role":"user","text":"a"},{"role":"tool","content":"c"}]}"#.to_vec();
        let opening = Opening { dir: dir.path().to_owned(), documents: vec![document], seed: 1, settings: BTreeMap::new() };
        for (serialise, right) in [(to_vec as Serialise, true), (file, true), (forgetful, false)] {
            let mut contender = open(&opening, serialise).unwrap();
            contender.batch().unwrap();
            assert_eq!(contender.finish().is_ok(), right);
        }
    }
}
