//! zstd with a dictionary that was trained on documents which are not measured.

use super::{Coder, Decoder as Decodes, failed, measured, zstandard::name};
use crate::Refusal;
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};
use zstd::zstd_safe::{CCtx, CDict, DCtx, DDict, compress_bound, get_dict_id_from_dict};

/// Bytes of documents to train on per byte of dictionary, at most: more of them take longer and help little.
const SAMPLES: usize = 32;
/// Parts of a document, each of which is looked for in others to find pieces of one text that overlap.
const PARTS: usize = 16;
/// A part that more than one in so many documents have is what a dictionary is for, and no sign of overlapping.
const COMMON: usize = 100;

/// The documents that are not measured, without those that overlap with one that is: pieces cut at random from one text do, and a dictionary
/// that holds what it is measured on is worth nothing. Two overlap if they share a part that hardly any other document has.
fn held_out(documents: &[Vec<u8>]) -> Vec<&Vec<u8>> {
    let (measured, others) = documents.split_at(measured(documents));
    let block = (measured.iter().map(Vec::len).max().unwrap_or(0) / PARTS).max(16);
    let parts: HashSet<&[u8]> = measured.iter().flat_map(|document| document.chunks_exact(block)).collect();
    let begin = |part: &[u8]| part.first_chunk::<8>().copied();
    let begins: HashSet<_> = parts.iter().filter_map(|part| begin(part)).collect();
    let shared = |document: &Vec<u8>| -> HashSet<&[u8]> {
        let runs = document.windows(block).filter(|run| begin(run).is_some_and(|b| begins.contains(&b)));
        runs.filter_map(|run| parts.get(run).copied()).collect()
    };
    let found: Vec<_> = others.iter().map(shared).collect();
    let mut times: HashMap<&[u8], usize> = HashMap::new();
    found.iter().flatten().for_each(|part| *times.entry(part).or_default() += 1);
    let rare = |part: &&[u8]| times.get(part).is_some_and(|count| *count <= others.len() / COMMON + 1);
    others.iter().zip(&found).filter(|(_, parts)| !parts.iter().any(rare)).map(|(document, _)| document).collect()
}

/// A dictionary of at most `bytes` bytes, of the documents that are not measured.
pub(super) fn train(documents: &[Vec<u8>], bytes: usize) -> Result<Arc<[u8]>, Refusal> {
    let mut room = bytes * SAMPLES;
    let mut samples = held_out(documents);
    samples.retain(|document| {
        let fits = room > 0;
        room = room.saturating_sub(document.len());
        fits
    });
    store::dictionary::train(&samples, bytes).map(Arc::from).map_err(|why| Refusal::NotHere(why.to_string()))
}

fn facts(dictionary: &[u8]) -> Vec<(&'static str, String)> {
    let id = get_dict_id_from_dict(dictionary).map_or(0, u32::from);
    vec![("dictionary-id", id.to_string()), ("dictionary-bytes", dictionary.len().to_string())]
}

fn context() -> Result<CCtx<'static>, Refusal> {
    CCtx::try_create().ok_or_else(|| failed("zstd", "no memory for a context"))
}

fn decoding() -> Result<DCtx<'static>, Refusal> {
    DCtx::try_create().ok_or_else(|| failed("zstd", "no memory for a context"))
}

fn digested(dictionary: &[u8]) -> Result<DDict<'static>, Refusal> {
    DDict::try_create(dictionary).ok_or_else(|| failed("zstd", "the dictionary cannot be prepared"))
}

fn check(dictionary: &[u8], packed: &[u8], max: usize) -> Result<Vec<u8>, String> {
    let mut out = Vec::with_capacity(max.max(1));
    decoding().map_err(|why| why.to_string())?.decompress_using_dict(&mut out, packed, dictionary).map_err(name)?;
    Ok(out)
}

/// Context and digested dictionary kept.
pub(super) struct Prepared {
    context: CCtx<'static>,
    digested: CDict<'static>,
    dictionary: Arc<[u8]>,
}

impl Prepared {
    pub(super) fn open(level: i32, dictionary: &Arc<[u8]>) -> Result<Self, Refusal> {
        let digested = CDict::try_create(dictionary, level).ok_or_else(|| failed("zstd", "the dictionary cannot be prepared"))?;
        Ok(Self { context: context()?, digested, dictionary: Arc::clone(dictionary) })
    }
}

impl Coder for Prepared {
    fn encode(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
        out.reserve(compress_bound(plain.len()));
        self.context.compress_using_cdict(out, plain, &self.digested).map(|_| ()).map_err(name)
    }

