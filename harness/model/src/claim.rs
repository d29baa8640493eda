//! Claims: sentences with a number, as scenario files state them.

use serde::{Deserialize, Serialize};

use crate::settings::Located;

/// Behind the value of an axis: the same thing once more, so that the two are a repeat.
pub const AGAIN: &str = "-again";

/// The metrics that a claim may name, and whether more of each is better; `*` stands for the name of a phase.
pub const METRICS: [(&str, bool); 15] = [
    ("capacity", true),
    ("goodput", true),
    ("throughput", true),
    ("bytes.ratio", true),
    ("cpu-per-request", false),
    ("time-per-operation", false),
    ("response.p50", false),
    ("response.p90", false),
    ("response.p95", false),
    ("response.p99", false),
    ("response.p99.9", false),
    ("response.max", false),
    ("phase.*.p50", false),
    ("phase.*.p90", false),
    ("phase.*.p99", false),
];

/// Whether more of the metric `name` is better; `None` for a name that is no metric.
pub fn more_is_better(name: &str) -> Option<bool> {
    METRICS.iter().find(|(pattern, _)| crate::settings::matches(pattern, name)).map(|(_, more)| *more)
}

/// What a claim says of settings that promise different things when the power fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Durability {
    /// The settings as planned: judged whatever they promise, and said beside the verdict.
    #[default]
    Any,
    /// Only at equal or better durability: other pairs are refused.
    Equal,
}

/// The values of some axes: `(short key, values)`; a case is chosen when each of these axes has one of its values.
pub type Choice = Vec<(String, Vec<String>)>;

/// A sentence with a number that records hold up or refute. The number is a gain: how many times better `of` is than `over`, that is
/// `of` by `over` where more is better and `over` by `of` where less is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// The sentence, with its place.
    pub says: Located,
    /// What is compared: a name that [`more_is_better`] knows.
    pub metric: String,
    /// The cases that are claimed to be better.
    pub of: Choice,
    /// The cases that they are compared with.
    pub over: Choice,
    /// The least gain that was claimed; positive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<f64>,
    /// The greatest gain that was claimed; positive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<f64>,
    /// Pairs of values of one axis that are the same thing twice: its short key, the value, the value that repeats it. Empty: each value with
    /// its namesake that ends in [`AGAIN`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub repeat: Vec<(String, String, String)>,
    /// Whether settings of lower durability may win.
    #[serde(default)]
    pub durability: Durability,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_know_their_good_side() {
        assert_eq!(more_is_better("bytes.ratio"), Some(true));
        assert_eq!(more_is_better("phase.persist.p50"), Some(false));
        assert_eq!(more_is_better("response.p99.9"), Some(false));
        assert_eq!(more_is_better("phase.p50"), None);
        assert_eq!(more_is_better("response.p98"), None);
    }
}
