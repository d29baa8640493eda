//! `load.time-scale`: a load of minutes run in seconds, its proportions kept.
//!
//! Every duration of the load is multiplied and every rate divided, and so are the pool's own durations that are about requests (limits,
//! deadlines, ageing, idle times), which their owner lists. Those about processes (grace periods, backoff, time to start) stay: no process
//! gets faster.

use std::collections::BTreeMap;

use model::Located;
use model::plan::Load;
use model::units::{Rate, parse_duration};

use crate::problem::Problems;
use crate::wire::{Known, Wire};

/// A factor above 0 and at most 1.
pub(super) struct Scale(f64);

/// The scenario's scale, if it has one.
pub(super) fn of(wire: &Wire, problems: &mut Problems) -> Option<Scale> {
    let given = wire.load.time_scale.as_ref()?;
    match given.value.trim().parse::<f64>() {
        Ok(factor) if factor > 0.0 && factor <= 1.0 => Some(Scale(factor)),
        _ => {
            let why = format!("load.time-scale: '{}' is not a factor (expected above 0 and at most 1, such as 0.05)", given.value);
            problems.with(given, why);
            None
        }
    }
}

impl Scale {
    fn ns(&self, ns: u64) -> u64 {
        if ns == 0 { 0 } else { ((ns as f64 * self.0).round() as u64).max(1) }
    }

    /// Each word that is a duration, scaled; all others as they are.
    fn words(&self, text: &str) -> String {
        let word = |word: &str| parse_duration(word).map_or_else(|_| word.to_owned(), |ns| format!("{}ns", self.ns(ns)));
        text.split_whitespace().map(word).collect::<Vec<_>>().join(" ")
    }

    pub(super) fn load(&self, load: &mut Load) {
        (load.warmup_ns, load.length_ns) = (self.ns(load.warmup_ns), self.ns(load.length_ns));
        if let Some(Rate::PerSecond(rate)) = &mut load.rate {
            *rate /= self.0;
        }
        self.parameters(&mut load.arrivals.with);
        load.arrivals.with.values_mut().for_each(|value| self.rate(value));
        load.trace = load.trace.take().map(|trace| trace.stretched(self.0));
        for mix in &mut load.mix {
            mix.service.value = self.words(&mix.service.value);
            mix.deadline_ns = mix.deadline_ns.map(|ns| self.ns(ns));
        }
        load.time_scale = Some(self.0);
    }

    /// A rate per second gets as much higher as time gets shorter; any other value stays.
    fn rate(&self, value: &mut Located) {
        if let Ok(Rate::PerSecond(rate)) = Rate::parse(&value.value) {
            value.value = format!("{}/s", rate / self.0);
        }
    }

    /// Parameters of arrivals or of a fault.
    pub(super) fn parameters(&self, with: &mut BTreeMap<String, Located>) {
        with.values_mut().for_each(|value| value.value = self.words(&value.value));
    }

    /// Settings that are stretched, the defaults of those not given included.
    pub(super) fn settings(&self, settings: &mut BTreeMap<String, Located>, known: &Known<'_>) {
        for key in &known.kinds.scaled {
            let default = known.catalogue.iter().find(|row| row.declares(key)).and_then(|row| parse_duration(row.default).ok());
            match settings.get_mut(key) {
                Some(given) => given.value = given.value.parse().map_or_else(|_| given.value.clone(), |ns| self.ns(ns).to_string()),
                None => drop(default.map(|ns| settings.insert(key.clone(), Located::new(self.ns(ns).to_string(), "load.time-scale", 0)))),
            }
        }
    }
}
