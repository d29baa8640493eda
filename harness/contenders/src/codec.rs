//! Compression and decompression of whole documents, one call per document unless the way says otherwise.
//!
//! Every way compresses the same documents: the first `MEASURED` (at most half of them). Dictionaries are trained on the others, so that
//! none has seen what it is measured on.

use crate::{Contender, Job, Opening, Refusal, Way};

mod dictionary;
mod gzip;
mod run;
mod stream;
mod zstandard;

use run::{Compressing, Decompressing};

/// Documents that are compressed, at most; what is beyond them is for training.
const MEASURED: usize = 32;
/// Bytes of documents that are compressed, at most unless one alone is larger.
const MEASURED_BYTES: usize = 1 << 20;
/// Bytes of documents that one batch compresses, at least: some 50 us at 300 MB/s.
const BATCH: usize = 16 << 10;

const CONTEXT: &str =
    "a context made anew per call: at 1 KiB 2 times dearer to compress and 6 times to decompress; keep one per thread and reset it";
const DIGEST: &str = "a dictionary digested anew per call: up to 9 times dearer; prepare it once (CDict, DDict) and share it";

/// Compressing documents.
pub(crate) const COMPRESS: Job = Job {
    name: "compress",
    doc: "one document compressed",
    cpu_bound: true,
    ways: &[
        way("gzip-6", "gzip level 6 by zlib-rs through flate2, its context reset", "", |o| compress(o, gzip::Flate::open(6))),
        way("gzip-6-fresh", "the same with a context per call", CONTEXT, |o| compress(o, gzip::FlateFresh(6))),
        way("gzip-1", "gzip level 1 by zlib-rs: its quick mode", QUICK, |o| compress(o, gzip::Flate::open(1))),
        way("gzip-9", "gzip level 9 by zlib-rs", "", |o| compress(o, gzip::Flate::open(9))),
        way("gzip-6-miniz", "gzip level 6 by miniz_oxide, its context reset", "", |o| compress(o, gzip::Miniz::open(6))),
        way("gzip-6-libdeflate", "gzip level 6 by libdeflate, which takes whole documents only", "", |o| {
            compress(o, gzip::Deflate::open(6)?)
        }),
        way("gzip-6-stream", "gzip level 6 by zlib-rs in pieces of 16 KiB", "", |o| compress(o, stream::Gzip::open(6))),
        way("zstd--5", "zstd level -5", "", |o| compress(o, zstandard::Reused::open(-5)?)),
        way("zstd-1", "zstd level 1", "", |o| compress(o, zstandard::Reused::open(1)?)),
        way("zstd-3", "zstd level 3, its default, the context kept", "", |o| compress(o, zstandard::Reused::open(3)?)),
        way("zstd-9", "zstd level 9", "", |o| compress(o, zstandard::Reused::open(9)?)),
        way("zstd-19", "zstd level 19", "", |o| compress(o, zstandard::Reused::open(19)?)),
        way("zstd-3-fresh", "zstd level 3, a context per call", CONTEXT, |o| compress(o, zstandard::Fresh(3))),
        way("zstd-3-long", "zstd level 3 with matching over long distances, window 128 MiB", LONG, |o| {
            compress(o, zstandard::Reused::long(3)?)
        }),
        way("zstd-3-dict-16k", "zstd level 3, a prepared dictionary of 16 KiB trained on other documents", "", |o| dict(o, 16 << 10)),
        way("zstd-3-dict-110k", "the same, of 110 KiB", "", |o| dict(o, 110 << 10)),
        way("zstd-small-dict-256k", "the store's `zstd-small`: a longer search, a prepared dictionary of 256 KiB", "", |o| {
            compress(o, dictionary::Small::open(dictionary::train(&o.documents, 256 << 10)?)?)
        }),
        way("zstd-3-dict-per-call", "the dictionary of 16 KiB, digested at each call", DIGEST, |o| {
            compress(o, dictionary::PerCall::open(3, dictionary::train(&o.documents, 16 << 10)?)?)
        }),
        way("zstd-3-stream", "zstd level 3 in pieces of 16 KiB, the size not stated", "", |o| compress(o, stream::Zstd::open(3)?)),
        way("min-size", "the product's choice: as it is under `compress.min-size`, else zstd", "", |o| {
            compress(o, zstandard::Product::open(o)?)
        }),
    ],
};

