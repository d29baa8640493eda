//! The confirmation: recommendation and baseline measured in turn, in trials of their own.

use std::path::Path;
use std::time::Instant;

use analysis::recommend::{Advice, Confirmation, Payload, confirmation, confirmations};
use anyhow::{Context, Result};
use model::record::{Record, Status, TrialKind};
use model::{Plan, units::show_bytes};

use crate::args::RecommendArgs;
use crate::cmd::run::{Queue, Trials};
use crate::exit::{Complaint, Exit};
use crate::progress::Progress;

/// Added to the seed of the run, so that no payload is one that the run had.
const HELD_OUT: u64 = 0x9E37_79B9_7F4A_7C15;

/// What was measured.
pub(super) struct Confirmed {
    /// On what payload, in words.
    pub(super) on: String,
    /// Predictions and what became of them.
    pub(super) figures: Vec<Confirmation>,
    /// Trials that failed, and why.
    pub(super) failures: Vec<String>,
}

/// The payload in a file.
pub(super) fn payload(path: &Path) -> Result<Payload> {
    let refuse = |why: String| Complaint::usage(format!("--payload: {why}"), "give a text file in UTF-8 of 1 byte to 1 MiB");
    // A trial is another process, which must find it too.
    let whole = std::path::absolute(path).map_err(|why| refuse(format!("'{}': {why}", path.display())))?;
    let text = whole.to_str().ok_or_else(|| refuse(format!("the path '{}' is no UTF-8", path.display())))?;
    let bytes = driver::given_bytes(text).map_err(refuse)?;
    Ok(Payload { shape: format!("{}{text}", driver::GIVEN), bytes })
}

/// Measures; `None` when interrupted.
pub(super) fn measure(args: &RecommendArgs, run: &Plan, advice: &Advice, payload: Option<&Payload>) -> Result<Option<Confirmed>> {
    let plan = confirmation(run, &advice.decisions, args.rounds, run.seed.wrapping_add(HELD_OUT), payload);
    driver::prepare(&plan).map_err(|problems| {
        let lines = problems.iter().map(|p| format!("the confirmation cannot run: {p}")).collect();
        let help = "add --no-confirm, or give another --payload".to_owned();
        anyhow::Error::from(Complaint { exit: Exit::Usage, lines, help: Some(help) })
    })?;
    // Where the run is, there is the disk that it was about.
    let home = tempfile::Builder::new().prefix(".confirm-").tempdir_in(&args.run).map_err(|why| {
        let line = format!("cannot make a directory in '{}' to confirm in: {why}", args.run.display());
        Complaint::system(line, "check its permissions, or add --no-confirm")
    })?;
    let mut trials = Trials::new(&plan, Vec::new(), false)?;
    let mut todo = Queue::new(analysis::order(&plan).into_iter().filter(|t| t.kind == TrialKind::Measured));
    let mut progress = Progress::new(todo.len(), args.quiet);
    while let Some(trial) = todo.next() {
        let case = plan.cases.get(trial.case).map_or("", |case| case.id.as_str());
        progress.begin(case);
        let begun = Instant::now();
        let own = home.path().join("work");
        std::fs::create_dir(&own).context("making a directory for a trial")?;
        let finished = trials.run(&trial, own.clone());
        std::fs::remove_dir_all(&own).context("removing the directory of a trial")?;
        let Some(finished) = finished? else { return Ok(None) };
        let again = todo.repeats(trial, &finished.record);
        progress.end(&finished.record, begun.elapsed(), again);
        trials.records.push(finished.record);
    }
    progress.clear();
    let figures = confirmations(&advice.decisions, &trials.records);
    Ok(Some(Confirmed { on: on(payload), figures, failures: trials.records.iter().filter_map(failure).collect() }))
}

fn on(payload: Option<&Payload>) -> String {
    let fresh = "payloads of another seed than the run's";
    match payload {
        Some(given) => {
            let path = given.shape.trim_start_matches(driver::GIVEN);
            format!("the {} of `{path}` (dictionaries: on {fresh})", show_bytes(given.bytes as f64))
        }
        None => fresh.to_owned(),
    }
}

/// What makes the figures of a trial worth nothing.
fn failure(record: &Record) -> Option<String> {
    let why = match &record.status {
        Status::Measured if record.answers.wrong > 0 => format!("{} answers were wrong", record.answers.wrong),
        Status::Measured => return None,
        Status::Failed { why } => why.clone(),
        Status::TimedOut { .. } => "it took too long".to_owned(),
    };
    Some(format!("{}, round {}: {why}", record.case, record.round))
}
