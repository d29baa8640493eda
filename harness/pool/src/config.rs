//! The pool's settings as values that are always valid.
//!
//! Texts arrive canonical (durations in ns, sizes in bytes); reading what people write is the caller's task.

mod table;
#[cfg(test)]
mod tests;

pub use table::{SCALED_SETTINGS, SETTINGS, SettingRow};

use std::collections::{BTreeMap, BTreeSet};

use crate::clock::Nanos;
use crate::core::{Tier, ToolId};

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
    /// Policies of hot, warm and cold, in this order.
    pub tiers: [TierConfig; 3],
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

/// The shortest idle TTL: a shorter one would only spin.
const IDLE_TTL_MIN_NS: Nanos = 1_000_000;

impl Config {
    /// Builds the configuration from canonical texts; missing keys take the default of [`SETTINGS`], keys of other owners are ignored.
    ///
    /// # Errors
    /// The key that is unknown, malformed, out of range, or at odds with another one.
    pub fn from_settings(settings: &BTreeMap<String, String>) -> Result<Config, ConfigError> {
        let read = Reader { settings };
        read.refuse_unknown()?;
        let config = Config {
            affinity: read.affinity()?,
            stateful: read.flag("pool.stateful")?,
            tiers: [read.tier(Tier::Hot)?, read.tier(Tier::Warm)?, read.tier(Tier::Cold)?],
            tools: read.tools()?,
            queue_len: read.number("pool.queue-len")?,
            queue_bytes: read.number("pool.queue-bytes")?,
            deadline_ns: read.optional("pool.deadline")?,
            start_timeout_ns: read.number("pool.start-timeout")?,
            backoff_base_ns: read.number("pool.backoff")?,
            backoff_cap_ns: read.number("pool.backoff-cap")?,
            healthy_after_ns: read.number("pool.healthy-after")?,
            park_after: read.number("pool.park-after")?,
            zombie_grace_ns: read.number("pool.zombie-grace")?,
            spawn_concurrency: read.number("pool.spawn-concurrency")?,
            close_grace_ns: read.number("pool.close-grace")?,
            term_grace_ns: read.number("pool.term-grace")?,
            frame_max: read.number("pool.frame-max")?,
        };
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

    fn check(&self) -> Result<(), ConfigError> {
        for tier in Tier::ALL {
            check_tier(tier, &self.tiers[tier as usize])?;
        }
        if self.tiers.iter().all(|t| t.max == 0) {
            return bad("pool.hot.max", "every tier is disabled; give one of pool.hot.max, pool.warm.max and pool.cold.max at least 1");
        }
        for (low, high) in [(Tier::Hot, Tier::Warm), (Tier::Warm, Tier::Cold)] {
            if self.tiers[low as usize].limit_ns >= self.tiers[high as usize].limit_ns {
                let why = format!("must be below pool.{}.limit; lower it or raise the other", high.name());
                return bad(&format!("pool.{}.limit", low.name()), &why);
            }
        }
        self.check_rest()
    }

    fn check_rest(&self) -> Result<(), ConfigError> {
        if self.tools.is_empty() {
            return bad("pool.tools", "there is no tool; declare one by pool.tools.NAME.tier");
        }
        if self.tools.len() > usize::from(u16::MAX) {
            return bad("pool.tools", "there are more than 65535 tools; declare fewer");
        }
        if self.stateful && self.affinity != AffinityMode::Strict {
            return bad("pool.stateful", "needs pool.affinity = strict; set it, or stateful to false");
        }
        if self.backoff_base_ns > self.backoff_cap_ns {
            return bad("pool.backoff", "is above pool.backoff-cap; lower it or raise the cap");
        }
        if self.deadline_ns == Some(0) {
            return bad("pool.deadline", "0 would expire every request; use none for no deadline");
        }
        if self.start_timeout_ns == 0 {
            return bad("pool.start-timeout", "0 would kill every worker at its start; allow it some time");
        }
        if !(1024..=u64::from(u32::MAX)).contains(&self.frame_max) {
            return bad("pool.frame-max", "must be from 1KiB to below 4GiB; choose a size between");
        }
        Ok(())
    }
}

fn bad<T>(key: &str, why: &str) -> Result<T, ConfigError> {
    Err(ConfigError { key: key.to_owned(), why: why.to_owned() })
}

fn check_tier(tier: Tier, config: &TierConfig) -> Result<(), ConfigError> {
    let key = |field: &str| format!("pool.{}.{field}", tier.name());
    // A disabled tier's min-ready does not count, so that `max = 0` alone disables it.
    if config.max > 0 && config.min_ready > config.max {
        return bad(&key("min-ready"), &format!("{} is above the tier's max {}; lower it or raise max", config.min_ready, config.max));
    }
    if config.idle_ttl_ns.is_some_and(|ttl| ttl < IDLE_TTL_MIN_NS) {
        return bad(&key("idle-ttl"), "must be at least 1ms; raise it, or use none to keep idle workers");
    }
    Ok(())
}

/// Reads canonical texts, falling back to the table's defaults.
struct Reader<'a> {
    settings: &'a BTreeMap<String, String>,
}

