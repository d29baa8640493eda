//! One trial: a target made ready, slices of load, then everything checked and written down.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use coordinator::monitor::http;
use model::plan::Case;
use model::record::{Record, Status, TrialKind};
use pool::clock::MonotonicClock;
use pool::{Deps, Echo, Spawner, WorkerCommand};
use profiler::SAMPLERS;
use tokio::runtime::Runtime;

use crate::answers::check_sessions;
use crate::contender;
use crate::evidence;
use crate::faults::Fault;
use crate::host;
use crate::journal;
use crate::launch::Lengths;
use crate::load::Occasion;
use crate::prepare::{PreparedCase, REQUESTS_MAX, check_size, prepare_case};
use crate::rows::Sink;
use crate::schedule::{Popularity, Schedule, Sort};
use crate::slice::{Ran, Slice, drain_ns};
use crate::sys;
use crate::target::{Opening, TARGETS, Target};
use crate::trust::Asked;

/// Rate of the profiler, Hz: half the usual tick of 250. One timer of the process is looked at once a tick, so two busy CPUs cannot both be
/// sampled at the whole tick.
const PROFILE_HZ: u32 = 125;
/// The rate at which a profiled trial samples, Hz of CPU time: never above the kernel's tick.
pub fn profile_hz() -> u32 {
    PROFILE_HZ.min(profiler::tick_hz())
}

/// Name of our own hidden subcommand that serves as `process` worker.
pub const WORKER_SUBCOMMAND: &str = "worker";

/// What a trial is asked to do.
#[derive(Clone, Debug)]
pub struct Order {
    /// The case.
    pub case: Case,
    /// Round, from 0.
    pub round: u32,
    /// What for.
    pub kind: TrialKind,
    /// Its seed.
    pub seed: u64,
    /// Arrivals per second, resolved; `None` for a closed loop.
    pub rate_per_s: Option<f64>,
    /// An empty directory for the store.
    pub dir: PathBuf,
    /// Where the endpoints of the pool's monitor are served while the trial runs, if the target has a pool.
    pub monitor: Option<SocketAddr>,
}

/// A trial made ready: of load that is sent to a target, or of a contender.
pub struct Trial(Driven);

enum Driven {
    Load(Box<LoadTrial>),
    Contender(Box<contender::Trial>),
}

impl Trial {
    /// Makes payloads, opens the target.
    ///
    /// # Errors
    /// Why it cannot be made ready, with the remedy.
    pub fn prepare(order: Order) -> Result<Trial, String> {
        let prepared = prepare_case(&order.case).map_err(|p| p.to_string())?;
        // Before any thread is started, so that all of them inherit it.
        if prepared.cpus > 0 {
            sys::use_cpus(prepared.cpus).map_err(|e| format!("cannot bind the trial to {} CPUs (trial.cpus): {e}", prepared.cpus))?;
        }
        // Primed before any other thread exists: the unwinder's first sample allocates.
        if order.kind == TrialKind::Profiled {
            let primed = SAMPLERS[0].start(profile_hz()).map_err(|e| e.to_string())?;
            drop(primed);
        }
        Ok(Trial(match prepared.contender {
            Some(chosen) => Driven::Contender(Box::new(contender::Trial::prepare(order, &prepared, chosen, unix_ms())?)),
            None => Driven::Load(Box::new(LoadTrial::prepare(order, prepared)?)),
        }))
    }

    /// Digest of payloads before the first slice, of the last slice's whole load after it.
    pub fn fingerprint(&self) -> String {
        match &self.0 {
            Driven::Load(trial) => trial.fingerprint(),
            Driven::Contender(trial) => trial.fingerprint(),
        }
    }

    /// Runs one slice; returns its finished requests and the `ok` ones that arrived within the window, per second.
    ///
    /// # Errors
    /// When a load cannot be made or an operation fails, or the profiler cannot run.
    pub fn slice(&mut self, seed: u64, warmup_ns: u64, length_ns: u64, profiled: bool) -> Result<(u64, f64), String> {
        match &mut self.0 {
            Driven::Load(trial) => trial.slice(seed, warmup_ns, length_ns, profiled),
            Driven::Contender(trial) => trial.slice(warmup_ns, length_ns, profiled),
        }
    }

    /// Drains, checks answers and sessions, closes everything and makes the record.
    ///
    /// # Errors
    /// When no slice was run, the target cannot be closed, or a contender's answer is wrong.
    pub fn finish(self) -> Result<Finished, String> {
        match self.0 {
            Driven::Load(trial) => trial.finish(),
            Driven::Contender(trial) => trial.finish(),
        }
    }
}

