//! Where strings of JSON end: the quotes that no backslash stands before, found 64 bytes at a time as bits of a word.

mod block;

use block::{BLOCK, Block};

/// Every other bit, from the second.
const ODD: u64 = 0xaaaa_aaaa_aaaa_aaaa;

/// Walks over the quotes of a text, in order.
pub(super) struct Strings<'a> {
    bytes: &'a [u8],
    /// Where the block begins whose quotes are in `quotes`, and where the next one does.
    block: usize,
    next: usize,
    quotes: u64,
    /// Whether the last byte so far was a backslash that escapes the next.
    escaping: bool,
}

impl<'a> Strings<'a> {
    /// Over `bytes`, which may have no control character.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, block: 0, next: 0, quotes: 0, escaping: false }
    }

    /// The first quote at `from` or later that ends a string. `None` where there is none, or where a control character or an escape that JSON
    /// does not know comes before the end of its block. Calls must go forward.
    pub(super) fn end(&mut self, from: usize) -> Option<usize> {
        while self.next <= from {
            self.step()?;
        }
        if from > self.block {
            self.quotes &= u64::MAX << (from - self.block);
        }
        while self.quotes == 0 {
            self.step()?;
        }
        Some(self.block + self.quotes.trailing_zeros() as usize)
    }

    /// Takes the next block.
    fn step(&mut self) -> Option<()> {
        let rest = self.bytes.get(self.next..).filter(|rest| !rest.is_empty())?;
        let block = match rest.first_chunk::<BLOCK>() {
            Some(whole) => Block::of(whole),
            None => {
                // Blanks mean nothing behind the end.
                let mut padded = [b' '; BLOCK];
                padded.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
                Block::of(&padded)
            }
        };
        if block.control != 0 {
            return None;
        }
        let escaped = self.escaped(block.backslash);
        // Most escapes by far are those of a quote and of a backslash, in JSON that is text of JSON.
        let others = escaped & !(block.quote | block.backslash);
        if others != 0 {
            self.check(others, rest)?;
        }
        (self.block, self.next) = (self.next, self.next + BLOCK);
        self.quotes = block.quote & !escaped;
        Some(())
    }

    /// The bytes behind a backslash that is not itself escaped. Backslashes come in runs, of which every second one is escaped: a sum whose
    /// carry goes through a run tells runs that begin at odd places from those at even ones (the method of simdjson, Langdale and
    /// Lemire 2019, section 3.1.1, in its later form).
    fn escaped(&mut self, backslash: u64) -> u64 {
        let carried = u64::from(self.escaping);
        if backslash == 0 {
            self.escaping = false;
            return carried;
        }
        // One that is escaped by the block before begins no escape.
        let maybe = backslash & !carried;
        let behind = maybe << 1;
        let ends = (behind | ODD).wrapping_sub(maybe) ^ ODD;
        let escaped = ends ^ (backslash | carried);
        self.escaping = (ends & backslash) >> (BLOCK - 1) == 1;
        escaped
    }

    /// Whether each of these escaped bytes of a block is one that JSON knows.
    fn check(&self, mut escaped: u64, rest: &[u8]) -> Option<()> {
        while escaped != 0 {
            let at = escaped.trailing_zeros() as usize;
            escaped &= escaped - 1;
            match rest.get(at)? {
                b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {}
                b'u' => rest.get(at + 1..at + 5)?.iter().all(u8::is_ascii_hexdigit).then_some(())?,
                _ => return None,
            }
        }
        Some(())
    }
}

#[cfg(test)]
mod tests;
