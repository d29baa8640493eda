//! How requests ended and whether the answers were right.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use analysis::summary::{BytesSummary, CaseSummary, Check, ScenarioSummary};
use model::units::show_bytes;

use crate::doc::pool::{row_by_case, table_by_case};
use crate::doc::scenario::folded_if_long;
use crate::markdown::{BLANK, Column, code, escape};
use crate::show::{count, percent, plural};

/// Error texts listed under the outcomes.
const MOST_ERRORS: usize = 5;

/// Outcomes by kind; one sentence where all are `ok`.
pub(crate) fn outcomes(scenario: &ScenarioSummary) -> String {
    let mut kinds: Vec<&str> = Vec::new();
    for outcome in scenario.cases.iter().flat_map(|c| &c.outcomes).filter(|o| o.count > 0) {
        if !kinds.contains(&outcome.outcome.as_str()) {
            kinds.push(&outcome.outcome);
        }
    }
    let all: u64 = scenario.cases.iter().flat_map(|c| &c.outcomes).map(|o| o.count).fold(0, u64::saturating_add);
    if all == 0 {
        return String::new();
    }
    let late: u64 = scenario.cases.iter().map(|c| ok(c).saturating_sub(c.counts.ok_in_deadline)).fold(0, u64::saturating_add);
    if kinds == ["ok"] && late == 0 {
        return format!("**Outcomes**: all {} ended `ok` and in time.\n\n", plural(all, "request"));
    }
    let columns: Vec<(Column, &str)> = kinds.iter().map(|kind| (Column::Right, *kind)).collect();
    let mut table = table_by_case(scenario, &[columns.as_slice(), &[(Column::Right, "ok but late")]].concat());
    for case in scenario.cases.iter().filter(|c| !c.outcomes.is_empty()) {
        let cell = |kind: &&str| {
            let row = case.outcomes.iter().find(|o| o.outcome == **kind && o.count > 0);
            row.map_or("0".to_owned(), |o| format!("{} ({})", count(o.count), percent(o.share)))
        };
        let mut cells: Vec<String> = kinds.iter().map(cell).collect();
        cells.push(count(ok(case).saturating_sub(case.counts.ok_in_deadline)));
        table.row(row_by_case(scenario, case, cells));
    }
    let mut sentence = "**Outcomes**, summed over rounds; every request ends in exactly one way.".to_owned();
    let sum = |of: fn(&CaseSummary) -> u64| scenario.cases.iter().map(of).fold(0, u64::saturating_add);
    let (again, colder) = (sum(|c| c.counts.redispatched), sum(|c| c.counts.fallbacks));
    for (n, what) in [(again, "dispatched more than once"), (colder, "served by a colder tier than predicted")] {
        if n > 0 {
            let _ = write!(sentence, " {} {what}.", count(n));
        }
    }
    folded_if_long(table.len(), &sentence, &(table.render() + &errors(scenario)))
}

fn ok(case: &CaseSummary) -> u64 {
    case.outcomes.iter().find(|o| o.outcome == "ok").map_or(0, |o| o.count)
}

fn errors(scenario: &ScenarioSummary) -> String {
    let mut texts: BTreeMap<&str, u64> = BTreeMap::new();
    for error in scenario.cases.iter().flat_map(|c| &c.errors) {
        let sum = texts.entry(&error.text).or_default();
        *sum = sum.saturating_add(error.count);
    }
    let mut ranked: Vec<(&str, u64)> = texts.into_iter().collect();
    ranked.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    let lines: Vec<String> = ranked.iter().take(MOST_ERRORS).map(|(text, n)| format!("- {} × {}", count(*n), escape(text))).collect();
    if lines.is_empty() { String::new() } else { format!("The most frequent errors:\n\n{}\n\n", lines.join("\n")) }
}

