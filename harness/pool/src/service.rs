//! Service times as distributions, shared by simulated workers, real ones and the virtual engine.

#[cfg(test)]
mod tests;

use rand::{Rng, RngExt};
use rand_distr::{Exp1, Open01, StandardNormal};

/// A distribution of service times. Times are in ns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ServiceTime {
    /// Always the same.
    Constant {
        /// The time.
        ns: u64,
    },
    /// Every time between two equally likely.
    Uniform {
        /// The shortest.
        low_ns: u64,
        /// The longest.
        high_ns: u64,
    },
    /// Exponential.
    Exponential {
        /// The mean.
        mean_ns: u64,
    },
    /// Lognormal.
    Lognormal {
        /// The median.
        median_ns: u64,
        /// Standard deviation of the logarithm, 0 to 5.
        sigma: f64,
    },
    /// One of two constants.
    Bimodal {
        /// The usual time.
        fast_ns: u64,
        /// The other time.
        slow_ns: u64,
        /// Share of the slow ones, 0.0 to 1.0.
        slow_share: f64,
    },
    /// Pareto, cut at 1000 times the minimum.
    Pareto {
        /// The minimum.
        min_ns: u64,
        /// The tail index, above 1.
        alpha: f64,
    },
}

/// Name, syntax and doc of one kind of service time.
pub type ServiceTimeRow = (&'static str, &'static str, &'static str);

/// Every kind of service time.
pub const SERVICE_TIMES: &[ServiceTimeRow] = &[
    ("constant", "constant TIME", "always TIME"),
    ("uniform", "uniform LOW HIGH", "any time from LOW to HIGH, all equally likely"),
    ("exponential", "exponential MEAN", "exponential with mean MEAN"),
    ("lognormal", "lognormal MEDIAN SIGMA", "lognormal; SIGMA, 0 to 5, is the standard deviation of the logarithm"),
    ("bimodal", "bimodal FAST SLOW SHARE", "SLOW for SHARE (0 to 1) of the requests, FAST for the others"),
    ("pareto", "pareto MIN ALPHA", "Pareto from MIN with tail index ALPHA above 1, cut at 1000 x MIN"),
];

/// How far above its minimum a Pareto time may lie.
const PARETO_CUT: f64 = 1000.0;

/// Longest time that a parameter may name, about 31 years: leaves room for sums in a `u64`.
const LONGEST_NS: u64 = 1_000_000_000_000_000_000;

impl ServiceTime {
    /// Reads one of the syntaxes of [`SERVICE_TIMES`]; `duration` turns a text such as `2ms` into ns.
    ///
    /// # Errors
    /// What is wrong, with the kind's syntax or the nearest kind's name.
    pub fn parse(text: &str, duration: &dyn Fn(&str) -> Option<u64>) -> Result<ServiceTime, String> {
        let mut words = text.split_whitespace();
        let Some(kind) = words.next() else {
            return Err(format!("no service time; give one such as '{}'", SERVICE_TIMES[0].1));
        };
        let Some(&(_, syntax, _)) = SERVICE_TIMES.iter().find(|row| row.0 == kind) else {
            return Err(unknown(kind));
        };
        let args: Vec<&str> = words.collect();
        let time = |text: &str| {
            let ns = duration(text).filter(|ns| *ns <= LONGEST_NS);
            ns.ok_or_else(|| format!("'{text}' in '{kind}' is not a duration; write '{syntax}' with times such as 2ms"))
        };
        let parsed = match (kind, args.as_slice()) {
            ("constant", [ns]) => ServiceTime::Constant { ns: time(ns)? },
            ("uniform", [low, high]) => {
                let (low_ns, high_ns) = (time(low)?, time(high)?);
                if low_ns > high_ns {
                    return Err(format!("'{text}' goes from more to less; write '{syntax}' with LOW at most HIGH"));
                }
                ServiceTime::Uniform { low_ns, high_ns }
            }
            ("exponential", [mean]) => ServiceTime::Exponential { mean_ns: time(mean)? },
            ("lognormal", [median, sigma]) => ServiceTime::Lognormal { median_ns: time(median)?, sigma: number(sigma, 0.0..=5.0, syntax)? },
            ("bimodal", [fast, slow, share]) => {
                ServiceTime::Bimodal { fast_ns: time(fast)?, slow_ns: time(slow)?, slow_share: number(share, 0.0..=1.0, syntax)? }
            }
            ("pareto", [min, alpha]) => ServiceTime::Pareto { min_ns: time(min)?, alpha: number(alpha, 1.001..=100.0, syntax)? },
            _ => return Err(format!("'{text}' has the wrong number of words; write '{syntax}'")),
        };
        Ok(parsed)
    }

    /// Draws one time in ns.
    pub fn sample(&self, rng: &mut impl Rng) -> u64 {
        match *self {
            ServiceTime::Constant { ns } => ns,
            ServiceTime::Uniform { low_ns, high_ns } => rng.random_range(low_ns..=high_ns),
            ServiceTime::Exponential { mean_ns } => {
                let unit: f64 = rng.sample(Exp1);
                whole(unit * mean_ns as f64)
            }
            ServiceTime::Lognormal { median_ns, sigma } => {
                let unit: f64 = rng.sample(StandardNormal);
                whole((unit * sigma).exp() * median_ns as f64)
            }
            ServiceTime::Bimodal { fast_ns, slow_ns, slow_share } => {
                let slow = rng.random::<f64>() < slow_share;
                if slow { slow_ns } else { fast_ns }
            }
            ServiceTime::Pareto { min_ns, alpha } => {
                let unit: f64 = rng.sample(Open01);
                whole(unit.powf(-1.0 / alpha).min(PARETO_CUT) * min_ns as f64)
            }
        }
    }

    /// The distribution's mean in ns, cut included.
    pub fn mean_ns(&self) -> f64 {
        match *self {
            ServiceTime::Constant { ns } => ns as f64,
            ServiceTime::Uniform { low_ns, high_ns } => (low_ns as f64 + high_ns as f64) / 2.0,
            ServiceTime::Exponential { mean_ns } => mean_ns as f64,
            ServiceTime::Lognormal { median_ns, sigma } => median_ns as f64 * (sigma * sigma / 2.0).exp(),
            ServiceTime::Bimodal { fast_ns, slow_ns, slow_share } => slow_ns as f64 * slow_share + fast_ns as f64 * (1.0 - slow_share),
            // E[min(X, c)] for X Pareto from 1: the integral of the tail from 0 to c.
            ServiceTime::Pareto { min_ns, alpha } => min_ns as f64 * (alpha - PARETO_CUT.powf(1.0 - alpha)) / (alpha - 1.0),
        }
    }
}

fn unknown(kind: &str) -> String {
    let near = SERVICE_TIMES.iter().map(|row| row.0).max_by(|a, b| strsim::jaro(a, kind).total_cmp(&strsim::jaro(b, kind)));
    format!("'{kind}' is no service time; did you mean '{}'?", near.unwrap_or("constant"))
}

fn number(text: &str, range: std::ops::RangeInclusive<f64>, syntax: &str) -> Result<f64, String> {
    let wrong = || format!("'{text}' is not a number from {} to {}; write '{syntax}'", range.start(), range.end());
    text.parse::<f64>().ok().filter(|n| range.contains(n)).ok_or_else(wrong)
}

/// Rounds to whole ns; a draw beyond the longest time is that time.
fn whole(ns: f64) -> u64 {
    (ns.round() as u64).min(LONGEST_NS)
}
