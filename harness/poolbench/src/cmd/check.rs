//! `poolbench check`: every scenario at smoke size, each value of each axis once, and what it expects.

use std::fmt::Write;
use std::time::Instant;

use anyhow::{Context, Result};
use model::plan::Size;
use model::record::TrialKind;
use scenario::Options;

use crate::args::CheckArgs;
use crate::cmd::run::{self, Queue, Trials};
use crate::exit::Exit;
use crate::facts;
use crate::progress::{Progress, count, eprint_line, print_result};
use crate::rundir::RunDir;

/// Most cases of a check: all scenarios, each value once, are far fewer.
const CASES_MAX: usize = 500;

/// Checks scenarios in a directory that is gone afterwards.
pub(super) fn check(args: &CheckArgs) -> Result<Exit> {
    let begun = Instant::now();
    let options = Options { size: Size::Smoke, seed: args.seed, rounds: Some(1), max_cases: CASES_MAX, virtual_time: false };
    let plan = run::plan(&args.selection, &options, true)?;
    let temporary = tempfile::Builder::new().prefix("poolbench-check-").tempdir().context("making a directory for the check")?;
    let dir = RunDir::create(temporary.path())?;
    let facts = facts::gather(temporary.path());
    let mut trials = Trials::new(&plan, Vec::new(), false)?;
    let mut todo = Queue::new(analysis::order(&plan).into_iter().filter(|t| t.kind != TrialKind::Profiled));
    let mut progress = Progress::new(todo.len(), args.quiet);
    while let Some(trial) = todo.next() {
        progress.begin(&plan.cases[trial.case].id);
        let trial_begun = Instant::now();
        let Some(finished) = trials.run(&trial, dir.work()?)? else {
            progress.clear();
            eprint_line("interrupted: nothing is kept of a check");
            return Ok(Exit::Interrupted);
        };
        let again = todo.repeats(trial, &finished.record);
        progress.end(&finished.record, trial_begun.elapsed(), again);
        trials.records.push(finished.record);
    }
    progress.clear();
    let summary = analysis::summarise(&plan, &facts, &trials.records);
    let mut out = String::new();
    for failure in &summary.failures {
        let _ = writeln!(out, "failed: {}: {}", failure.case, failure.why);
    }
    let failed = plan.cases.iter().filter(|c| summary.failures.iter().any(|f| f.case == c.id)).count();
    let (passed, seconds) = (count(plan.cases.len() - failed, "case"), begun.elapsed().as_secs_f64());
    print_result(&format!("{out}check: {passed} passed, {failed} failed ({seconds:.1} s)\n"))?;
    Ok(if summary.failed { Exit::Failed } else { Exit::Done })
}
