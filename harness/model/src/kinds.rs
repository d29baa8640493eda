//! The kinds of things that a scenario may name.

use crate::settings::matches;

/// The names that scenarios may use, from the tables of their owners.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownKinds {
    /// Targets.
    pub targets: Vec<String>,
    /// Arrival processes with their parameters; a segment `*` stands for the number of a list's entry.
    pub arrivals: Vec<(String, Vec<String>)>,
    /// Parameters of arrivals that are rates. A process that has any needs a rate.
    pub rates: Vec<String>,
    /// Faults with their parameters.
    pub faults: Vec<(String, Vec<String>)>,
    /// Shapes of payloads.
    pub shapes: Vec<String>,
    /// Worker kinds.
    pub workers: Vec<String>,
    /// Outcomes of requests, for `[expect] outcomes`.
    pub outcomes: Vec<String>,
    /// Phases of a request, for metrics such as `phase.load.p50`.
    pub phases: Vec<String>,
    /// Durations among the settings that `load.time-scale` stretches, by key.
    pub scaled: Vec<String>,
    /// Tiers, for `[expect] served` and the slots that `pool.TIER.max` gives.
    pub tiers: Vec<String>,
}

impl KnownKinds {
    /// The parameters of an arrival process; none for an unknown one.
    pub fn parameters(&self, arrivals: &str) -> &[String] {
        self.arrivals.iter().find(|(name, _)| name == arrivals).map_or(&[], |(_, with)| with)
    }

    /// Whether a parameter of arrivals is a rate.
    pub fn is_rate(&self, parameter: &str) -> bool {
        self.rates.iter().any(|rate| matches(rate, parameter))
    }
}
