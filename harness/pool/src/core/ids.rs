//! Hash maps keyed by ids: a fixed, fast hash, so that no run differs from another. They are never iterated.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// A map from an id that wraps one `u64`.
pub(super) type IdMap<K, V> = HashMap<K, V, BuildHasherDefault<IdHasher>>;

/// One folded 128-bit multiplication per word.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct IdHasher(u64);

/// Odd, with its bits spread: the fractional part of the golden ratio.
const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

impl Hasher for IdHasher {
    fn write_u64(&mut self, word: u64) {
        let product = u128::from(self.0 ^ word).wrapping_mul(u128::from(MULTIPLIER));
        self.0 = (product as u64) ^ ((product >> 64) as u64);
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
