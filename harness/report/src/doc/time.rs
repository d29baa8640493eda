//! Where the time went, and the measured latency beside a queueing recursion.

use analysis::summary::{Band, ResidualSummary, ScenarioSummary};

use crate::doc::pool::{case_code, row_by_case, share_with_bar, table_by_case};
use crate::doc::scenario::{folded_if_long, of_case};
use crate::markdown::{Column, Table, escape};
use crate::show::{count, ns_or_blank, percent, percent_or_blank};

/// Phases with less than this share of both bands are one row.
const SMALL: f64 = 0.01;
const UNEXPLAINED: &str = "unexplained";

/// Phases of the first case that has them; the picture shows the others.
pub(crate) fn bands(scenario: &ScenarioSummary) -> String {
    let Some(case) = scenario.cases.iter().find(|c| c.bands.iter().any(|b| !b.parts.is_empty())) else {
        return String::new();
    };
    let bands = ["p50", "p99"].map(|name| case.bands.iter().find(|b| b.band == name));
    let mut table = Table::new(&[
        (Column::Left, "phase"),
        (Column::Right, "at p50"),
        (Column::Left, "share"),
        (Column::Right, "at p99"),
        (Column::Left, "share"),
    ]);
    let (small, large): (Vec<&str>, Vec<&str>) =
        phases(bands).into_iter().partition(|name| *name != UNEXPLAINED && bands.iter().all(|band| sum(*band, &[name]).1 < SMALL));
    for name in &large {
        table.row(phase_row(escape(name), bands, &[name]));
    }
    if !small.is_empty() {
        table.row(phase_row(escape(&small.join(", ")), bands, &small));
    }
    let [p50, p99] = bands.map(|band| format!("**{}**", ns_or_blank(band.and_then(|b| b.response_ns))));
    table.row(vec!["**response**".to_owned(), p50, String::new(), p99, String::new()]);
    let unexplained = case.unexplained_share.map_or(String::new(), |s| format!(" In no phase: {} of all response time.", percent(s)));
    let sentence = format!(
        "**Time by phase**{}: means of the requests around p50, and of those at or beyond p99.{unexplained}",
        of_case(scenario, case)
    );
    folded_if_long(1, &sentence, &table.render())
}

/// Phases of both bands in the order of a request's life.
fn phases(bands: [Option<&Band>; 2]) -> Vec<&str> {
    let mut out: Vec<&str> = Vec::new();
    for part in bands.into_iter().flatten().flat_map(|b| &b.parts) {
        if !out.contains(&part.phase.as_str()) {
            out.push(&part.phase);
        }
    }
    out
}

/// Mean ns and share of some phases of a band together.
fn sum(band: Option<&Band>, names: &[&str]) -> (f64, f64) {
    let parts = band.into_iter().flat_map(|b| &b.parts).filter(|p| names.contains(&p.phase.as_str()));
    parts.fold((0.0, 0.0), |(ns, share), part| (ns + part.mean_ns, share + part.share.unwrap_or(0.0)))
}

fn phase_row(name: String, bands: [Option<&Band>; 2], names: &[&str]) -> Vec<String> {
    let mut cells = vec![name];
    for band in bands {
        let (ns, share) = sum(band, names);
        cells.push(ns_or_blank(band.map(|_| ns)));
        cells.push(share_with_bar(band.map(|_| share)));
    }
    cells
}

/// The phases that the scenario guards (`phase.persist.p50`), case by case: what the table of one case cannot show.
pub(crate) fn guarded(scenario: &ScenarioSummary) -> String {
    let guards: Vec<(&str, &str, &str)> = scenario.guards.iter().filter_map(|guard| phase_guard(guard)).collect();
    let columns: Vec<(Column, &str)> = guards.iter().map(|guard| (Column::Right, guard.0)).collect();
    if columns.is_empty() {
        return String::new();
    }
    let mut table = table_by_case(scenario, &columns);
    for case in scenario.cases.iter().filter(|c| !c.phases.is_empty()) {
        let cell = |(_, phase, percentile): &(&str, &str, &str)| {
            let row = case.phases.iter().find(|p| p.phase == *phase);
            ns_or_blank(row.and_then(|p| if *percentile == "p50" { p.p50_ns } else { p.p99_ns }))
        };
        table.row(row_by_case(scenario, case, guards.iter().map(cell).collect()));
    }
    let sentence = "**Guarded phases**: percentile of the time in that phase alone, all rounds merged.";
    folded_if_long(table.len(), sentence, &table.render())
}

/// `(the guard without its prefix, phase, percentile)` of `phase.NAME.p50` or `phase.NAME.p99`.
fn phase_guard(guard: &str) -> Option<(&str, &str, &str)> {
    let rest = guard.strip_prefix("phase.")?;
    let (phase, percentile) = rest.rsplit_once('.')?;
    ["p50", "p99"].contains(&percentile).then_some((rest, phase, percentile))
}

/// Measured percentiles beside a Lindley recursion over the very same arrivals and slot-hold times.
pub(crate) fn twin(scenario: &ScenarioSummary) -> String {
    let mut out = String::new();
    for case in &scenario.cases {
        let Some(twin) = &case.twin else { continue };
        let mut table = Table::new(&[
            (Column::Left, ""),
            (Column::Right, "measured"),
            (Column::Right, "recursion"),
            (Column::Right, "error"),
            (Column::Right, "a stamp at dispatch would say"),
        ]);
        for row in &twin.rows {
            let cells = [Some(row.measured_ns), Some(row.lindley_ns)].map(ns_or_blank);
            let [measured, lindley] = cells;
            let error = row.error_share.map_or_else(|| percent_or_blank(None), signed_percent);
            table.row(vec![escape(&row.percentile), measured, lindley, error, ns_or_blank(Some(row.dispatch_stamp_ns))]);
        }
        let sentence = format!(
            "**Is the latency right?** For {}, response over {} requests beside a queueing ({}) recursion over the recorded arrivals and \
             slot-hold times; the last column is what a tool that stamps at dispatch would have reported.{}",
            case_code(scenario, case),
            count(twin.requests),
            twin.slots.map_or_else(|| "Lindley".to_owned(), |slots| format!("Kiefer-Wolfowitz, {slots} slots")),
            twin.residual.map_or_else(String::new, apart)
        );
        out.push_str(&folded_if_long(1, &sentence, &table.render()));
    }
    out
}

/// How far single requests are from the recursion.
fn apart(residual: ResidualSummary) -> String {
    let [half, most] = [residual.p50_ns, residual.p99_ns].map(|ns| ns_or_blank(Some(ns)));
    format!(" Request by request, half are within {half} of their own latency in the recursion and 99 % within {most}.")
}

fn signed_percent(share: f64) -> String {
    if share < 0.0 { format!("-{}", percent(-share)) } else { format!("+{}", percent(share)) }
}
