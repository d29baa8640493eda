//! Points of Student's t, for intervals from few values.

/// Above this many degrees of freedom the point of this many is taken: it is larger than the true one by less than 0.002.
const MOST_DEGREES: usize = 1_000;

/// The point that a variable of Student's t leaves on neither side with probability `level` (0.95: the 97.5 % point).
///
/// The distribution function is the finite series of Abramowitz & Stegun 26.7.3 and 26.7.4, inverted by bisection to 1e-9 relative.
/// `None` for no degrees of freedom, and for a level outside (0, 1).
pub fn two_sided(level: f64, degrees: usize) -> Option<f64> {
    if degrees == 0 || !(level > 0.0 && level < 1.0) {
        return None;
    }
    let degrees = degrees.min(MOST_DEGREES);
    let (mut low, mut high) = (0.0, 1.0);
    while within(high, degrees) < level && high < 1e12 {
        (low, high) = (high, high * 2.0);
    }
    while high - low > 1e-9 * high {
        let middle = low + (high - low) / 2.0;
        if within(middle, degrees) < level {
            low = middle;
        } else {
            high = middle;
        }
    }
    Some(high)
}

/// The mean of independent `values` and half the width of its interval at `level`; `None` of fewer than two, or of any that is not finite.
pub fn interval(level: f64, values: &[f64]) -> Option<(f64, f64)> {
    let count = values.len() as f64;
    let point = two_sided(level, values.len().checked_sub(1)?)?;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let half = point * (squares / (count - 1.0) / count).sqrt();
    (mean.is_finite() && half.is_finite()).then_some((mean, half))
}

/// P(|T| <= t) of `degrees` degrees of freedom.
fn within(t: f64, degrees: usize) -> f64 {
    let angle = (t / (degrees as f64).sqrt()).atan();
    let (sine, cosine) = angle.sin_cos();
    let odd = degrees % 2 == 1;
    let mut term = if odd { cosine } else { 1.0 };
    let mut sum = if degrees == 1 { 0.0 } else { term };
    let first = if odd { 3 } else { 2 };
    for j in (first..degrees).step_by(2) {
        term *= cosine * cosine * (j - 1) as f64 / j as f64;
        sum += term;
    }
    if odd { std::f64::consts::FRAC_2_PI * (angle + sine * sum) } else { sine * sum }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_points_are_those_of_the_tables() {
        // Abramowitz & Stegun, table 26.10.
        let table = [(0.95, 1, 12.706), (0.95, 2, 4.303), (0.95, 9, 2.262), (0.95, 30, 2.042), (0.95, 120, 1.980), (0.99, 5, 4.032)];
        for (level, degrees, expected) in table.into_iter().chain([(0.90, 19, 1.729), (0.99, 40, 2.704), (0.999, 7, 5.408)]) {
            let point = two_sided(level, degrees).unwrap();
            assert!((point - expected).abs() < 6e-4, "{level} {degrees}: {point}");
        }
    }

    #[test]
    fn an_interval_on_a_mean_is_that_of_the_textbook() {
        let (mean, half) = interval(0.95, &[1.0, 2.0, 3.0]).unwrap();
        assert!((mean - 2.0).abs() < 1e-12 && (half - 4.3027 / 3.0_f64.sqrt()).abs() < 1e-4, "{mean} {half}");
        assert_eq!((interval(0.95, &[1.0]), interval(0.95, &[1.0, f64::NAN])), (None, None));
    }

    #[test]
    fn they_fall_to_the_normal_and_stop_there() {
        let points: Vec<f64> = (1..400).map(|d| two_sided(0.95, d).unwrap()).collect();
        assert!(points.windows(2).all(|w| w[1] < w[0]));
        let last = two_sided(0.95, usize::MAX).unwrap();
        assert!((last - 1.960).abs() < 0.003, "{last}");
    }

    #[test]
    fn what_has_no_point_has_none() {
        assert_eq!(two_sided(0.95, 0), None);
        for level in [0.0, 1.0, -1.0, f64::NAN] {
            assert_eq!(two_sided(level, 5), None);
        }
    }
}
