//! `poolbench run`: plan, trials, records, report.

mod arrivals;
mod monitor;

use std::cell::Cell;
use std::collections::{BTreeMap, VecDeque};
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use anyhow::{Context, Result};
use driver::{LaunchError, Launcher, Lengths, Order};
use model::plan::{Case, Plan, Size};
use model::record::{OTHER_ERRORS, Status, TrialKind};
use model::units::{show_ns, show_rate};
use model::{Record, rundir};
use scenario::Options;

use crate::args::{RunArgs, SelectionArgs};
use crate::cmd::report;
use crate::exit::{Complaint, Exit, shell_word};
use crate::progress::{Progress, count, eprint_line, print_result};
use crate::rundir::RunDir;
use crate::{facts, rundir as disk, sources};

/// Runs a plan from the command line.
pub(super) fn run(args: &RunArgs) -> Result<Exit> {
    // A run is resumed by the build that began it, where a debug build was allowed.
    if let Some(dir) = &args.resume {
        return resume(dir, args);
    }
    // Virtual time passes at the same speed whatever the build.
    if facts::PROFILE == "debug" && !args.allow_debug && !args.plan && !args.virtual_time {
        return Err(Complaint::usage("this is a debug build, whose figures mean little", "build with `--release`, or add --allow-debug"));
    }
    let plan = plan(&args.selection, &options(args), false)?;
    if args.plan {
        return print_plan(&plan);
    }
    let recorder = arrivals::Recorder::new(args.record_arrivals.as_deref(), &plan)?;
    let monitor = monitor::address(args.monitor, &plan, args.quiet)?;
    let out = args.out.clone().unwrap_or_else(|| PathBuf::from("reports/local").join(facts::now().replace(':', "")));
    let dir = RunDir::create(&out)?;
    let mut facts = facts::gather(&out);
    facts.generator_per_s = ceiling(&plan)?;
    dir.begin(&plan, &facts)?;
    execute(&plan, dir, Vec::new(), monitor, &recorder, args)
}

/// What the generator can do on this host right now. Smoke runs, which are about being right, and runs that pace nothing do without.
fn ceiling(plan: &Plan) -> Result<Option<u32>> {
    let paces = plan.cases.iter().any(|case| case.load.rate.is_some() || case.load.trace.is_some());
    if plan.virtual_time || plan.size == Size::Smoke || !paces {
        return Ok(None);
    }
    let found = driver::selftest::ceiling(plan.seed).context("looking for the highest rate that the generator keeps")?;
    Ok(found.map(|per_s| per_s as u32))
}

/// What was asked for beside the selection.
fn options(args: &RunArgs) -> Options {
    let RunArgs { size, seed, rounds, max_cases, virtual_time, .. } = *args;
    Options { size: size.into(), seed, rounds, max_cases, virtual_time }
}

/// Expands and prepares: whatever is wrong is said before anything runs.
pub(super) fn plan(selection: &SelectionArgs, options: &Options, each_value_once: bool) -> Result<Plan> {
    let sources = sources::read(selection.scenarios.as_deref())?;
    let select = selection
        .selection(each_value_once)
        .map_err(|bad| Complaint::usage(format!("-s '{bad}' has no '=' (expected KEY=VALUE)"), "such as -s store.kind=sqlite"))?;
    let plan = scenario::expand(&sources, &driver::catalogue(), &driver::kinds(), &select, options).map_err(sources::refuse)?;
    driver::prepare(&plan).map_err(|problems| {
        let help = problems.iter().find_map(|p| p.help.clone()).or_else(|| Some(sources::WHERE_TO_LOOK.to_owned()));
        anyhow::Error::from(Complaint { exit: Exit::Usage, lines: problems.iter().map(ToString::to_string).collect(), help })
    })?;
    Ok(plan)
}

