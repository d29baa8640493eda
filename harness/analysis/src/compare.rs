//! Comparison along an axis: matched cases only, ratios never of unlike things, intervals over interleaved rounds.

use std::collections::BTreeMap;

use model::Record;
use model::plan::Axis;

use crate::rounds::{self, Trials};
use crate::stats::{geometric_mean, mean, quotient, ratio_interval};
use crate::summary::{AxisFigure, AxisValue, CaseSummary, Comparison, Figure, Grade, Metric, Ratio};

/// Shares of `ok` that differ by more than this make latencies those of different requests.
const OUTCOME_GAP: f64 = 0.01;

/// A case with its trials.
pub(crate) struct Subject<'a> {
    /// Its figures.
    pub(crate) case: &'a CaseSummary,
    /// What they come from.
    pub(crate) trials: &'a Trials<'a>,
}

/// The figure behind a metric of a case.
fn figure_of(case: &CaseSummary, metric: Metric) -> &Figure {
    match metric {
        Metric::Capacity => &case.capacity_per_s,
        Metric::Goodput => &case.goodput_per_s,
        Metric::CpuPerRequest => &case.cpu_per_request_ns,
        Metric::P50 => &case.response.p50_ns,
        Metric::P90 => &case.response.p90_ns,
        Metric::P95 => &case.response.p95_ns,
        Metric::P99 => &case.response.p99_ns,
        Metric::P999 => &case.response.p99_9_ns,
        Metric::Max => &case.response.max_ns,
    }
}

/// The value of a metric of a case.
fn value_of(case: &CaseSummary, metric: Metric) -> Option<f64> {
    figure_of(case, metric).value
}

/// Cases grouped by their other axes; in each group by value of this axis. Groups come in plan order.
pub(crate) fn groups<'a, 's>(axis: &Axis, subjects: &'s [Subject<'a>]) -> Vec<BTreeMap<&'s str, &'s Subject<'a>>> {
    let mut keys: Vec<Vec<&(String, String)>> = Vec::new();
    let mut groups: Vec<BTreeMap<&str, &Subject<'a>>> = Vec::new();
    for subject in subjects {
        let Some((_, value)) = subject.case.axes.iter().find(|(key, _)| *key == axis.short) else { continue };
        let others: Vec<&(String, String)> = subject.case.axes.iter().filter(|(key, _)| *key != axis.short).collect();
        let place = keys.iter().position(|k| *k == others).unwrap_or_else(|| {
            keys.push(others);
            groups.push(BTreeMap::new());
            groups.len() - 1
        });
        if let Some(group) = groups.get_mut(place) {
            group.insert(value, subject);
        }
    }
    groups
}

/// The figures of each value of an axis over the groups that have all its values.
pub(crate) fn axis_values(axis: &Axis, subjects: &[Subject<'_>]) -> Vec<AxisValue> {
    let mut groups = groups(axis, subjects);
    let values: Vec<&String> = axis.values.iter().filter(|v| groups.iter().any(|g| g.contains_key(v.as_str()))).collect();
    groups.retain(|g| values.iter().all(|v| g.contains_key(v.as_str())));
    let figure = |value: &str, metric: Metric| {
        // A group counts for a metric only where all its values have it: else the values would rest on different cases.
        let complete = groups.iter().filter(|g| g.values().all(|s| value_of(s.case, metric).is_some()));
        let of_value: Vec<f64> = complete.filter_map(|g| value_of(g.get(value)?.case, metric)).collect();
        let mean = geometric_mean(&of_value);
        let why = || blank_reason(groups.iter().flat_map(|g| g.values()).map(|s| s.case), metric);
        AxisFigure { metric, value: mean, why_blank: if mean.is_some() { None } else { Some(why()) } }
    };
    let row = |value: &&String| AxisValue {
        axis: axis.short.clone(),
        value: (*value).clone(),
        cases: groups.len() as u32,
        figures: Metric::ALL.into_iter().map(|m| figure(value, m)).collect(),
    };
    values.iter().map(row).collect()
}

fn blank_reason<'a>(mut cases: impl Iterator<Item = &'a CaseSummary>, metric: Metric) -> String {
    cases
        .find_map(|c| figure_of(c, metric).why_blank.as_deref())
        .unwrap_or("a value is zero, or no case has every value of the axis")
        .to_owned()
}

