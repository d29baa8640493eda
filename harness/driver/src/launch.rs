//! The parent's side of a trial: a child process of its own group, a time limit, and nobody left behind.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use model::protocol::{FromChild, PROTOCOL, ToChild};
use model::record::{Record, Status, TrialKind};
use pool::clock::{Clock, MonotonicClock};

use crate::trial::{Finished, Order, Trial};

/// How often the interrupt is looked at.
const LOOK: Duration = Duration::from_millis(50);
/// Last words of a child that are kept, bytes.
const STDERR_KEPT: usize = 4096;
/// Longest line a child may say, bytes: a record with its histograms has a few hundred KiB.
const LINE_MAX: u64 = 256 << 20;
/// How long orphans of a killed child may take to be reaped.
const REAP: Duration = Duration::from_secs(5);

/// How trials are run.
pub struct Launcher {
    /// This program.
    pub program: PathBuf,
    /// Its hidden subcommand for trials.
    pub args: Vec<String>,
    /// Version and commit of this build: the program's file may be replaced while a run goes on.
    pub build: String,
    /// Run the trial in this very process, for a debugger.
    pub in_process: bool,
    /// Set by a signal: stop as soon as possible.
    pub interrupted: Arc<AtomicBool>,
}

/// Why there is no record.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// The user or the system asked us to stop.
    #[error("interrupted")]
    Interrupted,
    /// The child could not be started.
    #[error("cannot start the trial's process: {0}")]
    Spawn(std::io::Error),
}

/// The lengths of a trial's one slice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lengths {
    /// Warm-up, ns.
    pub warmup_ns: u64,
    /// Window, ns.
    pub length_ns: u64,
}

impl Lengths {
    /// Those of a load's measured trials.
    pub fn of(load: &model::plan::Load) -> Lengths {
        Lengths { warmup_ns: load.warmup_ns, length_ns: load.length_ns }
    }

    /// Both together, ns.
    pub fn span_ns(self) -> u64 {
        self.warmup_ns.saturating_add(self.length_ns)
    }
}

impl Launcher {
    /// Runs one trial of one slice. A trial that fails or takes too long is a record too.
    ///
    /// # Errors
    /// When interrupted, or when no process can be started at all.
    pub fn run(&self, order: Order, lengths: Lengths) -> Result<Finished, LaunchError> {
        // A trial in this process cannot be stopped in its middle, but the next one need not begin.
        if self.interrupted.load(Ordering::Relaxed) {
            return Err(LaunchError::Interrupted);
        }
        let blank = Record::without_figures(&order.case.id, order.round, order.kind, order.seed, Status::Measured);
        let slice = ToChild::Slice {
            id: 0,
            seed: order.seed,
            warmup_ns: lengths.warmup_ns,
            length_ns: lengths.length_ns,
            profiled: order.kind == TrialKind::Profiled,
        };
        let outcome = if self.in_process { run_here(order, &slice) } else { self.run_child(order, slice)? };
        let status = match outcome {
            Ok(finished) => return Ok(finished),
            Err(status) => status,
        };
        Ok(Finished { record: Record { status, ..blank }, folded: None })
    }

    fn run_child(&self, order: Order, slice: ToChild) -> Result<Result<Finished, Status>, LaunchError> {
        let timeout_ns = order.case.timeout_ns;
        let prepare = ToChild::Prepare {
            case: Box::new(order.case),
            round: order.round,
            kind: order.kind,
            seed: order.seed,
            dir: order.dir.to_string_lossy().into_owned(),
            rate_per_s: order.rate_per_s,
            monitor: order.monitor,
        };
        let mut running = Running::start(self).map_err(LaunchError::Spawn)?;
        let until = MonotonicClock.now() + timeout_ns;
        let outcome = running.converse([prepare, slice, ToChild::Finish], until, self);
        running.end();
        match outcome {
            Ok(finished) => Ok(Ok(finished)),
            Err(Stop::Interrupted) => Err(LaunchError::Interrupted),
            Err(Stop::TimedOut) => Ok(Err(Status::TimedOut { after_ns: timeout_ns })),
            Err(Stop::Failed(why)) => Ok(Err(Status::Failed { why })),
        }
    }
}

fn run_here(order: Order, slice: &ToChild) -> Result<Finished, Status> {
    let ToChild::Slice { seed, warmup_ns, length_ns, profiled, .. } = *slice else {
        return Err(Status::Failed { why: "no slice was asked for".to_owned() });
    };
    let run = || {
        let mut trial = Trial::prepare(order)?;
        trial.slice(seed, warmup_ns, length_ns, profiled)?;
        trial.finish()
    };
    run().map_err(|why| Status::Failed { why })
}

/// Why a conversation ended early.
enum Stop {
    Interrupted,
    TimedOut,
    Failed(String),
}

struct Running {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<Result<FromChild, String>>,
    stderr: Arc<Mutex<VecDeque<u8>>>,
}

