//! Where the time of a request went: phases, bands, and the curve of percentiles for plots.

use std::collections::{BTreeMap, BTreeSet};

use model::{Histogram, Record};

use crate::rounds::{merged, percentile};
use crate::stats::{mean, quotient};
use crate::summary::{Band, BandPart, PhaseRow, SpectrumPoint};

/// Phases in the order of a request's life.
const PHASES: [&str; 12] =
    ["lag", "admit", "session-wait", "load", "queue", "dispatch", "service", "return", "encode", "compress", "persist", "reply"];

/// What lies in no phase.
const UNEXPLAINED: &str = "unexplained";

fn rank(phase: &str) -> (usize, &str) {
    let place = if phase == UNEXPLAINED { usize::MAX } else { PHASES.iter().position(|p| *p == phase).unwrap_or(PHASES.len()) };
    (place, phase)
}

/// Every phase that a round has, all rounds merged.
pub(crate) fn phases(rounds: &[&Record]) -> Vec<PhaseRow> {
    let names: BTreeSet<&str> = rounds.iter().flat_map(|r| r.histograms.keys()).filter_map(|k| k.strip_prefix("phase.")).collect();
    let mut names: Vec<&str> = names.into_iter().collect();
    names.sort_by_key(|n| rank(n));
    names
        .into_iter()
        .map(|phase| {
            let all = merged(rounds, &format!("phase.{phase}"));
            PhaseRow {
                phase: phase.to_owned(),
                count: all.count(),
                p50_ns: percentile(Some(&all), 0.5).ok(),
                p99_ns: percentile(Some(&all), 0.99).ok(),
            }
        })
        .collect()
}

/// The bands, `p50` first: mean over rounds of each phase's mean.
pub(crate) fn bands(rounds: &[&Record]) -> Vec<Band> {
    let names: BTreeSet<&str> = rounds.iter().flat_map(|r| r.bands.keys()).map(String::as_str).collect();
    names.into_iter().map(|name| band(rounds, name)).collect()
}

fn band(rounds: &[&Record], name: &str) -> Band {
    let mut values: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    let present: Vec<_> = rounds.iter().filter_map(|r| r.bands.get(name)).collect();
    for (phase, ns) in present.iter().flat_map(|b| b.iter()) {
        values.entry(phase).or_default().push(if ns.is_finite() { *ns } else { 0.0 });
    }
    let response_ns = values.remove("response").and_then(|v| mean(&v));
    // A round without the phase spent no time in it.
    let rounds = present.len() as f64;
    let mut parts: Vec<(&str, f64)> = values.into_iter().filter_map(|(p, v)| Some((p, quotient(v.iter().sum(), rounds)?))).collect();
    parts.sort_by_key(|(p, _)| rank(p));
    let total: f64 = parts.iter().map(|p| p.1).sum();
    Band {
        band: name.to_owned(),
        response_ns,
        parts: parts.into_iter().map(|(p, ns)| BandPart { phase: p.to_owned(), mean_ns: ns, share: quotient(ns, total) }).collect(),
    }
}

/// Points of a decade of the curve; the tail needs as many per decade of rarity as the body.
const POINTS_PER_DECADE: i32 = 10;

/// The curve of percentiles, evenly spaced in nines, up to the last point that rests on a sample.
pub(crate) fn spectrum(all: &Histogram) -> Vec<SpectrumPoint> {
    let mut points = Vec::new();
    for step in 0..=(7 * POINTS_PER_DECADE) {
        let share = 1.0 - 10f64.powf(-f64::from(step) / f64::from(POINTS_PER_DECADE));
        if all.count() as f64 * (1.0 - share) < 1.0 {
            break;
        }
        points.extend(all.quantile(share).map(|ns| SpectrumPoint { share, ns }));
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit;

    #[test]
    fn phases_come_in_the_order_of_life_and_are_merged() {
        let mut r = testkit::measured("a/b", 0);
        r.histograms.insert("phase.service".to_owned(), testkit::histogram(&[(500, 2_000)]));
        r.histograms.insert("phase.queue".to_owned(), testkit::histogram(&[(4, 10)]));
        r.histograms.insert("phase.zap".to_owned(), testkit::histogram(&[(1, 10)]));
        let rows = phases(&[&r, &r]);
        assert_eq!(rows.iter().map(|p| p.phase.as_str()).collect::<Vec<_>>(), ["queue", "service", "zap"]);
        assert_eq!((rows[1].count, rows[1].p50_ns), (1000, Some(2_000.0)));
        assert_eq!(rows[0].p50_ns, None, "4 samples beyond p50 are too few");
    }

    #[test]
    fn a_band_is_the_mean_over_rounds_with_unexplained_last() {
        let with = |queue: f64| {
            let mut r = testkit::measured("a/b", 0);
            let parts = [("response", 100.0), ("unexplained", 4.0), ("service", 56.0), ("queue", queue)];
            r.bands.insert("p99".to_owned(), parts.iter().map(|(k, v)| ((*k).to_owned(), *v)).collect());
            r
        };
        let bands = bands(&[&with(30.0), &with(50.0)]);
        assert_eq!((bands.len(), bands[0].response_ns), (1, Some(100.0)));
        let parts: Vec<_> = bands[0].parts.iter().map(|p| (p.phase.as_str(), p.mean_ns)).collect();
        assert_eq!(parts, [("queue", 40.0), ("service", 56.0), ("unexplained", 4.0)]);
        assert_eq!(bands[0].parts[0].share, Some(0.4));
        let mut without = with(0.0);
        without.bands.get_mut("p99").unwrap().remove("queue");
        assert_eq!(super::bands(&[&with(30.0), &without])[0].parts[0].mean_ns, 15.0, "no queue is a queue of 0");
    }

    #[test]
    fn the_spectrum_rises_and_stops_where_samples_end() {
        let points = spectrum(&testkit::histogram(&[(900, 10), (100, 1_000)]));
        assert!(points.windows(2).all(|w| w[0].share < w[1].share && w[0].ns <= w[1].ns));
        assert!(points.last().unwrap().share <= 0.999 + 1e-9);
        assert!(spectrum(&Histogram::new()).is_empty());
    }
}
