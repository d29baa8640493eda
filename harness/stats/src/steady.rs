//! Where a series has settled: MSER-5 on logarithms, at several scales.

/// Samples of a batch at the finest scale.
const BATCH: usize = 5;
/// Into how many batches a series is cut at the coarser scales; the finest has batches of 5.
const SCALES: [usize; 3] = [1_600, 400, COARSEST];
/// Batches of the coarsest scale, by whose spread differences are judged.
const COARSEST: usize = 100;
/// Samples that a series needs: five in each batch.
pub const LEAST: usize = BATCH * COARSEST;
/// Share of the series that no truncation point reaches into: the spread of a handful of batches says nothing.
const LAST: f64 = 0.2;
/// Standard errors by which what is dropped beyond a finer scale's point must differ from what is kept.
const ERRORS: f64 = 3.0;

/// Whether a series settles, and where.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Steady {
    /// It does: what comes before is warm-up.
    Settled {
        /// Samples to drop from the front; less than half of the series.
        drop: usize,
        /// Samples that are left.
        kept: usize,
    },
    /// It does not: its last half still looks better the more of it is dropped.
    Never {
        /// Where the criterion is least, in samples; at or behind the middle.
        least: usize,
    },
}

/// The truncation point of a series of responses in ns, in order of arrival. `None` with fewer than 500 samples.
///
/// MSER-5 (White 1997, An effective truncation heuristic for bias reduction in simulation output; batches of 5: White, Cobb & Spratt 2000): of all
/// points d take the one where `sum (x(i) - mean)^2 / (k - d)^2` over the batch means behind d is least, which is the width of a naive interval
/// on the mean of what is left. A least point in the last half means that the series has not settled. Three changes make it fit for responses:
/// - It works on `ln(1 + response)`. On plain responses one burst of a heavy tail near the front decides, and a stationary queue loses up to a tenth
///   of its samples.
/// - Batches of 5 see a warm-up only if it raises responses by more than they spread anyway. Coarser scales (1,600, 400 and 100 batches) see less
///   and less, and less and less precisely. So a coarser scale's later point is taken only where what lies between differs from what is kept by
///   three standard errors.
/// - The least point is sought over the first four fifths, not over the first half: a warm-up that reaches beyond the middle would otherwise leave
///   some point of the first half as its least.
///
/// Measured in the tests and, at a utilisation of 0.9: a step of one mean response over a tenth of 500,000 requests is found within 10 % in 94 of 100
/// seeds, over a tenth of 100,000 in 80; of half a mean response in 86 and 65.
///
/// What it cannot see: a slow change of the tail alone, and a change that is small against the noise of a hundredth of the series.
pub fn mser5(responses_ns: &[u64]) -> Option<Steady> {
    let count = responses_ns.len();
    if count < LEAST {
        return None;
    }
    // Around their mean, so that a large level does not eat the digits of a spread.
    let logs: Vec<f64> = responses_ns.iter().map(|r| (*r as f64).ln_1p()).collect();
    let centre = logs.iter().sum::<f64>() / count as f64;
    let series: Vec<f64> = logs.iter().map(|l| l - centre).collect();
    let mut drop = 0;
    for size in [BATCH].into_iter().chain(SCALES.map(|batches| (count / batches).max(BATCH))) {
        let point = least_point(&series, size);
        if point > drop && differs(&series, drop, point) {
            drop = point;
        }
    }
    let settled = drop < count / 2;
    Some(if settled { Steady::Settled { drop, kept: count - drop } } else { Steady::Never { least: drop } })
}

/// The point, in samples, where the criterion over means of `size` samples is least.
fn least_point(series: &[f64], size: usize) -> usize {
    let means: Vec<f64> = series.chunks_exact(size).map(mean).collect();
    let (mut sum, mut squares, mut best, mut at) = (0.0, 0.0, f64::INFINITY, 0);
    for (point, mean) in means.iter().enumerate().rev() {
        (sum, squares) = (sum + mean, squares + mean * mean);
        let left = (means.len() - point) as f64;
        let criterion = ((squares - sum * sum / left) / (left * left)).max(0.0);
        // Of equal points the first is taken: a constant series drops nothing.
        if left >= LAST * means.len() as f64 && criterion <= best {
            (best, at) = (criterion, point);
        }
    }
    at * size
}

/// Whether `from..to` differs from what is behind `to` by three standard errors, each part by the spread of its own coarsest batches. What is behind was
/// chosen for its small spread, so that spread alone would call a burst before it a warm-up.
fn differs(series: &[f64], from: usize, to: usize) -> bool {
    let size = series.len() / COARSEST;
    let (Some(between), Some(behind)) = (series.get(from..to), series.get(to..)) else { return false };
    let spread = |samples: &[f64]| {
        let means: Vec<f64> = samples.chunks_exact(size).map(mean).collect();
        let centre = mean(&means);
        means.iter().map(|m| (m - centre).powi(2)).sum::<f64>() / (means.len() as f64 - 1.0)
    };
    let in_batches = |samples: &[f64]| size as f64 / samples.len() as f64;
    let least = spread(behind);
    // Of fewer than two batches there is no spread.
    let own = if between.len() < 2 * size { least } else { spread(between).max(least) };
    let error = (own * in_batches(between) + least * in_batches(behind)).sqrt();
    (mean(between) - mean(behind)).abs() > ERRORS * error
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[cfg(test)]
mod tests;
