//! The record: what a trial leaves. It holds evidence, never verdicts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::hist::Histogram;

mod contender;
mod host;
mod served;
mod trust;

pub use contender::{ContenderFigures, LimitFigures};
pub use host::{HostDuring, LagPoint, Others, Pacer, ProfileFigures, Twin};
pub use served::{Answers, ByteFigures, Counts, Cpu, Deaths, JournalCheck, Left, Memory, Regret, SessionsCheck, TierFigures};
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

/// Stands among the errors of a record for all that were too many to keep by text.
pub const OTHER_ERRORS: &str = "(other errors)";

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
