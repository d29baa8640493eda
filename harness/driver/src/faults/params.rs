//! The parameters of one fault: what they say, and whether they go together.

use std::collections::BTreeMap;

use model::settings::Located;
use model::units;
use pool::core::SlotId;

use super::{DisturbTarget, When};
use crate::prepare::{Problem, REQUESTS_MAX};

/// Times of one fault: more would be a load of its own.
const COUNT_MAX: u64 = 10_000;
/// The ways to say when, of which a fault has one.
const SCHEDULES: [&str; 4] = ["at", "request", "every-request", "chance"];

/// The parameters of one fault.
pub(super) struct Params<'a> {
    pub(super) kind: &'a Located,
    pub(super) with: &'a BTreeMap<String, Located>,
    pub(super) window_ns: u64,
}

impl Params<'_> {
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.with.get(name).map(|value| value.value.as_str())
    }

    pub(super) fn needed(&self, name: &str) -> Result<&Located, Problem> {
        self.with.get(name).ok_or_else(|| Problem::at(self.kind, format!("a fault of kind '{}' needs '{name}'", self.kind.value)))
    }

    /// Refuses a parameter that does not go with the others.
    pub(super) fn refuse(&self, name: &str, why: &str) -> Result<(), Problem> {
        match self.with.get(name) {
            Some(value) => Err(Problem::at(value, format!("'{name}' does not go with this fault: {why}"))),
            None => Ok(()),
        }
    }

    pub(super) fn duration(&self, name: &str) -> Result<u64, Problem> {
        let value = self.needed(name)?;
        units::parse_duration(&value.value).map_err(|why| Problem::at(value, why))
    }

    pub(super) fn bytes(&self, name: &str, max: u64) -> Result<u64, Problem> {
        let value = self.needed(name)?;
        let bytes = units::parse_bytes(&value.value).map_err(|why| Problem::at(value, why))?;
        let limit = || format!("'{}' is too much for one fault (expected up to {})", value.value, units::show_bytes(max as f64));
        if bytes <= max { Ok(bytes) } else { Err(Problem::at(value, limit())) }
    }

    /// A whole number up to `max`; `None` as default for one that is needed and at least 1.
    pub(super) fn number(&self, name: &str, default: Option<u64>, max: u64) -> Result<u64, Problem> {
        let value = match (self.with.get(name), default) {
            (None, Some(default)) => return Ok(default),
            _ => self.needed(name)?,
        };
        let least = u64::from(default.is_none());
        let bad =
            || Problem::at(value, format!("'{}' is not a valid '{name}' (expected a whole number from {least} to {max})", value.value));
        value.value.parse().ok().filter(|n| (least..=max).contains(n)).ok_or_else(bad)
    }

    pub(super) fn target(&self) -> Result<DisturbTarget, Problem> {
        let target = self.needed("target")?;
        match target.value.as_str() {
            "busy" => Ok(DisturbTarget::AnyBusy),
            "ready" => Ok(DisturbTarget::AnyReady),
            other => Err(Problem::unknown(target, "target of a fault", other, ["busy", "ready"].into_iter())),
        }
    }

    pub(super) fn slot(&self) -> Result<DisturbTarget, Problem> {
        Ok(DisturbTarget::Slot(SlotId(self.number("slot", Some(0), u64::from(u16::MAX))? as u16)))
    }

    pub(super) fn by_time(&self) -> bool {
        self.with.contains_key("at")
    }

    /// When it strikes. `by_request` tells whether a request may carry it.
    pub(super) fn when(&self, by_request: bool) -> Result<When, Problem> {
        let given: Vec<&str> = SCHEDULES.into_iter().filter(|name| self.with.contains_key(*name)).collect();
        let schedule = match given.as_slice() {
            [one] => *one,
            [] if by_request => {
                let why = format!("a fault of kind '{}' needs one of 'at', 'request', 'every-request' and 'chance'", self.kind.value);
                return Err(Problem::at(self.kind, why));
            }
            [] => return self.needed("at").map(|_| When::Times(Vec::new())),
            [first, second, ..] => {
                return Err(Problem::at(self.needed(second)?, format!("'{first}' and '{second}' both say when (expected one of them)")));
            }
        };
        if schedule != "at" {
            self.refuse("every", "it goes with 'at'; for requests there is 'every-request'")?;
            self.refuse("count", "it goes with 'at'")?;
        }
        match schedule {
            "at" => self.times(),
            "request" => Ok(When::Request(self.number("request", None, REQUESTS_MAX as u64)?)),
            "every-request" => Ok(When::EveryRequest(self.number("every-request", None, REQUESTS_MAX as u64)?)),
            _ => self.chance(),
        }
    }

    fn chance(&self) -> Result<When, Problem> {
        let value = self.needed("chance")?;
        let share = units::parse_share(&value.value).map_err(|why| Problem::at(value, why))?;
        let bad = || format!("'{}' is no probability (expected above 0% and up to 100%)", value.value);
        if share > 0.0 && share <= 1.0 { Ok(When::Chance(share)) } else { Err(Problem::at(value, bad())) }
    }

    fn times(&self) -> Result<When, Problem> {
        let (at, count) = (self.moment_of("at")?, self.number("count", Some(1), COUNT_MAX)?);
        let every = if count > 1 { self.moment_of("every")? } else { 0 };
        let times: Vec<u64> = (0..count).map(|i| at.saturating_add(i.saturating_mul(every))).collect();
        // It would never strike, and a scenario that proves nothing would pass.
        match times.iter().max() {
            Some(last) if *last >= self.window_ns => {
                let (at, window) = (units::show_ns(*last as f64), units::show_ns(self.window_ns as f64));
                let expected = "(expected shares such as '25%', or a longer load.length)";
                Err(Problem::at(self.kind, format!("a fault at {at} is not within the window of {window} {expected}")))
            }
            _ => Ok(When::Times(times)),
        }
    }

    /// A duration, or a share of the window such as `25%`, which holds at both sizes.
    fn moment_of(&self, name: &str) -> Result<u64, Problem> {
        let value = self.needed(name)?;
        match value.value.strip_suffix('%') {
            Some(_) => {
                let share = units::parse_share(&value.value).map_err(|why| Problem::at(value, why))?;
                Ok((share * self.window_ns as f64) as u64)
            }
            None => self.duration(name),
        }
    }
}
