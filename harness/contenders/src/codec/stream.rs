//! Compression in pieces, as of a body whose size nobody knows yet.

use super::{Coder, failed, gzip::gunzip, zstandard::unzstd};
use crate::Refusal;
use flate2::{Compress, Compression, FlushCompress, Status};
use zstd::stream::raw::{Encoder, InBuffer, Operation, OutBuffer};

/// Size of a piece, bytes.
const PIECE: usize = 16 << 10;

/// gzip by zlib-rs.
pub(super) struct Gzip {
    context: Compress,
    piece: Vec<u8>,
}

impl Gzip {
    pub(super) fn open(level: u32) -> Self {
        Self { context: Compress::new_gzip(Compression::new(level), 15), piece: vec![0; PIECE] }
    }

    /// Feeds one piece and takes what comes out, piece by piece. Whether the stream has ended.
    fn feed(&mut self, mut input: &[u8], flush: FlushCompress, out: &mut Vec<u8>) -> Result<bool, String> {
        loop {
            let (read, written) = (self.context.total_in(), self.context.total_out());
            let status = self.context.compress(input, &mut self.piece, flush).map_err(|why| why.to_string())?;
            let read = (self.context.total_in() - read) as usize;
            let written = (self.context.total_out() - written) as usize;
            input = &input[read..];
            out.extend_from_slice(&self.piece[..written]);
            if status == Status::StreamEnd {
                return Ok(true);
            }
            if input.is_empty() && written < PIECE {
                return Ok(false);
            }
        }
    }
}

impl Coder for Gzip {
    fn encode(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
        self.context.reset();
        for piece in plain.chunks(PIECE) {
            self.feed(piece, FlushCompress::None, out)?;
        }
        if self.feed(&[], FlushCompress::Finish, out)? { Ok(()) } else { Err("zlib-rs does not end the stream".to_owned()) }
    }

    fn check(&mut self, packed: &[u8], max: usize) -> Result<Vec<u8>, String> {
        gunzip(packed, max)
    }
}

/// zstd, the context kept.
pub(super) struct Zstd {
    encoder: Encoder<'static>,
    piece: Vec<u8>,
}

impl Zstd {
    pub(super) fn open(level: i32) -> Result<Self, Refusal> {
        Ok(Self { encoder: Encoder::new(level).map_err(|why| failed("zstd", why))?, piece: vec![0; PIECE] })
    }
}

impl Coder for Zstd {
    fn encode(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
        let text = |why: std::io::Error| why.to_string();
        self.encoder.reinit().map_err(text)?;
        for piece in plain.chunks(PIECE) {
            let mut input = InBuffer::around(piece);
            while input.pos() < piece.len() {
                let mut output = OutBuffer::around(self.piece.as_mut_slice());
                self.encoder.run(&mut input, &mut output).map_err(text)?;
                out.extend_from_slice(output.as_slice());
            }
        }
        loop {
            let mut output = OutBuffer::around(self.piece.as_mut_slice());
            let left = self.encoder.finish(&mut output, true).map_err(text)?;
            out.extend_from_slice(output.as_slice());
            if left == 0 {
                return Ok(());
            }
        }
    }

    fn check(&mut self, packed: &[u8], max: usize) -> Result<Vec<u8>, String> {
        unzstd(packed, max)
    }
}
