//! The parameters of one kind of arrivals: what they say, and whether they go together.

use std::collections::BTreeMap;

use model::settings::Located;
use model::units::{self, Rate};
use pool::ServiceTime;

use super::{Length, Stage};
use crate::prepare::Problem;

/// Slowest and fastest replay of a trace.
const SPEEDS: std::ops::RangeInclusive<f64> = 0.5..=4.0;

/// The parameters of one kind.
pub(super) struct Params<'a> {
    pub(super) kind: &'a Located,
    pub(super) with: &'a BTreeMap<String, Located>,
    /// What rates are taken relative to.
    pub(super) reference: Option<Rate>,
}

impl Params<'_> {
    /// `expected` completes "needs 'x' (…)".
    fn needed(&self, name: &str, expected: &str) -> Result<&Located, Problem> {
        self.with
            .get(name)
            .ok_or_else(|| Problem::at(self.kind, format!("arrivals of kind '{}' need '{name}' ({expected})", self.kind.value)))
    }

    /// A duration above zero, ns.
    pub(super) fn duration(&self, name: &str) -> Result<u64, Problem> {
        let value = self.needed(name, "a duration, such as '200ms'")?;
        match units::parse_duration(&value.value) {
            Ok(ns) if ns > 0 => Ok(ns),
            Ok(_) => Err(Problem::at(value, format!("'{name}' of a load must be above zero"))),
            Err(why) => Err(Problem::at(value, why)),
        }
    }

    /// A rate as a multiple of the reference.
    pub(super) fn rate(&self, name: &str) -> Result<f64, Problem> {
        self.relative(self.needed(name, "a rate, such as '800/s' or '60% of capacity'")?)
    }

    /// The same, where it may be left out.
    pub(super) fn rate_or(&self, name: &str, default: f64) -> Result<f64, Problem> {
        self.with.get(name).map_or(Ok(default), |text| self.relative(text))
    }

    fn relative(&self, text: &Located) -> Result<f64, Problem> {
        let rate = Rate::parse(&text.value).map_err(|why| Problem::at(text, why))?;
        match (rate, self.reference) {
            (Rate::PerSecond(rate), Some(Rate::PerSecond(of))) | (Rate::OfCapacity(rate), Some(Rate::OfCapacity(of))) => Ok(rate / of),
            _ => {
                let what = "one load has rates per second and shares of capacity (expected one or the other)";
                Err(Problem::at(text, what))
            }
        }
    }

    /// A share up to 100 %.
    pub(super) fn share(&self, name: &str) -> Result<f64, Problem> {
        let value = self.needed(name, "a share, such as '50%'")?;
        let share = units::parse_share(&value.value).map_err(|why| Problem::at(value, why))?;
        let bad =
            || Problem::at(value, format!("'{}' is too much for '{name}' (expected at most 100%: no rate is below zero)", value.value));
        if share <= 1.0 { Ok(share) } else { Err(bad()) }
    }

    pub(super) fn speed(&self) -> Result<f64, Problem> {
        let Some(value) = self.with.get("speed") else { return Ok(1.0) };
        let bad =
            || Problem::at(value, format!("'{}' is no speed (expected a factor from {} to {})", value.value, SPEEDS.start(), SPEEDS.end()));
        value.value.trim().parse().ok().filter(|speed| SPEEDS.contains(speed)).ok_or_else(bad)
    }

    pub(super) fn think(&self) -> Result<Option<ServiceTime>, Problem> {
        let Some(value) = self.with.get("think") else { return Ok(None) };
        let duration = |text: &str| units::parse_duration(text).ok();
        ServiceTime::parse(&value.value, &duration).map(Some).map_err(|why| Problem::at(value, format!("think: {why}")))
    }

    /// `stages.0`, `stages.1` and so on. Those after the first gap in the numbers do not exist.
    pub(super) fn stages(&self) -> Result<Vec<Stage>, Problem> {
        let mut stages = Vec::new();
        while self.with.keys().any(|key| key.starts_with(&format!("stages.{}.", stages.len()))) {
            let name = |what: &str| format!("stages.{}.{what}", stages.len());
            let from = self.rate(&name("rate"))?;
            let to = self.rate_or(&name("to"), from)?;
            stages.push(Stage { length: self.length(&name("for"))?, from, to });
        }
        if stages.is_empty() {
            return Err(Problem::at(
                self.kind,
                "arrivals of kind 'stages' need 'stages' (a list, such as [{ rate = '800/s', for = '50%' }, …])",
            ));
        }
        Ok(stages)
    }

    /// A duration, or a share of the window such as `25%`, which holds at both sizes.
    fn length(&self, name: &str) -> Result<Length, Problem> {
        let value = self.needed(name, "a duration such as '2s', or a share of the window such as '25%'")?;
        if value.value.trim().ends_with('%') {
            let share = units::parse_share(&value.value).map_err(|why| Problem::at(value, why))?;
            let bad = || Problem::at(value, format!("'{}' is no part of the window (expected above 0% and up to 100%)", value.value));
            return if share > 0.0 && share <= 1.0 { Ok(Length::Share(share)) } else { Err(bad()) };
        }
        self.duration(name).map(Length::Ns)
    }
}
