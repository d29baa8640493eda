//! From the records of one case to figures: one value per round, then the median over rounds.

use std::collections::BTreeMap;

use model::record::{Status, TrialKind, VIRTUAL};
use model::{Histogram, Record};

use crate::brands::held_up;
use crate::stats::median;
use crate::summary::{Figure, Metric, Percentiles};

/// Samples beyond a percentile without which it is not quoted.
pub(crate) const SAMPLES_NEEDED: u64 = 10;

/// The trials of one case, each kind in the order of rounds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trials<'a> {
    /// Calibration trials that ran to their end.
    pub(crate) calibration: Vec<&'a Record>,
    /// Measured trials that ran to their end.
    pub(crate) measured: Vec<&'a Record>,
    /// Profiled trials that ran to their end.
    pub(crate) profiled: Vec<&'a Record>,
    /// Trials of any kind that did not.
    pub(crate) unfinished: Vec<&'a Record>,
}

impl<'a> Trials<'a> {
    /// All trials that ran to their end.
    pub(crate) fn finished(&self) -> impl Iterator<Item = &'a Record> + '_ {
        self.calibration.iter().chain(&self.measured).chain(&self.profiled).copied()
    }
}

/// The measured records that count, by case and round: one per trial, as [`summarise`](crate::summarise) takes them.
pub fn counting(records: &[Record]) -> Vec<&Record> {
    by_case(records).into_values().flat_map(|t| t.measured).collect()
}

/// Records by case. Of several records of one trial (continued or repeated) one that ran to its end wins, then one whose generator was not
/// held up, then the latest.
pub(crate) fn by_case(records: &[Record]) -> BTreeMap<&str, Trials<'_>> {
    let mut one_each: BTreeMap<(&str, TrialKind, u32), &Record> = BTreeMap::new();
    for record in records {
        let rank = |r: &Record| (r.status == Status::Measured, !held_up(r), r.started_unix_ms);
        let kept = one_each.entry((&record.case, record.kind, record.round)).or_insert(record);
        if rank(record) > rank(kept) {
            *kept = record;
        }
    }
    let mut cases: BTreeMap<&str, Trials<'_>> = BTreeMap::new();
    for ((case, kind, _), record) in one_each {
        let trials = cases.entry(case).or_default();
        match (&record.status, kind) {
            (Status::Measured, TrialKind::Calibration) => trials.calibration.push(record),
            (Status::Measured, TrialKind::Measured) => trials.measured.push(record),
            (Status::Measured, TrialKind::Profiled) => trials.profiled.push(record),
            _ => trials.unfinished.push(record),
        }
    }
    cases
}

/// A value of one round, or why the round has none.
pub(crate) type RoundValue = Result<f64, String>;

/// The median over rounds with the range; blank with the last round's reason where no round has a value.
pub(crate) fn figure(values: impl IntoIterator<Item = RoundValue>) -> Figure {
    let mut why = "no round ran to its end".to_owned();
    let mut present = Vec::new();
    for value in values {
        match value {
            Ok(v) if v.is_finite() => present.push(v),
            Ok(_) => "the value is not a finite number".clone_into(&mut why),
            Err(reason) => why = reason,
        }
    }
    let value = median(&present);
    Figure {
        value,
        low: present.iter().copied().reduce(f64::min),
        high: present.iter().copied().reduce(f64::max),
        rounds: present.len() as u32,
        why_blank: value.is_none().then_some(why),
    }
}

/// Requests per second of a window.
fn per_second(count: u64, window_ns: u64) -> RoundValue {
    if window_ns == 0 {
        return Err("the window has no length".to_owned());
    }
    Ok(count as f64 * 1e9 / window_ns as f64)
}

/// `ok` replies per second within the window: what a closed-loop calibration trial measures.
pub(crate) fn capacity(record: &Record) -> RoundValue {
    per_second(record.counts.ok_arrived_in_window, record.window_ns)
}

