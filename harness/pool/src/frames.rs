//! The wire between the pool and its own worker processes: length-prefixed binary frames over pipes.
//!
//! Pure: bytes in, frames out. A frame is a `u32` length (little endian, of what follows), a kind byte, a `u64` id and the
//! kind's fields. The first frame of a child is a hello with a magic and a version. Pipes, signals and time live elsewhere.

use bytes::{Buf, Bytes, BytesMut};

use crate::clock::Nanos;
use crate::workers::{How, RequestFault, Work};

/// Version of the frames; a child of another version is refused.
pub const VERSION: u16 = 2;
/// Bytes of a request frame before its payload, the length prefix included.
pub const REQUEST_HEAD: usize = 35;
/// Bytes of a reply frame before its body, the length prefix included.
pub const REPLY_HEAD: usize = 29;
/// Bytes of a hello frame, the length prefix included.
pub const HELLO_SIZE: usize = 23;
/// Bytes of a frame that is only its kind and id (cancel, ping, reset, pong, reset-done), the length prefix included.
pub const SIGNAL_SIZE: usize = 13;
/// Bytes of a progress frame before its message, the length prefix included.
pub const PROGRESS_HEAD: usize = 29;
/// The longest message of a progress frame, bytes.
pub const MESSAGE_MAX: usize = 1024;
/// The smallest useful value of `frame_max`, bytes.
pub const FRAME_MIN: u32 = 64;

const MAGIC: [u8; 8] = *b"poolwrkr";
const PREFIX: usize = 4;
const COMMON: usize = 9;
const HELLO: u8 = 1;
const REQUEST: u8 = 2;
const REPLY_OK: u8 = 3;
const REPLY_TOOL_ERROR: u8 = 4;
const PROGRESS: u8 = 10;

/// What is said by a frame without fields, and its kind byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Signal {
    /// Pool: nobody waits for this request any more; answer it early if you can.
    Cancel = 5,
    /// Pool: say that you live.
    Ping = 6,
    /// Pool: forget what the last session left.
    Reset = 7,
    /// Worker: I live.
    Pong = 8,
    /// Worker: forgotten.
    ResetDone = 9,
}

impl Signal {
    const ALL: [Signal; 5] = [Signal::Cancel, Signal::Ping, Signal::Reset, Signal::Pong, Signal::ResetDone];
}

/// One decoded frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// A child's first words: it speaks [`VERSION`].
    Hello,
    /// Serve this.
    Request {
        /// The request's id, echoed by the reply.
        id: u64,
        /// The synthetic work to do, and what goes wrong with it.
        work: Work,
        /// How often progress is wanted, ms; 0 for never.
        progress_ms: u32,
        /// What the tool was given.
        payload: Bytes,
    },
    /// Served.
    Reply {
        /// The request's id.
        id: u64,
        /// The service's begin on the child's `CLOCK_MONOTONIC`.
        begin: Nanos,
        /// The service's end on the same clock.
        end: Nanos,
        /// False where `body` is the tool's own error message.
        ok: bool,
        /// The answer.
        body: Bytes,
    },
    /// A frame without fields.
    Signal {
        /// What it says.
        signal: Signal,
        /// The request of a cancel; 0 with all others.
        id: u64,
    },
    /// How far a request is.
    Progress {
        /// The request's id.
        id: u64,
        /// What is done, in a unit of the worker's own.
        done: u64,
        /// What there is to do in the same unit; 0 if that is not known.
        total: u64,
        /// UTF-8 for a person, at most [`MESSAGE_MAX`] bytes.
        message: Bytes,
    },
}

/// Why bytes are not frames; the sender cannot be understood any more.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The length prefix is above the limit, or the bytes are not frames at all.
    #[error("a frame of {length} bytes exceeds the limit of {limit}; raise frame-max, or run a program that speaks this pool's frames")]
    TooLong {
        /// The announced length, bytes.
        length: u32,
        /// The limit, bytes.
        limit: u32,
    },
    /// The frame is shorter than its kind needs.
    #[error("a frame of kind {kind} ends after {length} bytes; run a program that speaks this pool's frames")]
    TooShort {
        /// The kind byte, 0 if even that was missing.
        kind: u8,
        /// The announced length, bytes.
        length: u32,
    },
    /// No such kind, or a field with a value it cannot have.
    #[error("unknown frame kind {0}; run a program that speaks this pool's frames")]
    UnknownKind(u8),
    /// The child's hello has another magic or version.
    #[error("the hello is not version {VERSION} of this pool's frames; run the worker of the same build")]
    WrongHello,
    /// A frame came where another kind was due.
    #[error("a frame of another kind than {0} came; run the worker of the same build")]
    Unexpected(&'static str),
}

