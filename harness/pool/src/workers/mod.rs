//! The kinds of worker, one table, one trait: what a worker is told and what it says. Who is told what, and when, is the
//! core's business.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::clock::{Clock, Nanos};
use crate::core::types::{RequestId, WorkerRef};

mod child;
mod control;
pub(crate) mod fault;
mod inproc;
mod journal;
mod outbox;
mod process;
mod reap;
mod sleep;
mod spawner;
mod stderr;

pub use child::{FaultError, WorkerError, WorkerFault, WorkerOptions, worker_main};
pub use fault::{Moment, RequestFault};
pub use journal::{Execution, read_journal};
pub use spawner::Spawner;

/// How synthetic work passes its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum How {
    /// Waits without CPU, as for a disk or a peer.
    Sleep,
    /// Burns CPU, as computing does.
    Spin,
}

/// The synthetic part of a request's service; the handler runs after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Work {
    /// Nanoseconds from the begin of the service.
    pub ns: u64,
    /// How they pass.
    pub how: How,
    /// What goes wrong on purpose, at the first dispatch only.
    pub fault: Option<RequestFault>,
}

impl Work {
    /// Work with which nothing goes wrong.
    pub const fn new(ns: u64, how: How) -> Work {
        Work { ns, how, fault: None }
    }
}

/// How often a worker is asked to tell its progress, where somebody wants to know.
const PROGRESS_MS: u32 = 100;

/// What an in-process `function` worker does with a payload. Runs on a runtime thread: keep it short, or CPU-bound.
pub trait Handler: Send + Sync {
    /// The answer to `payload`.
    ///
    /// # Errors
    /// The tool's own error message; the request then ends as `tool-error`.
    fn handle(&self, payload: &Bytes) -> Result<Bytes, String>;
}

/// Answers with the payload's xxh3-64 digest (8 bytes, little endian) and then the payload, as process workers do.
#[derive(Clone, Copy, Debug, Default)]
pub struct Echo;

impl Handler for Echo {
    fn handle(&self, payload: &Bytes) -> Result<Bytes, String> {
        let mut out = BytesMut::with_capacity(8 + payload.len());
        out.put_u64_le(xxhash_rust::xxh3::xxh3_64(payload));
        out.extend_from_slice(payload);
        Ok(out.freeze())
    }
}

/// The program that `process` workers run; no shell is involved.
#[derive(Clone, Debug)]
pub struct WorkerCommand {
    /// The program's path.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
}

/// What goes wrong with a worker on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disturbance {
    /// SIGKILL to the process group; an in-process worker is aborted.
    Kill,
    /// SIGSTOP, and SIGCONT after that many ns; the current or next service of an in-process worker takes that much longer.
    Stall(Nanos),
    /// SIGSTOP and nothing more; an in-process worker hangs.
    Stop,
}

/// One request on its way to a worker.
#[derive(Debug)]
pub struct Task {
    pub(crate) request: RequestId,
    pub(crate) work: Work,
    pub(crate) payload: Bytes,
    /// Whether somebody wants to know how far it is.
    pub(crate) progress: bool,
}

impl Task {
    /// How often progress is wanted, ms; 0 for never.
    fn progress_ms(&self) -> u32 {
        if self.progress { PROGRESS_MS } else { 0 }
    }
}

/// Whether a request's last byte has left already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// The worker has it all and may be running it.
    Written,
    /// It waits in the worker's outbox; an upcall follows when it is written.
    Queued,
}

/// What a worker answered.
#[derive(Debug)]
pub struct Answer {
    pub(crate) request: RequestId,
    pub(crate) begin: Nanos,
    pub(crate) end: Nanos,
    pub(crate) result: Result<Bytes, String>,
}

/// How far a tool has come with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Done so far, in the tool's own units.
    pub done: u64,
    /// All there is to do in the same units; 0 where it is not known.
    pub total: u64,
    /// What it is doing; may be empty.
    pub message: String,
}

/// Where a request's progress goes: bounded, and never waited for.
pub type ProgressSink = tokio::sync::mpsc::Sender<Progress>;

