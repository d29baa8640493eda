//! Ways of doing a job against the first of them, on the same documents in the same rounds.

use std::collections::BTreeMap;

use model::Record;
use model::claim::AGAIN;
use model::plan::Axis;
use model::record::ContenderFigures;

use crate::classes::{interval, paired};
use crate::compare::{Subject, groups};
use crate::rounds::{self, RoundValue};
use crate::stats::{median, quotient};
use crate::summary::{ContenderRow, ContenderTable, Difference, Headline, HeadlineData, Interval, LimitShare, Metric};

/// Axes whose values are compared, the first that a scenario has; else its first axis.
const COMPARED: [&str; 2] = ["contender.way", "variant"];

/// One table per combination of the other axes; nothing where no contender was measured.
pub(crate) fn tables(axes: &[Axis], subjects: &[Subject<'_>]) -> Vec<ContenderTable> {
    if !subjects.iter().any(|s| figures(s).is_some()) {
        return Vec::new();
    }
    let axis = COMPARED.iter().find_map(|key| axes.iter().find(|axis| axis.key == *key)).or(axes.first());
    let Some(axis) = axis else {
        let all: Vec<(&str, &Subject<'_>)> = subjects.iter().map(|s| ("", s)).collect();
        return table("", &all).into_iter().collect();
    };
    let one = |group: BTreeMap<&str, &Subject<'_>>| {
        let own: Vec<(&str, &Subject<'_>)> = axis.values.iter().filter_map(|v| Some((v.as_str(), *group.get(v.as_str())?))).collect();
        table(&axis.short, &own)
    };
    groups(axis, subjects).into_iter().filter_map(one).collect()
}

/// What a contender's first round left.
fn figures<'a>(subject: &Subject<'a>) -> Option<&'a ContenderFigures> {
    subject.trials.measured.iter().find_map(|r| r.contender.as_ref())
}