    fn check(&mut self, packed: &[u8], max: usize) -> Result<Vec<u8>, String> {
        check(&self.dictionary, packed, max)
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        let mut facts = facts(&self.dictionary);
        facts.push(("context-bytes", (self.context.sizeof() + self.digested.sizeof()).to_string()));
        facts
    }
}

/// What the store does under `zstd-small`.
pub(super) struct Small {
    context: store::dictionary::Small,
    dictionary: Arc<[u8]>,
}

impl Small {
    pub(super) fn open(dictionary: Arc<[u8]>) -> Result<Self, Refusal> {
        let context = store::dictionary::Small::open(Some(&dictionary)).map_err(|why| failed("zstd", why))?;
        Ok(Self { context, dictionary })
    }
}

impl Coder for Small {
    fn encode(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
        self.context.encode(plain, out)
    }

    fn check(&mut self, packed: &[u8], max: usize) -> Result<Vec<u8>, String> {
        check(&self.dictionary, packed, max)
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        let mut facts = facts(&self.dictionary);
        facts.push(("context-bytes", self.context.bytes().to_string()));
        facts
    }
}

/// The context kept, the dictionary digested at each call.
pub(super) struct PerCall {
    context: CCtx<'static>,
    level: i32,
    dictionary: Arc<[u8]>,
}

impl PerCall {
    pub(super) fn open(level: i32, dictionary: Arc<[u8]>) -> Result<Self, Refusal> {
        Ok(Self { context: context()?, level, dictionary })
    }
}

impl Coder for PerCall {
    fn encode(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
        out.reserve(compress_bound(plain.len()));
        self.context.compress_using_dict(out, plain, &self.dictionary, self.level).map(|_| ()).map_err(name)
    }

    fn check(&mut self, packed: &[u8], max: usize) -> Result<Vec<u8>, String> {
        check(&self.dictionary, packed, max)
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        facts(&self.dictionary)
    }
}

/// Context and digested dictionary kept.
pub(super) struct Decoder {
    context: DCtx<'static>,
    digested: DDict<'static>,
    dictionary: Arc<[u8]>,
}

impl Decoder {
    pub(super) fn open(dictionary: &Arc<[u8]>) -> Result<Self, Refusal> {
        Ok(Self { context: decoding()?, digested: digested(dictionary)?, dictionary: Arc::clone(dictionary) })
    }
}

impl Decodes for Decoder {
    fn decode(&mut self, packed: &[u8], size: usize, out: &mut Vec<u8>) -> Result<(), String> {
        out.reserve(size.max(1));
        self.context.decompress_using_ddict(out, packed, &self.digested).map(|_| ()).map_err(name)
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        let mut facts = facts(&self.dictionary);
        facts.push(("context-bytes", (self.context.sizeof() + self.digested.sizeof()).to_string()));
        facts
    }
}

/// The context kept, the dictionary digested at each call.
pub(super) struct DecoderPerCall {
    context: DCtx<'static>,
    dictionary: Arc<[u8]>,
}

impl DecoderPerCall {
    pub(super) fn open(dictionary: Arc<[u8]>) -> Result<Self, Refusal> {
        Ok(Self { context: decoding()?, dictionary })
    }
}

impl Decodes for DecoderPerCall {
    fn decode(&mut self, packed: &[u8], size: usize, out: &mut Vec<u8>) -> Result<(), String> {
        out.reserve(size.max(1));
        self.context.decompress_using_dict(out, packed, &self.dictionary).map(|_| ()).map_err(name)
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        facts(&self.dictionary)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_overlaps_with_what_is_measured_is_not_trained_on() {
        let mut state = 1u64;
        let mut byte = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 40) as u8
        };
        let text: Vec<u8> = (0..20_000).map(|_| byte()).collect();
        let cut = |at: usize| text[at..at + 1000].to_vec();
        // Two are measured; of the others one overlaps by half and one by a twentieth; then one not at all and one by two fifths.
        let documents = [cut(0), cut(5000), cut(500), cut(5950)];
        assert_eq!(held_out(&documents), [&documents[3]]);
        let documents = [cut(0), cut(5000), cut(9000), cut(4400)];
        assert_eq!(held_out(&documents), [&documents[2]]);
        // What all have in common is no overlap.
        let alike: Vec<_> = (0..40).map(|n| [&text[..400], &text[500 + 400 * n..900 + 400 * n]].concat()).collect();
        assert_eq!(held_out(&alike).len(), 20);
    }
}
