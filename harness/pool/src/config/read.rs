//! Canonical texts, with the table's defaults, into a configuration.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    AffinityMode, Config, ConfigError, Dispatch, Fallback, Health, Predict, Recycle, SETTINGS, SpareControl, TierConfig, ToolConfig, bad,
    table,
};
use crate::clock::Nanos;
use crate::core::{Partition, Tier};

/// Reads canonical texts, falling back to the table's defaults.
pub(super) struct Reader<'a> {
    pub(super) settings: &'a BTreeMap<String, String>,
}

impl Reader<'_> {
    pub(super) fn config(&self) -> Result<Config, ConfigError> {
        self.refuse_unknown()?;
        self.refuse_unmeant()?;
        Ok(Config {
            affinity: self.choice("pool.affinity", &[AffinityMode::Strict, AffinityMode::Soft, AffinityMode::None])?,
            stateful: self.flag("pool.stateful")?,
            recycle: self.choice("pool.recycle", &[Recycle::Restart, Recycle::Reset])?,
            session_ttl_ns: self.optional("pool.session-ttl")?,
            sessions_max: self.number("pool.sessions-max")?,
            dispatch: self.choice("pool.dispatch", &[Dispatch::Tiered, Dispatch::Shared])?,
            fallback: self.choice("pool.fallback", &[Fallback::None, Fallback::Blocked, Fallback::AnyError])?,
            predict: self.choice("pool.predict", &[Predict::Tool, Predict::Learned, Predict::Oracle])?,
            predict_quantile: self.number("pool.predict-quantile")?,
            ageing_ns: self.number("pool.ageing")?,
            tiers: [self.policy(Partition::Hot)?, self.policy(Partition::Warm)?, self.policy(Partition::Cold)?],
            shared: self.policy(Partition::Shared)?,
            tools: self.tools()?,
            queue_len: self.number("pool.queue-len")?,
            queue_bytes: self.number("pool.queue-bytes")?,
            deadline_ns: self.optional("pool.deadline")?,
            start_timeout_ns: self.number("pool.start-timeout")?,
            backoff_base_ns: self.number("pool.backoff")?,
            backoff_cap_ns: self.number("pool.backoff-cap")?,
            healthy_after_ns: self.number("pool.healthy-after")?,
            park_after: self.number("pool.park-after")?,
            zombie_grace_ns: self.number("pool.zombie-grace")?,
            spawn_concurrency: self.number("pool.spawn-concurrency")?,
            spawn_jitter_ns: self.number("pool.spawn-jitter")?,
            spare_control: self.choice("pool.spare-control", &[SpareControl::Fixed, SpareControl::Adaptive])?,
            spare_window_ns: self.number("pool.spare-window")?,
            health: self.health()?,
            drain_timeout_ns: self.optional("pool.drain-timeout")?,
            close_grace_ns: self.number("pool.close-grace")?,
            term_grace_ns: self.number("pool.term-grace")?,
            frame_max: self.number("pool.frame-max")?,
        })
    }

    fn health(&self) -> Result<Health, ConfigError> {
        Ok(Health {
            sweep_ns: self.number("pool.sweep")?,
            probe_idle_ns: self.optional("pool.probe-idle")?,
            probe_timeout_ns: self.number("pool.probe-timeout")?,
            wedged_after_ns: self.optional("pool.wedged-after")?,
            eject_after: self.number("pool.eject-after")?,
            eject_slower: self.number("pool.eject-slower")?,
            eject_window_ns: self.number("pool.eject-window")?,
            slow_start_ns: self.number("pool.slow-start")?,
        })
    }

    fn refuse_unknown(&self) -> Result<(), ConfigError> {
        for key in self.settings.keys().filter(|k| k.starts_with("pool.")) {
            if table::row_of(key).is_none() {
                let near = SETTINGS.iter().map(|r| r.0).max_by(|a, b| strsim::jaro(a, key).total_cmp(&strsim::jaro(b, key)));
                return bad(key, &format!("no such setting; did you mean {}?", near.unwrap_or("pool.affinity")));
            }
        }
        Ok(())
    }

    /// Who sets the workers of a tier and does not say that workers are divided by tier would find the setting ignored.
    fn refuse_unmeant(&self) -> Result<(), ConfigError> {
        if self.settings.contains_key("pool.dispatch") {
            return Ok(());
        }
        let of_tier = |key: &str| {
            let (tier, field) = key.strip_prefix("pool.")?.split_once('.')?;
            let divided = Tier::ALL.iter().any(|t| t.name() == tier) && !matches!(field, "limit" | "cap");
            divided.then(|| field.to_owned())
        };
        match self.settings.keys().find_map(|key| Some((key, of_tier(key)?))) {
            Some((key, field)) => {
                bad(key, &format!("means nothing with shared dispatch, the default; set pool.dispatch = tiered, or pool.shared.{field}"))
            }
            None => Ok(()),
        }
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

    /// The value whose word, in the order of the row's choices, is the text.
    fn choice<T: Copy>(&self, key: &str, values: &[T]) -> Result<T, ConfigError> {
        let text = self.text(key);
        let words = table::row_of(key).and_then(|row| row.1.strip_prefix("choice ")).unwrap_or_default();
        let found = words.split('|').position(|word| word == text).and_then(|at| values.get(at).copied());
        found.ok_or_else(|| {
            let near = words.split('|').max_by(|a, b| strsim::jaro(a, &text).total_cmp(&strsim::jaro(b, &text))).unwrap_or_default();
            let why = format!("'{text}' is no such choice; choose one of {} (did you mean {near}?)", words.replace('|', ", "));
            ConfigError { key: key.to_owned(), why }
        })
    }

    fn policy(&self, partition: Partition) -> Result<TierConfig, ConfigError> {
        let key = |field: &str| format!("pool.{}.{field}", partition.name());
        // Shared workers serve requests of every cost, and hot ones may hold all of them.
        let (limit_ns, cap_percent) = match partition {
            Partition::Shared => (Nanos::MAX, 100),
            Partition::Hot => (self.optional(&key("limit"))?.unwrap_or(Nanos::MAX), 100),
            _ => (self.optional(&key("limit"))?.unwrap_or(Nanos::MAX), self.number(&key("cap"))?),
        };
        Ok(TierConfig {
            worker: self.text(&key("worker")),
            min_ready: self.number(&key("min-ready"))?,
            spares: self.number(&key("spares"))?,
            max: self.number(&key("max"))?,
            idle_ttl_ns: self.optional(&key("idle-ttl"))?,
            limit_ns,
            cap_percent,
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
