//! The record: what a trial leaves. It holds evidence, never verdicts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::hist::Histogram;

mod contender;
mod trust;

pub use contender::{ContenderFigures, LimitFigures};
pub use trust::{ArrivalsFit, Backlog, Bounds, Settled, Trust};

/// What a trial is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrialKind {
    /// Closed loop before the rounds: how much can this case do?
    Calibration,
    /// A round.
    Measured,
    /// With the profiler on; its latencies are never quoted.
    Profiled,
}

/// The timing class of a trial in simulated time.
pub const VIRTUAL: &str = "virtual";

/// How a trial ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Status {
    /// It ran to its end.
    Measured,
    /// It could not be run or ended early.
    Failed {
        /// Why.
        why: String,
    },
    /// It was killed.
    TimedOut {
        /// After so many ns.
        after_ns: u64,
    },
}

/// What one trial leaves. Names of histograms: `response` (intended start to end, `ok` requests of the window), `since-sent`
/// (sent to end), `lag`, `phase.NAME`, `tier.NAME.response`, `tier.NAME.service` (by the tier that served), `class.NAME.response` (by the
/// tier of the planned cost); all in ns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// [`crate::plan::SCHEMA`].
    pub schema: u32,
    /// Id of the case.
    pub case: String,
    /// Round, from 0.
    pub round: u32,
    /// What the trial was for.
    pub kind: TrialKind,
    /// Seed of the trial.
    pub seed: u64,
    /// How it ended.
    pub status: Status,
    /// Milliseconds since 1970 when it began.
    pub started_unix_ms: u64,
    /// Digest of schedule, payloads and sessions: the same seed gives the same load on any host.
    pub fingerprint: String,
    /// `fifo` or `other`: the scheduling class that the pacing thread got; `none` in a closed loop; [`VIRTUAL`] in simulated time.
    pub timing_class: String,
    /// Whether arrivals were planned (open) or waited for replies (closed).
    pub open_loop: bool,
    /// Arrivals per second asked for; `None` in a closed loop.
    pub offered_per_s: Option<f64>,
    /// The measured window, ns: what was planned.
    pub window_ns: u64,
    /// From the window's begin to the last outcome of a request of the window, ns.
    pub until_last_ns: u64,
    /// Counting.
    pub counts: Counts,
    /// Requests of the window by outcome.
    pub outcomes: BTreeMap<String, u64>,
    /// Requests of the window by error text, at most 8 texts.
    pub errors: BTreeMap<String, u64>,
    /// Histograms by name.
    pub histograms: BTreeMap<String, Histogram>,
    /// Where the time went: band (`p50`: response between p45 and p55, `p99`: at or beyond p99) -> phase or `unexplained` or `response` -> mean ns.
    pub bands: BTreeMap<String, BTreeMap<String, f64>>,
    /// Share of response time in no phase, over all `ok` requests of the window.
    pub unexplained_share: f64,
    /// By tier.
    pub tiers: BTreeMap<String, TierFigures>,
    /// Requests served: predicted tier -> tier of the real cost -> count.
    pub confusion: BTreeMap<String, BTreeMap<String, u64>>,
    /// What guessing tiers cost; `None` unless an expectation asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regret: Option<Regret>,
    /// Requests of the window by affinity: `free`, `bound`, `hit`, `missed`, `forced-miss`.
    pub affinity: BTreeMap<String, u64>,
    /// Workers that died or were closed.
    pub deaths: Deaths,
    /// CPU used during the window.
    pub cpu: Cpu,
    /// Bytes of responses in the window.
    pub bytes: ByteFigures,
    /// Answers compared with what was expected.
    pub answers: Answers,
    /// Sessions compared with the requests that changed them; `None` without a store.
    pub sessions: Option<SessionsCheck>,
    /// The pacing thread; `None` in a closed loop.
    pub pacer: Option<Pacer>,
    /// How late the pacing thread was in each hundredth of the window, those without a request left out; empty without a pacing thread.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lag_over_time: Vec<LagPoint>,
    /// A queueing recursion over this very trial; only for a pool that serves first come, first served.
    pub twin: Option<Twin>,
    /// The host while the window ran.
    pub host: HostDuring,
    /// Peak resident memory of the trial's process, bytes.
    pub memory_peak_bytes: u64,
    /// The settings as SQLite or the system report them.
    pub seen: BTreeMap<String, String>,
    /// The profile; `None` unless profiled.
    pub profile: Option<ProfileFigures>,
    /// Answers that the monitor's endpoints gave while the trial ran; `None` where they were not served.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub monitored: Option<u64>,
    /// Faults that struck, by kind: made by the pool, or carried by a request that reached a worker.
    #[serde(default)]
    pub faults: BTreeMap<String, u64>,
    /// The workers' own notes of what they executed; `None` without `worker.journal`.
    #[serde(default)]
    pub journal: Option<JournalCheck>,
    /// What was left behind.
    #[serde(default)]
    pub left: Left,
    /// Resident memory of the trial's process.
    #[serde(default)]
    pub memory: Memory,
    /// What the stamps say of the trial itself; `None` in a closed loop, and in old records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust: Option<Trust>,
    /// What a contender did; `None` for every other target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contender: Option<ContenderFigures>,
}

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

