//! One case of the summary, as data.

use std::collections::BTreeMap;

use model::record::{Answers, Counts, Deaths, JournalCheck, SessionsCheck, TrialKind};
use serde::Serialize;

/// One case over all its trials.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CaseSummary {
    /// `group/name?short=value&…`.
    pub id: String,
    /// `(short key, value)` of each axis, in axis order.
    pub axes: Vec<(String, String)>,
    /// Measured rounds in the plan.
    pub rounds_planned: u32,
    /// Measured rounds that ran to their end.
    pub rounds_measured: u32,
    /// Measured rounds that failed or timed out.
    pub rounds_failed: u32,
    /// One row per trial that failed or timed out, of any kind.
    pub statuses: Vec<StatusRow>,
    /// Whether arrivals were planned (open loop); `None` if nothing was measured.
    pub open_loop: Option<bool>,
    /// `fifo`, `other`, `none` or `mixed`.
    pub timing_class: String,
    /// `ok` per second of the closed-loop calibration trials.
    pub capacity_per_s: Figure,
    /// Arrivals per second asked for.
    pub offered_per_s: Figure,
    /// Offered by capacity; 1.0 is all of it.
    pub offered_share_of_capacity: Option<f64>,
    /// `ok` within the deadline per second of the window.
    pub goodput_per_s: Figure,
    /// CPU of process and workers per finished request, ns; without the pacer.
    pub cpu_per_request_ns: Figure,
    /// Intended start to end, `ok` requests.
    pub response: Percentiles,
    /// Sent to end, `ok` requests: what a stamp at the send would say.
    pub since_sent: Percentiles,
    /// The percentile curve of the response, all rounds merged, for plots.
    pub spectrum: Vec<SpectrumPoint>,
    /// Counts, summed over rounds.
    pub counts: Counts,
    /// Requests by outcome, summed over rounds, `ok` first, then by name.
    pub outcomes: Vec<OutcomeRow>,
    /// Requests by error text, summed over rounds, most frequent first.
    pub errors: Vec<ErrorRow>,
    /// Session affinity; `None` where no request had a session.
    pub affinity: Option<AffinitySummary>,
    /// Tiers, in the order hot, warm, cold, then by name.
    pub tiers: Vec<TierSummary>,
    /// Predicted tier against the tier of the real cost; `None` where nothing was predicted.
    pub confusion: Option<Confusion>,
    /// What guessing tiers cost; `None` where no oracle was simulated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guessing: Option<Guessing>,
    /// Phases in the order of a request's life.
    pub phases: Vec<PhaseRow>,
    /// Where the time went, band `p50` first, then `p99`.
    pub bands: Vec<Band>,
    /// Share of response time in no phase, mean over rounds.
    pub unexplained_share: Option<f64>,
    /// Worker deaths, summed over rounds.
    pub deaths: Deaths,
    /// Faults that struck, by kind, summed over rounds.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub faults: BTreeMap<String, u64>,
    /// The workers' own notes, summed over rounds; `None` where they kept none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub journal: Option<JournalCheck>,
    /// Sizes; `None` where nothing was sent back.
    pub bytes: Option<BytesSummary>,
    /// Answers compared, summed over rounds.
    pub answers: Answers,
    /// Sessions read back, summed over rounds; `None` without a store.
    pub sessions: Option<SessionsCheck>,
    /// The generator; `None` in a closed loop.
    pub pacer: Option<PacerSummary>,
    /// The host during the windows.
    pub host: HostSummary,
    /// Comparison with a queueing recursion; `None` where it does not apply.
    pub twin: Option<TwinSummary>,
    /// How sure the response percentiles and the goodput are; empty for closed loops and old records.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub intervals: Vec<IntervalRow>,
    /// Largest peak resident memory of a trial's process, bytes.
    pub memory_peak_bytes: u64,
    /// The settings as SQLite or the system report them.
    pub seen: BTreeMap<String, String>,
    /// Marks on the figures, worst first.
    pub brands: Vec<Brand>,
    /// What had to hold.
    pub checks: Vec<Check>,
}

/// One figure of a case: the median over rounds.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Figure {
    /// Median over the rounds that have it.
    pub value: Option<f64>,
    /// Smallest of the rounds.
    pub low: Option<f64>,
    /// Largest of the rounds.
    pub high: Option<f64>,
    /// Rounds that have it.
    pub rounds: u32,
    /// Why there is no value.
    pub why_blank: Option<String>,
}

