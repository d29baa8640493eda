//! The short table that a run prints when it ends: plain text, at most about 120 columns.

use analysis::Summary;
use analysis::summary::{CaseSummary, Figure, Grade};
use model::units::{show_ns, show_rate};

use crate::show::{percent, plural};

/// Widest case id; a longer one is cut in its middle.
const WIDEST: usize = 60;
const GAP: &str = "  ";

/// The table: headline, one line per case, failures last so that they stay in sight. Ends with a line break.
pub fn terminal(summary: &Summary) -> String {
    let head = ["case", "offered", "goodput", "ok", "p50", "p90", "p99", "mark"].map(str::to_owned);
    let mut rows = vec![head.to_vec()];
    rows.extend(summary.scenarios.iter().flat_map(|s| &s.cases).map(row));
    let widths: Vec<usize> = (0..head.len()).map(|i| rows.iter().map(|r| r[i].chars().count()).max().unwrap_or(0)).collect();
    let mut out = String::new();
    for headline in &summary.headlines {
        out.push_str(&format!("{}\n", plain(&headline.text)));
    }
    out.push('\n');
    for row in &rows {
        let cells = row.iter().enumerate().map(|(i, cell)| {
            let left = i == 0 || i + 1 == row.len();
            if left { format!("{cell:<width$}", width = widths[i]) } else { format!("{cell:>width$}", width = widths[i]) }
        });
        out.push_str(cells.collect::<Vec<_>>().join(GAP).trim_end());
        out.push('\n');
    }
    if !summary.failures.is_empty() {
        out.push_str(&format!("\n{}:\n", plural(summary.failures.len() as u64, "failure")));
    }
    for failure in &summary.failures {
        out.push_str(&format!("  {}: {}\n", plain(&failure.case), plain(&failure.why)));
    }
    out
}

fn row(case: &CaseSummary) -> Vec<String> {
    let figure = |f: &Figure, show: fn(f64) -> String| f.value.map_or("-".to_owned(), show);
    let offered = if case.open_loop == Some(false) { "closed".to_owned() } else { figure(&case.offered_per_s, show_rate) };
    let ok = case.outcomes.iter().find(|o| o.outcome == "ok").map_or("-".to_owned(), |o| percent(o.share));
    vec![
        shortened(&plain(&case.id)),
        offered,
        figure(&case.goodput_per_s, show_rate),
        ok,
        figure(&case.response.p50_ns, show_ns),
        figure(&case.response.p90_ns, show_ns),
        figure(&case.response.p99_ns, show_ns),
        mark(case),
    ]
}

fn mark(case: &CaseSummary) -> String {
    if case.rounds_failed > 0 || case.checks.iter().any(|c| !c.ok) {
        return "FAILED".to_owned();
    }
    match case.brands.iter().map(|b| b.grade).max() {
        Some(Grade::Invalid) => "INVALID".to_owned(),
        Some(Grade::Degraded) => "degraded".to_owned(),
        Some(Grade::Note) => "note".to_owned(),
        None => String::new(),
    }
}

/// Control characters of a text from outside never reach the terminal.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn shortened(id: &str) -> String {
    let chars: Vec<char> = id.chars().collect();
    if chars.len() <= WIDEST {
        return id.to_owned();
    }
    let half = WIDEST / 2;
    let (head, tail): (String, String) = (chars[..half - 1].iter().collect(), chars[chars.len() - half..].iter().collect());
    format!("{head}…{tail}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_id_keeps_both_ends() {
        let id = format!("sqlite/session-writes?{}=last", "x".repeat(90));
        let short = shortened(&id);
        assert!(short.chars().count() <= WIDEST && short.starts_with("sqlite/") && short.ends_with("=last"));
    }

    #[test]
    fn no_escape_sequence_reaches_the_terminal() {
        assert_eq!(plain("a\u{1b}[31mb"), "a [31mb");
    }
}
