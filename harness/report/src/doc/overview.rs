//! One table of all cases.

use analysis::Summary;
use analysis::summary::{CaseSummary, Grade, Metric, ScenarioSummary};

use crate::doc::sure;
use crate::markdown::{Column, Notes, Table, anchor, escape};
use crate::show;

/// The table with the sentence that says how to read it.
pub(crate) fn table(summary: &Summary) -> String {
    let mut notes = Notes::default();
    let mut table = Table::new(&[
        (Column::Left, "scenario"),
        (Column::Left, "case"),
        (Column::Right, "offered"),
        (Column::Right, "goodput"),
        (Column::Right, "ok"),
        (Column::Right, "p50"),
        (Column::Right, "p90"),
        (Column::Right, "p99"),
        (Column::Right, "CPU/request"),
        (Column::Left, "mark"),
    ]);
    for scenario in &summary.scenarios {
        for (index, case) in scenario.cases.iter().enumerate() {
            table.row(row(scenario, case, index == 0, &mut notes));
        }
    }
    format!(
        "## All cases\n\nOne row per case: requests offered and answered in time per second, the share that ended `ok`, response latency, CPU \
         time per request; ± is half of the 95 % interval, where there is one; the mark is the worst brand, or what failed.\n\n{}{}",
        table.render(),
        notes.render()
    )
}

fn row(scenario: &ScenarioSummary, case: &CaseSummary, first: bool, notes: &mut Notes) -> Vec<String> {
    let name = if first { format!("[{}](#{})", escape(&scenario.name), anchor(&scenario.name)) } else { String::new() };
    vec![
        name,
        escape(&axes(case)),
        offered(case),
        sure::within(case, Metric::Goodput, show::rate(&case.goodput_per_s, notes)),
        show::percent_or_blank(case.outcomes.iter().find(|o| o.outcome == "ok").map(|o| o.share)),
        sure::within(case, Metric::P50, show::time(&case.response.p50_ns, notes)),
        sure::within(case, Metric::P90, show::time(&case.response.p90_ns, notes)),
        sure::within(case, Metric::P99, show::time(&case.response.p99_ns, notes)),
        show::time(&case.cpu_per_request_ns, notes),
        mark(case),
    ]
}

/// The case's axes as `key=value`, or nothing.
pub(crate) fn axes(case: &CaseSummary) -> String {
    case.axes.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(", ")
}

fn offered(case: &CaseSummary) -> String {
    match (case.offered_per_s.value, case.open_loop) {
        (Some(rate), _) => model::units::show_rate(rate),
        (None, Some(false)) => "closed loop".to_owned(),
        _ => crate::markdown::BLANK.to_owned(),
    }
}

/// What a reader must know before quoting the row.
fn mark(case: &CaseSummary) -> String {
    let wrong = case.checks.iter().filter(|c| !c.ok).count();
    let mut out: Vec<String> = Vec::new();
    if case.rounds_failed > 0 {
        out.push(format!("**{} of {} rounds failed**", case.rounds_failed, case.rounds_planned));
    }
    if wrong > 0 {
        out.push(format!("**{} failed**", show::plural(wrong as u64, "check")));
    }
    match case.brands.iter().map(|b| b.grade).max() {
        Some(Grade::Invalid) => out.push("**invalid**".to_owned()),
        Some(Grade::Degraded) => out.push("degraded".to_owned()),
        Some(Grade::Note) => out.push("note".to_owned()),
        None => {}
    }
    out.join(", ")
}
