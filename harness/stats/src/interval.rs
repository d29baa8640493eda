//! Intervals on figures of one run that respect how much its requests depend on each other.
//!
//! Under queueing neighbours share their fate, so that an interval for independent samples is many times too narrow (18 times for p99 of M/M/2 at
//! a utilisation of 0.9). Series are in order of arrival and of one steady stretch: without warm-up (`steady`), not saturated (`backlog`).
//! The coverage of all this is measured in `coverage`.

mod percentile;

pub use percentile::percentile;

use crate::student;

/// Batches of a series. Fewer make intervals wider than they need be, more make batches that still depend on each other.
pub const BATCHES: usize = 16;
/// Samples that a series needs.
pub const LEAST: usize = 400;
/// Samples that must lie on either side of a percentile.
pub const LEAST_BEYOND: usize = 10;
/// Correlation of neighbouring batches above which a series drifts: chance alone exceeds it in about one series of 100.
pub const MOST_LAG: f64 = 0.5;
/// Confidence of all intervals here.
const LEVEL: f64 = 0.95;

/// A figure with what is known of it, in the unit of its series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The figure.
    pub value: f64,
    /// Its 95 % interval, or why it has none.
    pub interval: Result<Interval, Reason>,
    /// How many independent samples would say as much; 0 where that is not known.
    pub effective: f64,
    /// How many samples there were.
    pub samples: usize,
}

/// A 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

impl Interval {
    /// Whether it contains a value.
    pub fn contains(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }

    /// Half its width.
    pub fn half_width(&self) -> f64 {
        (self.high - self.low) / 2.0
    }
}

/// Why a figure has no interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reason {
    /// Fewer samples than 400, or rounds than 2.
    TooShort {
        /// How many there must be.
        needed: usize,
    },
    /// Fewer than 10 samples lie beyond the percentile (or, below the median, before it).
    TooFewBeyond {
        /// How many there are.
        beyond: usize,
    },
    /// Those beyond it come in so few clusters that nothing bounds the percentile.
    TooFewClusters {
        /// As how many independent samples those beyond it count.
        effective: f64,
        /// As how many they must.
        needed: f64,
    },
    /// Neighbouring batches depend on each other: the run is too short for its memory, or not steady.
    Drifts {
        /// The correlation of neighbouring batches; above 0.5.
        lag: f64,
    },
}

/// The mean of a series and its interval by batch means: Student's t over the means of 16 batches (Law & Kelton; Schmeiser 1982 for why 10 to 30).
///
/// `None` for an empty series.
pub fn mean(series: &[u64]) -> Option<Estimate> {
    let samples = series.len();
    let total = |part: &[u64]| part.iter().map(|x| *x as f64).sum::<f64>();
    let value = (samples > 0).then(|| total(series) / samples as f64)?;
    if samples < LEAST {
        return Some(Estimate { value, interval: Err(Reason::TooShort { needed: LEAST }), effective: 0.0, samples });
    }
    let size = samples / BATCHES;
    let means: Vec<f64> = series.chunks_exact(size).take(BATCHES).map(|b| total(b) / size as f64).collect();
    let spread = series.iter().map(|x| (*x as f64 - value).powi(2)).sum::<f64>() / samples as f64;
    Some(of_batches(value, &means, spread, samples))
}

/// Completions per second, with an interval over 16 windows of equal time between the first and the last of the stamps (ns, in any order).
///
/// The effective sample size is that of a Poisson stream that is known as well. `None` where the stamps span no time.
pub fn throughput(done_ns: &[u64]) -> Option<Estimate> {
    let (first, last) = (*done_ns.iter().min()?, *done_ns.iter().max()?);
    let (length, samples) = (last - first, done_ns.len());
    let value = (length > 0).then(|| (samples - 1) as f64 * 1e9 / length as f64)?;
    if samples < LEAST {
        return Some(Estimate { value, interval: Err(Reason::TooShort { needed: LEAST }), effective: 0.0, samples });
    }
    let mut counts = [0.0; BATCHES];
    // The first opens the first window and belongs to none; the last closes the last.
    for stamp in done_ns.iter().filter(|s| **s > first) {
        let window = u128::from(stamp - first - 1) * BATCHES as u128 / u128::from(length);
        if let Some(count) = usize::try_from(window).ok().and_then(|w| counts.get_mut(w)) {
            *count += 1.0;
        }
    }
    let rates = counts.map(|c| c * BATCHES as f64 * 1e9 / length as f64);
    Some(of_batches(value, &rates, value * value, samples))
}

/// A figure of several rounds, each of which has one `value`: their geometric mean, with Student's t on logarithms over rounds.
///
/// Rounds are independent whatever goes on inside of them, so this needs no more. `None` without a round or where a value is not positive.
pub fn across_rounds(values: &[f64]) -> Option<Estimate> {
    let samples = values.len();
    let valid = samples > 0 && values.iter().all(|v| *v > 0.0 && v.is_finite());
    let logs: Vec<f64> = valid.then(|| values.iter().map(|v| v.ln()).collect())?;
    let centre = logs.iter().sum::<f64>() / samples as f64;
    let half = student::two_sided(LEVEL, samples - 1).map(|t| t * error_of_mean(&logs));
    let interval = half.map(|h| Interval { low: (centre - h).exp(), high: (centre + h).exp() });
    let interval = interval.ok_or(Reason::TooShort { needed: 2 });
    Some(Estimate { value: centre.exp(), interval, effective: samples as f64, samples })
}

/// The estimate `value` from batch figures, and the effective sample size from the variance of one sample.
fn of_batches(value: f64, batches: &[f64], variance: f64, samples: usize) -> Estimate {
    let error = error_of_mean(batches);
    let half = student::two_sided(LEVEL, batches.len().saturating_sub(1)).unwrap_or(f64::INFINITY) * error;
    let lag = lag_one(batches);
    let interval = if lag > MOST_LAG { Err(Reason::Drifts { lag }) } else { Ok(Interval { low: value - half, high: value + half }) };
    let effective = if error > 0.0 { (variance / (error * error)).min(samples as f64) } else { samples as f64 };
    Estimate { value, interval, effective, samples }
}

/// The standard error of the mean of independent values; 0 of fewer than two.
fn error_of_mean(values: &[f64]) -> f64 {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    if values.len() < 2 { 0.0 } else { (squares / (count - 1.0) / count).sqrt() }
}

/// The correlation of neighbours; 0 of a constant.
fn lag_one(values: &[f64]) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    let products: f64 = values.array_windows::<2>().map(|[a, b]| (a - mean) * (b - mean)).sum();
    if squares > 0.0 { products / squares } else { 0.0 }
}

#[cfg(test)]
mod tests;
