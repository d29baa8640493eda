//! Bounded decoding: a body that would grow beyond its limit is refused before it does.

use super::Codec;
use flate2::{Decompress, FlushDecompress, Status};
use std::cell::RefCell;
use zstd::stream::raw::{DParameter, Decoder, InBuffer, Operation, OutBuffer};

/// First guess of the decoded size, in multiples of the encoded one.
const GUESS: usize = 4;
/// Base-2 logarithm of the largest zstd window that is taken: 8 MiB, as RFC 9659 asks.
const ZSTD_WINDOW_LOG: u32 = 23;

/// Why a body cannot be decoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Decoded it is larger than allowed.
    #[error("the {codec} body decodes to more than {max} bytes; send less or raise compress.decompressed-max")]
    TooLarge {
        /// The codec's name.
        codec: &'static str,
        /// The limit, bytes.
        max: usize,
    },
    /// It ends too early.
    #[error("the {codec} body is cut short; send it whole")]
    Truncated {
        /// The codec's name.
        codec: &'static str,
    },
    /// It is not in this encoding, from the start or from some byte on.
    #[error("the body is not {codec}: {why}; encode it anew")]
    Malformed {
        /// The codec's name.
        codec: &'static str,
        /// What the codec's library said.
        why: String,
    },
}

impl DecodeError {
    fn malformed(codec: Codec, why: &impl ToString) -> Self {
        Self::Malformed { codec: codec.name(), why: why.to_string() }
    }
}

/// The body in `bytes`, of at most `max` bytes. Several gzip members or zstd frames in a row are one body; anything
/// else after the last is an error. Keeps a context per thread.
///
/// # Errors
/// As [`DecodeError`] lists. No buffer beyond `max` bytes is made.
pub fn decode(codec: Codec, bytes: &[u8], max: usize) -> Result<Vec<u8>, DecodeError> {
    (codec.row().decode)(bytes, max)
}

pub(super) fn identity(bytes: &[u8], max: usize) -> Result<Vec<u8>, DecodeError> {
    if bytes.len() > max {
        return Err(DecodeError::TooLarge { codec: Codec::Identity.name(), max });
    }
    Ok(bytes.to_vec())
}

pub(super) fn gzip(bytes: &[u8], max: usize) -> Result<Vec<u8>, DecodeError> {
    thread_local!(static CONTEXT: RefCell<Decompress> = RefCell::new(Decompress::new_gzip(15)));
    CONTEXT.with_borrow_mut(|context| {
        context.reset(true);
        drive(Codec::Gzip, bytes, max, guess(bytes), |input, out| {
            let (read, written) = (context.total_in(), context.total_out());
            let status = context.decompress(input, out, FlushDecompress::None);
            let status = status.map_err(|why| DecodeError::malformed(Codec::Gzip, &why))?;
            let step = Step {
                read: usize::try_from(context.total_in() - read).unwrap_or(usize::MAX),
                written: usize::try_from(context.total_out() - written).unwrap_or(usize::MAX),
                ended: status == Status::StreamEnd,
            };
            if step.ended {
                context.reset(true);
            }
            Ok(step)
        })
    })
}

pub(super) fn zstd(bytes: &[u8], max: usize) -> Result<Vec<u8>, DecodeError> {
    thread_local!(static CONTEXT: RefCell<Option<Decoder<'static>>> = const { RefCell::new(None) });
    let failed = |why: std::io::Error| DecodeError::malformed(Codec::Zstd, &why);
    let stated = zstd::zstd_safe::get_frame_content_size(bytes).ok().flatten().map(|size| usize::try_from(size).unwrap_or(usize::MAX));
    if stated.is_some_and(|size| size > max) {
        return Err(DecodeError::TooLarge { codec: Codec::Zstd.name(), max });
    }
    let size = stated.unwrap_or_else(|| guess(bytes));
    CONTEXT.with_borrow_mut(|context| {
        // Taken out while in use: one that fails is not put back, because its state is unknown.
        let mut decoder = match context.take() {
            Some(decoder) => decoder,
            None => bounded_zstd().map_err(failed)?,
        };
        let decoded = drive(Codec::Zstd, bytes, max, size, |input, out| {
            let (mut input, mut out) = (InBuffer::around(input), OutBuffer::around(out));
            let hint = decoder.run(&mut input, &mut out).map_err(failed)?;
            Ok(Step { read: input.pos(), written: out.pos(), ended: hint == 0 })
        })?;
        *context = Some(decoder);
        Ok(decoded)
    })
}

fn bounded_zstd() -> std::io::Result<Decoder<'static>> {
    let mut decoder = Decoder::new()?;
    decoder.set_parameter(DParameter::WindowLogMax(ZSTD_WINDOW_LOG))?;
    Ok(decoder)
}

fn guess(bytes: &[u8]) -> usize {
    bytes.len().saturating_mul(GUESS).max(1024)
}

/// What one call of a decoder did.
struct Step {
    read: usize,
    written: usize,
    /// A member or frame ended, and the context is ready for another.
    ended: bool,
}

/// Feeds `bytes` to `step` until they are used up at the end of a member, growing the output from `guess` up to `max`.
fn drive(
    codec: Codec,
    bytes: &[u8],
    max: usize,
    guess: usize,
    mut step: impl FnMut(&[u8], &mut [u8]) -> Result<Step, DecodeError>,
) -> Result<Vec<u8>, DecodeError> {
    let mut out = vec![0; guess.min(max)];
    let (mut read, mut written) = (0, 0);
    loop {
        let rest = bytes.get(read..).unwrap_or_default();
        // At the limit one byte of room tells a body that just ends from one that would go on.
        let mut probe = [0];
        let full = written == max;
        let done = step(rest, if full { &mut probe } else { out.get_mut(written..).unwrap_or_default() })?;
        if full && done.written > 0 {
            return Err(DecodeError::TooLarge { codec: codec.name(), max });
        }
        read += done.read;
        written += done.written;
        if done.ended && read == bytes.len() {
            out.truncate(written);
            return Ok(out);
        }
        // The decoder has room and takes or gives nothing: it waits for bytes that are not there.
        if done.read + done.written == 0 {
            return Err(DecodeError::Truncated { codec: codec.name() });
        }
        if written == out.len() && written < max {
            grow(&mut out, max);
        }
    }
}

/// Doubles, but never beyond `max`, and without the allocator's own rounding up.
fn grow(out: &mut Vec<u8>, max: usize) {
    let size = out.len().saturating_mul(2).clamp(1, max);
    out.reserve_exact(size - out.len());
    out.resize(size, 0);
}

#[cfg(test)]
mod tests;
