//! What the stamps of a trial say of the trial itself: whether the load was the one asked for, whether anything was lost, whether it settled.

use std::collections::BTreeMap;

use model::record::{ArrivalsFit, Backlog, Bounds, Settled, Trust};
use pool::Snapshot;
use pool::clock::Nanos;
use pool::core::Outcome;
use pool::times::Phase;
use stats::interval::Estimate;
use stats::steady::Steady;
use stats::{arrivals, backlog, conserve, interval, steady};

use crate::arrivals::Arrivals;
use crate::launch::Lengths;
use crate::rows::Row;

/// Judges the stamps of an open loop. `rows` are by intended start, `window` is the measured one, `asked` the process of the schedule, `drained` the
/// pool after the last outcome.
pub(crate) fn trust(rows: &[Row], window: (Nanos, Nanos), asked: Asked<'_>, drained: Option<&Snapshot>) -> Trust {
    let responses: Vec<Nanos> =
        rows.iter().filter(|r| r.measured && r.outcome == Outcome::Ok).map(|r| r.done().saturating_sub(r.intended())).collect();
    let went: Vec<Nanos> = rows.iter().map(|r| r.times.last_end()).collect();
    Trust {
        settled: settled(&responses),
        intervals: intervals(&responses),
        arrivals: arrivals_fit(rows, asked),
        little_gap: little_gap(rows, &went),
        busy_gap: drained.and_then(|pool| busy_gap(rows, pool)),
        backlog: growth(rows, &went, window),
    }
}

