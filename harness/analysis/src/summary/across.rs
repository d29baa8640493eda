//! Two runs, case by case, as data.

use model::facts::Facts;
use serde::Serialize;

use super::Interval;

/// Two runs compared.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Across {
    /// The run that is compared against.
    pub a: RunFacts,
    /// The other one.
    pub b: RunFacts,
    /// Cases of one id and one load in both, in the order of A's plan.
    pub cases: Vec<MatchedCase>,
    /// Cases of one id that must not be compared, with the reason.
    pub refused: Vec<(String, String)>,
    /// Ids that only A has.
    pub only_a: Vec<String>,
    /// Ids that only B has.
    pub only_b: Vec<String>,
}

/// What a run ran on.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunFacts {
    /// Host, build, begin.
    pub facts: Facts,
    /// Whether it was simulated.
    pub virtual_time: bool,
    /// `fifo`, `other`, `none`, `virtual` or `mixed`.
    pub timing_class: String,
    /// Its seed.
    pub seed: u64,
}

/// One case in both runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MatchedCase {
    /// Its id.
    pub id: String,
    /// Rounds of A and of B.
    pub rounds: (u32, u32),
    /// Rounds that had the very same requests in both: ratios are taken round by round. 0 where the rounds are independent.
    pub paired: u32,
    /// Figures that either has.
    pub rows: Vec<AcrossRow>,
    /// Mean time of a request by phase, ns, of A and of B; phases that either has, `response` last.
    pub phases: Vec<(String, Option<f64>, Option<f64>)>,
}

/// One figure in both runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AcrossRow {
    /// `goodput`, `mean`, `p50`, `hot p99`, ….
    pub figure: String,
    /// Whether it is a rate per second; else ns.
    pub is_rate: bool,
    /// In A.
    pub a: Interval,
    /// In B.
    pub b: Interval,
    /// B by A.
    pub ratio: Interval,
    /// Whether the intervals of A and B overlap; `None` where one has none.
    pub agree: Option<bool>,
}
