//! The interval of a percentile.

use super::{BATCHES, Estimate, Interval, LEAST, LEAST_BEYOND, LEVEL, MOST_LAG, Reason, error_of_mean, lag_one};
use crate::student;

/// By how much the tail of a neighbouring percentile is fuller.
const FULLER: f64 = 5.0;

/// The percentile `p` (0.99) of a series: the least value that a share `p` does not exceed; with its interval.
///
/// How often samples exceed the percentile is a mean, so batch means give its error with all dependence in it; an error of the share becomes an
/// interval of the percentile by looking up the percentiles at its two ends (Woodruff 1952; with batch means: Chen & Kelton 2006; Nakayama 2014).
/// The ends are order statistics, so nothing is assumed of the distribution, and the interval is as skewed as the tail is.
///
/// The error of a rare excess is itself badly known, and too small just when the percentile is too low. Where the percentile with a five times fuller
/// tail shows more dependence, the mean of the two counts; in a queue they differ little. Where the tail is so thin that even zero is within the
/// error (judged by the most of p and the tails 5 and 25 times fuller) there is no interval.
///
/// Chosen by measurement over 300 to 1,000 replications of M/M/2 (`coverage`): the mean of batch percentiles covers p99 in 7 to 94 %, sectioning in 81 to
/// 96 %, its logarithm in 84 to 96 %; shares without the neighbour in 93 to 95 %, with the larger of the two in 95 to 98 %.
///
/// `None` for an empty series and for `p` outside (0, 1). About 10 ms for a million samples, optimised.
pub fn percentile(series: &[u64], p: f64) -> Option<Estimate> {
    let samples = series.len();
    if samples == 0 || !(p > 0.0 && p < 1.0) {
        return None;
    }
    let mut ranked = series.to_vec();
    let value = quantile(&mut ranked, p) as f64;
    let without = |reason| Some(Estimate { value, interval: Err(reason), effective: 0.0, samples });
    if samples < LEAST {
        return without(Reason::TooShort { needed: LEAST });
    }
    // Exact in the sense that matters: 1,000 samples have 10 beyond their p99.
    let beyond = (samples as f64 * p.min(1.0 - p) + 1e-6) as usize;
    if beyond < LEAST_BEYOND {
        return without(Reason::TooFewBeyond { beyond });
    }
    let (own, inflation, widest) = dependence(series, &mut ranked, p);
    let effective = (samples as f64 / inflation.max(1e-9)).min(samples as f64);
    let interval = ends(&mut ranked, p, inflation, widest, lag_one(&own));
    Some(Estimate { value, interval, effective, samples })
}

/// The excesses of batches over `p`; how many times the variance of their mean is that of independent samples; and the most of `p` and of the two
/// fuller tails.
fn dependence(series: &[u64], ranked: &mut [u64], p: f64) -> ([f64; BATCHES], f64, f64) {
    let fuller = |by: f64| 1.0 - ((1.0 - p) * by).min(0.5);
    let ladder = [p, fuller(FULLER).min(p), fuller(FULLER * FULLER).min(p)];
    let levels = ladder.map(|l| quantile(ranked, l));
    let size = series.len() / BATCHES;
    let mut shares = [[0.0; BATCHES]; 3];
    for (batch, part) in series.chunks_exact(size.max(1)).take(BATCHES).enumerate() {
        let mut counts = [0u32; 3];
        for sample in part {
            for (count, level) in counts.iter_mut().zip(levels) {
                *count += u32::from(*sample > level);
            }
        }
        for (row, count) in shares.iter_mut().zip(counts) {
            if let Some(share) = row.get_mut(batch) {
                *share = f64::from(count) / size as f64;
            }
        }
    }
    let mut inflations = [0.0; 3];
    for ((inflation, row), level) in inflations.iter_mut().zip(&shares).zip(ladder) {
        *inflation = error_of_mean(row).powi(2) * series.len() as f64 / (level * (1.0 - level));
    }
    let [one, two, three] = inflations;
    let [own, ..] = shares;
    (own, (one + one.max(two)) / 2.0, one.max(two).max(three))
}

/// The interval of percentile `p` whose share beyond has `inflation` times the variance of independent samples.
fn ends(ranked: &mut [u64], p: f64, inflation: f64, widest: f64, lag: f64) -> Result<Interval, Reason> {
    let samples = ranked.len() as f64;
    let point = student::two_sided(LEVEL, BATCHES - 1).unwrap_or(f64::INFINITY);
    let half = |inflation: f64| point * (inflation * p * (1.0 - p) / samples).sqrt();
    let thinner = p.min(1.0 - p);
    if half(widest) >= thinner {
        let effective = thinner * thinner / (widest * p * (1.0 - p) / samples);
        return Err(Reason::TooFewClusters { effective, needed: point * point });
    }
    if lag > MOST_LAG {
        return Err(Reason::Drifts { lag });
    }
    let low = quantile(ranked, p - half(inflation)) as f64;
    Ok(Interval { low, high: quantile(ranked, p + half(inflation)) as f64 })
}

/// The least value that a share `p` does not exceed; 0 of nothing.
fn quantile(ranked: &mut [u64], p: f64) -> u64 {
    let Some(last) = ranked.len().checked_sub(1) else { return 0 };
    // Less a hair, so that 0.99 of 1,000 is the 990th and not, by its last digit, the 991st.
    let rank = (p * ranked.len() as f64 - 1e-6).ceil().max(1.0) as usize;
    *ranked.select_nth_unstable((rank - 1).min(last)).1
}
