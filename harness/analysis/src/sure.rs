//! How sure percentiles are: their 95 % intervals over rounds, or within the trial where there are few rounds.

use ::stats::interval::across_rounds;
use model::Record;

use crate::rounds::metric;
use crate::summary::{IntervalRow, Metric};

/// With fewer rounds Student's t says more of itself than of the figure (12.7 standard errors with two), and requests within a trial know better.
const ROUNDS_NEEDED: usize = 3;
/// The figures that get an interval; within a trial it goes by the same name.
const FIGURES: [Metric; 6] = [Metric::P50, Metric::P90, Metric::P95, Metric::P99, Metric::P999, Metric::Goodput];

/// One row per figure that has an interval; none for open loops without evidence of their own (old records), which have had none before. A closed loop
/// has intervals over rounds only.
pub(crate) fn intervals(measured: &[&Record]) -> Vec<IntervalRow> {
    if measured.iter().all(|r| r.trust.is_none() && r.open_loop) {
        return Vec::new();
    }
    let of = |figure: Metric| {
        let rounds: Vec<f64> = measured.iter().filter_map(|r| metric(figure, r).ok()).collect();
        over_rounds(figure.name(), &rounds).or_else(|| within(figure.name(), measured))
    };
    FIGURES.into_iter().filter_map(of).collect()
}

fn over_rounds(name: &str, values: &[f64]) -> Option<IntervalRow> {
    let estimate = (values.len() >= ROUNDS_NEEDED).then(|| across_rounds(values))??;
    let interval = estimate.interval.ok()?;
    Some(IntervalRow { figure: name.to_owned(), low: interval.low, high: interval.high, rounds: values.len() as u32, effective: None })
}

/// The widest of the trials' own: with one or two of them nothing says which is right.
fn within(name: &str, measured: &[&Record]) -> Option<IntervalRow> {
    let own = measured.iter().filter_map(|r| r.trust.as_ref()?.intervals.get(name).copied());
    let widest = own.max_by(|a, b| (a.high_ns - a.low_ns).total_cmp(&(b.high_ns - b.low_ns)))?;
    Some(IntervalRow { figure: name.to_owned(), low: widest.low_ns, high: widest.high_ns, rounds: 0, effective: Some(widest.effective) })
}

#[cfg(test)]
mod tests {
    use model::record::{Bounds, Trust};

    use super::*;
    use crate::testkit::{histogram, measured};

    fn with(round: u32, p50: u64) -> Record {
        let mut record = measured("a/b", round);
        record.histograms.insert("response".to_owned(), histogram(&[(2000, p50)]));
        let own = Bounds { low_ns: p50 as f64 * 0.9, high_ns: p50 as f64 * 1.1, effective: 300.0 };
        record.trust = Some(Trust { intervals: [("p50".to_owned(), own)].into(), ..Trust::default() });
        record
    }

    #[test]
    fn rounds_are_the_unit_where_there_are_three_of_them() {
        let records = [with(0, 1_000_000), with(1, 1_100_000), with(2, 900_000)];
        let rows = intervals(&records.iter().collect::<Vec<_>>());
        let p50 = rows.iter().find(|r| r.figure == "p50").unwrap();
        // Logarithms 0, 0.0953 and -0.1054: mean -0.0034, standard error 0.0580, t 4.303.
        assert!((p50.low / 1e6 - 0.777).abs() < 0.005 && (p50.high / 1e6 - 1.279).abs() < 0.005, "{p50:?}");
        assert_eq!((p50.rounds, p50.effective), (3, None));
        assert!(rows.iter().any(|r| r.figure == "goodput" && (r.low - 1000.0).abs() < 1e-6 && r.low <= r.high), "{rows:?}");
    }

    #[test]
    fn a_trial_speaks_for_itself_where_rounds_are_few() {
        let (one, two) = (with(0, 1_000_000), with(1, 2_000_000));
        let rows = intervals(&[&one, &two]);
        assert_eq!(rows.len(), 1, "no other figure has an interval");
        assert_eq!((rows[0].low, rows[0].high, rows[0].effective), (1_800_000.0, 2_200_000.0, Some(300.0)));
        assert_eq!(intervals(&[&measured("a/b", 0)]), [], "an old record");
    }
}