/// Stands among the errors of a record for all that were too many to keep by text.
pub const OTHER_ERRORS: &str = "(other errors)";

/// The pacing thread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pacer {
    /// CPU time of the thread and of its stand-in, ns.
    pub cpu_ns: u64,
    /// Wall time of the thread, ns.
    pub wall_ns: u64,
    /// The spun tail before each send, ns; 0 without SCHED_FIFO.
    pub tail_ns: u64,
    /// Time in which the thread could have run and had no CPU, ns; 0 where the kernel does not say (schedstat).
    #[serde(default)]
    pub run_queue_ns: u64,
    /// Requests that the stand-in on another CPU sent, because the thread was kept from running.
    #[serde(default)]
    pub stood_in: u64,
}

/// Lag of the requests that were meant to start in one part of the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LagPoint {
    /// Begin of the part, ns from the window's begin.
    pub at_ns: u64,
    /// Requests.
    pub requests: u64,
    /// Their median lag, ns; the lower one of two.
    pub p50_ns: u64,
    /// Their greatest lag, ns.
    pub max_ns: u64,
}

/// Percentiles of latency from the intended start, ns: p50, p90, p95, p99.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Twin {
    /// As measured.
    pub measured: [f64; 4],
    /// As the recursion (Lindley's for one slot, Kiefer and Wolfowitz' for more) over the recorded arrivals and slot-hold times gives it.
    pub lindley: [f64; 4],
    /// As a stamp at the moment of dispatch, the mistake of a closed-loop tool, would have said.
    pub dispatch_stamp: [f64; 4],
    /// Requests compared.
    pub requests: u64,
    /// Slots of the pool; 0 in records of the time when only pools of one slot were compared.
    #[serde(default)]
    pub slots: u32,
    /// Percentiles of how far each request's latency was from its own in the recursion, either way, ns; `None` in old records.
    #[serde(default)]
    pub residual: Option<[f64; 4]>,
}

/// The host while the window ran; counters of the kernel, as differences.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostDuring {
    /// Share of CPU time taken by the hypervisor, 0..=1.
    pub steal_share: f64,
    /// Share of wall time in which some task waited for a CPU (pressure-stall), 0..=1.
    pub cpu_pressure: f64,
    /// Load average over one minute when the trial ended.
    pub load_1m: f64,
    /// Time throttled by a cgroup quota, ns.
    pub throttled_ns: u64,
    /// What others than the trial and its workers used of the CPU time; `None` in records that were made before it was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub others: Option<Others>,
}

/// CPU time that was neither the trial's, its workers' nor idle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Others {
    /// Share of all CPUs' time, 0..=1.
    pub share: f64,
    /// Three standard errors of the share: the kernel finds out who runs by looking at each tick.
    pub error: f64,
}

/// The profile's own figures.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfileFigures {
    /// Sampler's name.
    pub sampler: String,
    /// Rate asked for, per CPU-second.
    pub hz: u32,
    /// Samples captured.
    pub samples: u64,
    /// Samples that the process's CPU time should have given.
    pub expected: f64,
    /// Samples without a named function at the leaf.
    pub unnamed: u64,
    /// File of folded stacks in the run directory.
    pub folded: String,
    /// CPU time of worker processes during the profile, which is not in the picture, ns.
    pub outside_ns: u64,
}

impl Record {
    /// A record of a trial that has nothing to say but its status.
    pub fn without_figures(case: &str, round: u32, kind: TrialKind, seed: u64, status: Status) -> Record {
        Record {
            schema: crate::plan::SCHEMA,
            case: case.to_owned(),
            round,
            kind,
            seed,
            status,
            started_unix_ms: 0,
            fingerprint: String::new(),
            timing_class: "none".to_owned(),
            open_loop: false,
            offered_per_s: None,
            window_ns: 0,
            until_last_ns: 0,
            counts: Counts::default(),
            outcomes: BTreeMap::new(),
            errors: BTreeMap::new(),
            histograms: BTreeMap::new(),
            bands: BTreeMap::new(),
            unexplained_share: 0.0,
            tiers: BTreeMap::new(),
            confusion: BTreeMap::new(),
            regret: None,
            affinity: BTreeMap::new(),
            deaths: Deaths::default(),
            cpu: Cpu::default(),
            bytes: ByteFigures::default(),
            answers: Answers::default(),
            sessions: None,
            pacer: None,
            lag_over_time: Vec::new(),
            twin: None,
            host: HostDuring::default(),
            memory_peak_bytes: 0,
            seen: BTreeMap::new(),
            profile: None,
            monitored: None,
            faults: BTreeMap::new(),
            journal: None,
            left: Left::default(),
            memory: Memory::default(),
            trust: None,
            contender: None,
        }
    }
}