/// Percentiles of a latency, ns: each the median over rounds of the round's own percentile.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Percentiles {
    /// Median.
    pub p50_ns: Figure,
    /// 90th percentile.
    pub p90_ns: Figure,
    /// 95th percentile.
    pub p95_ns: Figure,
    /// 99th percentile.
    pub p99_ns: Figure,
    /// 99.9th percentile.
    pub p99_9_ns: Figure,
    /// Largest.
    pub max_ns: Figure,
}

/// A point of a percentile curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct SpectrumPoint {
    /// Share of requests at or below, 0..1.
    pub share: f64,
    /// Response, ns.
    pub ns: u64,
}

/// A trial that did not run to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StatusRow {
    /// What the trial was for.
    pub kind: TrialKind,
    /// Round, from 0.
    pub round: u32,
    /// Why it did not.
    pub why: String,
}

/// Requests that ended one way.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OutcomeRow {
    /// `ok`, `tool-error`, `failed`, `outcome-unknown`, `session-lost`, `cancelled`, `expired`, `shed`.
    pub outcome: String,
    /// Requests.
    pub count: u64,
    /// Share of all requests of the windows.
    pub share: f64,
}

/// Requests with one error text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ErrorRow {
    /// The text.
    pub text: String,
    /// Requests.
    pub count: u64,
}

/// Session affinity, summed over rounds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct AffinitySummary {
    /// Requests without a session.
    pub free: u64,
    /// First requests of a session: they bound it to a worker.
    pub bound: u64,
    /// Served by the session's own worker.
    pub hits: u64,
    /// Served by another although its own lived.
    pub missed: u64,
    /// Served by another since its own had gone.
    pub forced_misses: u64,
    /// Hits by hits, misses and forced misses; `None` where there is none of them.
    pub hit_share: Option<f64>,
}

/// One tier.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TierSummary {
    /// `hot`, `warm` or `cold`.
    pub tier: String,
    /// Requests served, summed over rounds.
    pub served: u64,
    /// Share of all served.
    pub served_share: Option<f64>,
    /// Response of its requests.
    pub response: Percentiles,
    /// Service time of its requests.
    pub service: Percentiles,
    /// Slots, the most of a round.
    pub slots: u64,
    /// Pool utilisation: slot time in use by slot time with a live worker.
    pub busy_share: Option<f64>,
    /// Slot time with a live worker by all slot time of the window.
    pub live_share: Option<f64>,
}

/// Predicted tier against the tier of the real cost.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Confusion {
    /// Tiers, in the order of rows, columns, recall and precision.
    pub tiers: Vec<String>,
    /// Row: predicted; column: actual; summed over rounds.
    pub counts: Vec<Vec<u64>>,
    /// Requests in the matrix.
    pub total: u64,
    /// Share predicted rightly.
    pub accuracy: Option<f64>,
    /// Per actual tier: rightly predicted by all of that actual tier.
    pub recall: Vec<Option<f64>>,
    /// Per predicted tier: rightly predicted by all predicted so.
    pub precision: Vec<Option<f64>>,
}

/// What guessing the tiers of requests cost.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Guessing {
    /// Mean response by that of a pool that knows every cost, on the same arrivals, over rounds. Its excess over 1 is the cost regret.
    pub by_oracle: super::Interval,
    /// Share of the really hot requests that were predicted heavier.
    pub over_predicted: Option<f64>,
}

/// One phase, all rounds merged.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PhaseRow {
    /// Its name.
    pub phase: String,
    /// Requests that had it.
    pub count: u64,
    /// Median of the merged histogram, ns.
    pub p50_ns: Option<f64>,
    /// 99th percentile of the merged histogram, ns; `None` on fewer than 10 samples beyond.
    pub p99_ns: Option<f64>,
}

/// Where the time of requests near one percentile went.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Band {
    /// `p50` (response between p45 and p55) or `p99` (at or beyond p99).
    pub band: String,
    /// Mean response of the band, ns, mean over rounds.
    pub response_ns: Option<f64>,
    /// Phases in the order of a request's life, `unexplained` last.
    pub parts: Vec<BandPart>,
}

