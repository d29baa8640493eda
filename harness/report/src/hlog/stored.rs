//! The encoding that interval logs want: HDR V2 within a zlib stream.
//!
//! Other implementations read logs of this encoding only. The stream's blocks are stored, not compressed: what a compressor makes of the same
//! bytes depends on its version and on the CPU, and a report is to be remade byte for byte anywhere.

use std::io::Write;

use hdrhistogram::serialization::{Serializer, V2SerializeError, V2Serializer};
use hdrhistogram::{Counter, Histogram};

/// Begins a V2 histogram that is within a zlib stream; the length of the stream follows.
const COOKIE: u32 = 0x1c84_9314;
/// zlib's header: deflate, a window of 32 KiB, the fastest level.
const ZLIB: [u8; 2] = [0x78, 0x01];
/// Most bytes of a stored block.
const BLOCK_MAX: usize = u16::MAX as usize;

/// Writes V2 within a zlib stream of stored blocks.
#[derive(Default)]
pub(super) struct Stored {
    plain: V2Serializer,
}

impl Serializer for Stored {
    type SerializeError = V2SerializeError;

    fn serialize<T: Counter, W: Write>(&mut self, h: &Histogram<T>, writer: &mut W) -> Result<usize, V2SerializeError> {
        let mut bytes = Vec::new();
        self.plain.serialize(h, &mut bytes)?;
        let stream = zlib(&bytes);
        writer.write_all(&COOKIE.to_be_bytes())?;
        // Some hundred thousand bytes at most: a histogram of our bounds has 33,792 counts.
        writer.write_all(&(stream.len() as u32).to_be_bytes())?;
        writer.write_all(&stream)?;
        Ok(stream.len() + 8)
    }
}

/// `bytes` as a zlib stream (RFC 1950) of stored blocks (RFC 1951, 3.2.4).
fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut stream = ZLIB.to_vec();
    let mut blocks = bytes.chunks(BLOCK_MAX).peekable();
    while let Some(block) = blocks.next() {
        stream.push(u8::from(blocks.peek().is_none()));
        let length = block.len() as u16;
        stream.extend(length.to_le_bytes());
        stream.extend((!length).to_le_bytes());
        stream.extend(block);
    }
    stream.extend(adler32(bytes).to_be_bytes());
    stream
}

/// The checksum of RFC 1950, 8.2.
fn adler32(bytes: &[u8]) -> u32 {
    let step = |(a, b): (u32, u32), byte: &u8| {
        let a = (a + u32::from(*byte)) % 65_521;
        (a, (b + a) % 65_521)
    };
    let (a, b) = bytes.iter().fold((1, 0), step);
    b << 16 | a
}

#[cfg(test)]
mod tests {
    use hdrhistogram::serialization::Deserializer;

    use super::*;

    #[test]
    fn the_stream_is_the_one_of_the_standard() {
        // The example of the checksum's own article, and zlib.compress(b"Wikipedia", 0) of Python.
        assert_eq!(adler32(b"Wikipedia"), 0x11e6_0398);
        assert_eq!(zlib(b"Wikipedia"), b"\x78\x01\x01\x09\x00\xf6\xffWikipedia\x11\xe6\x03\x98");
    }

    #[test]
    fn a_histogram_of_several_blocks_is_read_back() {
        let mut histogram = Histogram::<u64>::new_with_bounds(1, 3_600_000_000_000, 3).unwrap();
        (0..30_000u64).for_each(|i| histogram.record_n(1000 + i * i * 3, 1 << (35 + i % 15)).unwrap());
        let (mut plain, mut bytes) = (Vec::new(), Vec::new());
        V2Serializer::new().serialize(&histogram, &mut plain).unwrap();
        assert!(plain.len() > BLOCK_MAX, "{}", plain.len());
        assert_eq!(Stored::default().serialize(&histogram, &mut bytes).unwrap(), bytes.len());
        // The library unpacks the stream and looks at the checksum.
        let read: Histogram<u64> = Deserializer::new().deserialize(&mut bytes.as_slice()).unwrap();
        assert_eq!(read, histogram);
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        assert!(Deserializer::new().deserialize::<u64, _>(&mut bytes.as_slice()).is_err());
    }
}
