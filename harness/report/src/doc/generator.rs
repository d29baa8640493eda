//! The generator and the host during the windows: whether the load was what was asked for.

use analysis::summary::{CaseSummary, ScenarioSummary};
use model::units::{show_bytes, show_ns};

use crate::doc::pool::{row_by_case, table_by_case};
use crate::doc::scenario::folded_if_long;
use crate::markdown::{BLANK, Column, Notes, code};
use crate::show::{self, percent, percent_or_blank};

/// One row per case, and the settings as SQLite or the system report them.
pub(crate) fn table(scenario: &ScenarioSummary) -> String {
    let mut notes = Notes::default();
    let mut table = table_by_case(
        scenario,
        &[
            (Column::Right, "sent"),
            (Column::Right, "lag p50"),
            (Column::Right, "lag p99"),
            (Column::Right, "lag max"),
            (Column::Right, "last reply at"),
            (Column::Right, "CPU pressure"),
            (Column::Right, "steal"),
            (Column::Right, "memory"),
        ],
    );
    for case in scenario.cases.iter().filter(|c| c.rounds_measured > 0) {
        table.row(row_by_case(scenario, case, cells(case, &mut notes)));
    }
    let mut classes: Vec<&str> = Vec::new();
    for case in scenario.cases.iter().filter(|c| c.pacer.is_some()) {
        if !classes.contains(&case.timing_class.as_str()) {
            classes.push(&case.timing_class);
        }
    }
    let class = if classes.is_empty() { String::new() } else { format!(" (timing class {})", code(&classes.join(", "))) };
    let sentence = format!(
        "**Generator and host**{class}: requests handed over (*sent*) and how late (*lag*); a *last reply* far beyond 100 % of the window is \
         a backlog."
    );
    folded_if_long(table.len(), &sentence, &(table.render() + &notes.render())) + &seen(scenario)
}

fn cells(case: &CaseSummary, notes: &mut Notes) -> Vec<String> {
    let mut cells = Vec::new();
    match &case.pacer {
        Some(p) => cells.extend([
            percent_or_blank(p.sent_share),
            show::time(&p.lag_p50_ns, notes),
            show::time(&p.lag_p99_ns, notes),
            show::time(&p.lag_max_ns, notes),
            percent_or_blank(p.until_last_share),
        ]),
        None => {
            cells.push("closed loop".to_owned());
            cells.extend(std::iter::repeat_n(BLANK.to_owned(), 4));
        }
    }
    let throttled =
        if case.host.throttled_ns == 0 { String::new() } else { format!(", throttled {}", show_ns(case.host.throttled_ns as f64)) };
    cells.push(format!("{}{throttled}", percent(case.host.cpu_pressure_share)));
    cells.push(percent(case.host.steal_share));
    cells.push(show_bytes(case.memory_peak_bytes as f64));
    cells
}

/// Settings as they took effect: what all cases share, then what differs.
fn seen(scenario: &ScenarioSummary) -> String {
    let mut keys: Vec<&str> = Vec::new();
    for key in scenario.cases.iter().flat_map(|c| c.seen.keys()) {
        if !keys.contains(&key.as_str()) {
            keys.push(key);
        }
    }
    let said = |key: &str| -> String {
        let mut values: Vec<&str> = Vec::new();
        for value in scenario.cases.iter().filter_map(|c| c.seen.get(key)) {
            if !values.contains(&value.as_str()) {
                values.push(value);
            }
        }
        code(&format!("{key} = {}", values.join(" or ")))
    };
    let all: Vec<String> = keys.iter().map(|key| said(key)).collect();
    if all.is_empty() { String::new() } else { format!("As seen at run time: {}.\n\n", all.join(", ")) }
}
