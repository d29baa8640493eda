//! The generator against nothing: what the pacing thread can do on this host, with a null worker behind the hand-off.

use std::sync::mpsc;

use pool::clock::{Clock, MonotonicClock, Nanos};
use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;
use serde::Serialize;
use tokio::runtime::Runtime;

use crate::arrivals::Arrivals;
use crate::handoff::handoff;
use crate::launch::Lengths;
use crate::pacer::pace;
use crate::slice::LEAD_NS;

/// Poisson arrivals that were sent to nobody.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NullRun {
    /// Rate asked for, per second.
    pub per_s: f64,
    /// Requests sent.
    pub sent: u64,
    /// Requests that the null worker took.
    pub taken: u64,
    /// Whether the thread ran under SCHED_FIFO.
    pub fifo: bool,
    /// CPU time of the thread by its wall time.
    pub cpu_share: f64,
    /// p50, p99 and p99.9 of the lateness of sends, ns.
    pub lag_ns: [Nanos; 3],
    /// The greatest lateness, ns.
    pub lag_max_ns: Nanos,
    /// Requests that the stand-in sent, because the thread was kept from running.
    pub stood_in: u64,
    /// Anderson-Darling's statistic of the sent gaps (shape, at most 4,096 of them) and its 1 % point; `None` with fewer than 20.
    pub fit: Option<(f64, f64)>,
}

impl NullRun {
    /// Whether the sent gaps pass for the Poisson process asked for, at the 1 % level.
    pub fn is_poisson(&self) -> bool {
        self.fit.is_some_and(|(statistic, critical)| statistic <= critical)
    }
}

/// Sends Poisson arrivals at `per_s` for `length_ns` through the real pacer and hand-off to a task that does nothing.
///
/// # Errors
/// When the system gives no descriptor or no runtime.
pub fn pace_null(per_s: f64, length_ns: Nanos, seed: u64) -> std::io::Result<NullRun> {
    let lengths = Lengths { warmup_ns: 0, length_ns };
    let offsets = Arrivals::Poisson.offsets(per_s, lengths, &mut Pcg64Mcg::seed_from_u64(seed));
    let (sender, receiver) = handoff(offsets.len())?;
    let runtime = Runtime::new()?;
    let (count, taken) = mpsc::channel();
    runtime.spawn(async move {
        let mut seen = 0u64;
        // A bell that breaks shows as requests that were not taken.
        let _ = receiver.run(|_, _| seen += 1).await;
        let _ = count.send(seen);
    });
    let mut zero = 0;
    let paced = std::thread::scope(|scope| {
        let origin = || {
            zero = MonotonicClock.now() + LEAD_NS;
            zero
        };
        scope.spawn(|| pace(&offsets, origin, &sender)).join()
    });
    let sent = sender.moments();
    let paced = paced.map_err(|_| std::io::Error::other("the pacing thread panicked"))?;
    let taken = taken.recv_timeout(std::time::Duration::from_secs(5)).unwrap_or(0);
    let mut lags: Vec<Nanos> = sent.iter().zip(&offsets).map(|(at, offset)| at.saturating_sub(zero + offset)).collect();
    lags.sort_unstable();
    let at = |q: f64| lags.get(((lags.len() as f64 * q) as usize).min(lags.len().saturating_sub(1))).copied().unwrap_or(0);
    let gaps = stats::arrivals::rescaled(&sent, |at| at.saturating_sub(zero) as f64);
    Ok(NullRun {
        per_s,
        sent: sent.len() as u64,
        taken,
        fifo: paced.fifo,
        cpu_share: paced.cpu_ns as f64 / paced.wall_ns.max(1) as f64,
        lag_ns: [at(0.5), at(0.99), at(0.999)],
        lag_max_ns: at(1.0),
        stood_in: paced.stood_in,
        fit: stats::arrivals::of_shape(&gaps).map(|fit| (fit.statistic, fit.critical)),
    })
}

/// Rates at which the generator's ceiling is looked for, per second.
pub const SWEEP: [f64; 6] = [20e3, 50e3, 100e3, 150e3, 200e3, 300e3];
/// The lag p99 up to which a rate counts as kept, ns.
pub const CEILING_LAG_NS: Nanos = 100_000;

impl NullRun {
    /// Whether all were sent, taken, and in time: the generator is not at its ceiling.
    pub fn is_kept(&self) -> bool {
        self.lag_ns[1] <= CEILING_LAG_NS && self.taken == self.sent
    }
}

/// The highest rate of [`SWEEP`] that the generator keeps for a twentieth of a second, per second; `None` where it keeps none. Begins with the highest,
/// so that a host that is left alone costs one look.
///
/// # Errors
/// As [`pace_null`].
pub fn ceiling(seed: u64) -> std::io::Result<Option<f64>> {
    for per_s in SWEEP.into_iter().rev() {
        if pace_null(per_s, 50_000_000, seed)?.is_kept() {
            return Ok(Some(per_s));
        }
    }
    Ok(None)
}

/// What one reading of the clock costs, and the least step between two that differ, ns.
pub fn clock() -> (f64, Nanos) {
    const READINGS: u32 = 200_000;
    let begun = MonotonicClock.now();
    let (mut last, mut step) = (begun, Nanos::MAX);
    for _ in 0..READINGS {
        let now = MonotonicClock.now();
        if now > last {
            step = step.min(now - last);
        }
        last = now;
    }
    ((last - begun) as f64 / f64::from(READINGS), step)
}

/// Samples that the profiler took of a thread that spins for `length_ns`, and how many its CPU time should have given.
///
/// # Errors
/// Why the profiler cannot run.
pub fn profile_spin(length_ns: Nanos) -> Result<(u64, f64), String> {
    let session = profiler::SAMPLERS[0].start(crate::trial::profile_hz()).map_err(|e| e.to_string())?;
    let until = MonotonicClock.now() + length_ns;
    while MonotonicClock.now() < until {
        std::hint::spin_loop();
    }
    let profile = session.stop().map_err(|e| e.to_string())?;
    Ok((profile.samples, profile.expected))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_is_planned_is_sent_and_taken() {
        let run = pace_null(20_000.0, 200_000_000, 3).unwrap();
        assert!((3_500..4_500).contains(&run.sent), "{run:?}");
        assert_eq!(run.taken, run.sent);
        let [p50, p99, p999] = run.lag_ns;
        assert!(p50 <= p99 && p99 <= p999, "{run:?}");
        assert!(run.fit.is_some() && run.cpu_share > 0.0, "{run:?}");
    }

    #[test]
    fn the_clock_goes_on() {
        let (cost, step) = clock();
        assert!(cost > 0.0 && step > 0 && step < 1_000_000_000, "{cost} {step}");
    }
}
