//! Comparisons along an axis, as data.

use serde::Serialize;

/// What is compared along an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Metric {
    /// Calibrated capacity, requests per second.
    #[serde(rename = "capacity_per_s")]
    Capacity,
    /// `ok` within the deadline, per second.
    #[serde(rename = "goodput_per_s")]
    Goodput,
    /// CPU time of process and workers per finished request, ns.
    #[serde(rename = "cpu_per_request_ns")]
    CpuPerRequest,
    /// Median response, ns.
    #[serde(rename = "p50_ns")]
    P50,
    /// 90th percentile of response, ns: what a short window still carries.
    #[serde(rename = "p90_ns")]
    P90,
    /// 95th percentile of response, ns.
    #[serde(rename = "p95_ns")]
    P95,
    /// 99th percentile of response, ns.
    #[serde(rename = "p99_ns")]
    P99,
    /// 99.9th percentile of response, ns.
    #[serde(rename = "p99_9_ns")]
    P999,
    /// Largest response, ns.
    #[serde(rename = "max_ns")]
    Max,
}

impl Metric {
    /// All, in the order of the tables.
    pub const ALL: [Metric; 9] = [
        Metric::Capacity,
        Metric::Goodput,
        Metric::CpuPerRequest,
        Metric::P50,
        Metric::P90,
        Metric::P95,
        Metric::P99,
        Metric::P999,
        Metric::Max,
    ];

    /// The name people read: `capacity`, `goodput`, `CPU per request`, `p50`, ….
    pub fn name(self) -> &'static str {
        match self {
            Metric::Capacity => "capacity",
            Metric::Goodput => "goodput",
            Metric::CpuPerRequest => "CPU per request",
            Metric::P50 => "p50",
            Metric::P90 => "p90",
            Metric::P95 => "p95",
            Metric::P99 => "p99",
            Metric::P999 => "p99.9",
            Metric::Max => "max",
        }
    }

    /// Whether it is a rate per second (more is better); all others are ns (less is better).
    pub fn is_rate(self) -> bool {
        matches!(self, Metric::Capacity | Metric::Goodput)
    }
}

/// The figures of one value of an axis, over the cases that have a match for every value of the axis.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AxisValue {
    /// Short key of the axis.
    pub axis: String,
    /// The value.
    pub value: String,
    /// Cases it rests on.
    pub cases: u32,
    /// One per [`Metric::ALL`]: geometric mean over those cases.
    pub figures: Vec<AxisFigure>,
}

/// One figure of a value of an axis.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AxisFigure {
    /// Which figure.
    pub metric: Metric,
    /// Per second or ns, as the metric is.
    pub value: Option<f64>,
    /// Why there is no value.
    pub why_blank: Option<String>,
}

/// A value of an axis against the axis' first value, over all matched cases (equal in all other axes).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// Short key of the axis.
    pub axis: String,
    /// The value.
    pub value: String,
    /// The axis' first value.
    pub against: String,
    /// Pairs of cases.
    pub matched: u32,
    /// One per [`Metric::ALL`].
    pub rows: Vec<Ratio>,
}

/// One ratio: below 1 means that the value has less of the metric than the first value.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ratio {
    /// What is compared.
    pub metric: Metric,
    /// Geometric mean over matched cases of the ratio of case values.
    pub value: Option<f64>,
    /// Lower end of the 95 % interval over rounds; `None` with fewer than two rounds.
    pub low: Option<f64>,
    /// Upper end of the 95 % interval over rounds.
    pub high: Option<f64>,
    /// Pairs of cases that the ratio rests on.
    pub pairs: u32,
    /// Rounds that the interval rests on.
    pub rounds: u32,
    /// Why there is no ratio, or why some of the matched pairs were left out of it.
    pub why_blank: Option<String>,
}
