//! Two runs compared, as Markdown.

use std::fmt::Write as _;

use analysis::summary::{Across, AcrossRow, Interval, MatchedCase, RunFacts};
use model::facts::Facts;
use model::units::{show_ns, show_rate};

use crate::doc::{ratio_within, within};
use crate::markdown::{BLANK, Column, Notes, Table, code, escape};
use crate::parts;
use crate::show::plural;

/// Phases with less than this share of both means are not listed.
const SMALL: f64 = 0.001;
/// Ids listed one by one.
const MOST_LISTED: usize = 10;

/// The comparison as a document.
pub fn comparison(found: &Across) -> String {
    let mut out = String::from("# poolbench: two runs compared\n\n");
    out.push_str(&headline(found));
    out.push_str(&facts(found));
    out.push_str(
        "Values are medians over rounds with the 95 % interval over rounds. The ratio is B by A: round by round where both had the very same \
         requests, else of independent rounds; **bold** where its interval excludes 1. *agree* says whether the intervals of A and B overlap.\n\n",
    );
    found.cases.iter().for_each(|case| out.push_str(&one(case)));
    out.push_str(&rest(found));
    out
}

/// How many figures agree, and the largest difference among those that do not.
fn headline(found: &Across) -> String {
    let rows = || found.cases.iter().flat_map(|case| case.rows.iter().map(move |row| (case, row)));
    let judged = rows().filter(|(_, row)| row.agree.is_some()).count();
    let agreeing = rows().filter(|(_, row)| row.agree == Some(true)).count();
    let mut out = format!(
        "- {} in both runs: {agreeing} of {} agree within their intervals.\n",
        plural(found.cases.len() as u64, "case"),
        plural(judged as u64, "figure")
    );
    let apart = |row: &AcrossRow| row.ratio.value.map_or(0.0, |ratio| ratio.ln().abs());
    let worst = rows().filter(|(_, row)| row.agree == Some(false)).max_by(|a, b| apart(a.1).total_cmp(&apart(b.1)));
    if let Some((case, row)) = worst {
        let _ = writeln!(out, "- Farthest apart: {} of {}, B has {} of A's.", row.figure, code(&case.id), ratio_within(&row.ratio));
    }
    let differ = rows().filter(|(_, row)| !row.is_rate && row.figure == "mean").filter_map(|(_, row)| row.ratio.value);
    let differ: Vec<f64> = differ.collect();
    if let (Some(low), Some(high)) = (differ.iter().copied().reduce(f64::min), differ.iter().copied().reduce(f64::max)) {
        let _ = writeln!(out, "- The mean response of B is {low:.3} to {high:.3} times that of A.");
    }
    out + "\n"
}

fn facts(found: &Across) -> String {
    let mut table = Table::new(&[(Column::Left, ""), (Column::Left, "A"), (Column::Left, "B")]);
    let mut row = |name: &str, of: &dyn Fn(&RunFacts) -> String| table.row(vec![name.to_owned(), of(&found.a), of(&found.b)]);
    row("Time", &|run| if run.virtual_time { "virtual: simulated".to_owned() } else { "live".to_owned() });
    row("Timing class", &|run| code(&run.timing_class));
    let said = |run: &RunFacts, of: &dyn Fn(&Facts, u64) -> String| parts::said(&run.facts, run.seed, of);
    row("Began", &|run| said(run, &|facts, _| escape(&facts.started)));
    row("Build", &|run| {
        let dirty = if run.facts.dirty { ", **with uncommitted changes**" } else { "" };
        format!("{}{dirty}, {}", escape(&run.facts.commit), escape(&run.facts.profile))
    });
    let host = |f: &Facts, _| format!("{}, {}, {}", escape(&f.cpu), plural(u64::from(f.cpus), "CPU"), escape(&f.kernel));
    row("Host", &|run| said(run, &host));
    row("Seed", &|run| said(run, &|_, seed| seed.to_string()));
    table.render()
}

fn one(case: &MatchedCase) -> String {
    let mut out = format!("## {}\n\n", code(&case.id));
    let (a, b) = case.rounds;
    let how = if case.paired > 0 {
        format!("{} with the same requests in both", plural(case.paired.into(), "round"))
    } else {
        "independent rounds: the requests were not the same (another seed, length or warm-up)".to_owned()
    };
    let _ = writeln!(out, "A has {}, B {}; {how}.\n", plural(a.into(), "round"), plural(b.into(), "round"));
    let mut notes = Notes::default();
    let columns = [(Column::Left, ""), (Column::Right, "A"), (Column::Right, "B"), (Column::Right, "B by A"), (Column::Left, "agree")];
    let mut table = Table::new(&columns);
    for row in &case.rows {
        let agree = match row.agree {
            Some(true) => "yes".to_owned(),
            Some(false) => "**no**".to_owned(),
            None => BLANK.to_owned(),
        };
        let side = |interval: &Interval, notes: &mut Notes| shown(interval, row.is_rate, notes);
        table.row(vec![row.figure.clone(), side(&row.a, &mut notes), side(&row.b, &mut notes), ratio_within(&row.ratio), agree]);
    }
    out + &table.render() + &notes.render() + &phases(case)
}

fn shown(interval: &Interval, is_rate: bool, notes: &mut Notes) -> String {
    let Some(value) = interval.value else { return notes.blank(interval.why_blank.as_deref()) };
    if !is_rate {
        return within(interval, value);
    }
    match (interval.low, interval.high) {
        (Some(low), Some(high)) => format!("{} [{}, {}]", show_rate(value), show_rate(low), show_rate(high)),
        _ => show_rate(value),
    }
}

/// Where the difference of the means lies.
fn phases(case: &MatchedCase) -> String {
    let largest = case.phases.last().map_or(0.0, |(_, a, b)| a.unwrap_or(0.0).max(b.unwrap_or(0.0)));
    let mut table = Table::new(&[(Column::Left, "mean time in"), (Column::Right, "A"), (Column::Right, "B"), (Column::Right, "B less A")]);
    for (phase, a, b) in &case.phases {
        let (in_a, in_b) = (a.unwrap_or(0.0), b.unwrap_or(0.0));
        if in_a.max(in_b) < SMALL * largest {
            continue;
        }
        let name = if phase == "response" { "**response**".to_owned() } else { escape(phase) };
        let cell = |ns: &Option<f64>| ns.map_or(BLANK.to_owned(), show_ns);
        let sign = if in_b < in_a { "−" } else { "+" };
        table.row(vec![name, cell(a), cell(b), format!("{sign}{}", show_ns((in_b - in_a).abs()))]);
    }
    if table.len() > 0 { format!("Where the difference lies, by phase:\n\n{}", table.render()) } else { String::new() }
}

/// What was not compared.
fn rest(found: &Across) -> String {
    let mut lines: Vec<String> =
        found.refused.iter().map(|(case, why)| format!("- {} is not compared: {}", code(case), escape(why))).collect();
    for (run, ids) in [("A", &found.only_a), ("B", &found.only_b)] {
        lines.extend(ids.iter().take(MOST_LISTED).map(|id| format!("- {} is in run {run} only", code(id))));
        if ids.len() > MOST_LISTED {
            lines.push(format!("- and {} more in run {run} only", ids.len() - MOST_LISTED));
        }
    }
    if lines.is_empty() { String::new() } else { format!("## Not compared\n\n{}\n", lines.join("\n")) }
}