fn print_plan(plan: &Plan) -> Result<Exit> {
    let estimate = analysis::estimate(plan);
    let mut out = std::io::stdout().lock();
    for case in &estimate.per_case {
        writeln!(out, "{:>9}  {:>3} trials  {}", show_ns(case.total_ns as f64), case.trials, case.case)?;
    }
    writeln!(out, "{:>9}  {:>3} trials of {} in all", show_ns(estimate.total_ns as f64), estimate.trials, count(plan.cases.len(), "case"))?;
    Ok(Exit::Done)
}

fn resume(dir: &Path, args: &RunArgs) -> Result<Exit> {
    let run = RunDir::reopen(dir)?;
    let kept = disk::read(dir)?;
    if !kept.facts.parts.is_empty() {
        return Err(Complaint::usage(
            format!(
                "'{}' was merged of {} (expected a run that `poolbench run` began)",
                dir.display(),
                count(kept.facts.parts.len(), "run")
            ),
            "continue the runs that it was merged from, then merge them again",
        ));
    }
    let now = facts::gather(dir);
    let (was, is) = (
        format!("{} {} {}", kept.facts.version, kept.facts.commit, kept.facts.profile),
        format!("{} {} {}", now.version, now.commit, now.profile),
    );
    if was != is {
        return Err(Complaint::usage(
            format!("'{}' was begun by another build ({was}) than this one ({is})", dir.display()),
            "one run holds figures of one build: begin a new one",
        ));
    }
    let monitor = monitor::address(args.monitor, &kept.plan, args.quiet)?;
    let done = count(kept.records.len(), "trial");
    run.cut(kept.whole_bytes)?;
    if !args.quiet {
        eprint_line(&format!("resuming {}: {done} kept", dir.display()));
    }
    execute(&kept.plan, run, kept.records, monitor, &arrivals::Recorder::new(None, &kept.plan)?, args)
}

/// SIGINT and SIGTERM as a flag; a second one ends the program at once, and its children with it.
pub(super) fn interrupts() -> Result<Arc<AtomicBool>> {
    let flag = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register_conditional_shutdown(signal, Exit::Interrupted as i32, Arc::clone(&flag))
            .context("installing a signal handler")?;
        signal_hook::flag::register(signal, Arc::clone(&flag)).context("installing a signal handler")?;
    }
    Ok(flag)
}

/// Trials to come, with a few to spare for those whose generator the host holds up.
pub(super) struct Queue {
    todo: VecDeque<analysis::Trial>,
    spare: usize,
}

impl Queue {
    /// All of `todo`; an eighth as many may be repeated, so that a disturbed host cannot make a run endless.
    pub(super) fn new(todo: impl IntoIterator<Item = analysis::Trial>) -> Self {
        let todo: VecDeque<_> = todo.into_iter().collect();
        Self { spare: todo.len().div_ceil(8), todo }
    }

    pub(super) fn len(&self) -> usize {
        self.todo.len()
    }

    pub(super) fn next(&mut self) -> Option<analysis::Trial> {
        self.todo.pop_front()
    }

    /// Puts a trial that was held up behind all others, when the host may be quieter; returns whether it did.
    pub(super) fn repeats(&mut self, trial: analysis::Trial, record: &Record) -> bool {
        let again = self.spare > 0 && analysis::held_up(record);
        if again {
            self.spare -= 1;
            self.todo.push_back(trial);
        }
        again
    }
}

/// Runs trials one by one and keeps what they leave.
pub(super) struct Trials<'a> {
    plan: &'a Plan,
    launcher: Launcher,
    /// Where each trial serves its monitor.
    monitor: Option<SocketAddr>,
    pace: Pace,
    /// Records so far.
    pub(super) records: Vec<Record>,
}

impl<'a> Trials<'a> {
    pub(super) fn new(plan: &'a Plan, records: Vec<Record>, in_process: bool) -> Result<Self> {
        let program = std::env::current_exe().context("finding this program's own file")?;
        let launcher = Launcher { program, args: vec!["trial".to_owned()], build: facts::build(), in_process, interrupted: interrupts()? };
        Ok(Self { plan, launcher, monitor: None, pace: Pace::default(), records })
    }

