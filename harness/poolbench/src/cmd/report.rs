//! `poolbench report`: the report of a run, remade from its records.

use std::io::Write;
use std::path::Path;

use analysis::Summary;
use anyhow::Result;
use model::rundir::REPORT;

use crate::args::ReportArgs;
use crate::exit::Exit;
use crate::rundir;

/// Remakes a report.
pub(super) fn report(args: &ReportArgs) -> Result<Exit> {
    let out = args.out.as_deref().unwrap_or(&args.run);
    remake(&args.run, out)?;
    writeln!(std::io::stdout().lock(), "report: {}", out.join(REPORT).display())?;
    Ok(Exit::Done)
}

/// Reads the run in `run`, writes all files of its report below `out`.
pub(super) fn remake(run: &Path, out: &Path) -> Result<Summary> {
    let kept = rundir::read(run)?;
    let folded = rundir::folded(run, &kept.records)?;
    let input = report::Input { plan: &kept.plan, facts: &kept.facts, records: &kept.records, folded: &folded };
    let durability = rundir::durability(run)?;
    let output = report::write_with(&input, durability.as_ref())?;
    output.files.iter().try_for_each(|(name, bytes)| rundir::put(out, name, bytes))?;
    Ok(analysis::summarise_with(&kept.plan, &kept.facts, &kept.records, durability.as_ref()))
}

/// The short table at the end of a run.
pub(super) fn terminal(summary: &Summary) -> String {
    report::terminal(summary)
}