impl Reader<'_> {
    fn refuse_unknown(&self) -> Result<(), ConfigError> {
        for key in self.settings.keys().filter(|k| k.starts_with("pool.")) {
            if table::row_of(key).is_none() {
                let near = SETTINGS.iter().map(|r| r.0).max_by(|a, b| strsim::jaro(a, key).total_cmp(&strsim::jaro(b, key)));
                return bad(key, &format!("no such setting; did you mean {}?", near.unwrap_or("pool.affinity")));
            }
        }
        Ok(())
    }

    fn text(&self, key: &str) -> String {
        match self.settings.get(key) {
            Some(text) => text.clone(),
            None => table::row_of(key).map_or_else(String::new, |row| table::canonical(row.1, row.2)),
        }
    }

    fn number<N: TryFrom<u64>>(&self, key: &str) -> Result<N, ConfigError> {
        let text = self.text(key);
        let wrong = || ConfigError { key: key.to_owned(), why: format!("'{text}' is not a whole number in range; give one") };
        let number: u64 = text.parse().map_err(|_| wrong())?;
        let kind = table::row_of(key).map_or("", |row| row.1);
        if let Some((low, high)) = kind.strip_prefix("integer ").and_then(|range| range.split_once("..=")) {
            let inside = low.parse().is_ok_and(|low: u64| number >= low) && high.parse().is_ok_and(|high: u64| number <= high);
            if !inside {
                return bad(key, &format!("{number} is out of range; choose from {low} to {high}"));
            }
        }
        N::try_from(number).map_err(|_| wrong())
    }

    fn optional(&self, key: &str) -> Result<Option<Nanos>, ConfigError> {
        if self.text(key) == "none" { Ok(None) } else { self.number(key).map(Some) }
    }

    fn flag(&self, key: &str) -> Result<bool, ConfigError> {
        let text = self.text(key);
        text.parse().map_err(|_| ConfigError { key: key.to_owned(), why: format!("'{text}' is neither true nor false; choose one") })
    }

    fn affinity(&self) -> Result<AffinityMode, ConfigError> {
        match self.text("pool.affinity").as_str() {
            "strict" => Ok(AffinityMode::Strict),
            "soft" => Ok(AffinityMode::Soft),
            "none" => Ok(AffinityMode::None),
            other => bad("pool.affinity", &format!("'{other}' is no affinity; choose strict, soft or none")),
        }
    }

    fn tier(&self, tier: Tier) -> Result<TierConfig, ConfigError> {
        let key = |field: &str| format!("pool.{}.{field}", tier.name());
        Ok(TierConfig {
            worker: self.text(&key("worker")),
            min_ready: self.number(&key("min-ready"))?,
            spares: self.number(&key("spares"))?,
            max: self.number(&key("max"))?,
            idle_ttl_ns: self.optional(&key("idle-ttl"))?,
            limit_ns: self.optional(&key("limit"))?.unwrap_or(Nanos::MAX),
        })
    }

    fn tools(&self) -> Result<Vec<ToolConfig>, ConfigError> {
        let names: BTreeSet<&str> =
            self.settings.keys().filter_map(|key| key.strip_prefix("pool.tools.")?.rsplit_once('.')).map(|(name, _)| name).collect();
        names.into_iter().map(|name| self.tool(name)).collect()
    }

    fn tool(&self, name: &str) -> Result<ToolConfig, ConfigError> {
        let key = format!("pool.tools.{name}.tier");
        let text = self.text(&key);
        let Some(tier) = Tier::ALL.into_iter().find(|t| t.name() == text) else {
            return bad(&key, &format!("'{text}' is no tier; choose hot, warm or cold"));
        };
        Ok(ToolConfig { name: name.to_owned(), tier, replayable: self.flag(&format!("pool.tools.{name}.replayable"))? })
    }
}
