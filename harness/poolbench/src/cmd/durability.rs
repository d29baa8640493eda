//! `poolbench durability`: what each pair of store settings loses when its process is killed and when the power fails.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::Ordering;

use anyhow::{Context, Result};
use crash::{Filesystem, Power, SUBJECTS, Sample, Subject, Tally, Verdicts};
use model::durability::{Costs, Durability, Row, SCHEMA};
use model::rundir::{DURABILITY, REPORT};
use regex::Regex;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::args::DurabilityArgs;
use crate::cmd::{report, run};
use crate::exit::{Complaint, Exit};
use crate::progress::{eprint_line, print_result};
use crate::{facts, rundir};

/// Writes of a recording: enough for several rounds of the sessions and, in a write-ahead log, several checkpoints.
const WRITES: u64 = 48;
/// States of a crash point that is sampled.
const STATES_PER_POINT: u32 = 16;
/// A filesystem in memory, where it is there: what a simulated state holds does not depend on the disk under it.
const MEMORY: &str = "/dev/shm";

/// Runs the experiments, prints the table, and keeps it where `--out` or `--into` says.
pub(super) fn durability(args: &DurabilityArgs) -> Result<Exit> {
    let subjects = selected(args.filter.as_deref())?;
    claim(args)?;
    let interrupted = run::interrupts()?;
    let bench = Bench::new(args)?;
    let mut all = bench.begin(args);
    for (index, subject) in subjects.iter().enumerate() {
        let row = bench.row(*subject).with_context(|| subject.id())?;
        if interrupted.load(Ordering::Relaxed) {
            eprint_line("interrupted: nothing is kept");
            return Ok(Exit::Interrupted);
        }
        if !args.quiet {
            eprint_line(&format!("{:>3}/{} {}  {}", index + 1, subjects.len(), row.id, row.class().word()));
        }
        all.rows.push(row);
    }
    let page = ::report::durability_page(&all);
    if let Some(dir) = args.out.as_ref().or(args.into.as_ref()) {
        rundir::put(dir, DURABILITY, all.text()?.as_bytes())?;
    }
    if let Some(out) = &args.out {
        rundir::put(out, REPORT, page.as_bytes())?;
    }
    if let Some(run) = &args.into {
        report::remake(run, run)?;
    }
    print_result(&page)?;
    Ok(Exit::Done)
}

fn selected(filter: Option<&str>) -> Result<Vec<Subject>> {
    let Some(text) = filter else { return Ok(SUBJECTS.to_vec()) };
    let regex = Regex::new(text).map_err(|why| Complaint::usage(format!("--filter: {why}"), "give a regular expression"))?;
    let subjects: Vec<Subject> = SUBJECTS.iter().copied().filter(|subject| regex.is_match(&subject.id())).collect();
    if subjects.is_empty() {
        let ids = SUBJECTS.first().map(|subject| subject.id()).unwrap_or_default();
        return Err(Complaint::usage(format!("no pair of settings matches '{text}'"), format!("ids are such as '{ids}'")));
    }
    Ok(subjects)
}

/// Refuses what cannot be written before anything runs.
fn claim(args: &DurabilityArgs) -> Result<()> {
    if let Some(out) = &args.out {
        rundir::fresh(out, "a result", "give --out a directory that is empty or does not exist")?;
    }
    if let Some(run) = &args.into {
        rundir::read(run)?;
        if rundir::durability(run)?.is_some() {
            let line = format!("'{}' has a {DURABILITY} already, and a result is never overwritten", run.display());
            return Err(Complaint::usage(line, "remove that file, or keep the result elsewhere with --out"));
        }
    }
    Ok(())
}

/// What all experiments share.
struct Bench {
    runtime: Runtime,
    program: PathBuf,
    /// On the disk, for writers that are killed.
    disk: TempDir,
    /// In memory if possible, for simulated states.
    memory: TempDir,
    kills: u32,
    points: usize,
    seed: u64,
}

impl Bench {
    fn new(args: &DurabilityArgs) -> Result<Bench> {
        let named = || {
            let mut named = tempfile::Builder::new();
            named.prefix("poolbench-durability-");
            named
        };
        // Where the result goes there is a disk that the user means.
        let disk = match args.out.as_ref().or(args.into.as_ref()) {
            Some(dir) => named().tempdir_in(dir),
            None => named().tempdir(),
        };
        let disk = disk.context("making a directory for the stores")?;
        let memory = named().tempdir_in(MEMORY).or_else(|_| named().tempdir()).context("making a directory for the crash states")?;
        Ok(Bench {
            runtime: tokio::runtime::Builder::new_current_thread().build().context("starting the runtime")?,
            program: std::env::current_exe().context("finding this program's own file")?,
            disk,
            memory,
            kills: args.kills,
            points: args.states.div_ceil(STATES_PER_POINT) as usize,
            seed: args.seed,
        })
    }

    fn begin(&self, args: &DurabilityArgs) -> Durability {
        let facts = facts::gather(self.disk.path());
        Durability {
            schema: SCHEMA,
            started: facts.started,
            build: facts::build(),
            sqlite: facts.sqlite,
            kernel: facts.kernel,
            filesystem: facts.filesystem,
            seed: args.seed,
            rows: Vec::new(),
        }
    }

    fn row(&self, subject: Subject) -> Result<Row> {
        let start = |dir: &Path, seed: u64| {
            let mut command = Command::new(&self.program);
            command.args(["crash-writer", &subject.id()]).arg(dir).arg(seed.to_string());
            command
        };
        let kills = crash::kills(&self.runtime, subject, &start, self.disk.path(), self.kills, self.seed)?;
        let recording = crash::record(&self.runtime, subject, self.memory.path(), WRITES, self.seed)?;
        let mut verdicts = Verdicts::default();
        let mut power = |filesystem| {
            let sample = Sample { points: self.points, seed: self.seed };
            crash::power_loss(&self.runtime, &recording, filesystem, sample, self.memory.path(), &mut verdicts)
        };
        let (posix, ext4): (Power, Power) = (power(Filesystem::Posix)?, power(Filesystem::Ext4)?);
        Ok(Row {
            id: subject.id(),
            settings: subject.settings().into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
            flushes_per_write: recording.log.flushes_per_write(),
            kill: costs(&kills.tally),
            acknowledged: kills.acknowledged,
            power: costs(&posix.tally),
            power_ext4: costs(&ext4.tally),
            points: [posix.points, posix.exhausted],
        })
    }
}

fn costs(tally: &Tally) -> Costs {
    Costs {
        crashes: tally.crashes,
        losing: tally.losing,
        lost_max: tally.lost_max,
        lost_mean: tally.lost_mean(),
        empty: tally.empty,
        torn: tally.torn,
        damaged: tally.damaged,
        refused: tally.refused,
        first: tally.first.clone(),
    }
}
