//! The bytes that matter to strings, sixteen compared by one instruction.

#![allow(unsafe_code, reason = "calling code for SSE2 is unsafe, though every x86-64 has it")]

/// Bytes of a block: one bit of a `u64` each.
pub(super) const BLOCK: usize = 64;

/// Which bytes of a block are what, a bit each, the first byte's lowest.
pub(super) struct Block {
    pub(super) quote: u64,
    pub(super) backslash: u64,
    /// Below a blank.
    pub(super) control: u64,
}

impl Block {
    /// Looks at one.
    #[cfg(target_arch = "x86_64")]
    pub(super) fn of(bytes: &[u8; BLOCK]) -> Self {
        // SAFETY: SSE2 is part of every x86-64.
        unsafe { Self::by_sse2(bytes) }
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "sse2")]
    fn by_sse2(bytes: &[u8; BLOCK]) -> Self {
        use std::arch::x86_64::{_mm_cmpeq_epi8, _mm_min_epu8, _mm_movemask_epi8, _mm_set_epi64x, _mm_set1_epi8};
        let (mut quote, mut backslash, mut control) = (0, 0, 0);
        for (part, bytes) in bytes.as_chunks::<16>().0.iter().enumerate() {
            let whole = u128::from_le_bytes(*bytes);
            let has = _mm_set_epi64x((whole >> 64) as i64, whole as i64);
            let bits = |found| u64::from(_mm_movemask_epi8(found) as u32) << (16 * part);
            quote |= bits(_mm_cmpeq_epi8(has, _mm_set1_epi8(b'"' as i8)));
            backslash |= bits(_mm_cmpeq_epi8(has, _mm_set1_epi8(b'\\' as i8)));
            control |= bits(_mm_cmpeq_epi8(_mm_min_epu8(has, _mm_set1_epi8(0x1f)), has));
        }
        Self { quote, backslash, control }
    }

    /// Looks at one.
    #[cfg(not(target_arch = "x86_64"))]
    pub(super) fn of(bytes: &[u8; BLOCK]) -> Self {
        Self::plainly(bytes)
    }

    /// The same, byte by byte.
    #[cfg(any(test, not(target_arch = "x86_64")))]
    pub(super) fn plainly(bytes: &[u8; BLOCK]) -> Self {
        let bits = |is: fn(u8) -> bool| bytes.iter().rev().fold(0, |bits, byte| bits << 1 | u64::from(is(*byte)));
        Self { quote: bits(|b| b == b'"'), backslash: bits(|b| b == b'\\'), control: bits(|b| b < b' ') }
    }
}
