//! Comparison tables: one per axis, or the figures of a scenario without one.

use analysis::summary::{AxisValue, CaseSummary, Comparison, Figure, Metric, Ratio, ScenarioSummary};
use model::plan::Axis;
use model::units::{show_ns, show_rate};

use crate::doc::scenario::folded_if_long;
use crate::doc::sure;
use crate::markdown::{Column, Notes, Table, code, details};
use crate::show;

/// Values side by side in one table; a longer axis gets one row per value instead.
const MOST_COLUMNS: usize = 5;

/// One table per axis.
pub(crate) fn comparisons(scenario: &ScenarioSummary) -> String {
    scenario.axes.iter().map(|axis| comparison(scenario, axis)).collect()
}

fn comparison(scenario: &ScenarioSummary, axis: &Axis) -> String {
    let values: Vec<&AxisValue> = scenario.axis_values.iter().filter(|v| v.axis == axis.short).collect();
    let Some(first) = values.first() else {
        return String::new();
    };
    let cases = if first.cases > 1 { format!("; each figure is the geometric mean of {} cases", first.cases) } else { String::new() };
    let heading = format!("### {}\n\n", code(&axis.key));
    let sentence = format!(
        "Against {} = {}; below 1× is less of the row's figure, **bold** where the interval excludes 1{cases}.",
        code(&axis.short),
        code(&first.value)
    );
    let mut notes = Notes::default();
    if values.len() > MOST_COLUMNS {
        let table = long(scenario, axis, &values, &mut notes);
        let line = format!("{} values of {}", values.len(), axis.short);
        return format!("{heading}{}\n\n{}", sentence.replace("the row's", "the column's"), details(&line, &(table + &notes.render())));
    }
    let table = wide(scenario, axis, &values, &mut notes);
    format!("{heading}{sentence}\n\n{table}{}", notes.render())
}

/// Rows are figures, columns are values.
fn wide(scenario: &ScenarioSummary, axis: &Axis, values: &[&AxisValue], notes: &mut Notes) -> String {
    let mut table = Table::new(&[(Column::Left, "")]);
    for value in values {
        table.column(&code(&value.value));
    }
    for metric in metrics(values) {
        let mut row = vec![metric.name().to_owned()];
        row.extend(values.iter().map(|value| cell(scenario, axis, value, metric, notes)));
        table.row(row);
    }
    table.render()
}

/// Rows are values, columns are figures.
fn long(scenario: &ScenarioSummary, axis: &Axis, values: &[&AxisValue], notes: &mut Notes) -> String {
    let mut table = Table::new(&[(Column::Left, axis.short.as_str())]);
    let metrics = metrics(values);
    for metric in &metrics {
        table.column(metric.name());
    }
    for value in values {
        let mut row = vec![code(&value.value)];
        row.extend(metrics.iter().map(|metric| cell(scenario, axis, value, *metric, notes)));
        table.row(row);
    }
    table.render()
}

/// The metrics that any value has or explains.
fn metrics(values: &[&AxisValue]) -> Vec<Metric> {
    let told = |metric: &Metric| {
        let mut figures = values.iter().flat_map(|v| &v.figures).filter(|f| f.metric == *metric);
        figures.any(|f| f.value.is_some() || f.why_blank.is_some())
    };
    Metric::ALL.into_iter().filter(told).collect()
}

fn cell(scenario: &ScenarioSummary, axis: &Axis, value: &AxisValue, metric: Metric, notes: &mut Notes) -> String {
    let Some(figure) = value.figures.iter().find(|f| f.metric == metric) else {
        return notes.blank(None);
    };
    let Some(number) = figure.value else {
        return notes.blank(figure.why_blank.as_deref());
    };
    let shown = show::metric(metric, number);
    let of_value = |c: &&Comparison| c.axis == axis.short && c.value == value.value;
    let ratio = scenario.comparisons.iter().find(of_value).and_then(|c| c.rows.iter().find(|r| r.metric == metric));
    ratio.map_or(shown.clone(), |ratio| format!("{shown}<br>{}", ratio_cell(ratio, notes)))
}

fn ratio_cell(ratio: &Ratio, notes: &mut Notes) -> String {
    let Some(value) = ratio.value else {
        return notes.blank(ratio.why_blank.as_deref());
    };
    let text = show::ratio_within(value, ratio.low, ratio.high);
    match (ratio.low, ratio.high) {
        (Some(low), Some(high)) if low > 1.0 || high < 1.0 => format!("**{text}**"),
        (None, _) | (_, None) => format!("{text}{}", ratio.why_blank.as_deref().map_or(String::new(), |why| notes.mark(why))),
        _ => text,
    }
}

/// The figures of a scenario without an axis, with their ranges.
pub(crate) fn single(scenario: &ScenarioSummary) -> String {
    let mut out = String::new();
    for case in &scenario.cases {
        let mut notes = Notes::default();
        let several = case.rounds_measured > 1;
        let mut table = Table::new(&[(Column::Left, ""), (Column::Right, if several { "median round" } else { "one round" })]);
        if several {
            table.column("range over rounds");
        }
        for (metric, figure, show) in figures(case) {
            let value = figure.value.map_or_else(|| notes.blank(figure.why_blank.as_deref()), show);
            table.row(vec![metric.name().to_owned(), sure::within(case, metric, value), show::range(figure, show)]);
        }
        let share = case.offered_share_of_capacity.map_or(String::new(), |s| format!(" ({} of capacity)", show::percent(s)));
        let load = match (case.offered_per_s.value, case.open_loop) {
            (Some(rate), _) => format!("Offered {}{share}", show_rate(rate)),
            (None, Some(false)) => "In a closed loop".to_owned(),
            _ => "Nothing was measured".to_owned(),
        };
        let rounds = match case.rounds_measured {
            0 | 1 => "one round, so there is no range".to_owned(),
            n => format!("{n} rounds: their median, and how far they spread"),
        };
        let sentence = format!("{load}; {rounds}.");
        out.push_str(&folded_if_long(1, &sentence, &(table.render() + &notes.render())));
    }
    out
}

type Row<'a> = (Metric, &'a Figure, fn(f64) -> String);

fn figures(case: &CaseSummary) -> Vec<Row<'_>> {
    let r = &case.response;
    let all: [Row<'_>; 9] = [
        (Metric::Capacity, &case.capacity_per_s, show_rate),
        (Metric::Goodput, &case.goodput_per_s, show_rate),
        (Metric::CpuPerRequest, &case.cpu_per_request_ns, show_ns),
        (Metric::P50, &r.p50_ns, show_ns),
        (Metric::P90, &r.p90_ns, show_ns),
        (Metric::P95, &r.p95_ns, show_ns),
        (Metric::P99, &r.p99_ns, show_ns),
        (Metric::P999, &r.p99_9_ns, show_ns),
        (Metric::Max, &r.max_ns, show_ns),
    ];
    all.into_iter().filter(|row| row.1.value.is_some() || row.1.why_blank.is_some()).collect()
}