/// Checks that had to hold: failed ones one by one, the rest as a sentence.
pub(crate) fn answers(scenario: &ScenarioSummary) -> String {
    let sum = |of: fn(&CaseSummary) -> u64| scenario.cases.iter().map(of).fold(0, u64::saturating_add);
    let (digests, bodies, wrong) = (sum(|c| c.answers.digests), sum(|c| c.answers.bodies), sum(|c| c.answers.wrong));
    let mut facts: Vec<String> = Vec::new();
    if digests + bodies > 0 {
        let wrong = if wrong == 0 { "0 wrong".to_owned() } else { format!("**{} wrong**", count(wrong)) };
        facts.push(format!("{} and {} compared, {wrong}", plural(digests, "digest"), plural(bodies, "whole response")));
    }
    let sessions = || scenario.cases.iter().filter_map(|c| c.sessions);
    let read = sessions().map(|s| s.read).fold(0, u64::saturating_add);
    if read > 0 {
        let acknowledged = sessions().map(|s| s.turns_acknowledged).fold(0, u64::saturating_add);
        let bad = sessions().map(|s| s.lost.saturating_add(s.corrupt)).fold(0, u64::saturating_add);
        let bad = if bad == 0 { "none lost".to_owned() } else { format!("**{} lost or corrupt**", count(bad)) };
        facts.push(format!("{} read back with {} acknowledged turns, {bad}", plural(read, "session"), count(acknowledged)));
    }
    let (held, broken): (Vec<_>, Vec<_>) =
        scenario.cases.iter().flat_map(|c| c.checks.iter().map(move |check| (c, check))).partition(|c| c.1.ok);
    if facts.is_empty() && held.is_empty() && broken.is_empty() {
        return String::new();
    }
    let checks: Vec<&Check> = held.iter().map(|c| c.1).collect();
    facts.push(format!("{} held{}", plural(held.len() as u64, "check"), listed(&checks)));
    let mut out = format!("**Right answers**: {}.\n\n", facts.join("; "));
    if !broken.is_empty() {
        let mut table = table_by_case(
            scenario,
            &[(Column::Left, "failed check"), (Column::Left, "must be"), (Column::Left, "worst trial"), (Column::Left, "asked for in")],
        );
        for (case, check) in broken {
            let place = if check.place.is_empty() { "always".to_owned() } else { code(&check.place) };
            table.row(row_by_case(scenario, case, vec![code(&check.figure), escape(&check.says), escape(&check.measured), place]));
        }
        let _ = write!(out, "These checks did **not** hold:\n\n{}", table.render());
    }
    out
}

/// The figures that were checked, each once.
fn listed(checks: &[&Check]) -> String {
    let mut names: Vec<String> = Vec::new();
    for check in checks {
        let name = format!("{} {}", code(&check.figure), escape(&check.says));
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) }
}

/// Sizes and compression ratio.
pub(crate) fn bytes(scenario: &ScenarioSummary) -> String {
    let mut table = table_by_case(
        scenario,
        &[
            (Column::Right, "compression ratio"),
            (Column::Right, "response before"),
            (Column::Right, "as sent"),
            (Column::Right, "session saved"),
        ],
    );
    let size = |bytes: Option<f64>| bytes.filter(|b| *b > 0.0).map_or(BLANK.to_owned(), show_bytes);
    let cells = |b: &BytesSummary| {
        let ratio = b.ratio.map_or(BLANK.to_owned(), |r| format!("{r:.2}"));
        [ratio, size(b.encoded_mean_bytes), size(b.sent_mean_bytes), size(b.saved_mean_bytes)]
    };
    let rows: Vec<(&CaseSummary, [String; 4])> = scenario.cases.iter().filter_map(|c| c.bytes.as_ref().map(|b| (c, cells(b)))).collect();
    if let Some((_, same)) = rows.first().filter(|first| rows.iter().all(|row| row.1 == first.1)) {
        let [ratio, before, sent, saved] = same;
        let saved = if saved == BLANK { String::new() } else { format!("; the session is saved as {saved}") };
        return format!("**Sizes**: the mean response has {before} and is sent as {sent}, compression ratio {ratio}{saved}.\n\n");
    }
    for (case, cells) in rows {
        table.row(row_by_case(scenario, case, cells.to_vec()));
    }
    let sentence = "**Sizes**: mean per `ok` request; the ratio is bytes before compression by bytes sent, more is better.";
    folded_if_long(table.len(), sentence, &table.render())
}