/// The hello frame, the length prefix included.
pub fn hello() -> [u8; HELLO_SIZE] {
    let mut out = [0; HELLO_SIZE];
    put_common(&mut out, HELLO_SIZE - PREFIX, HELLO, 0);
    out[13..21].copy_from_slice(&MAGIC);
    out[21..23].copy_from_slice(&VERSION.to_le_bytes());
    out
}

/// All of a request frame but its payload of `payload_len` bytes, which follows it on the wire.
pub fn request_head(id: u64, work: Work, progress_ms: u32, payload_len: usize) -> [u8; REQUEST_HEAD] {
    let mut out = [0; REQUEST_HEAD];
    put_common(&mut out, REQUEST_HEAD - PREFIX + payload_len, REQUEST, id);
    out[13] = match work.how {
        How::Sleep => 0,
        How::Spin => 1,
    };
    out[14..22].copy_from_slice(&work.ns.to_le_bytes());
    let (code, parameter) = work.fault.map_or((0, 0), RequestFault::code);
    out[22] = code;
    out[23..31].copy_from_slice(&parameter.to_le_bytes());
    out[31..35].copy_from_slice(&progress_ms.to_le_bytes());
    out
}

/// A whole frame without fields. `id` is the request of a cancel, else 0.
pub fn signal(signal: Signal, id: u64) -> [u8; SIGNAL_SIZE] {
    let mut out = [0; SIGNAL_SIZE];
    put_common(&mut out, SIGNAL_SIZE - PREFIX, signal as u8, id);
    out
}

/// Appends a whole progress frame to `out`; of the message at most [`MESSAGE_MAX`] bytes.
pub fn encode_progress(id: u64, done: u64, total: u64, message: &str, out: &mut Vec<u8>) {
    let message = &message.as_bytes()[..message.floor_char_boundary(MESSAGE_MAX)];
    let mut head = [0; PROGRESS_HEAD];
    put_common(&mut head, PROGRESS_HEAD - PREFIX + message.len(), PROGRESS, id);
    head[13..21].copy_from_slice(&done.to_le_bytes());
    head[21..29].copy_from_slice(&total.to_le_bytes());
    out.extend_from_slice(&head);
    out.extend_from_slice(message);
}

/// All of a reply frame but its body of `body_len` bytes, which follows it on the wire.
pub fn reply_head(id: u64, begin: Nanos, end: Nanos, ok: bool, body_len: usize) -> [u8; REPLY_HEAD] {
    let mut out = [0; REPLY_HEAD];
    let kind = if ok { REPLY_OK } else { REPLY_TOOL_ERROR };
    put_common(&mut out, REPLY_HEAD - PREFIX + body_len, kind, id);
    out[13..21].copy_from_slice(&begin.to_le_bytes());
    out[21..29].copy_from_slice(&end.to_le_bytes());
    out
}

/// Appends a whole request frame to `out`.
pub fn encode_request(id: u64, work: Work, progress_ms: u32, payload: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&request_head(id, work, progress_ms, payload.len()));
    out.extend_from_slice(payload);
}

/// Appends a whole reply frame to `out`.
pub fn encode_reply(id: u64, begin: Nanos, end: Nanos, ok: bool, body: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&reply_head(id, begin, end, ok, body.len()));
    out.extend_from_slice(body);
}

fn put_common(out: &mut [u8], length: usize, kind: u8, id: u64) {
    // A length that does not fit becomes one that every decoder refuses; `Pool::call` refuses such payloads first.
    let length = u32::try_from(length).unwrap_or(u32::MAX);
    out[..4].copy_from_slice(&length.to_le_bytes());
    out[4] = kind;
    out[5..13].copy_from_slice(&id.to_le_bytes());
}

/// Turns a stream of bytes, cut anywhere, into frames. After an error it stays in error.
#[derive(Debug)]
pub struct Decoder {
    buffer: BytesMut,
    limit: u32,
    failed: Option<FrameError>,
}

