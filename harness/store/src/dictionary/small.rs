//! zstd that searches longer for smaller frames, and with a dictionary still takes less CPU time than gzip at level 6.
//!
//! Between levels 4 and 5 zstd goes from one candidate per position to a search, which costs three times as much at 4 KiB and at its own
//! parameters finds little: matches of 3 to 5 bytes cost as much as they save. With matches of at least 6 the search gains what it costs.

use std::sync::{Mutex, PoisonError};
use zstd::zstd_safe::{CCtx, CParameter, compress_bound, get_error_name};

/// zstd's first level that searches.
const LEVEL: i32 = 5;
/// Base-2 logarithm of candidates per position: with 5 frames are 3 % smaller and take nearly as long as gzip at level 6.
const SEARCH_LOG: u32 = 4;
/// The shortest match that is looked for, bytes.
const MATCH_MIN: u32 = 6;

/// A context, with its dictionary digested.
pub struct Small(CCtx<'static>);

impl Small {
    /// A context for `dictionary`, or for none. Takes some 2 ms and 3 MiB for a dictionary of 256 KiB, so keep it.
    ///
    /// # Errors
    /// What zstd said, as a clause.
    pub fn open(dictionary: Option<&[u8]>) -> Result<Self, String> {
        let name = |code| get_error_name(code).to_owned();
        let mut context = CCtx::try_create().ok_or("no memory for a context")?;
        for parameter in [CParameter::CompressionLevel(LEVEL), CParameter::SearchLog(SEARCH_LOG), CParameter::MinMatch(MATCH_MIN)] {
            context.set_parameter(parameter).map_err(name)?;
        }
        if let Some(dictionary) = dictionary {
            context.load_dictionary(dictionary).map_err(name)?;
        }
        Ok(Self(context))
    }

    /// Puts `plain` into `out`, which is empty, as one frame.
    ///
    /// # Errors
    /// What zstd said, as a clause.
    pub fn encode(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
        out.reserve(compress_bound(plain.len()));
        self.0.compress2(out, plain).map(|_| ()).map_err(|code| get_error_name(code).to_owned())
    }

    /// Memory it takes, bytes.
    pub fn bytes(&self) -> usize {
        self.0.sizeof()
    }
}

impl std::fmt::Debug for Small {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Small({} bytes)", self.bytes())
    }
}

/// Contexts of one dictionary that are idle: as many as were ever busy at once.
#[derive(Default)]
pub(super) struct Contexts(Mutex<Vec<Small>>);

impl Contexts {
    /// `plain` as one frame, by a context of `dictionary`, which is the same at each call; nothing if zstd cannot.
    pub(super) fn pack(&self, dictionary: Option<&[u8]>, plain: &[u8]) -> Option<Vec<u8>> {
        let idle = self.idle().pop();
        let mut context = idle.map_or_else(|| Small::open(dictionary), Ok).ok()?;
        let mut out = Vec::new();
        context.encode(plain, &mut out).ok()?;
        self.idle().push(context);
        Some(out)
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Small>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