/// `ok` requests of the window within their deadline, per second of the window.
pub(crate) fn goodput(record: &Record) -> RoundValue {
    per_second(record.counts.ok_in_deadline, record.window_ns)
}

/// CPU time of process and workers per finished request, ns.
pub(crate) fn cpu_per_request(record: &Record) -> RoundValue {
    if record.timing_class == VIRTUAL {
        return Err("virtual time uses no CPU".to_owned());
    }
    if record.counts.finished == 0 {
        return Err("no request finished".to_owned());
    }
    Ok((record.cpu.process_ns as f64 + record.cpu.workers_ns as f64) / record.counts.finished as f64)
}

/// The name of a quantile: 0.999 is `p99.9`.
fn quantile_name(q: f64) -> String {
    format!("p{}", (q * 1e6).round() / 1e4)
}

/// A percentile of a histogram in ns, unless it rests on too few samples.
pub(crate) fn percentile(histogram: Option<&Histogram>, q: f64) -> RoundValue {
    let histogram = histogram.filter(|h| h.count() > 0).ok_or("no request was recorded")?;
    let beyond = histogram.samples_beyond(q);
    if beyond < SAMPLES_NEEDED {
        return Err(format!("{} rests on {beyond} samples beyond it; {SAMPLES_NEEDED} are needed: lengthen load.length", quantile_name(q)));
    }
    histogram.quantile(q).map(|ns| ns as f64).ok_or_else(|| "no request was recorded".to_owned())
}

/// The largest value of a histogram, ns.
pub(crate) fn largest(histogram: Option<&Histogram>) -> RoundValue {
    histogram.and_then(Histogram::max).map(|ns| ns as f64).ok_or_else(|| "no request was recorded".to_owned())
}

/// The percentiles of the histogram `name` over rounds.
pub(crate) fn percentiles(rounds: &[&Record], name: &str) -> Percentiles {
    let over = |q: f64| figure(rounds.iter().map(|r| percentile(r.histograms.get(name), q)));
    Percentiles {
        p50_ns: over(0.5),
        p90_ns: over(0.9),
        p95_ns: over(0.95),
        p99_ns: over(0.99),
        p99_9_ns: over(0.999),
        max_ns: figure(rounds.iter().map(|r| largest(r.histograms.get(name)))),
    }
}

/// The value of a metric in one round. Of a calibration trial only the capacity means anything, of a measured one all others.
pub(crate) fn metric(metric: Metric, record: &Record) -> RoundValue {
    let response = record.histograms.get("response");
    crate::contenders::not_here(record)?;
    match metric {
        Metric::Capacity => capacity(record),
        Metric::Goodput => goodput(record),
        Metric::CpuPerRequest => cpu_per_request(record),
        Metric::P50 => percentile(response, 0.5),
        Metric::P90 => percentile(response, 0.9),
        Metric::P95 => percentile(response, 0.95),
        Metric::P99 => percentile(response, 0.99),
        Metric::P999 => percentile(response, 0.999),
        Metric::Max => largest(response),
    }
}

/// All rounds' histograms of that name, merged.
pub(crate) fn merged(rounds: &[&Record], name: &str) -> Histogram {
    let mut all = Histogram::new();
    for histogram in rounds.iter().filter_map(|r| r.histograms.get(name)) {
        all.merge(histogram);
    }
    all
}

/// The sum of a count over rounds, never wrapping.
pub(crate) fn sum(rounds: &[&Record], count: impl Fn(&Record) -> u64) -> u64 {
    rounds.iter().fold(0, |total, r| total.saturating_add(count(r)))
}

/// Counts by name, summed over rounds.
pub(crate) fn sum_by_name(rounds: &[&Record], counts: impl Fn(&Record) -> &BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    let mut all: BTreeMap<String, u64> = BTreeMap::new();
    for round in rounds {
        for (name, count) in counts(round) {
            let total = all.entry(name.clone()).or_default();
            *total = total.saturating_add(*count);
        }
    }
    all
}

#[cfg(test)]
mod tests;