impl Decoder {
    /// A decoder that refuses frames longer than `frame_max` bytes (at least [`FRAME_MIN`]).
    pub fn new(frame_max: u32) -> Self {
        Decoder { buffer: BytesMut::with_capacity(16 * 1024), limit: frame_max.max(FRAME_MIN), failed: None }
    }

    /// The buffer that a reader appends to; it has room for what the next frame still lacks, at most the limit.
    pub fn buffer(&mut self) -> &mut BytesMut {
        let wanted = match self.announced() {
            Some(length) if length <= self.limit => (PREFIX + length as usize).saturating_sub(self.buffer.len()),
            _ => 0,
        };
        self.buffer.reserve(wanted.max(4 * 1024));
        &mut self.buffer
    }

    /// Appends bytes that were read.
    pub fn extend(&mut self, bytes: &[u8]) {
        if self.failed.is_none() {
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// The next whole frame; `None` while it is incomplete.
    ///
    /// # Errors
    /// The first violation of the format, and from then on always the same.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, FrameError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let result = self.take();
        if let Err(error) = &result {
            self.failed = Some(error.clone());
            self.buffer = BytesMut::new();
        }
        result
    }

    fn announced(&self) -> Option<u32> {
        self.buffer.first_chunk::<PREFIX>().map(|b| u32::from_le_bytes(*b))
    }

    fn take(&mut self) -> Result<Option<Frame>, FrameError> {
        let Some(length) = self.announced() else { return Ok(None) };
        if length > self.limit {
            return Err(FrameError::TooLong { length, limit: self.limit });
        }
        if (length as usize) < COMMON {
            return Err(FrameError::TooShort { kind: 0, length });
        }
        if self.buffer.len() < PREFIX + length as usize {
            return Ok(None);
        }
        self.buffer.advance(PREFIX);
        parse(self.buffer.split_to(length as usize).freeze(), length).map(Some)
    }
}

fn parse(mut body: Bytes, length: u32) -> Result<Frame, FrameError> {
    let kind = body.get_u8();
    let id = body.get_u64_le();
    if let Some(signal) = Signal::ALL.into_iter().find(|signal| *signal as u8 == kind) {
        let whole = body.is_empty();
        return if whole { Ok(Frame::Signal { signal, id }) } else { Err(FrameError::TooLong { length, limit: COMMON as u32 }) };
    }
    let fixed = match kind {
        HELLO => HELLO_SIZE,
        REQUEST => REQUEST_HEAD,
        REPLY_OK | REPLY_TOOL_ERROR => REPLY_HEAD,
        PROGRESS => PROGRESS_HEAD,
        other => return Err(FrameError::UnknownKind(other)),
    } - PREFIX
        - COMMON;
    if body.len() < fixed {
        return Err(FrameError::TooShort { kind, length });
    }
    match kind {
        HELLO => {
            let right = body[..8] == MAGIC && body[8..] == VERSION.to_le_bytes() && id == 0;
            if right { Ok(Frame::Hello) } else { Err(FrameError::WrongHello) }
        }
        REQUEST => parse_request(id, body),
        PROGRESS => {
            let (done, total) = (body.get_u64_le(), body.get_u64_le());
            if body.len() > MESSAGE_MAX {
                return Err(FrameError::TooLong { length, limit: (PROGRESS_HEAD - PREFIX + MESSAGE_MAX) as u32 });
            }
            Ok(Frame::Progress { id, done, total, message: body })
        }
        _ => {
            let (begin, end) = (body.get_u64_le(), body.get_u64_le());
            Ok(Frame::Reply { id, begin, end, ok: kind == REPLY_OK, body })
        }
    }
}

fn parse_request(id: u64, mut body: Bytes) -> Result<Frame, FrameError> {
    let how = match body.get_u8() {
        0 => How::Sleep,
        1 => How::Spin,
        _ => return Err(FrameError::UnknownKind(REQUEST)),
    };
    let ns = body.get_u64_le();
    let (code, parameter) = (body.get_u8(), body.get_u64_le());
    let fault = RequestFault::from_code(code, parameter);
    // A parameter that the fault does not have is refused like a fault that does not exist.
    if fault.map_or((0, 0), RequestFault::code) != (code, parameter) {
        return Err(FrameError::UnknownKind(REQUEST));
    }
    let progress_ms = body.get_u32_le();
    Ok(Frame::Request { id, work: Work { ns, how, fault }, progress_ms, payload: body })
}

#[cfg(test)]
mod tests;
