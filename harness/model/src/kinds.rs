//! The kinds of things that a scenario may name.

/// The names that scenarios may use, from the tables of their owners.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownKinds {
    /// Targets.
    pub targets: Vec<String>,
    /// Arrival processes with their parameters beside `rate`. One with the parameter `clients` is a closed loop; all others need a rate.
    pub arrivals: Vec<(String, Vec<String>)>,
    /// Faults with their parameters.
    pub faults: Vec<(String, Vec<String>)>,
    /// Shapes of payloads.
    pub shapes: Vec<String>,
    /// Worker kinds.
    pub workers: Vec<String>,
    /// Outcomes of requests, for `[expect] outcomes`.
    pub outcomes: Vec<String>,
    /// Durations among the settings that `load.time-scale` stretches, by key.
    pub scaled: Vec<String>,
    /// Tiers, for `[expect] served` and the slots that `pool.TIER.max` gives.
    pub tiers: Vec<String>,
}

impl KnownKinds {
    /// Whether these arrivals come at a rate: all but a closed loop.
    pub fn takes_rate(&self, arrivals: &str) -> bool {
        self.arrivals.iter().any(|(name, with)| name == arrivals && !with.iter().any(|p| p == "clients"))
    }
}
