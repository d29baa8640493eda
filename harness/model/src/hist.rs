//! The one histogram of the project: HDR with fixed bounds, so that any two merge without loss.

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
#[derive(Clone, Debug, PartialEq)]
pub struct Histogram(hdrhistogram::Histogram<u64>);

impl Default for Histogram {
    fn default() -> Self {
        Self::new()
    }
}

impl Histogram {
    /// An empty histogram.
    #[expect(clippy::expect_used, reason = "the bounds are constants; a test makes one")]
    pub fn new() -> Self {
        Self(hdrhistogram::Histogram::new_with_bounds(LOWEST_NS, HIGHEST_NS, DIGITS).expect("constant bounds are valid"))
    }

    /// Counts one value in ns; above the highest it counts as the highest.
    pub fn record(&mut self, ns: u64) {
        self.0.saturating_record(ns);
    }

    /// How many values were counted.
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// The value in ns at or below which the share `q` (0..=1) of all values lies; `None` when empty.
    pub fn quantile(&self, q: f64) -> Option<u64> {
        (!self.0.is_empty()).then(|| self.0.value_at_quantile(q))
    }

    /// How many values lie beyond the quantile `q`: what a percentile rests on.
    pub fn samples_beyond(&self, q: f64) -> u64 {
        (self.count() as f64 * (1.0 - q)).round() as u64
    }

    /// The largest value in ns (within 0.1 %); `None` when empty.
    pub fn max(&self) -> Option<u64> {
        (!self.0.is_empty()).then(|| self.0.max())
    }

    /// The mean in ns; `None` when empty.
    pub fn mean(&self) -> Option<f64> {
        (!self.0.is_empty()).then(|| self.0.mean())
    }

    /// Adds all of `other`; exact, since all histograms share their bounds.
    #[expect(clippy::expect_used, reason = "both sides have the same constant bounds")]
    pub fn merge(&mut self, other: &Histogram) {
        self.0.add(&other.0).expect("histograms share their bounds");
    }

    /// Points `(share at or below, value in ns)` of the percentile spectrum, one per non-empty bucket.
    pub fn spectrum(&self) -> Vec<(f64, u64)> {
        let total = self.count() as f64;
        let mut seen = 0u64;
        self.0
            .iter_recorded()
            .map(|bucket| {
                seen += bucket.count_at_value();
                (seen as f64 / total, bucket.value_iterated_to())
            })
            .collect()
    }

    /// The library's own histogram, for the `.hlog` export.
    pub fn raw(&self) -> &hdrhistogram::Histogram<u64> {
        &self.0
    }

    /// HDR V2, base64.
    #[expect(clippy::expect_used, reason = "writing to a Vec cannot fail and the counts fit")]
    pub fn to_base64(&self) -> String {
        let mut bytes = Vec::new();
        V2Serializer::new().serialize(&self.0, &mut bytes).expect("serialising to memory succeeds");
        BASE64.encode(bytes)
    }

    /// Reads HDR V2 base64 and moves the counts into our bounds.
    ///
    /// # Errors
    /// Why the text is not such a histogram.
    pub fn from_base64(text: &str) -> Result<Self, String> {
        let bytes = BASE64.decode(text).map_err(|e| format!("histogram is not base64: {e}"))?;
        let read: hdrhistogram::Histogram<u64> =
            Deserializer::new().deserialize(&mut bytes.as_slice()).map_err(|e| format!("histogram is not HDR V2: {e:?}"))?;
        let mut own = Self::new();
        own.0.add(&read).map_err(|e| format!("histogram is out of bounds: {e:?}"))?;
        Ok(own)
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