    /// Whether this trial's record is here already.
    fn is_done(&self, trial: &analysis::Trial) -> bool {
        let case = &self.plan.cases[trial.case].id;
        self.records.iter().any(|r| r.case == *case && r.round == trial.round && r.kind == trial.kind && r.status == Status::Measured)
    }

    /// What the scenario's last calibration ended with, where none gave a capacity.
    fn why_no_capacity(&self, case: &Case) -> String {
        let calibrates = |r: &&Record| r.kind == TrialKind::Calibration && self.plan.cases_of(&case.scenario).any(|c| c.id == r.case);
        let ended = self.records.iter().rfind(calibrates).map(|r| match &r.status {
            Status::Failed { why } => why.clone(),
            Status::TimedOut { after_ns } => format!("it timed out after {}", show_ns(*after_ns as f64)),
            Status::Measured => {
                // Many errors that differ in a name only may outnumber each that was kept, and say nothing.
                let most = |counts: &BTreeMap<String, u64>| {
                    let named = counts.iter().filter(|(text, _)| *text != OTHER_ERRORS);
                    named.max_by_key(|(_, n)| **n).map(|(text, _)| text.clone())
                };
                let most = most(&r.errors).or_else(|| most(&r.outcomes)).unwrap_or_default();
                format!("of {} requests none was ok, most were: {most}", r.counts.finished)
            }
        });
        format!("its rate is a share of a capacity that no calibration could measure: {}", ended.unwrap_or_default())
    }

    /// Runs one trial; `None` when interrupted.
    pub(super) fn run(&self, trial: &analysis::Trial, dir: PathBuf) -> Result<Option<driver::Finished>> {
        let case = &self.plan.cases[trial.case];
        let lengths = match trial.kind {
            TrialKind::Calibration => {
                let (warmup_ns, length_ns) = analysis::schedule::calibration_ns(self.plan.size);
                Lengths { warmup_ns, length_ns }
            }
            TrialKind::Measured => Lengths { warmup_ns: case.load.warmup_ns, length_ns: case.load.length_ns },
            TrialKind::Profiled => {
                let length_ns = analysis::schedule::profiled_ns(self.plan, case, &self.records, driver::profile_hz());
                Lengths { warmup_ns: case.load.warmup_ns, length_ns }
            }
        };
        let rate_per_s = if trial.kind == TrialKind::Calibration { None } else { analysis::resolve_rate(self.plan, case, &self.records) };
        let blank = |why: &str| {
            let status = Status::Failed { why: why.to_owned() };
            driver::Finished { record: Record::without_figures(&case.id, trial.round, trial.kind, trial.seed, status), folded: None }
        };
        if trial.kind != TrialKind::Calibration && case.load.rate.is_some() && rate_per_s.is_none() {
            return Ok(Some(blank(&self.why_no_capacity(case))));
        }
        let order =
            Order { case: case.clone(), round: trial.round, kind: trial.kind, seed: trial.seed, rate_per_s, dir, monitor: self.monitor };
        if self.plan.virtual_time {
            return Ok(self.simulate(&order, lengths));
        }
        match self.launcher.run(order, lengths) {
            Ok(finished) => Ok(Some(finished)),
            Err(LaunchError::Interrupted) => Ok(None),
            Err(why) => Err(Complaint::system(why.to_string(), "check the limits on processes and memory of this user")),
        }
    }

    /// Runs one trial in virtual time; `None` when interrupted before it.
    fn simulate(&self, order: &Order, lengths: Lengths) -> Option<driver::Finished> {
        if self.launcher.interrupted.load(Ordering::Relaxed) {
            return None;
        }
        let simulated = driver::simulate(order, lengths);
        self.pace.add(&simulated);
        Some(driver::Finished { record: simulated.record, folded: None })
    }
}

/// How fast virtual time was, over all trials of a run.
#[derive(Default)]
struct Pace {
    requests: Cell<u64>,
    engine_ns: Cell<u64>,
    whole_ns: Cell<u64>,
}