/// A trial of load.
struct LoadTrial {
    order: Order,
    prepared: PreparedCase,
    runtime: Runtime,
    target: Arc<dyn Target>,
    monitor: Option<http::Server>,
    sorts: Arc<Vec<Sort>>,
    sink: Arc<Sink>,
    started_unix_ms: u64,
    /// Open descriptors before the target was opened.
    descriptors: u64,
    fingerprint: u64,
    intended: u64,
    /// Of the last slice.
    lengths: Lengths,
    ran: Option<Ran>,
    profile: Option<profiler::Profile>,
}

/// What is left when a trial is finished.
pub struct Finished {
    /// The record.
    pub record: Record,
    /// Folded stacks of a profiled trial.
    pub folded: Option<String>,
}

impl LoadTrial {
    fn prepare(order: Order, prepared: PreparedCase) -> Result<LoadTrial, String> {
        if let Some(rate) = order.rate_per_s {
            check_size(&order.case, &prepared.arrivals, rate).map_err(|p| p.to_string())?;
        }
        let sorts = Arc::new(prepared.sorts(order.seed));
        let spawner = Spawner::start().map_err(|e| format!("cannot start the spawning thread: {e}"))?;
        let runtime =
            tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|e| format!("cannot start the runtime: {e}"))?;
        let deps = Deps {
            clock: Arc::new(MonotonicClock),
            seed: order.seed,
            handler: Arc::new(Echo),
            worker_command: worker_command(&prepared, &order.dir)?,
            spawner,
            log: None,
        };
        let descriptors = host::descriptors();
        let opening = Opening { config: prepared.config.clone(), deps, dir: order.dir.clone(), monitored: order.monitor.is_some() };
        let target: Arc<dyn Target> = Arc::from(runtime.block_on(TARGETS[prepared.target].open(opening))?);
        let monitor = match (order.monitor, target.monitor()) {
            (Some(address), Some(monitor)) => Some(http::serve(address, monitor).map_err(|e| e.to_string())?),
            _ => None,
        };
        Ok(LoadTrial {
            prepared,
            monitor,
            runtime,
            target,
            sink: Arc::default(),
            started_unix_ms: unix_ms(),
            descriptors,
            fingerprint: Schedule::default().fingerprint(&sorts),
            sorts,
            intended: 0,
            lengths: Lengths { warmup_ns: 0, length_ns: 0 },
            ran: None,
            profile: None,
            order,
        })
    }

    fn fingerprint(&self) -> String {
        format!("{:016x}", self.fingerprint)
    }

    fn is_open(&self) -> bool {
        self.order.kind != TrialKind::Calibration && self.prepared.arrivals.is_open()
    }

    fn slice(&mut self, seed: u64, warmup_ns: u64, length_ns: u64, profiled: bool) -> Result<(u64, f64), String> {
        let (load, open) = (&self.prepared.case.load, self.is_open());
        let lengths = Lengths { warmup_ns, length_ns };
        let on = Occasion { kind: self.order.kind, rate_per_s: self.order.rate_per_s, lengths, seed };
        let schedule = Arc::new(crate::load::schedule(&self.prepared, &self.sorts, on)?);
        let faults: &[Fault] = if self.order.kind == TrialKind::Calibration { &[] } else { &self.prepared.faults };
        self.fingerprint = schedule.fingerprint(&self.sorts);
        self.lengths = lengths;
        self.intended = if open { schedule.in_window(warmup_ns) } else { 0 };
        self.sink = Arc::new(Sink::with_capacity(schedule.intents.len()));
        let hz = profile_hz();
        let session = profiled.then(|| SAMPLERS[0].start(hz)).transpose().map_err(|e| e.to_string())?;
        let slice = Slice {
            target: &self.target,
            schedule: &schedule,
            sorts: &self.sorts,
            accept: &Arc::from(load.accept.as_str()),
            warmup_ns,
            length_ns,
            turns: match self.prepared.popularity {
                Popularity::InTurn(each) => Some((each, load.sessions)),
                _ => None,
            },
            clients: (!open).then_some(load.clients),
            faults,
            drain_ns: drain_ns(self.order.case.timeout_ns, warmup_ns.saturating_add(length_ns)),
        };
        let ran = slice.run(&self.runtime, &self.sink).map_err(|e| format!("the load cannot be handed over: {e}"))?;
        self.profile = session.map(profiler::Session::stop).transpose().map_err(|e| e.to_string())?;
        let (finished, ok) = self.sink.tally(ran.window);
        if !open && finished as f64 >= REQUESTS_MAX {
            return Err(format!("the closed loop made {REQUESTS_MAX:.0} requests, the most that one trial may: shorten load.length"));
        }
        self.ran = Some(ran);
        Ok((finished, ok as f64 * 1e9 / length_ns.max(1) as f64))
    }

    fn finish(mut self) -> Result<Finished, String> {
        let ran = self.ran.take().ok_or("no slice was run")?;
        let (rows, errors) = self.sink.finish();
        let mut record = Record::without_figures(&self.order.case.id, self.order.round, self.order.kind, self.order.seed, Status::Measured);
        record.started_unix_ms = self.started_unix_ms;
        record.fingerprint = self.fingerprint();
        record.open_loop = self.is_open();
        if record.open_loop {
            record.offered_per_s = self.prepared.arrivals.mean_per_s(self.order.rate_per_s, self.lengths, self.intended);
        }
        record.counts.intended = if record.open_loop { self.intended } else { rows.iter().filter(|r| r.measured).count() as u64 };
        let asked = Asked { arrivals: &self.prepared.arrivals, per_s: self.order.rate_per_s, lengths: self.lengths };
        evidence::put_load(&mut record, &rows, &ran, &self.prepared, asked);
        record.errors = errors;
        record.regret = crate::simulation::regret(&self.prepared, &rows, self.lengths, self.order.seed, None);
        record.faults = self.sink.faults(&rows, &self.prepared.faults);
        record.answers.digests = record.outcomes.get("ok").copied().unwrap_or(0);
        record.answers.wrong = self.sink.wrong_digests.load(Ordering::Relaxed);
        self.sink.bodies.check(self.target.as_ref(), &self.sorts, self.prepared.config.compress.decompressed_max, &mut record.answers);
        if let Some(store) = self.target.store().filter(|_| self.prepared.sessions() > 0) {
            record.sessions = Some(self.runtime.block_on(check_sessions(store, &rows, self.prepared.sessions())));
        }
        record.seen = self.target.store().map(store::Store::describe).unwrap_or_default();
        if let Some(monitor) = self.monitor.take() {
            record.monitored = Some(self.runtime.block_on(monitor.stop()));
        }
        let pool = self.target.pool().cloned();
        self.close()?;
        record.deaths = pool.map(|p| evidence::deaths(&p)).unwrap_or_default();
        record.deaths.children_left = host::children();
        record.left.descriptors = descriptors_left(self.descriptors);
        if self.prepared.journal {
            let tools = &self.prepared.config.pool.tools;
            let replayable = |sort: &Sort| tools.get(usize::from(sort.tool.0)).is_some_and(|tool| tool.replayable);
            record.journal = Some(journal::compare(&self.order.dir.join(journal::FILE), &rows, &self.sorts, replayable)?);
        }
        record.memory_peak_bytes = host::memory_peak_bytes();
        let folded = self.profile.take().map(|profile| {
            record.profile = Some(evidence::profile(&profile, ran.drained.workers_cpu_ns.saturating_sub(ran.begin.workers_cpu_ns)));
            profile.stacks.to_string()
        });
        Ok(Finished { record, folded })
    }
}

