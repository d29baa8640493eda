//! Everything outside of the core that a request or a worker can meet, in simulated time.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BinaryHeap};

use model::record::Deaths;
use pool::clock::Nanos;
use pool::core::{RequestId, WorkerRef};

/// What comes due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// A worker has started.
    Ready(WorkerRef),
    /// A worker's reply is read; of an older `turn` it was put off.
    Reply(WorkerRef, u32),
    /// A worker is gone.
    Exit(WorkerRef),
    /// A worker answers a probe, once it is not stopped.
    Probed(WorkerRef),
    /// A worker has forgotten its session's state, once it is not stopped.
    ResetDone(WorkerRef),
    /// A client of a closed loop sends its next request.
    Client(u32),
    /// The n-th fault of the case strikes; tried so many times before.
    Fault(u32, u32),
    /// The window begins or ends.
    Edge,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    at: Nanos,
    /// Orders what is due at one time by when it was asked for.
    seq: u64,
    what: Due,
}

impl Ord for Entry {
    /// The earliest is the greatest, as the heap wants it.
    fn cmp(&self, other: &Entry) -> Ordering {
        (other.at, other.seq).cmp(&(self.at, self.seq))
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Entry) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// What will happen, in order. Small: one entry per busy worker and a few more.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    heap: BinaryHeap<Entry>,
    seq: u64,
}

impl Agenda {
    pub(super) fn push(&mut self, at: Nanos, what: Due) {
        self.seq += 1;
        self.heap.push(Entry { at, seq: self.seq, what });
    }

    pub(super) fn next(&self) -> Option<Nanos> {
        self.heap.peek().map(|entry| entry.at)
    }

    pub(super) fn pop(&mut self) -> Option<Due> {
        self.heap.pop().map(|entry| entry.what)
    }
}

/// How a worker ends unasked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Ending {
    /// By a signal.
    #[default]
    Killed,
    /// With this code.
    Exit(u8),
    /// It said what it must not say.
    Protocol,
    /// It does not end, and answers no more.
    Hangs,
}

impl Ending {
    fn status(self) -> String {
        match self {
            Ending::Killed | Ending::Hangs => "signal 9 (SIGKILL)".to_owned(),
            Ending::Exit(code) => format!("exit {code}"),
            Ending::Protocol => "protocol: garbage in place of a reply".to_owned(),
        }
    }
}

/// A slot's worker.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Worker {
    pub(super) generation: u32,
    /// Index of what its slot time counts for.
    pub(super) part: usize,
    pub(super) lives: bool,
    pub(super) ready: bool,
    pub(super) busy: Option<RequestId>,
    /// When its service began and will end.
    pub(super) service: (Nanos, Nanos),
    /// Told apart from replies that were put off.
    pub(super) turn: u32,
    /// Stopped until then.
    pub(super) stalled_until: Nanos,
    /// Answers no more.
    pub(super) hangs: bool,
    /// Whether the core asked for its end.
    pub(super) ending: bool,
    /// How it ends where nobody asked.
    pub(super) ends: Ending,
}

impl Worker {
    pub(super) fn is(&self, worker: WorkerRef) -> bool {
        self.lives && self.generation == worker.generation
    }
}

/// How the workers ended, and what struck.
#[derive(Clone, Debug, Default)]
pub(super) struct Ended {
    pub(super) deaths: Deaths,
    /// Faults made by the pool, by kind.
    pub(super) struck: BTreeMap<String, u64>,
}

impl Ended {
    pub(super) fn died(&mut self, worker: &Worker) {
        if worker.ending {
            self.deaths.closed += 1;
            return;
        }
        self.deaths.unexpected += 1;
        self.deaths.while_busy += u64::from(worker.busy.is_some());
        *self.deaths.by_status.entry(worker.ends.status()).or_default() += 1;
    }
}
