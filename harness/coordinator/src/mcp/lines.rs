//! Lines of bounded length from a byte stream.

use std::io;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};

/// Bytes read at once.
const CHUNK: usize = 64 * 1024;

/// One line, or why there is none.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// Without its end.
    Whole(BytesMut),
    /// It was longer than permitted and is gone.
    TooLong,
    /// No more lines. Bytes after the last line's end are dropped: they are no message.
    End,
}

/// A stream cut into lines. Holds at most one line and one chunk.
pub(super) struct Lines<R> {
    input: R,
    max: usize,
    buffer: BytesMut,
    /// Bytes of the buffer that hold no line's end.
    scanned: usize,
    /// Whether the rest of a line that was too long is being skipped.
    skipping: bool,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    pub(super) fn new(input: R, max: usize) -> Self {
        Self { input, max, buffer: BytesMut::new(), scanned: 0, skipping: false }
    }

    /// The next line. Nothing is lost when the future is dropped before it is done.
    pub(super) async fn next(&mut self) -> io::Result<Line> {
        loop {
            if let Some(line) = self.buffered() {
                return Ok(line);
            }
            self.buffer.reserve(CHUNK);
            if (&mut self.input).take(CHUNK as u64).read_buf(&mut self.buffer).await? == 0 {
                return Ok(Line::End);
            }
        }
    }

    /// What the buffer holds already.
    fn buffered(&mut self) -> Option<Line> {
        loop {
            let Some(at) = self.buffer[self.scanned..].iter().position(|b| *b == b'\n') else {
                if self.skipping {
                    self.buffer.clear();
                    self.scanned = 0;
                    return None;
                }
                self.scanned = self.buffer.len();
                if self.scanned <= self.max {
                    return None;
                }
                self.skipping = true;
                return Some(Line::TooLong);
            };
            let mut line = self.buffer.split_to(self.scanned + at);
            self.buffer.advance(1);
            self.scanned = 0;
            if std::mem::take(&mut self.skipping) {
                continue;
            }
            if line.len() > self.max {
                return Some(Line::TooLong);
            }
            if line.last() == Some(&b'\r') {
                line.truncate(line.len() - 1);
            }
            return Some(Line::Whole(line));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn all(text: &[u8], max: usize) -> Vec<Line> {
        let mut lines = Lines::new(text, max);
        let mut found = Vec::new();
        loop {
            found.push(lines.next().await.unwrap());
            if found.last() == Some(&Line::End) {
                return found;
            }
        }
    }

    fn whole(text: &str) -> Line {
        Line::Whole(BytesMut::from(text))
    }

    #[tokio::test]
    async fn lines_are_cut_and_their_ends_are_gone() {
        assert_eq!(all(b"a\r\n\nbc\nd", 2).await, [whole("a"), whole(""), whole("bc"), Line::End]);
    }

    #[tokio::test]
    async fn a_line_too_long_is_skipped_and_the_next_is_read() {
        assert_eq!(all(b"abcd\nok\n", 3).await, [Line::TooLong, whole("ok"), Line::End]);
        let long = [vec![b'x'; 3 * CHUNK + 7], b"\nok\n".to_vec()].concat();
        assert_eq!(all(&long, CHUNK + 1).await, [Line::TooLong, whole("ok"), Line::End]);
    }

    #[tokio::test]
    async fn what_a_long_line_holds_is_bounded() {
        let endless = vec![b'x'; 50 * CHUNK];
        let mut lines = Lines::new(&endless[..], CHUNK);
        assert_eq!(lines.next().await.unwrap(), Line::TooLong);
        assert_eq!(lines.next().await.unwrap(), Line::End);
        assert!(lines.buffer.capacity() <= 8 * CHUNK, "{}", lines.buffer.capacity());
    }
}