/// The percentiles that get an interval.
const QUANTILES: [(&str, f64); 4] = [("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("p99.9", 0.999)];

/// What was asked for: the process, its reference rate, and over how long.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub arrivals: &'a Arrivals,
    pub per_s: Option<f64>,
    pub lengths: Lengths,
}

/// Where the series of responses settles.
fn settled(responses: &[Nanos]) -> Option<Settled> {
    let share = |samples: usize| samples as f64 / responses.len().max(1) as f64;
    Some(match steady::mser5(responses)? {
        Steady::Settled { drop, .. } => Settled { warm_up_share: share(drop), never: false },
        Steady::Never { least } => Settled { warm_up_share: share(least), never: true },
    })
}

/// The 95 % intervals of the percentiles that have one, by name, and of the mean.
fn intervals(responses: &[Nanos]) -> BTreeMap<String, Bounds> {
    let bounds = |name: &str, estimate: Option<Estimate>| {
        let estimate = estimate?;
        let interval = estimate.interval.ok()?;
        Some((name.to_owned(), Bounds { low_ns: interval.low, high_ns: interval.high, effective: estimate.effective }))
    };
    let of = |(name, q): (&str, f64)| bounds(name, interval::percentile(responses, q));
    QUANTILES.into_iter().filter_map(of).chain(bounds("mean", interval::mean(responses))).collect()
}

/// The sent gaps against the exponential distribution, in the time in which the rate asked for is constant.
fn arrivals_fit(rows: &[Row], asked: Asked<'_>) -> Option<ArrivalsFit> {
    if *asked.arrivals == Arrivals::Constant {
        return None;
    }
    let first = rows.first()?;
    let origin = first.intended().saturating_sub(first.intent.at_ns);
    let expected = |at: Nanos| asked.arrivals.cumulative(asked.per_s.unwrap_or(1.0), asked.lengths, at.saturating_sub(origin));
    expected(origin)?;
    let sent: Vec<Nanos> = rows.iter().filter(|r| r.measured).map(Row::sent).collect();
    let fit = arrivals::of_shape(&arrivals::rescaled(&sent, |at| expected(at).unwrap_or(0.0)))?;
    Some(ArrivalsFit { statistic: fit.statistic, critical: fit.critical, gaps: fit.gaps as u64 })
}

/// Little's identity over the whole trial, which begins and ends empty: arrivals by the plan, stays as each request noted its own. `None` where
/// nothing was sent; 1 where more had left than had come.
fn little_gap(rows: &[Row], went: &[Nanos]) -> Option<f64> {
    let first = rows.first()?;
    let origin = first.intended().saturating_sub(first.intent.at_ns);
    let came: Vec<Nanos> = rows.iter().map(|r| origin + r.intent.at_ns).collect();
    let stays: Vec<Nanos> = rows.iter().zip(went).map(|(r, went)| went.saturating_sub(r.intended())).collect();
    Some(conserve::little(&came, went, &stays).map_or(1.0, |little| little.relative_gap))
}

/// The same for the slots: their time in use, as the pool counted it, against the sum over requests of the time that each held one. `None` where
/// a request held more than one, or none to its end.
fn busy_gap(rows: &[Row], drained: &Snapshot) -> Option<f64> {
    let simple = |row: &Row| row.outcome == Outcome::Ok && row.attempts == 1;
    if rows.is_empty() || !rows.iter().all(simple) {
        return None;
    }
    let hold = |row: &Row| Some(row.times.span(Phase::Return)?.1.saturating_sub(row.times.span(Phase::Dispatch)?.0));
    let held: u64 = rows.iter().map(hold).sum::<Option<u64>>()?;
    let busy: u64 = drained.busy_ns.iter().sum();
    Some(busy.abs_diff(held) as f64 / held.max(1) as f64)
}

/// How the number of requests that wait or are served grew over the window.
fn growth(rows: &[Row], went: &[Nanos], window: (Nanos, Nanos)) -> Option<Backlog> {
    let came: Vec<Nanos> = rows.iter().map(Row::intended).collect();
    let growth = backlog::growth(&came, went, window.0, window.1)?;
    Some(Backlog { slope_per_s: growth.slope_per_s, error_per_s: growth.error_per_s, gained: growth.gained, saturated: growth.saturated() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::tests::row;

    /// Requests a millisecond apart, each leaving after `stay` ns.
    fn rows(stay: impl Fn(u64) -> u64) -> Vec<Row> {
        (0..2000u64)
            .map(|i| {
                let at = 5_000_000 + i * 1_000_000;
                let mut row = row(at, at, at + stay(i));
                row.intent.at_ns = i * 1_000_000;
                row
            })
            .collect()
    }

    const WINDOW: (Nanos, Nanos) = (5_000_000, 2_005_000_000);

    fn asked(arrivals: &Arrivals) -> Asked<'_> {
        Asked { arrivals, per_s: Some(1000.0), lengths: Lengths { warmup_ns: 0, length_ns: 2_000_000_000 } }
    }

    #[test]
    fn a_warm_up_is_found_and_percentiles_have_intervals() {
        let noise = |i: u64| 400_000 + i * 7_919 % 1_000 * 100;
        let trust_of = |rows: &[Row]| trust(rows, WINDOW, asked(&Arrivals::Constant), None);
        let even = trust_of(&rows(noise));
        assert!(even.settled.is_some_and(|s| !s.never && s.warm_up_share < 0.05), "{:?}", even.settled);
        let p50 = even.intervals["p50"];
        assert!(p50.low_ns <= 450_000.0 && p50.high_ns >= 449_000.0 && p50.effective > 100.0, "{p50:?}");
        assert!(!even.intervals.contains_key("p99.9"), "two samples lie beyond it");
        let cold = trust_of(&rows(|i| noise(i) + if i < 300 { 2_000_000 } else { 0 }));
        assert!(cold.settled.is_some_and(|s| !s.never && (s.warm_up_share - 0.15).abs() < 0.02), "{:?}", cold.settled);
        let rising = trust_of(&rows(|i| noise(i) + i * 3_000));
        assert!(rising.settled.is_some_and(|s| s.never), "{:?}", rising.settled);
    }

    #[test]
    fn a_plan_that_was_kept_conserves_and_one_that_moved_does_not() {
        let kept = rows(|_| 400_000);
        let trust_of = |rows: &[Row]| trust(rows, WINDOW, asked(&Arrivals::Constant), None);
        assert_eq!(trust_of(&kept).little_gap, Some(0.0));
        let mut moved = kept;
        moved[700].intent.at_ns += 300_000;
        assert!(trust_of(&moved).little_gap.unwrap() > 1e-4, "a start that is not the planned one");
        assert_eq!(trust_of(&[]).little_gap, None);
    }

    #[test]
    fn a_backlog_that_grows_is_saturated_and_has_its_slope() {
        let steady = trust(&rows(|i| 400_000 + i % 7), WINDOW, asked(&Arrivals::Constant), None).backlog.unwrap();
        assert!(!steady.saturated && steady.slope_per_s.abs() < 1.0, "{steady:?}");
        // A fifth more comes than goes: of 1000 requests a second 167 stay behind.
        let over = trust(&rows(|i| i * 200_000 + 400_000), WINDOW, asked(&Arrivals::Constant), None).backlog.unwrap();
        assert!(over.saturated && (over.slope_per_s / 166.7 - 1.0).abs() < 0.02, "{over:?}");
    }

    #[test]
    fn only_poisson_arrivals_are_held_against_the_exponential() {
        let rows = rows(|_| 400_000);
        assert_eq!(trust(&rows, WINDOW, asked(&Arrivals::Constant), None).arrivals, None);
        let fit = trust(&rows, WINDOW, asked(&Arrivals::Poisson), None).arrivals.unwrap();
        assert!(fit.statistic > 100.0 * fit.critical && fit.gaps == 1999, "even gaps are not exponential: {fit:?}");
    }
}
