//! `poolbench claims`: what the records of a run say of its scenarios' claims.

use anyhow::Result;

use crate::args::ClaimsArgs;
use crate::exit::Exit;
use crate::progress::print_result;
use crate::rundir;

/// Prints the ledger. A claim that is refuted is a finding, no failure.
pub(super) fn claims(args: &ClaimsArgs) -> Result<Exit> {
    let kept = rundir::read(&args.run)?;
    let durability = rundir::durability(&args.run)?;
    let summary = analysis::summarise_with(&kept.plan, &kept.facts, &kept.records, durability.as_ref());
    let text = if args.json { report::ledger_json(&summary)? } else { report::ledger(&summary) };
    print_result(&text)?;
    Ok(Exit::Done)
}