impl Pace {
    fn add(&self, trial: &driver::Simulated) {
        self.requests.set(self.requests.get() + trial.requests);
        self.engine_ns.set(self.engine_ns.get() + trial.engine_ns);
        self.whole_ns.set(self.whole_ns.get() + trial.whole_ns);
    }

    /// One line; nothing where nothing was simulated.
    fn line(&self) -> Option<String> {
        let per_s = |ns: u64| show_rate(self.requests.get() as f64 * 1e9 / ns.max(1) as f64);
        let (engine, whole) = (per_s(self.engine_ns.get()), per_s(self.whole_ns.get()));
        let said = format!("virtual time: {} requests on one core at {whole}, the simulation alone at {engine}", self.requests.get());
        (self.requests.get() > 0).then_some(said)
    }
}

fn execute(
    plan: &Plan,
    mut dir: RunDir,
    kept: Vec<Record>,
    monitor: Option<SocketAddr>,
    recorder: &arrivals::Recorder<'_>,
    args: &RunArgs,
) -> Result<Exit> {
    let quiet = args.quiet;
    let mut trials = Trials::new(plan, kept, args.in_process)?;
    trials.monitor = monitor;
    // There is no CPU time to sample in virtual time.
    let runs = |t: &analysis::Trial| !(plan.virtual_time && t.kind == TrialKind::Profiled);
    let mut todo = Queue::new(analysis::order(plan).into_iter().filter(|t| runs(t) && !trials.is_done(t)));
    let mut progress = Progress::new(todo.len(), quiet);
    let estimate = analysis::estimate(plan);
    let left_ns = estimate.total_ns as f64 * todo.len() as f64 / estimate.trials.max(1) as f64;
    plan.left_out.iter().for_each(|note| progress.say(&format!("note: {note}")));
    let about = if plan.virtual_time { "in virtual time".to_owned() } else { format!("about {}", show_ns(left_ns)) };
    progress.say(&format!("{} of {}, {about}", count(todo.len(), "trial"), count(plan.cases.len(), "case")));
    while let Some(trial) = todo.next() {
        progress.begin(&plan.cases[trial.case].id);
        let begun = Instant::now();
        let finished = trials.run(&trial, dir.work()?);
        dir.clear_work();
        let Some(mut finished) = finished? else {
            progress.clear();
            return Ok(interrupted(&dir, trials.records.len(), todo.len() + 1));
        };
        recorder.take(&finished.record, &trials.records)?;
        dir.add(&mut finished.record, finished.folded.as_deref())?;
        let again = todo.repeats(trial, &finished.record);
        progress.end(&finished.record, begun.elapsed(), again);
        trials.records.push(finished.record);
    }
    trials.pace.line().iter().for_each(|line| progress.say(line));
    progress.clear();
    conclude(&dir, quiet)
}

fn interrupted(dir: &RunDir, kept: usize, to_come: usize) -> Exit {
    eprint_line(&format!("interrupted: {} kept, {to_come} to come", count(kept, "trial")));
    eprint_line(&format!("next: poolbench run --continue {}", shell_word(dir.path())));
    Exit::Interrupted
}

/// Writes the report from what is on disk, as `poolbench report` would.
fn conclude(dir: &RunDir, quiet: bool) -> Result<Exit> {
    let summary = report::remake(dir.path(), dir.path())?;
    print_result(&format!("{}report: {}\n", report::terminal(&summary), dir.path().join(rundir::REPORT).display()))?;
    if !quiet {
        eprint_line(&format!("records: {}", dir.path().join(rundir::RECORDS).display()));
        eprint_line(&format!("next: poolbench report {}", shell_word(dir.path())));
    }
    for failure in &summary.failures {
        eprint_line(&format!("failed: {}: {}", failure.case, failure.why));
    }
    Ok(if summary.failed { Exit::Failed } else { Exit::Done })
}
