//! What was served and how: counts, tiers, deaths, answers, sessions, and what was left behind.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Executions, as the workers noted them, beside the outcomes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JournalCheck {
    /// Noted by workers.
    pub executions: u64,
    /// Requests of tools that are not replayable that ran more than once.
    pub twice: u64,
    /// Requests of replayable tools that ran more than once, as they may.
    pub replayed: u64,
    /// Requests that ran although their outcome, `failed` or `shed`, says that they did not.
    pub unsaid: u64,
    /// Requests that ended `ok` and never ran.
    pub never: u64,
}

/// What a trial left behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Left {
    /// Open descriptors of the trial's process after its target was closed, beyond those before it was opened.
    pub descriptors: u64,
    /// Sessions that the pool still remembered when the last request had its outcome.
    pub sessions: u64,
}

/// Resident memory without what the load generator itself keeps of each request, bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Memory {
    /// A third into the window.
    pub early_bytes: u64,
    /// At the window's end.
    pub late_bytes: u64,
}

/// Conservation: `intended = sent`, `sent = outcomes` once drained.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// Requests that the schedule holds for the window.
    pub intended: u64,
    /// Requests of the window handed over.
    pub sent: u64,
    /// Requests of the window with an outcome after the drain.
    pub finished: u64,
    /// `ok` requests of the window within their deadline (all `ok` ones where there is none).
    pub ok_in_deadline: u64,
    /// `ok` replies that arrived within the window, whenever sent.
    pub ok_arrived_in_window: u64,
    /// Requests outside of the window (warm-up), all outcomes.
    pub warmup: u64,
    /// Requests of the window that were dispatched more than once.
    pub redispatched: u64,
    /// Requests of the window served by a colder tier than predicted.
    pub fallbacks: u64,
}

/// The response times of a trial beside those of a pool that knows every cost, on the same arrivals, simulated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Regret {
    /// Sum of the responses of all `ok` requests of the window, ns.
    pub response_ns: u64,
    /// The same of the oracle, ns.
    pub oracle_ns: u64,
    /// Requests in the sums, of the trial.
    pub requests: u64,
}

/// One tier's figures in the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TierFigures {
    /// Requests served.
    pub served: u64,
    /// Slot time in use, ns.
    pub busy_ns: u64,
    /// Slot time with a live worker, ns.
    pub live_ns: u64,
    /// Slots.
    pub slots: u64,
}

/// Workers that died.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deaths {
    /// Died without being asked to.
    pub unexpected: u64,
    /// Of those, died while they held a request.
    pub while_busy: u64,
    /// Closed by the pool.
    pub closed: u64,
    /// Workers started during the whole trial.
    pub spawns: u64,
    /// Unexpected deaths by exit status, such as `signal 9 (SIGKILL)`.
    pub by_status: BTreeMap<String, u64>,
    /// Child processes left after the drain: must be 0.
    pub children_left: u64,
}

/// CPU time in ns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cpu {
    /// The trial's process without its pacing thread.
    pub process_ns: u64,
    /// Worker processes.
    pub workers_ns: u64,
    /// The pacing thread.
    pub pacer_ns: u64,
}

/// Sizes of what was sent back, summed over `ok` requests of the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ByteFigures {
    /// Responses before compression.
    pub encoded: u64,
    /// Responses as sent.
    pub sent: u64,
    /// Session documents as saved.
    pub saved: u64,
}

/// Answers compared with what was expected.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answers {
    /// Digests compared.
    pub digests: u64,
    /// Bodies decompressed and compared in full after the load (as many as fit in memory's bound).
    pub bodies: u64,
    /// Wrong ones of either.
    pub wrong: u64,
    /// The first wrong one; empty if there is none.
    pub first_wrong: String,
}

/// Sessions read back after the load.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionsCheck {
    /// Sessions read.
    pub read: u64,
    /// Turns that acknowledged requests must have left.
    pub turns_acknowledged: u64,
    /// Turns found.
    pub turns_found: u64,
    /// Acknowledged turns that are missing, summed over sessions.
    pub lost: u64,
    /// Turns found that no acknowledged request explains (requests whose outcome is unknown may).
    pub unacknowledged: u64,
    /// Sessions that could not be read.
    pub corrupt: u64,
}
