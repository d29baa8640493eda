//! The confirmation: recommendation and baseline measured in turn, in trials of their own.

use std::path::Path;
use std::time::Instant;

use analysis::recommend::{Advice, Confirmation, Payload, confirmation, confirmations};
use anyhow::{Context, Result};
use model::record::{Record, Status, TrialKind};
use model::units::show_bytes;

use crate::args::RecommendArgs;
use crate::cmd::run::{Queue, Trials};
use crate::exit::{Complaint, Exit};
use crate::progress::Progress;
use crate::rundir::Kept;

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
    let text = |path: &Path| path.to_str().map(str::to_owned).ok_or_else(|| refuse(format!("the path '{}' is no UTF-8", path.display())));
    // What is wrong is said of the path as it was given.
    let bytes = driver::given_bytes(&text(path)?).map_err(refuse)?;
    // A trial is another process, which must find it too.
    let whole = std::path::absolute(path).map_err(|why| refuse(format!("'{}': {why}", path.display())))?;
    Ok(Payload { shape: format!("{}{}", driver::GIVEN, text(&whole)?), bytes })
}

/// What a page that may be committed calls the file: as it was given, but where that begins at the root of this machine its name alone.
pub(super) fn called(path: &Path) -> String {
    let name = path.file_name().filter(|_| path.is_absolute());
    name.map_or_else(|| path.to_string_lossy(), |name| name.to_string_lossy()).into_owned()
}

/// Measures; `None` when interrupted.
pub(super) fn measure(args: &RecommendArgs, run: &Kept, advice: &Advice, payload: Option<&Payload>) -> Result<Option<Confirmed>> {
    let seed = run.plan.seed.wrapping_add(HELD_OUT);
    let plan = confirmation((&run.plan, &run.records), &advice.decisions, args.rounds, seed, payload);
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
    let mut todo = Queue::new(analysis::order(&plan).into_iter().filter(|t| t.kind != TrialKind::Profiled));
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
    let given = args.payload.as_deref().zip(payload).map(|(path, payload)| (called(path), payload));
    let failures = trials.records.iter().filter_map(failure).map(|why| match &given {
        Some((name, payload)) => why.replace(payload.shape.trim_start_matches(driver::GIVEN), name),
        None => why,
    });
    let failures = failures.collect();
    Ok(Some(Confirmed { on: on(given), figures, failures }))
}

fn on(given: Option<(String, &Payload)>) -> String {
    let fresh = "payloads of another seed than the run's";
    given.map_or(fresh.to_owned(), |(name, payload)| {
        format!("the {} of `{name}` (dictionaries: on {fresh})", show_bytes(payload.bytes as f64))
    })
}

/// What makes the figures of a trial worth nothing.
fn failure(record: &Record) -> Option<String> {
    let why = match &record.status {
        Status::Measured if record.answers.wrong > 0 => format!("{} answers were wrong", record.answers.wrong),
        Status::Measured => return None,
        Status::Failed { why } => why.clone(),
        Status::TimedOut { .. } => "it took too long".to_owned(),
    };
    let of = if record.kind == TrialKind::Calibration { "calibration".to_owned() } else { format!("round {}", record.round) };
    Some(format!("{}, {of}: {why}", record.case))
}
