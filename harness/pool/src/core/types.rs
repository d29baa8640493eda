//! What goes into the core and what comes out of it: ids, events, actions.
//!
//! Everything here is plain data, so that a log of events replays to the identical actions.

use crate::clock::Nanos;

/// A request, unique within one pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// A tool, an index into [`Config::tools`](crate::Config).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ToolId(pub u16);

/// A session's key; the pool never sees a session's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionKey(pub u64);

/// A place for one worker, numbered from 0 over all tiers (hot slots first).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SlotId(pub u16);

/// One life of one worker: the slot and how many spawns it has seen. Replies of an older generation are dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WorkerRef {
    /// The slot that the worker fills.
    pub slot: SlotId,
    /// 1 for the slot's first worker.
    pub generation: u32,
}

/// The predicted cost of a request, and the part of the pool that serves such requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Tier {
    /// Light requests.
    Hot,
    /// Medium requests.
    Warm,
    /// Heavy requests.
    Cold,
}

impl Tier {
    /// All tiers, lightest first.
    pub const ALL: [Tier; 3] = [Tier::Hot, Tier::Warm, Tier::Cold];

    /// `hot`, `warm` or `cold`.
    pub fn name(self) -> &'static str {
        ["hot", "warm", "cold"][self as usize]
    }
}

/// A set of slots that serve the same requests: those of one tier, or all of them with shared dispatch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Partition {
    /// Workers of the hot tier.
    Hot,
    /// Workers of the warm tier.
    Warm,
    /// Workers of the cold tier.
    Cold,
    /// All workers of shared dispatch.
    Shared,
}

impl Partition {
    /// All partitions; which of them have slots is a matter of the configuration.
    pub const ALL: [Partition; 4] = [Partition::Hot, Partition::Warm, Partition::Cold, Partition::Shared];

    /// The partition of one tier's workers.
    pub fn of(tier: Tier) -> Partition {
        Partition::ALL[tier as usize]
    }

    /// `hot`, `warm`, `cold` or `shared`.
    pub fn name(self) -> &'static str {
        ["hot", "warm", "cold", "shared"][self as usize]
    }
}

/// The one terminal fate of an admitted request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Outcome {
    /// A right answer.
    Ok,
    /// The tool itself answered with an error.
    ToolError,
    /// It could not be served and surely had no effect.
    Failed,
    /// It was written to a worker that died before it replied: it may or may not have run.
    OutcomeUnknown,
    /// Its strict session died with its worker.
    SessionLost,
    /// The caller went away.
    Cancelled,
    /// Its deadline passed.
    Expired,
    /// It was refused at once because the queue was full or its deadline could not be met.
    Shed,
}

impl Outcome {
    /// All outcomes, best first.
    pub const ALL: [Outcome; 8] = [
        Outcome::Ok,
        Outcome::ToolError,
        Outcome::Failed,
        Outcome::OutcomeUnknown,
        Outcome::SessionLost,
        Outcome::Cancelled,
        Outcome::Expired,
        Outcome::Shed,
    ];

    /// The outcome's name in records and reports.
    pub fn name(self) -> &'static str {
        ["ok", "tool-error", "failed", "outcome-unknown", "session-lost", "cancelled", "expired", "shed"][self as usize]
    }
}

/// How the session's affinity was served.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Affinity {
    /// No session, or affinity is `none`.
    #[default]
    Free,
    /// The session's first request: bound now.
    Bound,
    /// Served by the worker to which the session is bound.
    Hit,
    /// Served elsewhere although the bound worker lives (soft affinity under load).
    Missed,
    /// Served elsewhere because the bound worker is gone.
    ForcedMiss,
}

/// Where and how a request was served; part of the terminal action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Placement {
    /// The predicted tier.
    pub predicted: Tier,
    /// The tier that served it, if one did; with shared dispatch the class under which it was served.
    pub served: Option<Tier>,
    /// The worker that served it last, if one did.
    pub worker: Option<WorkerRef>,
    /// Dispatches so far, 0 if it never left the queue.
    pub attempts: u8,
    /// How affinity was served.
    pub affinity: Affinity,
}

