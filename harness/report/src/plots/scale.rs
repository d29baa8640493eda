//! Axes of time: where the ticks go and what they say.

/// A logarithmic axis from `low` to `high`, ns, whose ends are ticks.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LogTime {
    /// First tick, ns.
    pub(crate) low: f64,
    /// Last tick, ns.
    pub(crate) high: f64,
    /// All ticks in order, ns.
    pub(crate) ticks: Vec<f64>,
}

impl LogTime {
    /// The axis around values from `low` to `high`, ns: the wider the span, the fewer ticks in a decade.
    pub(crate) fn around(low: f64, high: f64) -> Self {
        let low = low.max(1.0);
        let high = high.max(low * 1.001);
        let steps: &[f64] = match (high / low).log10() {
            span if span < 1.0 => &[1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0],
            span if span < 4.0 => &[1.0, 2.0, 5.0],
            _ => &[1.0],
        };
        let mut ticks: Vec<f64> = (0..=14).flat_map(|decade| steps.iter().map(move |s| s * 10f64.powi(decade))).collect();
        let first = ticks.iter().rposition(|t| *t <= low).unwrap_or(0);
        let last = ticks.iter().position(|t| *t >= high).unwrap_or(ticks.len() - 1);
        ticks = ticks.get(first..=last.max(first + 1)).unwrap_or_default().to_vec();
        Self { low: ticks.first().copied().unwrap_or(1.0), high: ticks.last().copied().unwrap_or(10.0), ticks }
    }

    /// Where a value lies, 0 at the low end, 1 at the high end; outside it is held at the end.
    pub(crate) fn at(&self, ns: f64) -> f64 {
        ((ns.max(1.0) / self.low).ln() / (self.high / self.low).ln()).clamp(0.0, 1.0)
    }
}

/// Ticks of a linear axis from 0 to at least `high`, ns: four to eight of them at round values.
pub(crate) fn linear_ticks(high: f64) -> Vec<f64> {
    let high = high.max(1.0);
    let power = 10f64.powf((high / 4.0).log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].iter().map(|s| s * power).find(|s| high / s <= 5.0).unwrap_or(high);
    let count = (high / step).ceil() as u32;
    (0..=count).map(|i| f64::from(i) * step).collect()
}

/// A tick's label: at most two digits and a unit, `1.5 ms`, `200 us`, `0`.
pub(crate) fn label(ns: f64) -> String {
    let (value, unit) = match ns {
        v if v < 0.5 => return "0".to_owned(),
        v if v < 999.5 => (v, "ns"),
        v if v < 999.5e3 => (v / 1e3, "us"),
        v if v < 999.5e6 => (v / 1e6, "ms"),
        v => (v / 1e9, "s"),
    };
    let text = format!("{value:.1}");
    format!("{} {unit}", text.strip_suffix(".0").unwrap_or(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_axis_holds_its_values_and_rises() {
        for (low, high) in [(1.0, 1.0), (900.0, 1100.0), (1e3, 1e9), (3e6, 4.4e7), (5e8, 3.6e12), (0.0, 0.0)] {
            let axis = LogTime::around(low, high);
            assert!(axis.low <= f64::max(low, 1.0) && axis.high >= high, "{axis:?}");
            assert!(axis.ticks.len() >= 2 && axis.ticks.windows(2).all(|w| w[0] < w[1]), "{axis:?}");
            assert!(axis.at(low) <= axis.at(high));
        }
    }

    #[test]
    fn linear_ticks_reach_the_top_and_stay_few() {
        for high in [1.0, 7.0, 1234.0, 9.99e6, 1e9] {
            let ticks = linear_ticks(high);
            assert!(ticks.last().unwrap() >= &high && (3..=8).contains(&ticks.len()), "{ticks:?}");
        }
    }

    #[test]
    fn labels_are_short() {
        assert_eq!(["0", "1.5 ms", "200 us", "1 s"], [label(0.0), label(1.5e6), label(2e5), label(1e9)].each_ref().map(String::as_str));
    }
}
