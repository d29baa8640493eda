//! gzip by three libraries. All write the same frame: header, deflate data, CRC and size (RFC 1952).

use super::{Coder, Decoder, failed};
use crate::Refusal;
use flate2::{Compress, Compression, Crc, Decompress, FlushCompress, FlushDecompress, Status};
use miniz_oxide::{
    DataFormat, MZError, MZFlush, MZStatus,
    deflate::{core::CompressorOxide, stream::deflate},
    inflate::stream::{InflateState, inflate},
};

/// Window bits of gzip: 32 KiB.
const WINDOW: u8 = 15;
/// The shortest header (RFC 1952, 2.3): deflate, no flags, no time, no extra flags, unknown system.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
/// CRC-32 and size after the data.
const TRAILER: usize = 8;

/// Room that one call of a compressor needs for `plain` bytes at worst.
pub(super) fn bound(plain: usize) -> usize {
    plain + plain / 1000 + 64
}

/// zlib-rs, its context reset.
pub(super) struct Flate(Compress);

impl Flate {
    pub(super) fn open(level: u32) -> Self {
        Self(Compress::new_gzip(Compression::new(level), WINDOW))
    }
}

impl Coder for Flate {
    fn encode(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
        self.0.reset();
        out.reserve(bound(plain.len()));
        match self.0.compress_vec(plain, out, FlushCompress::Finish).map_err(|why| why.to_string())? {
            Status::StreamEnd => Ok(()),
            other => Err(format!("zlib-rs stops in the middle ({other:?})")),
        }
    }

    fn check(&mut self, packed: &[u8], max: usize) -> Result<Vec<u8>, String> {
        gunzip(packed, max)
    }
}

/// zlib-rs, a context per call.
pub(super) struct FlateFresh(pub(super) u32);

impl Coder for FlateFresh {
    fn encode(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
        Flate::open(self.0).encode(plain, out)
    }

    fn check(&mut self, packed: &[u8], max: usize) -> Result<Vec<u8>, String> {
        gunzip(packed, max)
    }
}

/// The product's bounded decoder, as the judge of what others wrote.
pub(super) fn gunzip(packed: &[u8], max: usize) -> Result<Vec<u8>, String> {
    store::compress::decode(store::compress::Codec::Gzip, packed, max).map_err(|why| why.to_string())
}

/// zlib-rs, its context reset.
pub(super) struct Inflate(Decompress);

impl Inflate {
    pub(super) fn open() -> Self {
        Self(Decompress::new_gzip(WINDOW))
    }
}

impl Decoder for Inflate {
    fn decode(&mut self, packed: &[u8], size: usize, out: &mut Vec<u8>) -> Result<(), String> {
        self.0.reset(true);
        out.reserve(size.max(1));
        match self.0.decompress_vec(packed, out, FlushDecompress::Finish).map_err(|why| why.to_string())? {
            Status::StreamEnd => Ok(()),
            other => Err(format!("zlib-rs stops in the middle ({other:?})")),
        }
    }
}

/// zlib-rs, a context per call.
pub(super) struct InflateFresh;

impl Decoder for InflateFresh {
    fn decode(&mut self, packed: &[u8], size: usize, out: &mut Vec<u8>) -> Result<(), String> {
        Inflate::open().decode(packed, size, out)
    }
}

/// miniz_oxide. It knows zlib and raw data only, so the gzip frame around them is made here.
pub(super) struct Miniz {
    deflate: Box<CompressorOxide>,
    inflate: Box<InflateState>,
}

impl Miniz {
    pub(super) fn open(level: u8) -> Self {
        let mut deflate: Box<CompressorOxide> = Box::default();
        deflate.set_format_and_level(DataFormat::Raw, level);
        Self { deflate, inflate: InflateState::new_boxed(DataFormat::Raw) }
    }
}

impl Coder for Miniz {
    fn encode(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
        self.deflate.reset();
        out.extend_from_slice(&HEADER);
        out.resize(HEADER.len() + bound(plain.len()), 0);
        let done = deflate(&mut self.deflate, plain, &mut out[HEADER.len()..], MZFlush::Finish);
        if done.status != Ok(MZStatus::StreamEnd) {
            return Err(format!("miniz_oxide stops in the middle ({:?})", done.status));
        }
        out.truncate(HEADER.len() + done.bytes_written);
        let mut crc = Crc::new();
        crc.update(plain);
        out.extend_from_slice(&crc.sum().to_le_bytes());
        out.extend_from_slice(&crc.amount().to_le_bytes());
        Ok(())
    }

    fn check(&mut self, packed: &[u8], max: usize) -> Result<Vec<u8>, String> {
        gunzip(packed, max)
    }
}

impl Decoder for Miniz {
    fn decode(&mut self, packed: &[u8], size: usize, out: &mut Vec<u8>) -> Result<(), String> {
        let (data, trailer) = packed.split_at_checked(packed.len().saturating_sub(TRAILER)).unwrap_or_default();
        let data = data.get(HEADER.len()..).ok_or("shorter than a gzip header")?;
        self.inflate.reset(DataFormat::Raw);
        out.resize(size, 0);
        let done = inflate(&mut self.inflate, data, out, MZFlush::Finish);
        match done.status {
            Ok(MZStatus::StreamEnd) => {}
            Ok(other) => return Err(format!("miniz_oxide stops in the middle ({other:?})")),
            Err(MZError::Buf) => return Err("the data is cut short or longer than stated".to_owned()),
            Err(why) => return Err(format!("miniz_oxide refuses the data ({why:?})")),
        }
        let mut crc = Crc::new();
        crc.update(out);
        if trailer.get(..4) != Some(&crc.sum().to_le_bytes()) {
            return Err("the checksum differs".to_owned());
        }
        Ok(())
    }
}

/// libdeflate.
pub(super) struct Deflate {
    deflate: libdeflater::Compressor,
    inflate: libdeflater::Decompressor,
}

impl Deflate {
    pub(super) fn open(level: i32) -> Result<Self, Refusal> {
        let level = libdeflater::CompressionLvl::new(level).map_err(|why| failed("libdeflate has no such level", format!("{why:?}")))?;
        Ok(Self { deflate: libdeflater::Compressor::new(level), inflate: libdeflater::Decompressor::new() })
    }
}

impl Coder for Deflate {
    fn encode(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
        out.resize(self.deflate.gzip_compress_bound(plain.len()), 0);
        let written = self.deflate.gzip_compress(plain, out).map_err(|why| why.to_string())?;
        out.truncate(written);
        Ok(())
    }

    fn check(&mut self, packed: &[u8], max: usize) -> Result<Vec<u8>, String> {
        gunzip(packed, max)
    }
}

impl Decoder for Deflate {
    fn decode(&mut self, packed: &[u8], size: usize, out: &mut Vec<u8>) -> Result<(), String> {
        out.resize(size, 0);
        let written = self.inflate.gzip_decompress(packed, out).map_err(|why| why.to_string())?;
        out.truncate(written);
        Ok(())
    }
}
