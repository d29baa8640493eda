//! Whether arrivals are the process that was asked for: the test of Anderson and Darling on the gaps that were sent.

/// Gaps that a test looks at, at most: more would find the clock's resolution.
pub const MOST: usize = 4_096;
/// Gaps that a test needs: below, its critical values are not those of its table.
pub const LEAST: usize = 20;

/// The 1 % point where the rate is given, for 5 gaps or more (Stephens 1974, EDF statistics for goodness of fit, table 1, case 0). The limit for
/// many gaps to more digits is 3.878 (Marsaglia & Marsaglia 2004), which makes it a test of 1.03 %.
pub const CRITICAL_OF_RATE: f64 = 3.857;
/// The 1 % point where the mean is that of the gaps themselves (Stephens 1974, table 1, exponential with estimated mean; 1.959 in D'Agostino &
/// Stephens 1986, table 4.14), for the statistic times `1 + 0.6 / n`.
pub const CRITICAL_OF_SHAPE: f64 = 1.957;

/// Gaps against the exponential distribution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fit {
    /// The statistic A^2; where the mean was estimated, with Stephens' factor for few gaps.
    pub statistic: f64,
    /// The value that one series of true exponential gaps in 100 exceeds.
    pub critical: f64,
    /// How many gaps were looked at.
    pub gaps: usize,
}

impl Fit {
    /// Whether the gaps may be exponential, at the 1 % level.
    pub fn passes(&self) -> bool {
        self.statistic <= self.critical
    }
}

/// Whether gaps are exponential with a mean of `1 / rate`; both in the same unit of time. A wrong rate fails, a wrong shape too.
///
/// Looks at the contiguous [`stretch`] of at most 4,096 gaps. `None` with fewer than 20, for a gap that is negative or not finite, and for a rate
/// that is not positive.
pub fn of_rate(gaps: &[f64], rate: f64) -> Option<Fit> {
    let gaps = stretch(gaps, MOST);
    let statistic = anderson_darling(gaps, rate)?;
    Some(Fit { statistic, critical: CRITICAL_OF_RATE, gaps: gaps.len() })
}

/// Whether gaps are exponential with any mean: the shape only. Otherwise as [`of_rate`].
pub fn of_shape(gaps: &[f64]) -> Option<Fit> {
    let gaps = stretch(gaps, MOST);
    let count = gaps.len() as f64;
    let statistic = anderson_darling(gaps, count / gaps.iter().sum::<f64>())?;
    Some(Fit { statistic: statistic * (1.0 + 0.6 / count), critical: CRITICAL_OF_SHAPE, gaps: gaps.len() })
}

/// The `most` values in the middle of a series, or all. One stretch, because gaps picked apart would no longer show bursts; in the middle, because
/// begin and end of a run have other reasons to differ.
pub fn stretch<T>(series: &[T], most: usize) -> &[T] {
    let length = series.len().min(most);
    let from = (series.len() - length) / 2;
    series.get(from..from + length).unwrap_or_default()
}

/// Gaps of a process whose rate varies, mapped to the time in which its rate is 1: `L(t(i)) - L(t(i - 1))` with the `cumulative` intensity L, the
/// expected number of arrivals until a stamp (Papangelou 1972; Brown et al. 2002, The time-rescaling theorem). Test them by [`of_rate`] at rate 1.
///
/// Stamps are in ns and in order; one fewer gaps than stamps are returned.
pub fn rescaled(stamps_ns: &[u64], cumulative: impl Fn(u64) -> f64) -> Vec<f64> {
    let mapped: Vec<f64> = stamps_ns.iter().map(|s| cumulative(*s)).collect();
    mapped.array_windows::<2>().map(|[before, after]| after - before).collect()
}

/// `A^2 = -n - (1/n) sum (2 i - 1) (ln F(x(i)) + ln(1 - F(x(n + 1 - i))))` (Anderson & Darling 1954) with `F(x) = 1 - exp(-rate x)`.
fn anderson_darling(gaps: &[f64], rate: f64) -> Option<f64> {
    let valid = gaps.len() >= LEAST && rate > 0.0 && rate.is_finite() && gaps.iter().all(|g| *g >= 0.0 && g.is_finite());
    let mut sorted: Vec<f64> = valid.then(|| gaps.iter().map(|g| g * rate).collect())?;
    sorted.sort_by(f64::total_cmp);
    let terms = sorted.iter().zip(sorted.iter().rev()).zip(0u32..).map(|((low, high), i)| {
        // Stamps are whole nanoseconds, so a gap may be 0, of which there is no logarithm. A single one must not decide; many still do.
        let below = (-(-low).exp_m1()).max(1e-12).ln();
        f64::from(2 * i + 1) * (below - high)
    });
    let count = sorted.len() as f64;
    Some(-count - terms.sum::<f64>() / count)
}

#[cfg(test)]
mod tests;
