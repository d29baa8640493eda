//! The harness itself and its host during a trial: pacing, the twin, other processes, the profile.

use serde::{Deserialize, Serialize};

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
