//! Encoders that keep their contexts, and a pool of them for many tasks.
//!
//! A fresh zstd context per call costs more than the compression of a small body (settings research, 1d).

use super::{Codec, Config};
use bytes::Bytes;
use flate2::{Compress, Compression, FlushCompress, Status};
use std::{
    sync::{Mutex, PoisonError},
    thread,
};
use zstd::bulk::Compressor;

/// Working memory an encoder keeps between bodies, bytes; more is given back.
const KEEP: usize = 1 << 20;
/// Window bits of gzip: the full 32 KiB.
const WINDOW: u8 = 15;

/// A codec failed on a body it should have taken.
#[derive(Debug, thiserror::Error)]
#[error("cannot encode as {codec}: {why}; send the body as identity")]
pub struct EncodeError {
    /// The codec's name.
    pub codec: &'static str,
    /// What it said.
    pub why: String,
}

impl EncodeError {
    fn new(codec: Codec, why: &impl ToString) -> Self {
        Self { codec: codec.name(), why: why.to_string() }
    }
}

/// Contexts for every codec, made at first use, for one task at a time.
pub struct Encoder {
    gzip_level: u32,
    zstd_level: i32,
    gzip: Option<Compress>,
    zstd: Option<Compressor<'static>>,
    /// The encoded body, before it is copied into a buffer of its exact size.
    out: Vec<u8>,
}

impl Encoder {
    /// An encoder at the levels of `config`. Costs nothing yet.
    pub fn new(config: &Config) -> Self {
        Self { gzip_level: config.gzip_level, zstd_level: config.zstd_level, gzip: None, zstd: None, out: Vec::new() }
    }

    /// `body` in `codec`: a whole gzip member, a whole zstd frame that states its size, or the bytes themselves.
    ///
    /// # Errors
    /// Where the codec's library fails, as when memory runs out.
    pub fn encode(&mut self, codec: Codec, body: &[u8]) -> Result<Bytes, EncodeError> {
        if codec == Codec::Identity {
            return Ok(Bytes::copy_from_slice(body));
        }
        self.out.clear();
        (codec.row().encode)(self, body)?;
        let encoded = Bytes::copy_from_slice(&self.out);
        if self.out.capacity() > KEEP {
            self.out = Vec::new();
        }
        Ok(encoded)
    }
}

pub(super) fn identity(encoder: &mut Encoder, body: &[u8]) -> Result<(), EncodeError> {
    encoder.out.extend_from_slice(body);
    Ok(())
}

pub(super) fn gzip(encoder: &mut Encoder, body: &[u8]) -> Result<(), EncodeError> {
    let level = Compression::new(encoder.gzip_level);
    let context = encoder.gzip.get_or_insert_with(|| Compress::new_gzip(level, WINDOW));
    context.reset();
    // Enough for a body that cannot be compressed, so one call does; else the loop grows it.
    encoder.out.reserve(body.len() + body.len() / 1000 + 64);
    loop {
        let (read, written) = (context.total_in(), context.total_out());
        let rest = body.get(usize::try_from(read).unwrap_or(usize::MAX)..).unwrap_or_default();
        let status = context.compress_vec(rest, &mut encoder.out, FlushCompress::Finish);
        match status.map_err(|why| EncodeError::new(Codec::Gzip, &why))? {
            Status::StreamEnd => return Ok(()),
            Status::Ok | Status::BufError if (read, written) != (context.total_in(), context.total_out()) => {
                encoder.out.reserve(body.len() / 2 + 1024);
            }
            Status::Ok | Status::BufError => return Err(EncodeError::new(Codec::Gzip, &"the encoder is stuck")),
        }
    }
}

pub(super) fn zstd(encoder: &mut Encoder, body: &[u8]) -> Result<(), EncodeError> {
    let failed = |why: std::io::Error| EncodeError::new(Codec::Zstd, &why);
    if encoder.zstd.is_none() {
        encoder.zstd = Some(Compressor::new(encoder.zstd_level).map_err(failed)?);
    }
    if let Some(context) = &mut encoder.zstd {
        encoder.out.reserve(zstd::zstd_safe::compress_bound(body.len()));
        context.compress_to_buffer(body, &mut encoder.out).map_err(failed)?;
    }
    Ok(())
}

/// Encoders for many tasks: one is taken for each body and put back. Holds at most as many as there are CPUs.
pub struct Encoders {
    config: Config,
    idle: Mutex<Vec<Encoder>>,
    keep: usize,
}

impl Encoders {
    /// An empty pool at the levels of `config`.
    pub fn new(config: &Config) -> Self {
        let keep = thread::available_parallelism().map_or(1, usize::from);
        Self { config: config.clone(), idle: Mutex::new(Vec::new()), keep }
    }

    /// As [`Encoder::encode`], from any thread. Blocks the caller while it computes.
    ///
    /// # Errors
    /// As [`Encoder::encode`].
    pub fn encode(&self, codec: Codec, body: &[u8]) -> Result<Bytes, EncodeError> {
        if codec == Codec::Identity {
            return Ok(Bytes::copy_from_slice(body));
        }
        let idle = self.idle().pop();
        let mut encoder = idle.unwrap_or_else(|| Encoder::new(&self.config));
        let encoded = encoder.encode(codec, body);
        let mut idle = self.idle();
        // One that failed is dropped: the state of its contexts is unknown.
        if encoded.is_ok() && idle.len() < self.keep {
            idle.push(encoder);
        }
        encoded
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Encoder>> {
        // The stack is whole between its calls, so a poisoned lock holds nothing broken.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
