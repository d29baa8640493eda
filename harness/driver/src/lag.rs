//! The lag of the pacing thread over time: a generator that was late for a moment shows when.

use model::record::LagPoint;
use pool::clock::Nanos;
use pool::times::Phase;

use crate::rows::Row;

/// Parts of the window: enough to tell a moment from a trend, few enough for a record.
const PARTS: u64 = 100;

/// Median and greatest lag in each hundredth of the window, by intended start; parts without a request are left out.
pub(crate) fn over_time(rows: &[Row], window: (Nanos, Nanos)) -> Vec<LagPoint> {
    let length = window.1.saturating_sub(window.0).max(1);
    let part_of = |at: Nanos| (u128::from(at.saturating_sub(window.0)) * u128::from(PARTS) / u128::from(length)) as u64;
    let mut parts: Vec<Vec<Nanos>> = vec![Vec::new(); PARTS as usize];
    for row in rows.iter().filter(|row| row.measured) {
        let part = part_of(row.intended()).min(PARTS - 1);
        parts[part as usize].push(row.times.length(Phase::Lag));
    }
    let point = |(part, mut lags): (usize, Vec<Nanos>)| {
        lags.sort_unstable();
        let at_ns = (part as u128 * u128::from(length) / u128::from(PARTS)) as u64;
        Some(LagPoint { at_ns, requests: lags.len() as u64, p50_ns: *lags.get(lags.len().checked_sub(1)? / 2)?, max_ns: *lags.last()? })
    };
    parts.into_iter().enumerate().filter_map(point).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::tests::row;

    /// A request meant for `intended` and handed over `lag` later.
    fn late(intended: Nanos, lag: Nanos) -> Row {
        let mut row = row(intended, intended + lag, intended + lag + 10);
        row.times = pool::times::RequestTimes::default();
        row.times.begin(Phase::Lag, intended);
        row.times.turn(Phase::Lag, Phase::Admit, intended + lag);
        row
    }

    #[test]
    fn each_part_has_its_own_median_and_maximum() {
        let window = (1_000, 11_000);
        let mut rows = vec![late(1_000, 5), late(1_050, 7), late(1_099, 100), late(1_100, 1), late(10_999, 9)];
        rows.push(Row { measured: false, ..late(999, 1_000_000) });
        let point = |at_ns, requests, p50_ns, max_ns| LagPoint { at_ns, requests, p50_ns, max_ns };
        assert_eq!(over_time(&rows, window), [point(0, 3, 7, 100), point(100, 1, 1, 1), point(9_900, 1, 9, 9)]);
        assert!(over_time(&[], window).is_empty());
    }

    #[test]
    fn there_are_never_more_than_a_hundred_points() {
        let rows: Vec<Row> = (0..5_000).map(|i| late(10 + i * 3, 1)).collect();
        let points = over_time(&rows, (10, 15_010));
        assert_eq!((points.len(), points.iter().map(|p| p.requests).sum::<u64>()), (100, 5_000));
    }
}