/// How long a target may take to close when it still holds requests after the drain, which are lost: a pool would wait for them until the trial is
/// killed, and with it the record that tells of them.
const LOST: Duration = Duration::from_millis(100);

impl LoadTrial {
    /// Closes the target, whatever it holds.
    fn close(&self) -> Result<(), String> {
        if self.sink.outstanding.load(Ordering::Acquire) == 0 {
            return self.runtime.block_on(self.target.close());
        }
        let closed = self.runtime.block_on(async { tokio::time::timeout(LOST, self.target.close()).await });
        closed.unwrap_or(Ok(()))
    }
}

fn unix_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as u64)
}

/// Descriptors that are open beyond `before`. What tasks that were aborted hold is closed when the runtime has dropped them.
fn descriptors_left(before: u64) -> u64 {
    for _ in 0..100 {
        if host::descriptors() <= before {
            return 0;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    host::descriptors().saturating_sub(before)
}

/// The command of `process` workers: as set, or this very program's hidden subcommand.
fn worker_command(prepared: &PreparedCase, dir: &Path) -> Result<WorkerCommand, String> {
    if let Some(command) = &prepared.config.worker_command {
        return Ok(command.clone());
    }
    let program = std::env::current_exe().map_err(|e| format!("cannot find this program's own file for its workers: {e}"))?;
    let mut args = vec![WORKER_SUBCOMMAND.into()];
    if prepared.journal {
        args.extend(["--journal".into(), dir.join(journal::FILE).into()]);
    }
    Ok(WorkerCommand { program, args })
}
