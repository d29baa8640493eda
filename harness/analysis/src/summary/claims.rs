//! Claims with their verdicts, as data.

use serde::Serialize;

/// A claim of a scenario, judged once per matched pair of cases.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClaimSummary {
    /// The sentence.
    pub says: String,
    /// `file:line` of it.
    pub place: String,
    /// What is compared.
    pub metric: String,
    /// Whether more of the metric is better: a gain is `of` by `over` then, else `over` by `of`.
    pub more_is_better: bool,
    /// The least gain that was claimed.
    pub at_least: Option<f64>,
    /// The greatest gain that was claimed.
    pub at_most: Option<f64>,
    /// Whether only pairs of equal or better durability count.
    pub equal_durability: bool,
    /// One per pair, in plan order; empty where the run has no such pair.
    pub pairs: Vec<ClaimPair>,
}

/// One pair of cases under a claim.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClaimPair {
    /// Id of the case claimed to be better.
    pub of: String,
    /// Id of the case that it is compared with.
    pub over: String,
    /// What distinguishes the first, such as `way=zstd-3`.
    pub of_name: String,
    /// What distinguishes the second.
    pub over_name: String,
    /// The values of the axes in which they agree; empty where there is no other axis.
    pub matched: String,
    /// Geometric mean over rounds of the gain.
    pub gain: Option<f64>,
    /// Lower end of its 99 % interval over rounds, widened by the repeat spread.
    pub low: Option<f64>,
    /// Upper end of it.
    pub high: Option<f64>,
    /// Rounds that both cases have.
    pub rounds: u32,
    /// How far the same thing was from itself, as a factor of at least 1; `None` where the run has no repeat of it.
    pub repeat_spread: Option<f64>,
    /// The verdict.
    pub verdict: ClaimVerdict,
    /// Why it was refused; empty else.
    pub why: String,
    /// Durability classes of both, where a crash was tested.
    pub durability: Option<(String, String)>,
    /// What has to be read beside the verdict, such as `at lower durability`.
    pub beside: Vec<String>,
}

/// What the records say of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClaimVerdict {
    /// The whole interval is what was claimed.
    Holds,
    /// None of the interval is.
    Refuted,
    /// The interval holds the number that was claimed.
    Inconclusive,
    /// The pair must not be compared, or cannot be.
    Refused,
}

impl ClaimVerdict {
    /// The word.
    pub fn name(self) -> &'static str {
        match self {
            ClaimVerdict::Holds => "holds",
            ClaimVerdict::Refuted => "refuted",
            ClaimVerdict::Inconclusive => "inconclusive",
            ClaimVerdict::Refused => "refused",
        }
    }
}
