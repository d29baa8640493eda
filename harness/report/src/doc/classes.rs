//! Variants by cost class: one table per combination of the other axes.

use analysis::summary::{ClassCell, ClassTable, Interval, ScenarioSummary};
use model::units::show_ns;

use crate::markdown::{Column, Notes, Table, code};
use crate::show;

/// The tables with the sentence that says how to read them.
pub(crate) fn tables(scenario: &ScenarioSummary) -> String {
    let Some(first) = scenario.classes.first().and_then(|table| table.rows.first()) else { return String::new() };
    let mut out = format!(
        "### By cost class\n\nA request's cost class is the tier of its planned cost, whatever was predicted and whoever served it: each column is of \
         the same requests. Response time, median over rounds and its 95 % interval; below it the ratio to {} over the same rounds, **bold** where \
         the interval excludes 1.\n\n",
        code(&first.variant)
    );
    let mut notes = Notes::default();
    for table in &scenario.classes {
        out.push_str(&one(table, &mut notes));
    }
    out + &notes.render()
}

fn one(table: &ClassTable, notes: &mut Notes) -> String {
    let at: Vec<String> = table.at.iter().map(|(key, value)| code(&format!("{key}={value}"))).collect();
    let heading = if at.is_empty() { String::new() } else { format!("At {}:\n\n", at.join(", ")) };
    let mut shown = Table::new(&[(Column::Left, "variant")]);
    table.rows.iter().take(1).flat_map(|row| &row.cells).for_each(|cell| shown.column(&cell.figure));
    for row in &table.rows {
        let mut cells = vec![code(&row.variant)];
        cells.extend(row.cells.iter().map(|c| cell(c, notes)));
        shown.row(cells);
    }
    heading + &shown.render()
}

fn cell(cell: &ClassCell, notes: &mut Notes) -> String {
    let Some(ns) = cell.ns.value else { return notes.blank(cell.ns.why_blank.as_deref()) };
    let figure = within(&cell.ns, ns);
    match &cell.ratio {
        Some(ratio) if ratio.value.is_some() => format!("{figure}<br>{}", ratio_within(ratio)),
        _ => figure,
    }
}

/// `84.1 ms [83.0, 85.2]`, the ends in the value's unit.
pub(crate) fn within(interval: &Interval, ns: f64) -> String {
    let text = show_ns(ns);
    let (Some(low), Some(high)) = (interval.low, interval.high) else { return text };
    let Some((_, unit)) = text.rsplit_once(' ') else { return text };
    let scale = match unit {
        "s" => 1e9,
        "ms" => 1e6,
        "us" => 1e3,
        _ => 1.0,
    };
    let digits = |ns: f64| {
        let value = ns / scale;
        if value >= 99.95 { format!("{value:.0}") } else { format!("{value:.1}") }
    };
    format!("{text} [{}, {}]", digits(low), digits(high))
}

/// A ratio with its interval, bold where that excludes 1.
pub(crate) fn ratio_within(ratio: &Interval) -> String {
    let Some(value) = ratio.value else { return String::new() };
    let text = show::ratio_within(value, ratio.low, ratio.high);
    match (ratio.low, ratio.high) {
        (Some(low), Some(high)) if low > 1.0 || high < 1.0 => format!("**{text}**"),
        _ => text,
    }
}
