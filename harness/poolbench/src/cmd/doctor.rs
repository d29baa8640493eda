//! `poolbench doctor`: what can be measured on this host, and how finely.

mod brands;
mod checks;
mod full;
mod stall;

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context, Result};
use model::rundir::REPORT;
use report::{Column, Table};
use serde::Serialize;

use crate::args::DoctorArgs;
use crate::exit::{Complaint, Exit};
use crate::progress::{eprint_line, print_result};
use crate::{facts, rundir};

/// One check: what was looked at, what came out, and whether it is as it must be.
#[derive(Debug, Serialize)]
struct Check {
    /// What was looked at.
    name: &'static str,
    /// Whether figures of this host can be trusted in this respect; `None` where a figure is only told.
    holds: Option<bool>,
    /// What that means for whoever measures here.
    says: String,
    /// Heads of the columns of `rows`.
    head: Vec<&'static str>,
    /// The figures.
    rows: Vec<Vec<String>>,
    /// The same as a picture: name of its file, and an SVG.
    #[serde(skip)]
    picture: Option<(&'static str, Vec<u8>)>,
}

/// A check that takes the directory in which it may write.
type Probe = fn(&Path) -> Result<Check>;

const QUICK: &[(&str, Probe)] = &[
    ("clock", checks::clock),
    ("pacer", checks::pacer),
    ("ceiling", checks::ceiling),
    ("stall", stall::stall),
    ("profiler", checks::profiler),
    ("disk", checks::disk),
];
const FULL: &[(&str, Probe)] = &[
    ("arrivals", full::arrivals),
    // What depends on the host comes before what only takes long.
    ("brands", brands::brands),
    ("theory", full::theory),
    ("coverage", full::coverage),
    ("overload", full::overload),
];

/// Runs the checks, prints them, and keeps them where `--out` says.
pub(super) fn doctor(args: &DoctorArgs) -> Result<Exit> {
    if let Some(unknown) = args.only.iter().find(|only| QUICK.iter().chain(FULL).all(|(name, _)| only != name)) {
        let names: Vec<&str> = QUICK.iter().chain(FULL).map(|(name, _)| *name).collect();
        return Err(Complaint::usage(format!("--only {unknown}: no such check"), format!("the checks are {}", names.join(", "))));
    }
    // Told now, not when the checks are over.
    if let Some(out) = &args.out {
        rundir::fresh(out, "a report", "give --out a directory that is empty or does not exist")?;
    }
    let temporary = tempfile::Builder::new().prefix("poolbench-doctor-").tempdir().context("making a directory for the checks")?;
    let facts = facts::gather(temporary.path());
    let mut done = Vec::new();
    let asked = |name: &str| args.only.is_empty() || args.only.iter().any(|only| only == name);
    let all = QUICK.iter().chain(FULL.iter().filter(|_| args.full || !args.only.is_empty()));
    for (name, probe) in all.filter(|(name, _)| asked(name)) {
        if !args.quiet {
            eprint_line(&format!("{name} ..."));
        }
        done.push(probe(temporary.path()).with_context(|| format!("the check '{name}'"))?);
    }
    let page = page(&facts, &done, args.out.is_some());
    if let Some(out) = &args.out {
        let kept = serde_json::json!({ "facts": facts, "checks": done });
        for (name, picture) in done.iter().filter_map(|check| check.picture.as_ref()) {
            rundir::put(out, name, picture)?;
        }
        rundir::put(out, "doctor.json", (serde_json::to_string_pretty(&kept)? + "\n").as_bytes())?;
        rundir::put(out, REPORT, page.as_bytes())?;
    }
    print_result(&page)?;
    Ok(if done.iter().any(|check| check.holds == Some(false)) { Exit::Unfit } else { Exit::Done })
}

/// The page; its pictures are shown where they are kept.
fn page(facts: &model::facts::Facts, checks: &[Check], pictures: bool) -> String {
    let mut out = String::from("# What can be measured on this host\n\n");
    let _ = writeln!(
        out,
        "{} on {} with {} CPUs, kernel {}, build {} ({}), pacing thread in timing class `{}`.\n",
        facts.started, facts.cpu, facts.cpus, facts.kernel, facts.commit, facts.profile, facts.timing_class
    );
    for check in checks {
        let mark = match check.holds {
            Some(true) => "holds",
            Some(false) => "DOES NOT HOLD",
            None => "told",
        };
        let _ = writeln!(out, "## {}: {mark}\n\n{}\n", check.name, check.says);
        let column = |(i, name)| (if i == 0 { Column::Left } else { Column::Right }, name);
        let mut table = Table::new(&check.head.iter().copied().enumerate().map(column).collect::<Vec<_>>());
        check.rows.iter().for_each(|row| table.row(row.clone()));
        out.push_str(&table.render());
        if let Some((name, _)) = check.picture.as_ref().filter(|_| pictures) {
            let _ = writeln!(out, "\n![{}]({name})\n", check.name);
        }
    }
    out
}
