//! What a crash costs: a page of its own, and the section of a run whose settings were put to it.
//!
//! Rows are in order of their class: what loses less may be slower, and no order here mixes the two.

use std::fmt::Write as _;

use analysis::Summary;
use analysis::summary::{CaseSummary, ScenarioSummary};
use model::durability::{Class, Costs, Durability, Row, settings_of};

use crate::doc::axes_of;
use crate::markdown::{BLANK, Column, Notes, Table, code, escape};
use crate::show;

const CLASSES: &str = "`durable`: no acknowledged write is lost; `consistent`: what is there is whole, but acknowledged writes may be lost; `unsafe`: \
                       what is there may be damaged, missing in part, or not open at all.";

/// The experiment alone: the answer of `poolbench durability`.
pub fn durability_page(all: &Durability) -> String {
    let mut out = String::from("# What a crash costs\n\n");
    let _ = writeln!(
        out,
        "Build {}, SQLite {}, {} on {}, seed {}, begun {}.\n",
        escape(&all.build),
        escape(&all.sqlite),
        escape(&all.kernel),
        escape(&all.filesystem),
        all.seed,
        escape(&all.started)
    );
    let _ = writeln!(out, "{CLASSES}\n\n{}", how(all));
    let mut table = Table::new(&[
        (Column::Left, "settings"),
        (Column::Left, "class"),
        (Column::Right, "flushes/write"),
        (Column::Left, "kill"),
        (Column::Left, "power loss"),
        (Column::Left, "power loss, ext4"),
        (Column::Left, "opens and verifies"),
    ]);
    for row in sorted(&all.rows) {
        table.row(vec![
            code(row.id.trim_start_matches("durability/")),
            row.class().word().to_owned(),
            flushes(row),
            costs(&row.kill),
            costs(&row.power),
            costs(&row.power_ext4),
            verifies(row),
        ]);
    }
    out.push_str(&table.render());
    out.push_str(&damage(all));
    out
}

/// The section of a run: its cases beside what their settings cost; without the experiment, how to add it, where it would say something.
pub(crate) fn section(summary: &Summary, all: Option<&Durability>) -> String {
    let keeps = |case: &&CaseSummary| settings_of(&case.seen).is_some();
    let concerned: Vec<&ScenarioSummary> =
        summary.scenarios.iter().filter(|s| is_of_stores(s) && s.cases.iter().any(|c| keeps(&c))).collect();
    if concerned.is_empty() {
        return String::new();
    }
    let Some(all) = all else {
        return "## What a crash costs\n\nNot measured in this run, so a faster setting may only be a less durable one: `poolbench durability --into RUN` \
                adds what each loses when its process is killed and when the power fails.\n\n"
            .to_owned();
    };
    let mut out = format!("## What a crash costs\n\n{CLASSES} Cases are in order of their class; compare speeds within a class only.\n\n");
    let _ = writeln!(out, "{}", how(all));
    let mut notes = Notes::default();
    let mut table = Table::new(&[
        (Column::Left, "scenario"),
        (Column::Left, "case"),
        (Column::Left, "class"),
        (Column::Right, "p50"),
        (Column::Right, "goodput"),
        (Column::Right, "flushes/write"),
        (Column::Left, "lost on kill"),
        (Column::Left, "lost on power loss"),
        (Column::Left, "opens and verifies"),
    ]);
    let mut mixed: Vec<String> = Vec::new();
    for scenario in concerned {
        let mut joined: Vec<(&CaseSummary, Option<&Row>)> = scenario.cases.iter().filter(keeps).map(|c| (c, all.row_of(&c.seen))).collect();
        joined.sort_by_key(|(_, row)| row.map(Row::class).map_or((1, Class::Unsafe), |class| (0, class)));
        let mut classes: Vec<Class> = joined.iter().filter_map(|(_, row)| row.map(Row::class)).collect();
        classes.dedup();
        if classes.len() > 1 {
            mixed.push(escape(&scenario.name));
        }
        joined.into_iter().for_each(|(case, row)| table.row(case_row(scenario, case, row, &mut notes)));
    }
    out.push_str(&table.render());
    out.push_str(&notes.render());
    if !mixed.is_empty() {
        let _ = writeln!(
            out,
            "The ratios of {} are between settings of different classes: they are the price of the better class, not a gain of the worse.\n",
            mixed.join(", ")
        );
    }
    out
}

