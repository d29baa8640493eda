//! The ledger: every claim with its verdicts, as Markdown and for a terminal.

use analysis::Summary;
use analysis::summary::{ClaimPair, ClaimSummary, ClaimVerdict};

use crate::doc::scenario::folded_if_long;
use crate::markdown::{BLANK, Column, Table, code, escape};
use crate::show;

const HOW: &str = "Each claim is judged once per pair of cases that agree in all axes it does not name. A **gain** is how many times better the first is, with its \
                   99 % interval over rounds, widened by the **repeat spread**: how far the same thing, measured twice, was from itself. `holds`: the whole interval \
                   is what was claimed; `refuted`: none of it is; `inconclusive`: it holds the number; `refused`: the pair must not be compared. \
                   Where nothing was measured twice beside a pair, it says so: the interval is then that of the rounds alone, and too narrow if two processes differ.";

/// The section of the report; nothing where no scenario claims anything.
pub(crate) fn section(summary: &Summary) -> String {
    let claims: Vec<(&str, &ClaimSummary)> = summary.scenarios.iter().flat_map(|s| s.claims.iter().map(|c| (s.name.as_str(), c))).collect();
    if claims.is_empty() {
        return String::new();
    }
    let mut out = format!("## Claims\n\n{HOW}\n\n");
    for (scenario, claim) in claims {
        out.push_str(&format!("**{}** ({}, {})\n\n", escape(&claim.says), escape(scenario), escape(&asked(claim))));
        let sentence = format!("{}.", counted(claim));
        out.push_str(&if claim.pairs.is_empty() {
            "The run has no pair of cases for it.\n\n".to_owned()
        } else {
            folded_if_long(claim.pairs.len(), &sentence, &table(claim))
        });
    }
    out
}

/// `cpu-per-request, gain at least 1.3×, only at equal durability`.
fn asked(claim: &ClaimSummary) -> String {
    let bound = match (claim.at_least, claim.at_most) {
        (Some(least), Some(most)) => format!("gain {} to {}", show::ratio(least), show::ratio(most)),
        (Some(least), None) => format!("gain at least {}", show::ratio(least)),
        (None, most) => format!("gain at most {}", show::ratio(most.unwrap_or(1.0))),
    };
    let rule = if claim.equal_durability { ", only at equal or better durability" } else { "" };
    format!("{}, {bound}{rule}", claim.metric)
}

/// `2 hold, 1 refuted`.
fn counted(claim: &ClaimSummary) -> String {
    let all = [
        (ClaimVerdict::Holds, "hold"),
        (ClaimVerdict::Refuted, "refuted"),
        (ClaimVerdict::Inconclusive, "inconclusive"),
        (ClaimVerdict::Refused, "refused"),
    ];
    let count = |verdict| claim.pairs.iter().filter(|p| p.verdict == verdict).count();
    let said: Vec<String> =
        all.into_iter().map(|(v, word)| (count(v), word)).filter(|(n, _)| *n > 0).map(|(n, w)| format!("{n} {w}")).collect();
    if said.is_empty() {
        return "no pair in this run".to_owned();
    }
    let floorless = claim.pairs.iter().filter(|p| without_repeat(p)).count();
    let floor = if floorless > 0 { format!("; {floorless} without a repeat") } else { String::new() };
    said.join(", ") + &floor
}

/// Whether a pair was judged by its rounds alone, since nothing was measured twice beside it.
fn without_repeat(pair: &ClaimPair) -> bool {
    pair.verdict != ClaimVerdict::Refused && pair.repeat_spread.is_none()
}

/// How far the same thing was from itself, or `none` of a pair that was judged without knowing; nothing of one that was not judged.
fn spread(pair: &ClaimPair) -> Option<String> {
    pair.repeat_spread.map(show::ratio).or_else(|| without_repeat(pair).then(|| "none".to_owned()))
}

fn gain(pair: &ClaimPair) -> String {
    pair.gain.map_or(BLANK.to_owned(), |gain| show::ratio_within(gain, pair.low, pair.high))
}

/// What stands beside a verdict: classes, reasons.
fn beside(pair: &ClaimPair) -> String {
    let classes = pair.durability.iter().map(|(a, b)| format!("{a} against {b}"));
    let why = Some(pair.why.clone()).filter(|why| !why.is_empty());
    classes.chain(pair.beside.iter().cloned()).chain(why).collect::<Vec<_>>().join("; ")
}

fn table(claim: &ClaimSummary) -> String {
    let mut table = Table::new(&[
        (Column::Left, "at"),
        (Column::Left, "of"),
        (Column::Left, "over"),
        (Column::Right, "gain"),
        (Column::Right, "repeat spread"),
        (Column::Left, "verdict"),
        (Column::Left, "beside it"),
    ]);
    for pair in &claim.pairs {
        table.row(vec![
            code(&pair.matched),
            code(&pair.of_name),
            code(&pair.over_name),
            gain(pair),
            spread(pair).unwrap_or_else(|| BLANK.to_owned()),
            if pair.verdict == ClaimVerdict::Holds { "**holds**".to_owned() } else { pair.verdict.name().to_owned() },
            escape(&beside(pair)),
        ]);
    }
    table.render()
}

/// The ledger for a terminal: a claim, then a line per pair. Ends with a line break.
pub fn ledger(summary: &Summary) -> String {
    let mut out = String::new();
    for (scenario, claim) in summary.scenarios.iter().flat_map(|s| s.claims.iter().map(move |c| (s, c))) {
        out.push_str(&format!("{}: {}\n  {} ({})\n", plain(&claim.place), plain(&claim.says), plain(&asked(claim)), counted(claim)));
        let rows: Vec<[String; 6]> = claim.pairs.iter().map(row).collect();
        let width = |at: usize| rows.iter().filter_map(|r| r.get(at)).map(|cell| cell.chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..6).map(width).collect();
        for row in &rows {
            let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
            out.push_str(&format!("  {}\n", cells.join("  ").trim_end()));
        }
        if claim.pairs.is_empty() {
            out.push_str(&format!("  the run has no pair of cases of {} for it\n", plain(&scenario.name)));
        }
        out.push('\n');
    }
    if out.is_empty() { "no scenario of this run claims anything\n".to_owned() } else { out }
}

fn row(pair: &ClaimPair) -> [String; 6] {
    let spread = spread(pair).map_or(String::new(), |spread| format!("repeat {spread}"));
    let sides = format!("{} over {}", pair.of_name, pair.over_name);
    [pair.verdict.name().to_owned(), plain(&pair.matched), plain(&sides), gain(pair), spread, plain(&beside(pair))]
}

/// The ledger as JSON: the claims of `report.json`, by scenario.
///
/// # Errors
/// Where a figure is no number.
pub fn ledger_json(summary: &Summary) -> Result<String, serde_json::Error> {
    let claims: Vec<serde_json::Value> = summary
        .scenarios
        .iter()
        .flat_map(|s| s.claims.iter().map(|claim| serde_json::json!({ "scenario": s.name, "claim": claim })))
        .collect();
    let whole = serde_json::json!({ "schema": summary.schema, "claims": claims });
    serde_json::to_string_pretty(&whole).map(|text| text + "\n")
}

/// Control characters of a text from outside never reach the terminal.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
