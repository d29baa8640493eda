//! Arrival processes: when requests are meant to start, derived from a seed before anything runs.

mod params;
mod shape;

use model::plan::Load;
use model::trace::Trace;
use model::units;
use pool::ServiceTime;
use rand::Rng;
use rand_distr::{Distribution, Exp1};

use crate::launch::Lengths;
use crate::prepare::Problem;
use params::Params;
use shape::{Piece, Shape};

/// A kind of arrival process: its row in [`ARRIVALS`].
pub struct ArrivalKind {
    /// Name in scenario files.
    pub name: &'static str,
    /// Its parameters; a segment `*` stands for the number of a list's entry.
    pub params: &'static [&'static str],
    /// What it is.
    pub doc: &'static str,
}

/// Parameters that are rates, of whichever kind. A kind without any of them has no rate.
pub const RATES: &[&str] = &["rate", "from", "to", "on-rate", "off-rate", "stages.*.rate", "stages.*.to"];

/// All kinds.
pub const ARRIVALS: &[ArrivalKind] = &[
    ArrivalKind { name: "constant", params: &["rate"], doc: "evenly spaced at `rate`" },
    ArrivalKind { name: "poisson", params: &["rate"], doc: "independent exponential gaps with mean 1/`rate`" },
    ArrivalKind {
        name: "ramp",
        params: &["from", "to"],
        doc: "Poisson, the rate going straight from `from` to `to` over the window; `from` in the warm-up",
    },
    ArrivalKind {
        name: "stages",
        params: &["stages.*.rate", "stages.*.to", "stages.*.for"],
        doc: "Poisson in stages of the window, each at its `rate`, or going straight from it to `to`; the first `rate` in the warm-up",
    },
    ArrivalKind {
        name: "burst",
        params: &["rate", "on-rate", "off-rate", "on", "off"],
        doc: "Poisson at `on-rate` while on and `off-rate` (default silence) while off; or `rate`, the mean over both, with silence",
    },
    ArrivalKind {
        name: "sine",
        params: &["rate", "amplitude", "period"],
        doc: "Poisson, the rate swinging around its mean `rate` by `amplitude` (a share of it) once per `period`",
    },
    ArrivalKind { name: "trace", params: &["file", "speed"], doc: "the arrivals of a file, `speed` times as fast; it ends with the trace" },
    ArrivalKind {
        name: "closed",
        params: &["clients", "think"],
        doc: "each client sends its next request when it has its reply and has thought for a while; no rate",
    },
];

/// How long a stage lasts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Length {
    /// ns.
    Ns(u64),
    /// A share of the window.
    Share(f64),
}

/// One stage of a load; rates are multiples of the reference rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stage {
    /// How long it lasts.
    pub length: Length,
    /// Rate at its begin.
    pub from: f64,
    /// Rate at its end.
    pub to: f64,
}

/// An arrival process with its parameters. Rates are multiples of the load's reference rate (`Load::rate`), which may be known only when
/// capacity is.
#[derive(Clone, Debug, PartialEq)]
pub enum Arrivals {
    /// Evenly spaced.
    Constant,
    /// Exponential gaps.
    Poisson,
    /// Poisson with a rate that goes straight from one to another over the window.
    Ramp {
        /// At the window's begin.
        from: f64,
        /// At its end.
        to: f64,
    },
    /// Poisson with a rate in stages, which begin with the window.
    Stages(Vec<Stage>),
    /// Poisson at two rates by turns, from the slice's begin.
    Burst {
        /// Length of a burst, ns.
        on_ns: u64,
        /// Time between bursts, ns.
        off_ns: u64,
        /// Rate in a burst.
        on: f64,
        /// Rate between bursts; may be 0.
        off: f64,
    },
    /// Poisson with a rate that swings around the reference, from the slice's begin.
    Sine {
        /// By which share of it.
        amplitude: f64,
        /// Time of a whole swing, ns.
        period_ns: u64,
    },
    /// Arrivals that once were, from the slice's begin.
    Trace {
        /// When.
        trace: Trace,
        /// How many times as fast they come.
        speed: f64,
    },
    /// Clients that wait for their reply.
    Closed {
        /// And how long they then think.
        think: Option<ServiceTime>,
    },
}

impl Arrivals {
    /// A closed loop whose clients do not think, as calibration has.
    pub const CLOSED: Arrivals = Arrivals::Closed { think: None };

    /// Reads the arrivals of a load.
    ///
    /// # Errors
    /// An unknown kind, a rate or another parameter that is missing or wrong, stages that do not fit into the window.
    pub fn parse(load: &Load) -> Result<Self, Problem> {
        let kind = &load.arrivals.kind;
        let params = Params { kind, with: &load.arrivals.with, reference: load.rate };
        let arrivals = match kind.value.as_str() {
            "constant" => Arrivals::Constant,
            "poisson" => Arrivals::Poisson,
            "ramp" => Arrivals::Ramp { from: params.rate("from")?, to: params.rate("to")? },
            "stages" => Arrivals::Stages(params.stages()?),
            "burst" => burst(&params)?,
            "sine" => Arrivals::Sine { amplitude: params.share("amplitude")?, period_ns: params.duration("period")? },
            "trace" => {
                let missing =
                    || Problem::at(kind, "arrivals of kind 'trace' need 'file' (a file beside the scenario's, such as 'peak.trace')");
                Arrivals::Trace { trace: load.trace.clone().ok_or_else(missing)?, speed: params.speed()? }
            }
            "closed" => Arrivals::Closed { think: params.think()? },
            other => return Err(Problem::unknown(kind, "kind of arrivals", other, ARRIVALS.iter().map(|a| a.name))),
        };
        if arrivals.shape(Lengths::of(load)).is_some() && load.rate.is_none() {
            return Err(Problem::at(kind, "open-loop arrivals need a 'rate' (such as '800/s' or '60% of capacity')"));
        }
        arrivals.fits(load.length_ns).map_err(|why| Problem::at(kind, why))?;
        Ok(arrivals)
    }