impl Running {
    fn start(launcher: &Launcher) -> std::io::Result<Running> {
        // Orphans of a killed trial become our children, so that they can be reaped here.
        rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
        let mut command = Command::new(&launcher.program);
        command.args(&launcher.args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        die_with_parent(&mut command);
        let mut child = command.spawn()?;
        let (sender, lines) = channel();
        if let Some(stdout) = child.stdout.take() {
            std::thread::spawn(move || read_lines(BufReader::new(stdout), |line| sender.send(line).is_ok()));
        }
        let stderr = Arc::new(Mutex::new(VecDeque::new()));
        if let Some(stream) = child.stderr.take() {
            let kept = Arc::clone(&stderr);
            std::thread::spawn(move || keep_tail(stream, &kept));
        }
        Ok(Running { stdin: child.stdin.take(), child, lines, stderr })
    }

    /// Says each order once its predecessor is answered; the last answer is the record.
    fn converse<const N: usize>(&mut self, orders: [ToChild; N], until: u64, launcher: &Launcher) -> Result<Finished, Stop> {
        let interrupted = &launcher.interrupted;
        match self.hear(until, interrupted)? {
            FromChild::Hello { protocol: PROTOCOL, build } if build == launcher.build => {}
            FromChild::Hello { build, .. } => {
                let why =
                    format!("the program was replaced during the run: this is {}, its file now {build}; begin a new run", launcher.build);
                return Err(Stop::Failed(why));
            }
            other => return Err(Stop::Failed(format!("the trial's process speaks another protocol: {other:?}"))),
        }
        for order in orders {
            let said = serde_json::to_vec(&order).map_err(std::io::Error::from).and_then(|mut line| {
                line.push(b'\n');
                self.stdin.as_mut().map_or(Ok(()), |stdin| stdin.write_all(&line).and_then(|()| stdin.flush()))
            });
            // A child that is gone says so itself, or its silence does.
            drop(said);
            match self.hear(until, interrupted)? {
                FromChild::Record { record, folded } => return Ok(Finished { record: *record, folded }),
                FromChild::Failed { why } => return Err(Stop::Failed(why)),
                _ => {}
            }
        }
        Err(Stop::Failed("the trial's process sent no record".to_owned()))
    }

    fn hear(&mut self, until: u64, interrupted: &AtomicBool) -> Result<FromChild, Stop> {
        loop {
            if interrupted.load(Ordering::Relaxed) {
                return Err(Stop::Interrupted);
            }
            match self.lines.recv_timeout(LOOK) {
                Ok(Ok(said)) => return Ok(said),
                Ok(Err(why)) => return Err(Stop::Failed(why)),
                Err(RecvTimeoutError::Timeout) if MonotonicClock.now() >= until => return Err(Stop::TimedOut),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(Stop::Failed(self.last_words())),
            }
        }
    }

    fn last_words(&mut self) -> String {
        let status = self.child.wait().map_or_else(|e| e.to_string(), |s| s.to_string());
        let tail: Vec<u8> = self.stderr.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect();
        let tail = String::from_utf8_lossy(&tail).trim().replace('\n', " | ");
        if tail.is_empty() { format!("the trial's process died: {status}") } else { format!("the trial's process died: {status}: {tail}") }
    }

    /// Ends the child's whole group and reaps it and its orphans.
    fn end(mut self) {
        drop(self.stdin.take());
        let gone = || MonotonicClock.now() + REAP.as_nanos() as u64;
        if !matches!(self.child.try_wait(), Ok(Some(_))) {
            // A child that has sent its record ends by itself within moments.
            let until = MonotonicClock.now() + 200_000_000;
            while matches!(self.child.try_wait(), Ok(None)) && MonotonicClock.now() < until {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        if let (Ok(None), Some(group)) = (self.child.try_wait(), rustix::process::Pid::from_raw(self.child.id() as i32)) {
            // Gone already is what we want.
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
            let _ = self.child.wait();
        }
        let until = gone();
        // Its workers die with it (parent-death signal) and, orphaned, are ours to reap.
        while matches!(rustix::process::wait(rustix::process::WaitOptions::NOHANG), Ok(status) if {
            if status.is_none() {
                std::thread::sleep(Duration::from_millis(1));
            }
            MonotonicClock.now() < until
        }) {}
    }
}

/// The trial's process is killed when the thread that started it ends: call this from a thread that lives as long as the program.
#[expect(unsafe_code, reason = "CommandExt::pre_exec is unsafe; the closure makes one async-signal-safe system call")]
fn die_with_parent(command: &mut Command) {
    // SAFETY: prctl is async-signal-safe and the closure neither allocates nor locks.
    unsafe {
        command.pre_exec(|| Ok(rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?));
    }
}

fn read_lines(mut stream: impl BufRead, mut send: impl FnMut(Result<FromChild, String>) -> bool) {
    loop {
        let mut line = Vec::new();
        match stream.by_ref().take(LINE_MAX).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let said = serde_json::from_slice(&line).map_err(|e| format!("the trial's process said something unknown: {e}"));
        if !send(said) {
            return;
        }
    }
}

fn keep_tail(mut stream: impl Read, kept: &Mutex<VecDeque<u8>>) {
    let mut buffer = [0u8; 1024];
    while let Ok(n @ 1..) = stream.read(&mut buffer) {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend(&buffer[..n]);
        let excess = kept.len().saturating_sub(STDERR_KEPT);
        kept.drain(..excess);
    }
}
