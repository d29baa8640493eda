//! The pool's settings as values that are always valid.
//!
//! Texts arrive canonical (durations in ns, sizes in bytes); reading what people write is the caller's task.

mod check;
mod read;
mod table;
#[cfg(test)]
mod tests;

pub use table::{SCALED_SETTINGS, SETTINGS, SettingRow};

use std::collections::BTreeMap;

use crate::clock::Nanos;
use crate::core::{Partition, Tier, ToolId};
use read::Reader;

/// How a session's requests are tied to a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AffinityMode {
    /// Only the worker of the session's first request serves it, in order.
    Strict,
    /// The session's worker is preferred while it is not overloaded, tier by tier.
    Soft,
    /// Any free worker.
    None,
}

/// How workers are divided among requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dispatch {
    /// A partition of the workers for each tier.
    Tiered,
    /// One partition for all: the lightest class first, with ageing and nested caps.
    Shared,
}

/// When a request may go to another tier than its own, with [`Dispatch::Tiered`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fallback {
    /// Never.
    None,
    /// When its own tier cannot take it: disabled, without a worker while its slots back off, or full.
    Blocked,
    /// After any error too, a tool's own included, up to three executions: how the original behaved, kept as a baseline. It may run a
    /// request's effect three times.
    AnyError,
}

/// Where the tier of a request is taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Predict {
    /// From the tool's configured tier alone.
    Tool,
    /// From what requests of the same tool and a similar payload size have cost; from the tool's tier until enough is known.
    Learned,
    /// From the true cost where the caller knows it: for comparisons only.
    Oracle,
}

/// What becomes of a stateful worker whose session has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recycle {
    /// It is closed and another one is started in its place.
    Restart,
    /// It is asked to forget its state, and serves on once it says that it has.
    Reset,
}

/// How many spare workers are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpareControl {
    /// As many as the tier's `spares`.
    Fixed,
    /// At least that many, and as many as recent arrivals would have needed during one start of a worker.
    Adaptive,
}

/// How sick workers are found. Times are in ns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// Between two looks at all workers, at least 1 ms.
    pub sweep_ns: Nanos,
    /// Silence after which an idle worker is probed; `None` for never.
    pub probe_idle_ns: Option<Nanos>,
    /// Time in which a probe must be answered.
    pub probe_timeout_ns: Nanos,
    /// Age of a request from which its worker is probed, and killed if it does not answer; `None` for never.
    pub wedged_after_ns: Option<Nanos>,
    /// Failures in a row (unanswered probes, expired requests) after which a worker is ejected; 0 for never.
    pub eject_after: u32,
    /// Times the median slowness of the partition above which a worker is an outlier; 0 for never.
    pub eject_slower: u32,
    /// How long it must have been one.
    pub eject_window_ns: Nanos,
    /// Time during which a fresh worker is used only when no other is idle.
    pub slow_start_ns: Nanos,
}

/// The policy of one tier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TierConfig {
    /// Name of the worker kind, one of the runtime's table.
    pub worker: String,
    /// Workers that are kept, busy or idle.
    pub min_ready: u16,
    /// Idle workers kept beyond the busy ones.
    pub spares: u16,
    /// Most workers, at most 1024; 0 disables the tier.
    pub max: u16,
    /// Idle time in ns after which a surplus worker is closed, at least 1 ms; `None` to keep it for ever.
    pub idle_ttl_ns: Option<Nanos>,
    /// Longest service time of the tier's requests in ns; `u64::MAX` for no limit.
    pub limit_ns: Nanos,
    /// With shared dispatch: most workers that requests of this tier and of colder ones may hold together, in percent of all.
    pub cap_percent: u32,
}

/// A tool and what is known of it beforehand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolConfig {
    /// The tool's name.
    pub name: String,
    /// The predicted tier of its requests.
    pub tier: Tier,
    /// Whether it may run twice for one request.
    pub replayable: bool,
}