/// One phase in a band.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BandPart {
    /// Phase, or `unexplained`.
    pub phase: String,
    /// Mean time in it, ns, mean over rounds.
    pub mean_ns: f64,
    /// Share of the sum of all parts.
    pub share: Option<f64>,
}

/// Sizes of responses, over `ok` requests of all rounds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct BytesSummary {
    /// Compression ratio: bytes before by bytes sent.
    pub ratio: Option<f64>,
    /// Mean response before compression, bytes.
    pub encoded_mean_bytes: Option<f64>,
    /// Mean response as sent, bytes.
    pub sent_mean_bytes: Option<f64>,
    /// Session document saved per request, bytes.
    pub saved_mean_bytes: Option<f64>,
}

/// The generator.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PacerSummary {
    /// Median lateness of a send, ns.
    pub lag_p50_ns: Figure,
    /// 99th percentile of lateness, ns.
    pub lag_p99_ns: Figure,
    /// Largest lateness, ns.
    pub lag_max_ns: Figure,
    /// Sent by intended, smallest of the rounds.
    pub sent_share: Option<f64>,
    /// Window's begin to the last outcome by the planned window, largest of the rounds.
    pub until_last_share: Option<f64>,
    /// CPU time of the thread and its stand-in by wall time, largest of the rounds.
    pub cpu_share: Option<f64>,
    /// The spun tail before each send, ns, largest of the rounds.
    pub tail_ns: u64,
    /// Requests that the stand-in sent, of all rounds.
    pub stood_in: u64,
}

/// The host during the windows: the worst round of each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct HostSummary {
    /// Share of CPU time taken by the hypervisor.
    pub steal_share: f64,
    /// Share of wall time in which some task waited for a CPU.
    pub cpu_pressure_share: f64,
    /// Load average over one minute.
    pub load_1m: f64,
    /// Time throttled by a cgroup quota, ns.
    pub throttled_ns: u64,
}

/// Comparison with a queueing recursion over the same arrivals and service times.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TwinSummary {
    /// Requests compared, summed over rounds.
    pub requests: u64,
    /// p50, p90, p95, p99.
    pub rows: Vec<TwinRow>,
    /// Slots of the pool, where there are more than one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slots: Option<u32>,
    /// How far a request's latency was from its own in the recursion; absent in old records.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub residual: Option<ResidualSummary>,
}

/// The 95 % interval of one figure.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct IntervalRow {
    /// `p50`, `p95`, `p99` or `p99.9` of the response, ns; or `goodput`, per second.
    pub figure: String,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Rounds that it rests on; 0 for one within a trial.
    pub rounds: u32,
    /// Within a trial: as many independent requests would say as much.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effective: Option<f64>,
}

/// Distances between latencies and their twins; medians over rounds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ResidualSummary {
    /// Half of the requests are nearer, ns.
    pub p50_ns: f64,
    /// Of 100 requests 99 are nearer, ns.
    pub p99_ns: f64,
}

/// One percentile of the comparison; medians over rounds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TwinRow {
    /// `p50`, `p90`, `p95` or `p99`.
    pub percentile: String,
    /// As measured, ns.
    pub measured_ns: f64,
    /// As the recursion gives it, ns.
    pub lindley_ns: f64,
    /// As a stamp at dispatch would have said, ns.
    pub dispatch_stamp_ns: f64,
    /// (measured - recursion) by recursion.
    pub error_share: Option<f64>,
}

/// How bad a brand is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grade {
    /// Worth knowing.
    Note,
    /// The figures are less trustworthy than they look.
    Degraded,
    /// The figures must not be quoted.
    Invalid,
}

/// A mark on the figures of a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Brand {
    /// How bad.
    pub grade: Grade,
    /// Short name, such as `generator-late`.
    pub name: String,
    /// What was seen.
    pub reason: String,
    /// What to do about it.
    pub remedy: String,
}

/// Something that had to hold in every trial.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// The figure.
    pub figure: String,
    /// The bound, as typed.
    pub says: String,
    /// `file:line` of the bound; empty for what always must hold.
    pub place: String,
    /// What was measured: the worst trial.
    pub measured: String,
    /// Whether it held in every trial.
    pub ok: bool,
}
