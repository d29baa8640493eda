//! What the stamps of a trial say of the trial itself: evidence of whether its figures are to be trusted.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What the stamps of an open-loop trial say of the trial itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trust {
    /// Where the responses of the window settle; `None` with fewer than 500 of them.
    pub settled: Option<Settled>,
    /// 95 % intervals of `p50`, `p95`, `p99`, `p99.9` and `mean` of the response, where there is one.
    pub intervals: BTreeMap<String, Bounds>,
    /// The gaps between sends of the window against the process asked for; `None` where that is not random, or with few requests.
    pub arrivals: Option<ArrivalsFit>,
    /// Little's identity: relative gap between the integral of requests in the system (by the plan) and the sum of their stays.
    pub little_gap: Option<f64>,
    /// Relative gap between the slots' time in use, as the pool counted it, and the sum of what requests held.
    pub busy_gap: Option<f64>,
    /// How the number of requests in the system grew over the window.
    pub backlog: Option<Backlog>,
}

/// The answer of MSER-5 on the responses of the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settled {
    /// Share of the window's requests that belong to a warm-up.
    pub warm_up_share: f64,
    /// Whether the second half still looks better the more of it is left out: the run never settled.
    pub never: bool,
}

/// A 95 % interval that respects how much requests depend on each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bounds {
    /// Lower end, ns.
    pub low_ns: f64,
    /// Upper end, ns.
    pub high_ns: f64,
    /// As many independent requests would say as much.
    pub effective: f64,
}

/// An Anderson-Darling test of gaps between sends against the exponential distribution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArrivalsFit {
    /// The statistic A^2.
    pub statistic: f64,
    /// What one series of truly exponential gaps in 100 exceeds.
    pub critical: f64,
    /// Gaps tested, at most 4,096.
    pub gaps: u64,
}

/// The growth of the number of requests in the system.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Backlog {
    /// Requests per second that were left over.
    pub slope_per_s: f64,
    /// Its standard error, per second.
    pub error_per_s: f64,
    /// Requests more in the system at the window's end than at its begin.
    pub gained: f64,
    /// Whether it grew beyond chance, with 99.9 % confidence.
    pub saturated: bool,
}
