//! The little statistics that figures need: medians, geometric means, an interval on a ratio.
//!
//! All functions ignore or refuse what is not finite, so that no figure can become NaN.

/// `a / b`, or `None` where that is not a finite number.
pub(crate) fn quotient(a: f64, b: f64) -> Option<f64> {
    let value = a / b;
    (b != 0.0 && value.is_finite()).then_some(value)
}

/// The share of `part` in `whole`; `None` where the whole is 0.
pub(crate) fn share(part: u64, whole: u64) -> Option<f64> {
    quotient(part as f64, whole as f64)
}

/// The median; the mean of the two middle values of an even number.
pub(crate) fn median(values: &[f64]) -> Option<f64> {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let upper = *sorted.get(middle)?;
    if sorted.len() % 2 == 1 {
        return Some(upper);
    }
    let lower = *sorted.get(middle.wrapping_sub(1))?;
    Some(lower + (upper - lower) / 2.0)
}

/// The mean; `None` of nothing.
pub(crate) fn mean(values: &[f64]) -> Option<f64> {
    quotient(values.iter().sum(), values.len() as f64)
}

/// The geometric mean of positive values; `None` where one is not positive.
pub(crate) fn geometric_mean(values: &[f64]) -> Option<f64> {
    if values.iter().any(|v| !v.is_finite() || *v <= 0.0) {
        return None;
    }
    // One value stays itself: exp(ln(x)) would change its last digits.
    if let [only] = values {
        return Some(*only);
    }
    let logs: Vec<f64> = values.iter().map(|v| v.ln()).collect();
    mean(&logs).map(f64::exp).filter(|v| v.is_finite())
}

/// Two-sided 95 % points of Student's t for 1 to 30 degrees of freedom.
const T95: [f64; 30] = [
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093,
    2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
];

/// Two-sided 95 % point of Student's t; between the rows of a table the larger one is taken. `None` for 0 degrees.
pub(crate) fn t95(degrees: usize) -> Option<f64> {
    match degrees {
        0 => None,
        1..=30 => T95.get(degrees - 1).copied(),
        31..=60 => Some(2.042),
        61..=120 => Some(2.000),
        _ => Some(1.980),
    }
}

/// 95 % interval of a ratio from its per-round logarithms; `None` with fewer than two rounds.
pub(crate) fn ratio_interval(logs: &[f64]) -> Option<(f64, f64)> {
    let t = t95(logs.len().checked_sub(1)?)?;
    let centre = mean(logs)?;
    let squares: f64 = logs.iter().map(|l| (l - centre).powi(2)).sum();
    let half = t * (squares / (logs.len() - 1) as f64 / logs.len() as f64).sqrt();
    let (low, high) = ((centre - half).exp(), (centre + half).exp());
    (low.is_finite() && high.is_finite()).then_some((low, high))
}

#[cfg(test)]
mod tests;
