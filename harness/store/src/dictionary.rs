//! Dictionaries: what sessions have in common, learnt once, so that a small session need not carry it.

mod books;
mod packer;
mod small;

use crate::settings::choice;
pub(crate) use packer::{MAGIC, Packer, UnpackError};
pub use small::Small;

choice!(
    /// How sessions are kept.
    Compress {
        /// As JSON.
        None = "none",
        /// In a zstd frame each.
        Zstd = "zstd",
        /// In a zstd frame each, searched longer for a smaller one.
        ZstdSmall = "zstd-small",
    }
);
choice!(
    /// Where the dictionary of stored sessions comes from.
    Source {
        /// None is made; one that is there is used.
        None = "none",
        /// One is trained when the store is opened with enough sessions and has none yet.
        Trained = "trained",
    }
);

/// Sessions from which on opening a store trains a dictionary.
pub(crate) const TRAIN_FROM: usize = 64;
/// Sessions that are read for training, at most.
pub(crate) const TRAIN_SESSIONS: usize = 4096;
/// JSON that is read for training, bytes, at most about.
pub(crate) const TRAIN_BYTES: usize = 8 << 20;

/// A dictionary that was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trained {
    /// Its version: how many were made in this store before it, and one.
    pub version: u32,
    /// Sessions it was learnt from.
    pub sessions: usize,
    /// Its size, bytes.
    pub bytes: usize,
}

/// Samples a dictionary is trained on, at least.
pub const SAMPLES_MIN: usize = 8;
/// The shortest sample that is of use, bytes. The trainer divides by zero where a sample set is shorter than this in all.
const SAMPLE_MIN: usize = 8;

/// Why no dictionary was made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrainError {
    /// There is too little to learn from.
    #[error(
        "a dictionary needs {SAMPLES_MIN} samples of at least {SAMPLE_MIN} bytes to be trained on, and there are {found}; save more sessions first"
    )]
    TooFew {
        /// Samples that can be used.
        found: usize,
    },
    /// The trainer found nothing in common, or does not take the size.
    #[error("zstd makes no dictionary of {samples} samples: {why}; give it more samples, or ask for a smaller dictionary")]
    Refused {
        /// Samples it was given.
        samples: usize,
        /// What it said.
        why: String,
    },
}

/// A zstd dictionary of at most `bytes` bytes, learnt from `samples`. Takes some 0.1 s per MiB of them.
///
/// # Errors
/// As [`TrainError`] lists.
pub fn train<S: AsRef<[u8]>>(samples: &[S], bytes: usize) -> Result<Vec<u8>, TrainError> {
    let used: Vec<&[u8]> = samples.iter().map(AsRef::as_ref).filter(|sample| sample.len() >= SAMPLE_MIN).collect();
    if used.len() < SAMPLES_MIN {
        return Err(TrainError::TooFew { found: used.len() });
    }
    zstd::dict::from_samples(&used, bytes).map_err(|why| TrainError::Refused { samples: used.len(), why: why.to_string() })
}

#[cfg(test)]
mod tests;
