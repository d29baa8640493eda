//! Ways of doing a job compared, as data.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Interval;

/// The ways of doing a job at one combination of the other axes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ContenderTable {
    /// `(short key, value)` of the other axes.
    pub at: Vec<(String, String)>,
    /// The job.
    pub job: String,
    /// Whether ratio, speed and share of the limit are of CPU time rather than wall time.
    pub cpu_bound: bool,
    /// Short key of the axis whose values are compared; empty where there is none.
    pub axis: String,
    /// How far a repeat was from the way that it repeats, as a factor of at least 1: the farthest, where there are several.
    pub noise: Option<f64>,
    /// One per way, in axis order.
    pub rows: Vec<ContenderRow>,
}

/// One way.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ContenderRow {
    /// Id of its case.
    pub case: String,
    /// The value of the axis, or the way where there is none.
    pub value: String,
    /// The way.
    pub way: String,
    /// Why this host cannot do it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_here: Option<String>,
    /// Median wall time of an operation, ns.
    pub p50_ns: Interval,
    /// 99th percentile over batches of the wall time of an operation, ns.
    pub p99_ns: Interval,
    /// CPU time of an operation, ns.
    pub cpu_ns: Interval,
    /// Bytes that went in, per second.
    pub bytes_per_s: Option<f64>,
    /// Bytes in by bytes out; `None` where nothing came out.
    pub bytes_ratio: Option<f64>,
    /// By the first way's figure of the same rounds; `None` for the first itself.
    pub ratio: Option<Interval>,
    /// Whether the interval of the ratio excludes 1, and the ratio lies farther from 1 than any repeat from the way that it repeats.
    pub differs: bool,
    /// How near it is to what cannot be passed.
    pub limit: Option<LimitShare>,
    /// What goes wrong for who uses it unawares.
    pub trap: String,
    /// What it saw in its first round, by name.
    pub facts: BTreeMap<String, String>,
}

/// A limit and how much of it was reached.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LimitShare {
    /// What was measured.
    pub what: String,
    /// Least time of an operation, ns: median over rounds.
    pub ns: f64,
    /// That by the time of an operation: 1 is the limit itself.
    pub share: Option<f64>,
}
