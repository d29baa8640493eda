//! The two contenders: all documents in turn through one coder or decoder, checked at the end.

use super::{BATCH, Coder, Decoder, measured};
use crate::{Batch, Contender, Limit, Refusal};
use std::collections::BTreeMap;

/// Compresses documents, each into a buffer of its own that is kept.
pub(super) struct Compressing {
    plain: Vec<Vec<u8>>,
    packed: Vec<Vec<u8>>,
    next: usize,
    coder: Box<dyn Coder>,
}

impl Compressing {
    /// Compresses every document once, so that buffers and contexts have their size.
    pub(super) fn open(documents: &[Vec<u8>], coder: Box<dyn Coder>) -> Result<Self, Refusal> {
        let plain: Vec<_> = documents.iter().take(measured(documents)).cloned().collect();
        if plain.is_empty() {
            return Err(Refusal::Failed("no documents to compress; give the scenario a payload".to_owned()));
        }
        let mut contender = Self { packed: vec![Vec::new(); plain.len()], plain, next: 0, coder };
        for _ in 0..contender.plain.len() {
            contender.one().map_err(Refusal::Failed)?;
        }
        Ok(contender)
    }

    fn one(&mut self) -> Result<(usize, usize), String> {
        let (plain, packed) = (&self.plain[self.next], &mut self.packed[self.next]);
        packed.clear();
        self.coder.encode(plain, packed)?;
        self.next = (self.next + 1) % self.plain.len();
        Ok((plain.len(), packed.len()))
    }
}

impl Contender for Compressing {
    fn batch(&mut self) -> Result<Batch, String> {
        let mut batch = Batch::default();
        while batch.operations == 0 || batch.bytes_in < BATCH as u64 && (batch.operations as usize) < self.plain.len() {
            let (plain, packed) = self.one()?;
            batch.operations += 1;
            batch.bytes_in += plain as u64;
            batch.bytes_out += packed as u64;
        }
        Ok(batch)
    }

    fn limit(&self) -> Option<Limit> {
        Some(Limit::Memcpy(mean(&self.plain)))
    }

    fn finish(mut self: Box<Self>) -> Result<BTreeMap<String, String>, String> {
        for (at, (plain, packed)) in self.plain.iter().zip(&self.packed).enumerate() {
            let back = self.coder.check(packed, plain.len()).map_err(|why| format!("document {at} does not decompress: {why}"))?;
            if back != *plain {
                return Err(format!("document {at} comes back changed from {} compressed bytes", packed.len()));
            }
        }
        let mut seen = sizes(&self.plain, &self.packed);
        seen.extend(self.coder.facts().into_iter().map(|(name, value)| (name.to_owned(), value)));
        Ok(seen)
    }
}

/// Decompresses documents, each into a buffer of its own that is kept.
pub(super) struct Decompressing {
    plain: Vec<Vec<u8>>,
    packed: Vec<Vec<u8>>,
    out: Vec<Vec<u8>>,
    next: usize,
    decoder: Box<dyn Decoder>,
}

impl Decompressing {
    /// Compresses the documents with `coder`, then decompresses every one once.
    pub(super) fn open(documents: &[Vec<u8>], coder: &mut dyn Coder, decoder: Box<dyn Decoder>) -> Result<Self, Refusal> {
        let plain: Vec<_> = documents.iter().take(measured(documents)).cloned().collect();
        if plain.is_empty() {
            return Err(Refusal::Failed("no documents to decompress; give the scenario a payload".to_owned()));
        }
        let mut packed = vec![Vec::new(); plain.len()];
        for (plain, packed) in plain.iter().zip(&mut packed) {
            coder.encode(plain, packed).map_err(Refusal::Failed)?;
        }
        let mut contender = Self { out: vec![Vec::new(); plain.len()], plain, packed, next: 0, decoder };
        for _ in 0..contender.plain.len() {
            contender.one().map_err(Refusal::Failed)?;
        }
        Ok(contender)
    }

    fn one(&mut self) -> Result<(usize, usize), String> {
        let at = self.next;
        let (packed, out) = (&self.packed[at], &mut self.out[at]);
        out.clear();
        self.decoder.decode(packed, self.plain[at].len(), out)?;
        self.next = (at + 1) % self.plain.len();
        Ok((packed.len(), out.len()))
    }
}

impl Contender for Decompressing {
    fn batch(&mut self) -> Result<Batch, String> {
        let mut batch = Batch::default();
        while batch.operations == 0 || batch.bytes_out < BATCH as u64 && (batch.operations as usize) < self.plain.len() {
            let (packed, plain) = self.one()?;
            batch.operations += 1;
            batch.bytes_in += packed as u64;
            batch.bytes_out += plain as u64;
        }
        Ok(batch)
    }

    fn limit(&self) -> Option<Limit> {
        Some(Limit::Memcpy(mean(&self.plain)))
    }

    fn finish(self: Box<Self>) -> Result<BTreeMap<String, String>, String> {
        if let Some(at) = self.plain.iter().zip(&self.out).position(|(plain, out)| plain != out) {
            return Err(format!("document {at} was decompressed to something else"));
        }
        let mut seen = sizes(&self.plain, &self.packed);
        seen.extend(self.decoder.facts().into_iter().map(|(name, value)| (name.to_owned(), value)));
        Ok(seen)
    }
}

fn total(documents: &[Vec<u8>]) -> u64 {
    documents.iter().map(|document| document.len() as u64).sum()
}

fn mean(documents: &[Vec<u8>]) -> u64 {
    total(documents).div_ceil(documents.len().max(1) as u64)
}

/// How much smaller: plain bytes per compressed byte, over all documents.
fn sizes(plain: &[Vec<u8>], packed: &[Vec<u8>]) -> BTreeMap<String, String> {
    let ratio = total(plain) as f64 / total(packed).max(1) as f64;
    BTreeMap::from([
        ("documents".to_owned(), plain.len().to_string()),
        ("ratio".to_owned(), format!("{ratio:.3}")),
        ("compressed-bytes".to_owned(), mean(packed).to_string()),
    ])
}
