//! One scenario's section: what and why, then its tables and pictures in a fixed order.

use std::fmt::Write as _;

use analysis::summary::{Brand, CaseSummary, ScenarioSummary};

use crate::doc::{axes, checks, classes, contenders, generator, head, overview, pool, profile, sure, time};
use crate::markdown::{code, details, escape, prose};
use crate::pictures::ScenarioPictures;

/// Tables with more rows than this are folded away.
pub(crate) const LONG: usize = 10;

/// The section; brands of every case of the run were told at the top.
pub(crate) fn section(scenario: &ScenarioSummary, pictures: &ScenarioPictures, everywhere: &[&Brand]) -> String {
    let mut out = format!("## {}\n\n", escape(&scenario.name));
    let _ = writeln!(out, "**{}**. {}.\n", stopless(&scenario.what), stopless(&scenario.why));
    let guards: Vec<String> = scenario.guards.iter().map(|g| code(g)).collect();
    let _ = writeln!(
        out,
        "Target {}; guards {}.\n",
        code(&scenario.target),
        if guards.is_empty() { "nothing".to_owned() } else { guards.join(", ") }
    );
    out.push_str(&head::sentences(&scenario.headlines, &scenario.name));
    out.push_str(&failures(scenario, everywhere));
    out.push_str(&match (scenario.contenders.is_empty(), scenario.axes.is_empty()) {
        // A mean over sizes would be that of unlike things.
        (false, _) => contenders::tables(scenario, &pictures.ratios),
        (true, true) => axes::single(scenario),
        (true, false) => axes::comparisons(scenario),
    });
    out.push_str(&classes::tables(scenario));
    if !scenario.notes.trim().is_empty() {
        let _ = writeln!(out, "{}\n", prose(&scenario.notes));
    }
    out.push_str(&image(pictures.spectrum.as_deref(), &format!("Percentile spectrum of {}", scenario.name)));
    out.push_str(&sure::intervals(scenario));
    out.push_str(&pool::tiers(scenario));
    out.push_str(&pool::confusion(scenario));
    out.push_str(&pool::guessing(scenario));
    out.push_str(&pool::affinity(scenario));
    out.push_str(&time::bands(scenario));
    out.push_str(&time::guarded(scenario));
    out.push_str(&image(pictures.phases.as_deref(), &format!("Time by phase of {}", scenario.name)));
    out.push_str(&time::twin(scenario));
    out.push_str(&checks::outcomes(scenario));
    out.push_str(&pool::deaths(scenario));
    out.push_str(&pool::faults(scenario));
    out.push_str(&checks::answers(scenario));
    out.push_str(&checks::bytes(scenario));
    out.push_str(&generator::lag(scenario, pictures.lag.as_deref()));
    out.push_str(&generator::seen(scenario));
    out.push_str(&profile::section(scenario, pictures.flame.as_ref()));
    out
}

fn stopless(text: &str) -> String {
    escape(text.trim().trim_end_matches('.'))
}

/// A picture by its relative path; nothing without one.
pub(crate) fn image(path: Option<&str>, says: &str) -> String {
    path.map_or(String::new(), |path| format!("![{}]({path})\n\n", escape(says)))
}

/// Text before a table or picture of one case: its id, or nothing where the scenario has one case only.
pub(crate) fn of_case(scenario: &ScenarioSummary, case: &CaseSummary) -> String {
    if scenario.cases.len() < 2 { String::new() } else { format!(" of {}", code(&overview::axes(case))) }
}

/// A table as it is, or folded away behind its sentence where it is long.
pub(crate) fn folded_if_long(rows: usize, sentence: &str, table: &str) -> String {
    match rows {
        0 => String::new(),
        n if n > LONG => format!("{sentence}\n\n{}", details(&format!("{n} rows"), table)),
        _ => format!("{sentence}\n\n{table}"),
    }
}

/// Trials that did not run to their end, and brands, each once with the cases that have it.
fn failures(scenario: &ScenarioSummary, everywhere: &[&Brand]) -> String {
    let mut out = String::new();
    for case in &scenario.cases {
        for row in &case.statuses {
            let kind = format!("{:?}", row.kind).to_lowercase();
            let _ = writeln!(out, "- **failed**: {kind} trial, round {}{}: {}", row.round, of_case(scenario, case), escape(&row.why));
        }
    }
    let mut brands: Vec<(String, Vec<String>)> = Vec::new();
    for case in &scenario.cases {
        for brand in case.brands.iter().filter(|brand| !everywhere.contains(brand)) {
            let grade = format!("{:?}", brand.grade).to_lowercase();
            let text = format!("**{grade}** {}: {}; {}", code(&brand.name), escape(&brand.reason), escape(&brand.remedy));
            let of = if scenario.cases.len() < 2 { String::new() } else { code(&overview::axes(case)) };
            match brands.iter_mut().find(|b| b.0 == text) {
                Some(known) => known.1.push(of),
                None => brands.push((text, vec![of])),
            }
        }
    }
    let lines: Vec<String> = brands.iter().map(|(text, of)| format!("- {text}{}", among(of, scenario.cases.len()))).collect();
    match lines.len() {
        0 => {}
        n if n <= 3 => out.push_str(&(lines.join("\n") + "\n")),
        n => out.push_str(&format!("\n{}", details(&format!("{n} brands on these figures"), &lines.join("\n")))),
    }
    if !out.is_empty() && !out.ends_with("\n\n") {
        out.push('\n');
    }
    out
}

fn among(cases: &[String], all: usize) -> String {
    match cases {
        [] => String::new(),
        _ if all < 2 => String::new(),
        list if list.len() == all => " (every case)".to_owned(),
        [a, b, c, rest @ ..] if !rest.is_empty() => format!(" ({a}, {b}, {c} and {} more)", rest.len()),
        list => format!(" ({})", list.join(", ")),
    }
}