/// Why a worker is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// It could not be started at all.
    Spawn(String),
    /// It said what it must not say, and was killed.
    Protocol(String),
    /// It ended: an exit status, a signal, a panic, an abort.
    Ended(String),
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cause::Spawn(why) => write!(f, "cannot spawn: {why}"),
            Cause::Protocol(why) => write!(f, "protocol: {why}"),
            Cause::Ended(status) => f.write_str(status),
        }
    }
}

/// What is left of a worker.
#[derive(Debug)]
pub struct Exit {
    pub(crate) cause: Cause,
    pub(crate) pid: Option<u32>,
    pub(crate) stderr_tail: String,
    pub(crate) cpu_ns: u64,
}

/// What a worker's tasks report; the runtime implements it. After `exited` nothing follows.
pub trait Upcalls: Send + Sync {
    /// It can take work.
    fn ready(&self, worker: WorkerRef);
    /// A request that was [`Sent::Queued`] is wholly written.
    fn written(&self, worker: WorkerRef, request: RequestId);
    /// It has answered.
    fn replied(&self, worker: WorkerRef, answer: Answer);
    /// It has answered a probe.
    fn probed(&self, worker: WorkerRef);
    /// It has forgotten its session's state.
    fn reset_done(&self, worker: WorkerRef);
    /// It tells how far it has come with a request.
    fn progressed(&self, worker: WorkerRef, request: RequestId, progress: Progress);
    /// It is gone, reaped, and all it said has been delivered.
    fn exited(&self, worker: WorkerRef, exit: Exit);
}

/// Everything that the start of a worker needs.
pub struct Launch {
    pub(crate) worker: WorkerRef,
    /// Time to wait before the start.
    pub(crate) delay_ns: Nanos,
    pub(crate) upcalls: Arc<dyn Upcalls>,
    pub(crate) runtime: Handle,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) handler: Arc<dyn Handler>,
    pub(crate) command: Arc<WorkerCommand>,
    pub(crate) spawner: Spawner,
    pub(crate) frame_max: u32,
    pub(crate) close_grace_ns: Nanos,
    pub(crate) term_grace_ns: Nanos,
}

/// The pool's end of a live worker. Nothing here waits: all of it is called under the core's lock.
pub trait WorkerHandle: Send {
    /// Hands over one request; called in the order in which the worker must see them.
    fn send(&self, task: Task) -> Sent;
    /// Nobody waits for this request any more; the worker may stop working on it, and then answers it with an error.
    fn cancel(&self, request: RequestId);
    /// Asks for a sign of life; an upcall follows.
    fn probe(&self);
    /// Asks the worker to forget its session's state; an upcall follows.
    fn reset(&self);
    /// Ends the worker gently: EOF, SIGTERM, SIGKILL.
    fn close(&self);
    /// Ends the worker at once.
    fn kill(&self);
    /// Spoils the worker.
    fn disturb(&self, what: Disturbance);
    /// The process, if it is one and runs.
    fn pid(&self) -> Option<u32>;
}

/// A started worker: its handle, and the task that ends after its `exited`.
pub struct Started {
    pub(crate) handle: Box<dyn WorkerHandle>,
    pub(crate) task: JoinHandle<()>,
}

/// One row of [`WORKERS`].
pub trait WorkerKind: Sync {
    /// The kind's name in configurations.
    fn name(&self) -> &'static str;
    /// What it is, one sentence.
    fn doc(&self) -> &'static str;
    /// Starts a worker; `ready` or `exited` follows. Returns at once.
    fn start(&self, launch: Launch) -> Started;
}

/// Every kind of worker.
pub const WORKERS: &[&dyn WorkerKind] = &[&inproc::Simulated, &inproc::Function, &process::Process];

/// The row of that name.
pub fn worker_kind(name: &str) -> Option<&'static dyn WorkerKind> {
    WORKERS.iter().copied().find(|kind| kind.name() == name)
}

#[cfg(test)]
pub(crate) mod tests;
