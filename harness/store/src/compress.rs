//! Compression of responses: the codecs, the choice among them, encoders that keep their contexts, bounded decoding.

use crate::settings::{Checked, ConfigError};
use std::collections::BTreeMap;

mod decode;
mod encode;
mod negotiate;

pub use decode::{DecodeError, decode};
pub use encode::{EncodeError, Encoder, Encoders};
pub use negotiate::{ACCEPT_MAX, NotAcceptable, negotiate};

/// A way to encode a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Codec {
    /// As it is.
    Identity,
    /// gzip (RFC 1952) by zlib-rs.
    Gzip,
    /// Zstandard (RFC 8878), windows of at most 8 MiB (RFC 9659).
    Zstd,
}

/// What is known of a codec.
#[derive(Clone, Copy, Debug)]
pub struct CodecRow {
    /// Which one.
    pub codec: Codec,
    /// Its name in `Accept-Encoding`, `Content-Encoding` and settings, and what else clients call it.
    pub names: &'static [&'static str],
    /// One line for people.
    pub doc: &'static str,
    encode: fn(&mut Encoder, &[u8]) -> Result<(), EncodeError>,
    decode: fn(&[u8], usize) -> Result<Vec<u8>, DecodeError>,
}

/// Every codec, in the order of [`Codec`]'s variants.
pub const CODECS: &[CodecRow] = &[
    CodecRow { codec: Codec::Identity, names: &["identity"], doc: "no compression", encode: encode::identity, decode: decode::identity },
    CodecRow { codec: Codec::Gzip, names: &["gzip", "x-gzip"], doc: "gzip by zlib-rs", encode: encode::gzip, decode: decode::gzip },
    CodecRow { codec: Codec::Zstd, names: &["zstd"], doc: "Zstandard by libzstd", encode: encode::zstd, decode: decode::zstd },
];

impl Codec {
    /// Its row of [`CODECS`].
    pub fn row(self) -> &'static CodecRow {
        &CODECS[self as usize]
    }

    /// Its name on the wire.
    pub fn name(self) -> &'static str {
        self.row().names[0]
    }

    /// The codec of that name or alias, in any case of letters.
    pub fn named(name: &str) -> Option<Self> {
        CODECS.iter().find(|row| row.names.iter().any(|known| known.eq_ignore_ascii_case(name))).map(|row| row.codec)
    }
}

/// Settings of compression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `compress.offer`: the preferred first; empty offers nothing.
    pub offer: Vec<Codec>,
    /// `compress.gzip-level`, 0 to 9.
    pub gzip_level: u32,
    /// `compress.zstd-level`, -7 to 19.
    pub zstd_level: i32,
    /// `compress.min-size`, bytes.
    pub min_size: usize,
    /// `compress.decompressed-max`, bytes.
    pub decompressed_max: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self { offer: vec![Codec::Zstd, Codec::Gzip], gzip_level: 6, zstd_level: 3, min_size: 1024, decompressed_max: 64 << 20 }
    }
}

impl Config {
    /// Reads the `compress.*` keys of canonical settings; missing keys take their default, keys of others are ignored.
    ///
    /// # Errors
    /// The first key of this crate that is unknown or has a value outside its type or range.
    pub fn from_settings(settings: &BTreeMap<String, String>) -> Result<Self, ConfigError> {
        let given = Checked::new(settings)?;
        let default = Self::default();
        Ok(Self {
            offer: given.text("compress.offer").map_or(Ok(default.offer), offer)?,
            gzip_level: given.get("compress.gzip-level", default.gzip_level)?,
            zstd_level: given.get("compress.zstd-level", default.zstd_level)?,
            min_size: given.get("compress.min-size", default.min_size)?,
            decompressed_max: given.bytes("compress.decompressed-max", 1024..=1 << 30, default.decompressed_max)?,
        })
    }

    /// The codec for a body of `size` bytes to a client that accepts `accept`: as negotiated, but a body under the
    /// minimum goes as it is where the client takes that.
    ///
    /// # Errors
    /// As [`negotiate`].
    pub fn choose(&self, accept: &str, size: usize) -> Result<Codec, NotAcceptable> {
        if size < self.min_size
            && let Ok(identity) = negotiate(accept, &[])
        {
            return Ok(identity);
        }
        negotiate(accept, &self.offer)
    }
}

fn offer(text: &str) -> Result<Vec<Codec>, ConfigError> {
    let refused = |why: String| ConfigError::new("compress.offer", why);
    if text.trim() == "none" {
        return Ok(Vec::new());
    }
    let mut offer = Vec::new();
    for name in text.split(',').map(str::trim) {
        let codec = Codec::named(name)
            .ok_or_else(|| refused(format!("`{name}` is no codec; expected a list of identity, gzip and zstd, or `none` alone")))?;
        if offer.contains(&codec) {
            return Err(refused(format!("`{name}` is listed twice; list each codec once")));
        }
        offer.push(codec);
    }
    Ok(offer)
}

#[cfg(test)]
mod tests;
