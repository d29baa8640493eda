//! How sure the percentiles are.

use analysis::summary::{CaseSummary, IntervalRow, Metric, ScenarioSummary};

use crate::doc::pool::{row_by_case, table_by_case};
use crate::doc::scenario::folded_if_long;
use crate::markdown::{BLANK, Column};
use crate::show::{self, count};

const FIGURES: [Metric; 6] = [Metric::P50, Metric::P90, Metric::P95, Metric::P99, Metric::P999, Metric::Goodput];

/// The 95 % intervals of each case's response percentiles and goodput; nothing where no case has one.
pub(crate) fn intervals(scenario: &ScenarioSummary) -> String {
    let mut columns: Vec<(Column, &str)> = FIGURES.map(|figure| (Column::Right, figure.name())).to_vec();
    columns.push((Column::Right, "over"));
    let mut table = table_by_case(scenario, &columns);
    let cases: Vec<&CaseSummary> = scenario.cases.iter().filter(|case| !case.intervals.is_empty()).collect();
    for case in &cases {
        let mut cells: Vec<String> = FIGURES.map(|figure| cell(case, figure)).to_vec();
        cells.push(over(&case.intervals));
        table.row(row_by_case(scenario, case, cells));
    }
    let sentence = "**How sure is it?** 95 % intervals of response percentiles and goodput: over rounds where there are three or more, else within the \
                    trial, with respect for how much its requests depend on each other (as many independent ones would say as much about the p50). \
                    Blank: too few requests beyond the percentile, or in too few clusters.";
    folded_if_long(cases.len(), sentence, &table.render())
}

fn cell(case: &CaseSummary, figure: Metric) -> String {
    let Some(row) = case.intervals.iter().find(|row| row.figure == figure.name()) else { return BLANK.to_owned() };
    format!("{} to {}", show::metric(figure, row.low), show::metric(figure, row.high))
}

/// A figure of the response with half the width of its interval beside it, `1.23 ms ±4 %`; without an interval as it is.
pub(crate) fn within(case: &CaseSummary, figure: Metric, value: String) -> String {
    match case.intervals.iter().find(|row| row.figure == figure.name()) {
        // Half of it on the logarithmic scale on which it was made.
        Some(row) if row.low > 0.0 => format!("{value} ±{}", show::percent((row.high / row.low).sqrt() - 1.0)),
        _ => value,
    }
}

fn over(rows: &[IntervalRow]) -> String {
    match rows.first() {
        Some(IntervalRow { effective: Some(effective), .. }) => format!("{} requests' worth", count(*effective as u64)),
        Some(row) => format!("{} rounds", row.rounds),
        None => BLANK.to_owned(),
    }
}
