//! The value of a claim's metric in one round.

use std::collections::BTreeMap;

use model::Record;

use crate::rounds::{self, RoundValue, Trials, percentile};
use crate::stats::quotient;
use crate::summary::Metric;

/// The value of each round, or why it has none; of the capacity, that of the calibration trials.
pub(super) fn by_round(metric: &str, trials: &Trials<'_>) -> BTreeMap<u32, RoundValue> {
    let records: &[&Record] = if metric == "capacity" { &trials.calibration } else { &trials.measured };
    records.iter().map(|record| (record.round, of(metric, record))).collect()
}

fn of(metric: &str, record: &Record) -> RoundValue {
    if let Some(why) = record.contender.as_ref().and_then(|c| c.not_here.clone()) {
        return Err(format!("not available on this host: {why}"));
    }
    match metric {
        "capacity" => rounds::metric(Metric::Capacity, record),
        "goodput" => rounds::metric(Metric::Goodput, record),
        "cpu-per-request" => rounds::metric(Metric::CpuPerRequest, record),
        "throughput" => rounds::capacity(record),
        "time-per-operation" => time_per_operation(record),
        "bytes.ratio" => quotient(record.bytes.encoded as f64, record.bytes.sent as f64).ok_or_else(|| "nothing was sent back".to_owned()),
        "response.max" => rounds::metric(Metric::Max, record),
        _ => named_percentile(metric, record),
    }
}

/// Of a contender: CPU time where its job is bound by the CPU, else wall time. Of anything else the CPU per request is `cpu-per-request`, and
/// a time is a percentile.
fn time_per_operation(record: &Record) -> RoundValue {
    let done = record.contender.as_ref().ok_or("only contenders have operations")?;
    let ns = if done.cpu_bound { done.cpu_ns } else { done.wall_ns };
    quotient(ns as f64, done.operations as f64).ok_or_else(|| "no operation was done".to_owned())
}

/// `response.p99.9`, `phase.persist.p50`.
fn named_percentile(metric: &str, record: &Record) -> RoundValue {
    let parsed = metric.rsplit_once(".p").map(|(name, percent)| (name, percent.parse::<f64>()));
    match parsed {
        Some((name, Ok(percent))) if (0.0..100.0).contains(&percent) => percentile(record.histograms.get(name), percent / 100.0),
        _ => Err(format!("no metric '{metric}'")),
    }
}
