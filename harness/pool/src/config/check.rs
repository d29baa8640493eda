//! What settings must hold together.

use super::{AffinityMode, Config, ConfigError, Dispatch, Fallback, Health, TierConfig, ToolConfig, bad};
use crate::clock::Nanos;
use crate::core::{Partition, Tier};

/// The shortest time between two looks at something: a shorter one would only spin.
const SHORTEST_NS: Nanos = 1_000_000;

impl Config {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        for tier in Tier::ALL {
            check_partition(Partition::of(tier), &self.tiers[tier as usize])?;
        }
        check_partition(Partition::Shared, &self.shared)?;
        if Partition::ALL.into_iter().all(|p| self.slots(p) == 0) {
            let (key, why) = match self.dispatch {
                Dispatch::Shared => ("pool.shared.max", "there is no worker; give at least 1"),
                Dispatch::Tiered => {
                    ("pool.hot.max", "every tier is disabled; give one of pool.hot.max, pool.warm.max and pool.cold.max at least 1")
                }
            };
            return bad(key, why);
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
        if self.session_ttl_ns == Some(0) {
            return bad("pool.session-ttl", "0 would end every session at once; use none to keep sessions");
        }
        if self.ageing_ns == 0 {
            return bad("pool.ageing", "0 would make every class the lightest; give some time");
        }
        self.check_fallback()?;
        self.health.check()?;
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

    fn check_fallback(&self) -> Result<(), ConfigError> {
        let dead = |tool: &&ToolConfig| self.slots(self.home(tool.tier)) == 0;
        match self.tools.iter().find(dead).filter(|_| self.fallback == Fallback::None) {
            Some(tool) => {
                let why =
                    format!("without fallback nobody serves its tier {}, which is disabled; enable it or allow fallback", tool.tier.name());
                bad(&format!("pool.tools.{}.tier", tool.name), &why)
            }
            None => Ok(()),
        }
    }
}

impl Health {
    fn check(&self) -> Result<(), ConfigError> {
        if self.sweep_ns < SHORTEST_NS {
            return bad("pool.sweep", "must be at least 1ms; raise it");
        }
        if self.probe_timeout_ns == 0 {
            return bad("pool.probe-timeout", "0 would fail every probe; allow it some time");
        }
        if self.eject_slower == 1 {
            return bad("pool.eject-slower", "1 would eject half of all workers; use 0 for never, or 2 and more");
        }
        Ok(())
    }
}

fn check_partition(partition: Partition, config: &TierConfig) -> Result<(), ConfigError> {
    let key = |field: &str| format!("pool.{}.{field}", partition.name());
    // A disabled tier's min-ready does not count, so that `max = 0` alone disables it.
    if config.max > 0 && config.min_ready > config.max {
        return bad(&key("min-ready"), &format!("{} is above the tier's max {}; lower it or raise max", config.min_ready, config.max));
    }
    if config.idle_ttl_ns.is_some_and(|ttl| ttl < SHORTEST_NS) {
        return bad(&key("idle-ttl"), "must be at least 1ms; raise it, or use none to keep idle workers");
    }
    Ok(())
}
