//! `poolbench merge`: several runs of one plan as one, without loss.

use std::collections::BTreeMap;
use std::path::Path;

use analysis::{Merged, Named, Side};
use anyhow::Result;
use model::Record;
use model::plan::Plan;
use model::renumber::renumbered;
use model::rundir::{FACTS, PLAN, PROFILES, RECORDS, REPORT, file_stem};
use serde_json::to_vec_pretty;

use crate::args::MergeArgs;
use crate::cmd::report;
use crate::exit::{Complaint, Exit};
use crate::progress::{count, print_result};
use crate::rundir::{self, Kept, RunDir};

/// A run that was read, with the stacks of its profiles by file.
struct Source<'a> {
    dir: &'a Path,
    kept: Kept,
    folded: BTreeMap<String, String>,
}

impl Source<'_> {
    fn named(&self) -> Named<'_> {
        let Kept { plan, facts, records, .. } = &self.kept;
        Named { name: self.dir.display().to_string(), run: Side { plan, facts, records } }
    }
}

/// Joins the runs and writes the report of what that gives.
pub(super) fn merge(args: &MergeArgs) -> Result<Exit> {
    let read = |dir| {
        let kept = rundir::read(dir)?;
        let folded = rundir::folded(dir, &kept.records)?;
        Ok(Source { dir, kept, folded })
    };
    let sources: Vec<Source<'_>> = args.runs.iter().map(|dir| read(dir)).collect::<Result<_>>()?;
    let merged = analysis::merge(&sources.iter().map(Source::named).collect::<Vec<_>>())
        .map_err(|refusal| Complaint::usage(refusal.why, refusal.help))?;
    // Nothing is written before it is known that all can be merged.
    let mut out = RunDir::create(&args.out)?;
    for (source, before) in sources.iter().zip(&merged.before) {
        add(&mut out, source, &merged, before)?;
    }
    // The plan last: without it a directory is no run, should this end early.
    out.put(FACTS, &to_vec_pretty(&merged.facts)?)?;
    out.put(PLAN, &to_vec_pretty(&merged.plan)?)?;
    let summary = report::remake(out.path(), out.path())?;
    let records: usize = sources.iter().map(|s| s.kept.records.len()).sum();
    let runs = count(merged.facts.parts.len(), "run");
    print_result(&format!("{}merged: {runs}, {}\n", report::terminal(&summary), count(records, "record")))?;
    print_result(&format!("report: {}\n", out.path().join(REPORT).display()))?;
    Ok(Exit::Done)
}

/// Adds the records of one run as they are but for their rounds, and its profiles.
fn add(out: &mut RunDir, source: &Source<'_>, merged: &Merged, before: &BTreeMap<String, u32>) -> Result<()> {
    let lines = rundir::lines(source.dir, source.kept.whole_bytes)?;
    let changed = |e: &dyn std::fmt::Display| {
        Complaint::system(format!("'{}' changed while it was read: {RECORDS}: {e}", source.dir.display()), "merge runs that have ended")
    };
    if lines.len() != source.kept.records.len() {
        return Err(changed(&"it has other records now"));
    }
    for (line, record) in lines.iter().zip(&source.kept.records) {
        let round = record.round.saturating_add(rounds_before(&merged.plan, before, record));
        let folded = match folded_name(record, round) {
            Some(name) => source.folded.get(folded_of(record)).map(|text| out.put(&name, text.as_bytes()).map(|()| name)).transpose()?,
            None => None,
        };
        let line = renumbered(line, round, folded.as_deref()).map_err(|e| changed(&e))?;
        out.add_line(&line)?;
    }
    out.flush()
}

fn rounds_before(plan: &Plan, before: &BTreeMap<String, u32>, record: &Record) -> u32 {
    let case = plan.cases.iter().find(|c| c.id == record.case);
    case.and_then(|c| before.get(&c.scenario)).copied().unwrap_or(0)
}

fn folded_of(record: &Record) -> &str {
    record.profile.as_ref().map_or("", |p| &p.folded)
}

/// Where the stacks of a record lie in the merged run: the first run's stay, those of the others get a folder by round.
fn folded_name(record: &Record, round: u32) -> Option<String> {
    let own = folded_of(record);
    if own.is_empty() {
        return None;
    }
    Some(if round == record.round { own.to_owned() } else { format!("{PROFILES}/{round}/{}.folded", file_stem(&record.case)) })
}