/// Decompressing documents.
pub(crate) const DECOMPRESS: Job = Job {
    name: "decompress",
    doc: "one document decompressed, compressed by zlib-rs at level 6 or by zstd at level 3",
    cpu_bound: true,
    ways: &[
        way("gzip", "zlib-rs through flate2, its context reset", "", |o| decompress(o, &mut gzip::Flate::open(6), gzip::Inflate::open())),
        way("gzip-fresh", "the same with a context per call", CONTEXT, |o| decompress(o, &mut gzip::Flate::open(6), gzip::InflateFresh)),
        way("gzip-miniz", "miniz_oxide", "", |o| decompress(o, &mut gzip::Flate::open(6), gzip::Miniz::open(6))),
        way("gzip-libdeflate", "libdeflate", "", |o| decompress(o, &mut gzip::Flate::open(6), gzip::Deflate::open(6)?)),
        way("gzip-product", "the product's bounded decoder of gzip", "", |o| {
            decompress(o, &mut gzip::Flate::open(6), zstandard::ProductDecoder(store::compress::Codec::Gzip))
        }),
        way("zstd", "zstd, the context kept", "", |o| decompress(o, &mut zstandard::Reused::open(3)?, zstandard::Decoder::open()?)),
        way("zstd-fresh", "zstd, a context per call", CONTEXT, |o| {
            decompress(o, &mut zstandard::Reused::open(3)?, zstandard::FreshDecoder)
        }),
        way("zstd-product", "the product's bounded decoder of zstd", "", |o| {
            decompress(o, &mut zstandard::Reused::open(3)?, zstandard::ProductDecoder(store::compress::Codec::Zstd))
        }),
        way("zstd-dict-16k", "zstd with a prepared dictionary of 16 KiB trained on other documents", "", |o| {
            let trained = dictionary::train(&o.documents, 16 << 10)?;
            decompress(o, &mut dictionary::Prepared::open(3, &trained)?, dictionary::Decoder::open(&trained)?)
        }),
        way("zstd-dict-per-call", "the same, digested at each call", DIGEST, |o| {
            let trained = dictionary::train(&o.documents, 16 << 10)?;
            decompress(o, &mut dictionary::Prepared::open(3, &trained)?, dictionary::DecoderPerCall::open(trained)?)
        }),
    ],
};

const QUICK: &str = "zlib-rs at level 1 is not zlib at level 1: a sixth to a quarter larger output; use level 2 and up where size counts";
const LONG: &str = "a window above 8 MiB is refused by browsers (RFC 9659); state --long to the reader or keep to 8 MiB";

type Open = fn(&Opening) -> Result<Box<dyn Contender>, Refusal>;

const fn way(name: &'static str, doc: &'static str, trap: &'static str, open: Open) -> Way {
    Way { name, doc, trap, open }
}

fn compress(opening: &Opening, coder: impl Coder + 'static) -> Result<Box<dyn Contender>, Refusal> {
    Ok(Box::new(Compressing::open(&opening.documents, Box::new(coder))?))
}

fn dict(opening: &Opening, bytes: usize) -> Result<Box<dyn Contender>, Refusal> {
    compress(opening, dictionary::Prepared::open(3, &dictionary::train(&opening.documents, bytes)?)?)
}

fn decompress(opening: &Opening, coder: &mut dyn Coder, decoder: impl Decoder + 'static) -> Result<Box<dyn Contender>, Refusal> {
    Ok(Box::new(Decompressing::open(&opening.documents, coder, Box::new(decoder))?))
}

/// A compressor.
pub(crate) trait Coder: Send {
    /// Puts `plain`, compressed, into `out`, which is empty.
    fn encode(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<(), String>;

    /// The document in `packed`, to check what was made. Not measured.
    fn check(&mut self, packed: &[u8], max: usize) -> Result<Vec<u8>, String>;

    /// What is to be told of it: memory of contexts, the dictionary's number.
    fn facts(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }
}

/// A decompressor.
pub(crate) trait Decoder: Send {
    /// Puts the document in `packed`, which has `size` bytes, into `out`, which is empty.
    fn decode(&mut self, packed: &[u8], size: usize, out: &mut Vec<u8>) -> Result<(), String>;

    /// As [`Coder::facts`].
    fn facts(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }
}

/// How many of `documents` are measured: the first ones, and so many that at least as many are left to train on.
fn measured(documents: &[Vec<u8>]) -> usize {
    let size = documents.first().map_or(1, |document| document.len().max(1));
    documents.len().div_ceil(2).min(MEASURED).min((MEASURED_BYTES / size).max(1))
}

/// An error's text, with what was tried.
fn failed(what: &str, why: impl std::fmt::Display) -> Refusal {
    Refusal::Failed(format!("{what}: {why}"))
}

#[cfg(test)]
mod tests;