/// What a caller asks of the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Submit {
    /// A fresh id.
    pub request: RequestId,
    /// The tool called.
    pub tool: ToolId,
    /// Size of the payload, counted against the queue's bound.
    pub bytes: u32,
    /// The session it belongs to, if any.
    pub session: Option<SessionKey>,
    /// Absolute deadline; `None` for the tool's or pool's default.
    pub deadline: Option<Nanos>,
    /// Its true service time, ns, where the caller knows it; only [`Predict::Oracle`](crate::config::Predict) looks at it.
    pub cost: Option<Nanos>,
}

/// What the worker said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplyKind {
    /// A right answer.
    Ok,
    /// The tool's own error.
    ToolError,
}

/// Timers that the core asks for. A timer that has lost its meaning is ignored when it fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Timer {
    /// The earliest deadline of all live requests (the core keeps them ordered and arms one timer).
    Deadline,
    /// An idle worker's time to live.
    Idle(WorkerRef),
    /// A slot may spawn again.
    Backoff(SlotId),
    /// A worker that has not become ready in time.
    Start(WorkerRef),
    /// A zombie (its request was answered by deadline or cancel) that still has not replied.
    Zombie(WorkerRef),
    /// A worker has been healthy for long enough to forget its slot's failures.
    Healthy(WorkerRef),
    /// A stateful worker that has not forgotten its state in time.
    Reset(WorkerRef),
    /// A look at all workers: probes, outliers, spares.
    Sweep,
    /// The longest unused session's time to live.
    Session,
    /// A drain has taken long enough.
    Drain,
}

/// Something that happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The pool begins: spawn what `min-ready` and `spares` ask for.
    Start,
    /// A caller submits a request.
    Submit(Submit),
    /// The caller went away.
    Cancel(RequestId),
    /// A spawned worker can take work.
    Ready(WorkerRef),
    /// The request's last byte was handed to the worker: from here on it may have run.
    Written(WorkerRef, RequestId),
    /// The worker replied.
    Replied(WorkerRef, RequestId, ReplyKind),
    /// The worker is gone and reaped (or could not be spawned).
    Exited(WorkerRef),
    /// A timer fired.
    Timer(Timer),
    /// The session ended; forget its binding.
    EndSession(SessionKey),
    /// The worker answered a probe.
    Probed(WorkerRef),
    /// The worker has forgotten the state of its session.
    ResetDone(WorkerRef),
    /// Replace every worker that lives now, one by one, without failing a request; parked slots are tried again.
    Reload,
    /// Stop admitting, finish what is in flight, then close all.
    Drain,
}

/// Something the runtime must do, in this order, without waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Start a worker of the partition's kind.
    Spawn(WorkerRef, Partition),
    /// Hand the request to the worker.
    Dispatch(WorkerRef, RequestId),
    /// Tell the worker that nobody waits for this request any more (advisory).
    CancelAtWorker(WorkerRef, RequestId),
    /// Ask the worker for a sign of life; `Probed` follows if it can give one.
    Probe(WorkerRef),
    /// Ask the worker to forget the state of its session; `ResetDone` follows if it can.
    Reset(WorkerRef),
    /// Close by EOF, then SIGTERM, then SIGKILL; an `Exited` follows.
    Close(WorkerRef),
    /// SIGKILL at once; an `Exited` follows.
    Kill(WorkerRef),
    /// The request's one terminal outcome.
    Finish {
        /// The request.
        request: RequestId,
        /// Its fate.
        outcome: Outcome,
        /// When it may be worth trying again, ns from now; with `Shed` only.
        retry_after: Option<Nanos>,
        /// Where it was served.
        placement: Placement,
    },
    /// Fire `Timer` at the absolute time; replaces an earlier one of the same value.
    SetTimer(Timer, Nanos),
    /// Fire `Timer::Backoff` for the slot after a jittered delay for this attempt (from 1); the runtime draws the jitter.
    Backoff(SlotId, u32),
    /// A reload has ended: every older worker is replaced, or (false) the new ones do not start and the older ones were kept.
    Reloaded(bool),
    /// All workers are gone after `Drain`.
    Drained,
}
