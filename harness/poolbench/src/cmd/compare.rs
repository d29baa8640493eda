//! `poolbench compare`: two runs, case by case.

use anyhow::{Context, Result};

use crate::args::CompareArgs;
use crate::exit::{Complaint, Exit};
use crate::progress::print_result;
use crate::rundir;

fn side(run: &rundir::Kept) -> analysis::Side<'_> {
    analysis::Side { plan: &run.plan, facts: &run.facts, records: &run.records }
}

/// Prints the comparison, or writes it into a file.
pub(super) fn compare(args: &CompareArgs) -> Result<Exit> {
    let (a, b) = (rundir::read(&args.a)?, rundir::read(&args.b)?);
    let found = analysis::across(side(&a), side(&b))
        .map_err(|why| Complaint::usage(format!("nothing to compare: {why}"), "compare two runs of the same cases, loads and settings"))?;
    let text = report::comparison(&found);
    match &args.out {
        Some(path) => {
            std::fs::write(path, text).with_context(|| format!("writing '{}'", path.display()))?;
            print_result(&format!("comparison: {}\n", path.display()))?;
        }
        None => print_result(&text)?,
    }
    Ok(Exit::Done)
}
