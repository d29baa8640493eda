//! The generator and the host during the windows: whether the load was what was asked for.

use analysis::Summary;
use analysis::summary::{CaseSummary, ScenarioSummary};
use model::units::{show_bytes, show_ns};

use crate::doc::overview::axes;
use crate::doc::scenario::{folded_if_long, image};
use crate::markdown::{BLANK, Column, Notes, Table, code, details, escape};
use crate::show::{self, percent, percent_or_blank};

/// One row per case of the whole run, folded away where it is long.
pub(crate) fn table(summary: &Summary) -> String {
    let mut notes = Notes::default();
    let ceiling = summary.facts.generator_per_s.map(f64::from);
    let mut columns = vec![(Column::Left, "scenario"), (Column::Left, "case"), (Column::Left, "class")];
    if ceiling.is_some() {
        columns.push((Column::Right, "of ceiling"));
    }
    let rest = ["sent", "lag p50", "lag p99", "lag max", "last reply at", "CPU pressure", "steal", "memory"];
    columns.extend(rest.map(|name| (Column::Right, name)));
    let mut table = Table::new(&columns);
    for scenario in &summary.scenarios {
        for (index, case) in scenario.cases.iter().filter(|c| c.rounds_measured > 0).enumerate() {
            let mut row = vec![if index == 0 { escape(&scenario.name) } else { String::new() }, escape(&axes(case))];
            row.extend(cells(case, ceiling, &mut notes));
            table.row(row);
        }
    }
    if table.len() == 0 {
        return String::new();
    }
    let of_ceiling =
        if ceiling.is_some() { "The rate as a share of what the generator can send on this host (*of ceiling*). " } else { "" };
    let sentence = format!(
        "Was the load what was asked for? {of_ceiling}The share of the planned requests handed over (*sent*), how late (*lag*), when the *last \
         reply* came as a share of the window (far beyond 100 % is a backlog), what the host did meanwhile. Lags are medians over rounds, the rest \
         is the worst round."
    );
    format!("## Generator and host\n\n{}", folded_if_long(table.len(), &sentence, &(table.render() + &notes.render())))
}

fn cells(case: &CaseSummary, ceiling: Option<f64>, notes: &mut Notes) -> Vec<String> {
    let mut cells = vec![escape(&case.timing_class)];
    if let Some(ceiling) = ceiling {
        cells.push(case.offered_per_s.value.map_or_else(|| BLANK.to_owned(), |per_s| percent(per_s / ceiling)));
    }
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

/// How late the pacing thread was over the window, and the CPU that it took; nothing where no record tells.
pub(crate) fn lag(scenario: &ScenarioSummary, picture: Option<&str>) -> String {
    let Some(picture) = picture else { return String::new() };
    let cpu = scenario.cases.iter().filter_map(|case| case.pacer.as_ref()?.cpu_share).fold(0.0, f64::max);
    let stood_in = scenario.cases.iter().filter_map(|case| Some(case.pacer.as_ref()?.stood_in)).fold(0u64, u64::saturating_add);
    let kept = match stood_in {
        0 => String::new(),
        sent => format!("; the host kept it from running, and its stand-in sent {sent} requests"),
    };
    let says = format!("Lag over time: the generator took {} of a CPU at most{kept}", percent(cpu));
    details(&says, &image(Some(picture), &format!("Lag over time of {}", scenario.name)))
}

/// Settings of a scenario as SQLite or the system report them: each key with all its values.
pub(crate) fn seen(scenario: &ScenarioSummary) -> String {
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
