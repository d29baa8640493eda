//! The one histogram of the project: HDR with fixed bounds, so that any two merge without loss.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hdrhistogram::serialization::{Deserializer, Serializer, V2Serializer};
use serde::{Deserialize, Serialize};

/// Lowest value told apart from 0, ns.
pub const LOWEST_NS: u64 = 1;
/// Highest value told apart; larger ones count as this (one hour in ns).
pub const HIGHEST_NS: u64 = 3_600_000_000_000;
/// Significant decimal digits: a quantile is within 0.1 % of the recorded value.
pub const DIGITS: u8 = 3;

/// A latency histogram in nanoseconds, 1 ns to 1 h at three digits. In JSON it is HDR V2, base64.
///
/// A live one takes some 290 KiB whatever it holds, and a report reads thousands; those that were read are kept as their non-empty buckets until
/// one of them is recorded to.
#[derive(Clone, Debug)]
pub struct Histogram {
    live: Option<Box<Hdr>>,
    /// `(value, count)` of each non-empty bucket, ascending; without meaning while live.
    buckets: Vec<(u64, u64)>,
}

type Hdr = hdrhistogram::Histogram<u64>;

impl Default for Histogram {
    fn default() -> Self {
        Self::new()
    }
}

impl PartialEq for Histogram {
    fn eq(&self, other: &Self) -> bool {
        self.buckets() == other.buckets()
    }
}

#[expect(clippy::expect_used, reason = "the bounds are constants; a test makes one")]
fn empty() -> Hdr {
    Hdr::new_with_bounds(LOWEST_NS, HIGHEST_NS, DIGITS).expect("constant bounds are valid")
}

fn buckets_of(hdr: &Hdr) -> Vec<(u64, u64)> {
    hdr.iter_recorded().map(|bucket| (bucket.value_iterated_to(), bucket.count_at_value())).collect()
}

fn filled(buckets: &[(u64, u64)]) -> Hdr {
    let mut hdr = empty();
    buckets.iter().for_each(|(value, count)| hdr.saturating_record_n(*value, *count));
    hdr
}

/// The longest run of zeros that HDR V2 can write, longer than any histogram.
const ENDLESS_ZEROS: [u8; 9] = [0xff; 9];

impl Histogram {
    /// An empty histogram.
    pub fn new() -> Self {
        Self { live: None, buckets: Vec::new() }
    }

    fn buckets(&self) -> Cow<'_, [(u64, u64)]> {
        self.live.as_deref().map_or(Cow::Borrowed(&self.buckets), |hdr| Cow::Owned(buckets_of(hdr)))
    }

    /// The library's own histogram, for figures and for the `.hlog` export.
    pub fn hdr(&self) -> Cow<'_, Hdr> {
        self.live.as_deref().map_or_else(|| Cow::Owned(filled(&self.buckets)), Cow::Borrowed)
    }

    fn live(&mut self) -> &mut Hdr {
        self.live.get_or_insert_with(|| Box::new(filled(&self.buckets)))
    }

    /// Counts one value in ns; above the highest it counts as the highest.
    pub fn record(&mut self, ns: u64) {
        // The library itself counts values up to the next power of two, 73 minutes, as they are; a reader of our bounds refuses them.
        self.live().saturating_record(ns.min(HIGHEST_NS));
    }

    /// How many values were counted.
    pub fn count(&self) -> u64 {
        let of_buckets = || self.buckets.iter().fold(0u64, |sum, (_, count)| sum.saturating_add(*count));
        self.live.as_deref().map_or_else(of_buckets, Hdr::len)
    }

    /// The value in ns at or below which the share `q` (0..=1) of all values lies; `None` when empty.
    pub fn quantile(&self, q: f64) -> Option<u64> {
        (self.count() > 0).then(|| self.hdr().value_at_quantile(q))
    }

    /// How many values lie beyond the quantile `q`: what a percentile rests on.
    pub fn samples_beyond(&self, q: f64) -> u64 {
        (self.count() as f64 * (1.0 - q)).round() as u64
    }

    /// The largest value in ns (within 0.1 %); `None` when empty.
    pub fn max(&self) -> Option<u64> {
        (self.count() > 0).then(|| self.hdr().max())
    }

    /// The mean in ns; `None` when empty.
    pub fn mean(&self) -> Option<f64> {
        (self.count() > 0).then(|| self.hdr().mean())
    }

    /// Adds all of `other`; exact, since all histograms share their bounds.
    pub fn merge(&mut self, other: &Histogram) {
        let live = self.live();
        other.buckets().iter().for_each(|(value, count)| live.saturating_record_n(*value, *count));
    }

    /// Points `(share at or below, value in ns)` of the percentile spectrum, one per non-empty bucket.
    pub fn spectrum(&self) -> Vec<(f64, u64)> {
        let total = self.count() as f64;
        let mut seen = 0u64;
        let point = |(value, count): &(u64, u64)| {
            seen += count;
            (seen as f64 / total, *value)
        };
        self.buckets().iter().map(point).collect()
    }

    /// HDR V2, base64.
    #[expect(clippy::expect_used, reason = "writing to a Vec cannot fail and the counts fit")]
    pub fn to_base64(&self) -> String {
        let mut bytes = Vec::new();
        V2Serializer::new().serialize(&self.hdr(), &mut bytes).expect("serialising to memory succeeds");
        BASE64.encode(bytes)
    }

    /// Reads HDR V2 base64 into our bounds.
    ///
    /// # Errors
    /// Why the text is not such a histogram.
    pub fn from_base64(text: &str) -> Result<Self, String> {
        let bytes = BASE64.decode(text).map_err(|e| format!("histogram is not base64: {e}"))?;
        // A run of 2^63 zeros, which the decoder negates: it panics where overflow is checked. Nothing else has nine such bytes.
        if bytes.windows(ENDLESS_ZEROS.len()).any(|nine| nine == ENDLESS_ZEROS) {
            return Err("histogram is not HDR V2: it has more zeros than buckets".to_owned());
        }
        let read: Hdr = Deserializer::new().deserialize(&mut bytes.as_slice()).map_err(|e| format!("histogram is not HDR V2: {e:?}"))?;
        if read.max() > empty().highest_equivalent(HIGHEST_NS) {
            return Err("histogram is out of bounds: it holds values above one hour".to_owned());
        }
        Ok(Self { live: None, buckets: buckets_of(&read) })
    }
}

impl Serialize for Histogram {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_base64())
    }
}

impl<'de> Deserialize<'de> for Histogram {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::from_base64(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