fn table(axis: &str, own: &[(&str, &Subject<'_>)]) -> Option<ContenderTable> {
    let own: Vec<(&str, &Subject<'_>, &ContenderFigures)> = own.iter().filter_map(|(v, s)| Some((*v, *s, figures(s)?))).collect();
    let (_, first, of_first) = own.first()?;
    let judged = if of_first.cpu_bound { Metric::CpuPerRequest } else { Metric::P50 };
    let noise = own.iter().filter_map(|(value, subject, of)| {
        let plain = value.strip_suffix(AGAIN).or_else(|| of.way.strip_suffix(AGAIN))?;
        let plain = own.iter().find(|(v, _, of)| *v == plain || of.way == plain)?;
        far(&paired(&subject.trials.measured, &plain.1.trials.measured, &|r| rounds::metric(judged, r)))
    });
    let noise = noise.reduce(f64::max);
    Some(ContenderTable {
        at: first.case.axes.iter().filter(|(key, _)| key != axis).cloned().collect(),
        job: of_first.job.clone(),
        cpu_bound: of_first.cpu_bound,
        axis: axis.to_owned(),
        noise,
        rows: own.iter().map(|(value, subject, of)| row(value, subject, of, first, judged, noise)).collect(),
    })
}

/// How far a ratio is from 1, as a factor of at least 1.
fn far(ratio: &Interval) -> Option<f64> {
    ratio.value.filter(|v| *v > 0.0).map(|v| v.max(1.0 / v))
}

fn row(value: &str, subject: &Subject<'_>, of: &ContenderFigures, first: &Subject<'_>, judged: Metric, noise: Option<f64>) -> ContenderRow {
    let measured = &subject.trials.measured;
    let metric = |metric: Metric| interval(measured.iter().map(|r| rounds::metric(metric, r)));
    let ratio = (subject.case.id != first.case.id).then(|| paired(measured, &first.trials.measured, &|r| rounds::metric(judged, r)));
    let over = |of: &dyn Fn(&Record) -> Option<f64>| median(&measured.iter().filter_map(|r| of(r)).collect::<Vec<_>>());
    ContenderRow {
        case: subject.case.id.clone(),
        value: if value.is_empty() { of.way.clone() } else { value.to_owned() },
        way: of.way.clone(),
        not_here: of.not_here.clone(),
        p50_ns: metric(Metric::P50),
        p99_ns: metric(Metric::P99),
        cpu_ns: metric(Metric::CpuPerRequest),
        bytes_per_s: over(&speed),
        bytes_ratio: over(&|r| r.contender.as_ref().and_then(|c| quotient(c.bytes_in as f64, c.bytes_out as f64))),
        differs: ratio.as_ref().is_some_and(|ratio| differs(ratio, noise)),
        ratio,
        limit: of.limit.as_ref().map(|limit| LimitShare {
            what: limit.what.clone(),
            ns: over(&limit_ns).unwrap_or(limit.ns),
            share: over(&|r| quotient(limit_ns(r)?, rounds::metric(judged, r).ok()?)),
        }),
        trap: of.trap.clone(),
        facts: of.facts.clone(),
    }
}

fn differs(ratio: &Interval, noise: Option<f64>) -> bool {
    let excludes = matches!((ratio.low, ratio.high), (Some(low), Some(high)) if low > 1.0 || high < 1.0);
    excludes && far(ratio).is_some_and(|far| noise.is_none_or(|noise| far > noise))
}

fn limit_ns(record: &Record) -> Option<f64> {
    record.contender.as_ref()?.limit.as_ref().map(|limit| limit.ns).filter(|ns| ns.is_finite())
}

/// Bytes that went in, per second of the time that the job is judged on.
fn speed(record: &Record) -> Option<f64> {
    let c = record.contender.as_ref()?;
    quotient(c.bytes_in as f64 * 1e9, if c.cpu_bound { c.cpu_ns } else { c.wall_ns } as f64)
}

/// The way that is farthest ahead of the first of its table, and the one that is farthest behind; or that none differs.
pub(crate) fn headlines(scenario: &str, tables: &[ContenderTable]) -> Vec<Headline> {
    let rows = tables.iter().flat_map(|table| table.rows.iter().map(move |row| (table, row)));
    let differing = rows.filter_map(|(table, row)| Some((table, row, row.ratio.as_ref()?.value?))).filter(|(_, row, _)| row.differs);
    let mut differing: Vec<_> = differing.collect();
    differing.sort_by(|a, b| a.2.total_cmp(&b.2));
    let ahead = differing.first().filter(|d| d.2 < 1.0);
    let behind = differing.last().filter(|d| d.2 > 1.0);
    let said: Vec<Headline> =
        ahead.into_iter().chain(behind).filter_map(|(table, row, ratio)| headline(scenario, table, row, *ratio)).collect();
    match (said.is_empty(), tables.first().and_then(|table| Some((table, table.rows.get(1)?)))) {
        (true, Some((table, row))) => {
            let ratio = row.ratio.as_ref().and_then(|ratio| ratio.value);
            ratio.and_then(|ratio| headline(scenario, table, row, ratio)).into_iter().collect()
        }
        _ => said,
    }
}

fn headline(scenario: &str, table: &ContenderTable, row: &ContenderRow, ratio: f64) -> Option<Headline> {
    let against = table.rows.first()?.value.clone();
    let metric = if table.cpu_bound { Metric::CpuPerRequest } else { Metric::P50 };
    let seen = match (row.differs, ratio < 1.0) {
        (false, _) => Difference::NoneSeen,
        (true, true) => Difference::Better,
        (true, false) => Difference::Worse,
    };
    let judged = if table.cpu_bound { "CPU time" } else { "median time" };
    let at: Vec<String> = table.at.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let at = if at.is_empty() { String::new() } else { format!(" at {}", at.join(", ")) };
    let axis = if table.axis.is_empty() { "way" } else { &table.axis };
    let (low, high) = row.ratio.as_ref().map_or((None, None), |r| (r.low, r.high));
    let digits = if ratio < 0.095 { 3 } else { 2 };
    let ends = low
        .zip(high)
        .map_or_else(|| " (too few rounds for an interval)".to_owned(), |(low, high)| format!(" [{low:.digits$}, {high:.digits$}]"));
    let shown = format!("{ratio:.digits$}x{ends} the {judged} of {axis}={against}{at}");
    let text = match seen {
        Difference::NoneSeen => {
            format!("{scenario}: no way differs from the first beyond the noise, such as {axis}={}: {shown}", row.value)
        }
        Difference::Better => format!("{scenario}: {axis}={} is ahead: {shown}", row.value),
        Difference::Worse => format!("{scenario}: {axis}={} is behind: {shown}", row.value),
    };
    let data = HeadlineData::Comparison { axis: axis.to_owned(), value: row.value.clone(), against, metric, ratio, low, high, seen };
    Some(Headline { scenario: Some(scenario.to_owned()), text, data })
}

/// Why there is nothing to say of what a host cannot do.
pub(crate) fn not_here(record: &Record) -> RoundValue {
    match record.contender.as_ref().and_then(|c| c.not_here.as_ref()) {
        Some(why) => Err(format!("not available here: {why}")),
        None => Ok(0.0),
    }
}

#[cfg(test)]
mod tests;
