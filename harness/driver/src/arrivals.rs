//! Arrival processes: when requests are meant to start, derived from a seed before anything runs.

use std::collections::BTreeMap;

use model::settings::Located;
use model::units;
use rand::Rng;
use rand_distr::{Distribution, Exp1};

use crate::prepare::Problem;

/// A kind of arrival process: its row in [`ARRIVALS`].
pub struct ArrivalKind {
    /// Name in scenario files.
    pub name: &'static str,
    /// Its parameters beside `rate`.
    pub params: &'static [&'static str],
    /// What it is.
    pub doc: &'static str,
}

/// All kinds.
pub const ARRIVALS: &[ArrivalKind] = &[
    ArrivalKind { name: "constant", params: &[], doc: "evenly spaced at `rate`" },
    ArrivalKind { name: "poisson", params: &[], doc: "independent exponential gaps with mean 1/`rate`" },
    ArrivalKind { name: "burst", params: &["on", "off"], doc: "Poisson while on, silent while off; `rate` is the mean over both" },
    ArrivalKind { name: "closed", params: &["clients"], doc: "each client sends its next request when it has its reply; no rate" },
];

/// An arrival process with its parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrivals {
    /// Evenly spaced.
    Constant,
    /// Exponential gaps.
    Poisson,
    /// Poisson in bursts, ns.
    Burst {
        /// Length of a burst.
        on_ns: u64,
        /// Silence between bursts.
        off_ns: u64,
    },
    /// Clients that wait for their reply.
    Closed,
}

impl Arrivals {
    /// Reads a kind and its parameters.
    ///
    /// # Errors
    /// An unknown kind, or a parameter that is missing or wrong.
    pub fn parse(kind: &Located, with: &BTreeMap<String, Located>) -> Result<Self, Problem> {
        match kind.value.as_str() {
            "constant" => Ok(Arrivals::Constant),
            "poisson" => Ok(Arrivals::Poisson),
            "closed" => Ok(Arrivals::Closed),
            "burst" => {
                let part = |name: &str| -> Result<u64, Problem> {
                    let value = with.get(name).ok_or_else(|| {
                        Problem::at(kind, format!("arrivals of kind 'burst' need '{name}' (a duration, such as '200ms')"))
                    })?;
                    match units::parse_duration(&value.value) {
                        Ok(ns) if ns > 0 => Ok(ns),
                        Ok(_) => Err(Problem::at(value, format!("'{name}' of a burst must be above zero"))),
                        Err(why) => Err(Problem::at(value, why)),
                    }
                };
                Ok(Arrivals::Burst { on_ns: part("on")?, off_ns: part("off")? })
            }
            other => Err(Problem::unknown(kind, "kind of arrivals", other, ARRIVALS.iter().map(|a| a.name))),
        }
    }

    /// Whether arrivals are planned, not driven by replies.
    pub fn is_open(self) -> bool {
        self != Arrivals::Closed
    }

    /// Intended starts in ns from the origin, ascending, all below `span_ns`; empty for a closed loop.
    pub fn offsets(self, per_s: f64, span_ns: u64, rng: &mut impl Rng) -> Vec<u64> {
        let gap = 1e9 / per_s;
        match self {
            Arrivals::Closed => Vec::new(),
            Arrivals::Constant => (0..).map(|i| (f64::from(i) * gap) as u64).take_while(|t| *t < span_ns).collect(),
            Arrivals::Poisson => poisson(gap, span_ns as f64, rng).map(|t| t as u64).collect(),
            Arrivals::Burst { on_ns, off_ns } => {
                // A Poisson process on the time in bursts alone, then the silences are put back in.
                let (on, period) = (on_ns as f64, (on_ns + off_ns) as f64);
                let stretched = |t: f64| (t / on).floor() * period + t % on;
                poisson(gap * on / period, span_ns as f64, rng).map(|t| stretched(t) as u64).take_while(|t| *t < span_ns).collect()
            }
        }
    }
}

fn poisson(gap: f64, span: f64, rng: &mut impl Rng) -> impl Iterator<Item = f64> {
    let mut t = 0.0;
    std::iter::from_fn(move || {
        let step: f64 = Exp1.sample(rng);
        t += step * gap;
        Some(t)
    })
    .take_while(move |t| *t < span)
}

#[cfg(test)]
mod tests;
