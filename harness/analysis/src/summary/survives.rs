//! What survives of a gain, as data.

use serde::Serialize;

use super::{ClaimPair, ClaimVerdict};

/// A gain of settings in isolation beside that of the same settings end to end.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Survival {
    /// Which settings.
    pub says: String,
    /// `file:line` of it.
    pub place: String,
    /// The phase of a request in which the settings work.
    pub phase: String,
    /// The scenario end to end.
    pub scenario: String,
    /// The scenario of the contenders.
    pub isolated_scenario: String,
    /// What distinguishes the better contender, such as `way=zstd-3`.
    pub isolated_of: String,
    /// What distinguishes the other.
    pub isolated_over: String,
    /// Time per operation of the contenders: CPU time where the CPU bounds the job.
    pub isolated: Gain,
    /// p50 of the phase.
    pub phase_p50: Gain,
    /// p50 of the response.
    pub p50: Gain,
    /// p99 of the response.
    pub p99: Gain,
    /// Share of the isolated gain that the p50 of the response kept.
    pub p50_share: Share,
    /// Share of it that the p99 kept.
    pub p99_share: Share,
    /// Durability classes end to end of the better settings and the others, where a crash was tested.
    pub durability: Option<(String, String)>,
    /// What has to be read beside the figures, such as `at lower durability`.
    pub beside: Vec<String>,
}

/// How many times better, with its 99 % interval over rounds.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Gain {
    /// Geometric mean over rounds.
    pub gain: Option<f64>,
    /// Lower end of the interval.
    pub low: Option<f64>,
    /// Upper end of it.
    pub high: Option<f64>,
    /// Rounds that both cases have.
    pub rounds: u32,
    /// Whether the interval holds 1, that is no gain.
    pub inconclusive: bool,
    /// Why there is none; empty else.
    pub why: String,
}

impl From<&ClaimPair> for Gain {
    fn from(pair: &ClaimPair) -> Self {
        Self {
            gain: pair.gain,
            low: pair.low,
            high: pair.high,
            rounds: pair.rounds,
            inconclusive: pair.verdict != ClaimVerdict::Refused && !apart(pair.low, pair.high),
            why: pair.why.clone(),
        }
    }
}

/// Whether an interval of a gain leaves out 1.
fn apart(low: Option<f64>, high: Option<f64>) -> bool {
    low.zip(high).is_some_and(|(low, high)| low > 1.0 || high < 1.0)
}

impl Gain {
    /// Whether it has an interval that leaves out 1: a gain, or a loss, that is there.
    pub fn is_there(&self) -> bool {
        apart(self.low, self.high)
    }
}

/// `ln(gain end to end) / ln(gain in isolation)`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Share {
    /// Of both gains' means; `None` where there is no gain in isolation to share, or none end to end.
    pub share: Option<f64>,
    /// The least that both intervals permit.
    pub low: Option<f64>,
    /// The most that both intervals permit.
    pub high: Option<f64>,
    /// Whether the interval end to end holds no gain, so that nothing may have survived.
    pub inconclusive: bool,
    /// Why there is none; empty else.
    pub why: String,
}