/// Each value of an axis after the first against the first.
pub(crate) fn comparisons(axis: &Axis, subjects: &[Subject<'_>]) -> Vec<Comparison> {
    let Some(first) = axis.values.first() else { return Vec::new() };
    let groups = groups(axis, subjects);
    let compare = |value: &String| {
        let pairs: Vec<(&Subject<'_>, &Subject<'_>)> =
            groups.iter().filter_map(|g| Some((*g.get(value.as_str())?, *g.get(first.as_str())?))).collect();
        if pairs.is_empty() {
            return None;
        }
        Some(Comparison {
            axis: axis.short.clone(),
            value: value.clone(),
            against: first.clone(),
            matched: pairs.len() as u32,
            rows: Metric::ALL.into_iter().map(|m| ratio(m, &pairs)).collect(),
        })
    };
    axis.values.iter().skip(1).filter_map(compare).collect()
}

fn ok_share(case: &CaseSummary) -> f64 {
    case.outcomes.iter().find(|o| o.outcome == "ok").map_or(0.0, |o| o.share)
}

/// The ratio of a pair, or why it must not be taken.
fn pair_ratio(metric: Metric, a: &CaseSummary, b: &CaseSummary) -> Result<f64, String> {
    // Capacity comes from closed-loop trials, which nobody paces; rates count only `ok` requests, whatever became of the others.
    if metric != Metric::Capacity && a.timing_class != b.timing_class {
        return Err(format!("timing classes differ: {} and {}", a.timing_class, b.timing_class));
    }
    if !metric.is_rate() && (ok_share(a) - ok_share(b)).abs() > OUTCOME_GAP {
        return Err(format!("outcomes differ: {:.1} % and {:.1} % ok", ok_share(a) * 100.0, ok_share(b) * 100.0));
    }
    let invalid = |c: &CaseSummary| c.brands.iter().find(|b| b.grade == Grade::Invalid).map(|b| format!("{}: {}", b.name, b.reason));
    if metric != Metric::Capacity
        && let Some(why) = invalid(a).or_else(|| invalid(b))
    {
        return Err(why);
    }
    let value = |c: &CaseSummary| value_of(c, metric).ok_or_else(|| blank_reason(std::iter::once(c), metric));
    let ratio = quotient(value(a)?, value(b)?).filter(|r| *r > 0.0);
    ratio.ok_or_else(|| "a value is zero".to_owned())
}

fn ratio(metric: Metric, pairs: &[(&Subject<'_>, &Subject<'_>)]) -> Ratio {
    let (mut values, mut usable, mut left_out) = (Vec::new(), Vec::new(), None);
    for (a, b) in pairs {
        match pair_ratio(metric, a.case, b.case) {
            Ok(value) => {
                values.push(value);
                usable.push((*a, *b));
            }
            Err(why) => left_out = left_out.or(Some(why)),
        }
    }
    let logs = round_logs(metric, &usable);
    let value = geometric_mean(&values);
    // Medians over rounds and means over rounds may part: the interval is widened, never moved, so that it holds the ratio.
    let interval = ratio_interval(&logs).zip(value).map(|((low, high), v)| (low.min(v), high.max(v)));
    Ratio {
        metric,
        value,
        low: interval.map(|i| i.0),
        high: interval.map(|i| i.1),
        pairs: values.len() as u32,
        rounds: logs.len() as u32,
        why_blank: left_out,
    }
}

/// Per round that all pairs have on both sides: the mean over pairs of the log ratio.
fn round_logs(metric: Metric, pairs: &[(&Subject<'_>, &Subject<'_>)]) -> Vec<f64> {
    let mut by_round: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
    for (a, b) in pairs {
        let (of_a, of_b) = (round_values(metric, a.trials), round_values(metric, b.trials));
        for (round, value) in of_a {
            let ratio = of_b.get(&round).and_then(|other| quotient(value, *other)).filter(|r| *r > 0.0);
            by_round.entry(round).or_default().extend(ratio.map(f64::ln));
        }
    }
    by_round.into_values().filter(|logs| logs.len() == pairs.len()).filter_map(|logs| mean(&logs)).collect()
}

fn round_values(metric: Metric, trials: &Trials<'_>) -> BTreeMap<u32, f64> {
    let records: &[&Record] = if metric == Metric::Capacity { &trials.calibration } else { &trials.measured };
    records.iter().filter_map(|r| Some((r.round, rounds::metric(metric, r).ok()?))).collect()
}

#[cfg(test)]
mod tests;