/// The whole configuration of a pool. Times are in ns, sizes in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// How sessions are tied to workers.
    pub affinity: AffinityMode,
    /// Whether a session's state dies with its worker; with strict affinity only.
    pub stateful: bool,
    /// What becomes of a stateful worker whose session has ended.
    pub recycle: Recycle,
    /// Time without a request after which a session is taken for ended; `None` for never.
    pub session_ttl_ns: Option<Nanos>,
    /// Most sessions that are remembered, 1 to 1,048,576.
    pub sessions_max: u32,
    /// How workers are divided among requests.
    pub dispatch: Dispatch,
    /// When a request may go to another tier than its own.
    pub fallback: Fallback,
    /// Where the tier of a request is taken from.
    pub predict: Predict,
    /// The quantile of past costs that a learned prediction takes, in percent, 1 to 99; a low one errs towards the lighter tier.
    pub predict_quantile: u32,
    /// With shared dispatch: a waiting request counts as one tier lighter for each time this long.
    pub ageing_ns: Nanos,
    /// Policies of hot, warm and cold, in this order.
    pub tiers: [TierConfig; 3],
    /// Policy of the one partition of [`Dispatch::Shared`]; its `limit_ns` and `cap_percent` mean nothing.
    pub shared: TierConfig,
    /// The tools, sorted by name; a [`ToolId`] is an index into them.
    pub tools: Vec<ToolConfig>,
    /// Requests that may wait in one tier.
    pub queue_len: u32,
    /// Bytes of payload that may wait in one tier.
    pub queue_bytes: u64,
    /// Deadline of requests that bring none, from admission.
    pub deadline_ns: Option<Nanos>,
    /// Time in which a started worker must become ready.
    pub start_timeout_ns: Nanos,
    /// Upper bound of the first delay before a dead worker is started again; the runtime doubles it with each attempt.
    pub backoff_base_ns: Nanos,
    /// Upper bound of that delay.
    pub backoff_cap_ns: Nanos,
    /// Time a worker must stay ready before its slot's deaths are forgotten.
    pub healthy_after_ns: Nanos,
    /// Deaths before ready in a row after which a slot is parked, from 1.
    pub park_after: u32,
    /// Time a worker may go on with a request that nobody waits for.
    pub zombie_grace_ns: Nanos,
    /// Workers that may be starting at once, from 1.
    pub spawn_concurrency: u32,
    /// Upper bound of the random delay of a start while another one is under way.
    pub spawn_jitter_ns: Nanos,
    /// How many spare workers are kept.
    pub spare_control: SpareControl,
    /// The past that an adaptive number of spares is taken from.
    pub spare_window_ns: Nanos,
    /// How sick workers are found.
    pub health: Health,
    /// Time after the begin of a drain when requests that still wait are handed back, and those at a worker are given up; `None` for never.
    pub drain_timeout_ns: Option<Nanos>,
    /// Time between end of input and SIGTERM.
    pub close_grace_ns: Nanos,
    /// Time between SIGTERM and SIGKILL.
    pub term_grace_ns: Nanos,
    /// Largest frame to or from a worker.
    pub frame_max: u64,
}

/// A setting that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {why}")]
pub struct ConfigError {
    /// The setting's key.
    pub key: String,
    /// What is wrong with it and what to do.
    pub why: String,
}

impl Config {
    /// Builds the configuration from canonical texts; missing keys take the default of [`SETTINGS`], keys of other owners are ignored.
    ///
    /// # Errors
    /// The key that is unknown, malformed, out of range, or at odds with another one.
    pub fn from_settings(settings: &BTreeMap<String, String>) -> Result<Config, ConfigError> {
        let config = Reader { settings }.config()?;
        config.check()?;
        Ok(config)
    }

    /// The tool of this name.
    pub fn tool(&self, name: &str) -> Option<ToolId> {
        let index = self.tools.binary_search_by(|t| t.name.as_str().cmp(name)).ok()?;
        u16::try_from(index).ok().map(ToolId)
    }

    /// The tier whose limit is the lowest that holds a service time of `service_ns`.
    pub fn tier_of_cost(&self, service_ns: Nanos) -> Tier {
        Tier::ALL.into_iter().find(|t| service_ns <= self.tiers[*t as usize].limit_ns).unwrap_or(Tier::Cold)
    }

    /// The policy of a partition.
    pub fn policy(&self, partition: Partition) -> &TierConfig {
        match partition {
            Partition::Hot => &self.tiers[0],
            Partition::Warm => &self.tiers[1],
            Partition::Cold => &self.tiers[2],
            Partition::Shared => &self.shared,
        }
    }

    /// Slots of a partition: none of those that the dispatch mode does not use.
    pub fn slots(&self, partition: Partition) -> u16 {
        let used = (partition == Partition::Shared) == (self.dispatch == Dispatch::Shared);
        if used { self.policy(partition).max } else { 0 }
    }

    /// The partition whose workers serve requests of `tier`.
    pub fn home(&self, tier: Tier) -> Partition {
        if self.dispatch == Dispatch::Shared { Partition::Shared } else { Partition::of(tier) }
    }
}

fn bad<T>(key: &str, why: &str) -> Result<T, ConfigError> {
    Err(ConfigError { key: key.to_owned(), why: why.to_owned() })
}