/// Scenarios that are about stores; others use one and compare something else.
fn is_of_stores(scenario: &ScenarioSummary) -> bool {
    ["io/", "sqlite/", "store/"].iter().any(|group| scenario.name.starts_with(group))
}

fn case_row(scenario: &ScenarioSummary, case: &CaseSummary, row: Option<&Row>, notes: &mut Notes) -> Vec<String> {
    let blank = || BLANK.to_owned();
    vec![
        escape(&scenario.name),
        escape(&axes_of(case)),
        row.map_or("not measured", |row| row.class().word()).to_owned(),
        show::time(&case.response.p50_ns, notes),
        show::rate(&case.goodput_per_s, notes),
        row.map_or_else(blank, flushes),
        row.map_or_else(blank, |row| costs(&row.kill)),
        row.map_or_else(blank, |row| costs(&row.power)),
        row.map_or_else(blank, verifies),
    ]
}

fn sorted(rows: &[Row]) -> Vec<&Row> {
    let mut rows: Vec<&Row> = rows.iter().collect();
    rows.sort_by_key(|row| row.class());
    rows
}

/// What was done, once for all rows.
fn how(all: &Durability) -> String {
    let range = |of: &dyn Fn(&Row) -> u64| {
        let (low, high) = (all.rows.iter().map(of).min().unwrap_or(0), all.rows.iter().map(of).max().unwrap_or(0));
        if low == high { show::count(low) } else { format!("{} to {}", show::count(low), show::count(high)) }
    };
    format!(
        "Kill: a process that saves sessions was killed at random moments, {} times per row. Power loss: {} states per row that POSIX permits at {} \
         moments of a recorded run (`ext4`: those that ext4 permits with its default options), each opened and verified. Losses are the most and \
         the mean of acknowledged writes gone after one crash. METHODOLOGY.md says what the model leaves out.\n",
        range(&|row| row.kill.crashes),
        range(&|row| row.power.crashes),
        range(&|row| row.points[0])
    )
}

fn flushes(row: &Row) -> String {
    format!("{:.1}", row.flushes_per_write)
}

/// `none lost`, or the most and the mean lost; then what else is wrong, as shares.
fn costs(costs: &Costs) -> String {
    let mut parts = vec![match costs.lost_max {
        0 => "none lost".to_owned(),
        most => format!("lost max {}, mean {:.2}", show::count(most), costs.lost_mean),
    }];
    let share = |part: u64| show::percent(part as f64 / costs.crashes.max(1) as f64);
    for (part, name) in [(costs.empty, "empty"), (costs.torn, "torn"), (costs.damaged, "damaged"), (costs.refused, "does not open")] {
        if part > 0 {
            parts.push(format!("{name} {}", share(part)));
        }
    }
    parts.join("; ")
}

/// Whether what is left always opens and is whole.
fn verifies(row: &Row) -> String {
    match (row.kill.class(), row.class()) {
        (Class::Unsafe, _) => "**no, not even after a kill**".to_owned(),
        (_, Class::Unsafe) => "**not after power loss**".to_owned(),
        _ => "always".to_owned(),
    }
}

/// An example of damage for each row that has some.
fn damage(all: &Durability) -> String {
    let mut out = String::new();
    for row in sorted(&all.rows) {
        if let Some(first) = row.power.first.as_ref().or(row.kill.first.as_ref()) {
            let _ = writeln!(out, "- {}: {}", code(row.id.trim_start_matches("durability/")), escape(first));
        }
    }
    if out.is_empty() { out } else { format!("The first damage seen of each:\n\n{out}\n") }
}

#[cfg(test)]
mod tests;