    /// A stage that begins after the window would be a load that is never seen.
    fn fits(&self, length_ns: u64) -> Result<(), String> {
        let Arrivals::Stages(stages) = self else { return Ok(()) };
        let whole: f64 = stages.iter().map(|stage| stage.length_of(length_ns as f64)).sum();
        // Shares that sum to 100 % may do so only nearly.
        if whole <= length_ns as f64 * (1.0 + 1e-6) {
            return Ok(());
        }
        let (whole, window) = (units::show_ns(whole), units::show_ns(length_ns as f64));
        Err(format!("the stages take {whole}, the window {window} (expected no more: shares such as '25%' hold at both sizes)"))
    }

    /// Whether arrivals are planned, not driven by replies.
    pub fn is_open(&self) -> bool {
        !matches!(self, Arrivals::Closed { .. })
    }

    /// The rate over time; `None` for a closed loop and a trace, which have none.
    fn shape(&self, lengths: Lengths) -> Option<Shape> {
        let (warmup, window) = (lengths.warmup_ns as f64, lengths.length_ns as f64);
        let flat = |rate: f64, len: f64| Piece { len, from: rate, to: rate };
        Some(match self {
            Arrivals::Constant | Arrivals::Poisson => Shape::Once(vec![flat(1.0, f64::INFINITY)]),
            Arrivals::Ramp { from, to } => Shape::Once(vec![flat(*from, warmup), Piece { len: window, from: *from, to: *to }]),
            Arrivals::Stages(stages) => {
                let lead = stages.first().map(|first| flat(first.from, warmup));
                let piece = |stage: &Stage| Piece { len: stage.length_of(window), from: stage.from, to: stage.to };
                Shape::Once(lead.into_iter().chain(stages.iter().map(piece)).collect())
            }
            Arrivals::Burst { on_ns, off_ns, on, off } => Shape::Periodic(vec![flat(*on, *on_ns as f64), flat(*off, *off_ns as f64)]),
            Arrivals::Sine { amplitude, period_ns } => Shape::Sine { amplitude: *amplitude, period: *period_ns as f64 },
            Arrivals::Trace { .. } | Arrivals::Closed { .. } => return None,
        })
    }

    /// How many requests are expected to arrive until `at_ns` after the slice's begin, where the reference rate is `per_s`: the cumulative rate
    /// function. The gaps of arrivals read through it are exponential with mean 1 if the process is the one asked for (all kinds but
    /// `constant`, whose gaps are then all 1). `None` for a closed loop and a trace.
    pub fn cumulative(&self, per_s: f64, lengths: Lengths, at_ns: u64) -> Option<f64> {
        Some(self.shape(lengths)?.cumulative(at_ns as f64) * per_s / 1e9)
    }

    /// The mean rate of the window, per second; `per_s` is the reference rate, `counted` the requests that the window holds.
    pub fn mean_per_s(&self, per_s: Option<f64>, lengths: Lengths, counted: u64) -> Option<f64> {
        let seconds = lengths.length_ns as f64 / 1e9;
        match self {
            Arrivals::Constant | Arrivals::Poisson => per_s,
            Arrivals::Trace { .. } => Some(counted as f64 / seconds),
            _ => {
                let until = |at| self.cumulative(per_s?, lengths, at);
                Some((until(lengths.span_ns())? - until(lengths.warmup_ns)?) / seconds)
            }
        }
    }

    /// Intended starts in ns from the slice's begin, ascending, all within it; empty for a closed loop.
    pub fn offsets(&self, per_s: f64, lengths: Lengths, rng: &mut impl Rng) -> Vec<u64> {
        let (gap, span) = (1e9 / per_s, lengths.span_ns());
        if let Arrivals::Constant = self {
            return (0..).map(|i| (f64::from(i) * gap) as u64).take_while(|t| *t < span).collect();
        }
        if let Arrivals::Trace { trace, speed } = self {
            return trace.offsets().iter().map(|at| (*at as f64 / speed).round() as u64).take_while(|at| *at < span).collect();
        }
        let Some(shape) = self.shape(lengths) else { return Vec::new() };
        let mut expected = 0.0;
        let mut next = || {
            let step: f64 = Exp1.sample(rng);
            expected += step * gap;
            shape.inverse(expected)
        };
        std::iter::from_fn(|| Some(next())).take_while(|t| *t < span as f64).map(|t| t as u64).collect()
    }
}

impl Stage {
    /// ns.
    fn length_of(&self, window: f64) -> f64 {
        match self.length {
            Length::Ns(ns) => ns as f64,
            Length::Share(share) => share * window,
        }
    }
}

fn burst(params: &Params<'_>) -> Result<Arrivals, Problem> {
    let (on_ns, off_ns) = (params.duration("on")?, params.duration("off")?);
    // `rate` has a field of the load of its own, and is not given together with any other rate.
    if params.with.contains_key("on-rate") || params.with.contains_key("off-rate") {
        return Ok(Arrivals::Burst { on_ns, off_ns, on: params.rate("on-rate")?, off: params.rate_or("off-rate", 0.0)? });
    }
    Ok(Arrivals::Burst { on_ns, off_ns, on: (on_ns + off_ns) as f64 / on_ns as f64, off: 0.0 })
}

#[cfg(test)]
mod tests;
