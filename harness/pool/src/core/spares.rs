//! How many idle workers are kept in reserve: as many as set, or as many as arrivals have lately needed during one start of a worker.
//!
//! Arrivals that find no idle worker are counted in bins. The target is the 95th percentile of the bins of the window, scaled to the time
//! that a start takes; when the last tenth of the window holds twice its share, that tenth alone decides (a panic window, as in Knative).

use super::Core;
use super::types::Partition;
use crate::clock::Nanos;
use crate::config::SpareControl;

/// Most bins of a window.
const BINS: usize = 64;
/// The window's share that is watched for a panic: 1 / this.
const PANIC_PART: usize = 10;

/// Arrivals that found no idle worker, by time.
#[derive(Clone, Debug)]
pub(super) struct Shortfall {
    bins: [u32; BINS],
    /// Bins filled so far.
    filled: usize,
    next: usize,
    now: u32,
    bin_began: Nanos,
    /// Spares that the past asks for.
    pub(super) wanted: u32,
}

impl Default for Shortfall {
    fn default() -> Self {
        Shortfall { bins: [0; BINS], filled: 0, next: 0, now: 0, bin_began: 0, wanted: 0 }
    }
}

impl Shortfall {
    /// One more arrival that had to wait.
    pub(super) fn count(&mut self) {
        self.now = self.now.saturating_add(1);
    }

    /// Closes the present bin if it is long enough, and judges anew.
    fn turn(&mut self, now: Nanos, sweep_ns: Nanos, window_ns: Nanos, start_ns: Nanos) {
        let least = sweep_ns.max(window_ns / BINS as Nanos).max(1);
        let bin_ns = now.saturating_sub(self.bin_began);
        if bin_ns < least {
            return;
        }
        let size = usize::try_from(window_ns / bin_ns).unwrap_or(BINS).clamp(1, BINS);
        self.bins[self.next] = self.now;
        self.next = (self.next + 1) % BINS;
        self.filled = (self.filled + 1).min(BINS);
        (self.now, self.bin_began) = (0, now);
        self.wanted = self.judge(size.min(self.filled), start_ns as f64 / bin_ns as f64);
    }

    /// Spares for the last `size` bins, where a start takes `starts` bins.
    fn judge(&self, size: usize, starts: f64) -> u32 {
        let latest = |n: usize| (1..=n).map(|back| self.bins[(self.next + BINS - back) % BINS]);
        let mut sorted: Vec<u32> = latest(size).collect();
        sorted.sort_unstable();
        let p95 = sorted[(size * 95).div_ceil(100) - 1];
        let short = size.div_ceil(PANIC_PART);
        let mean = |n: usize| latest(n).map(f64::from).sum::<f64>() / n as f64;
        let panic = mean(short) >= 2.0 * mean(size) && mean(short) > 0.0;
        let per_bin = if panic { f64::from(latest(short).max().unwrap_or(0)) } else { f64::from(p95) };
        (per_bin * starts).ceil().min(f64::from(u32::MAX)) as u32
    }
}

impl Core {
    /// Idle workers to keep beyond those in use.
    pub(super) fn spares(&self, partition: Partition) -> u32 {
        let policy = self.config.policy(partition);
        match self.config.spare_control {
            SpareControl::Fixed => policy.spares.into(),
            SpareControl::Adaptive => {
                self.crews[partition as usize].shortfall.wanted.clamp(policy.spares.into(), policy.max.max(policy.spares).into())
            }
        }
    }

    /// Judges anew how many spares are wanted.
    pub(super) fn adapt_spares(&mut self) {
        let (sweep, window) = (self.config.health.sweep_ns, self.config.spare_window_ns);
        for crew in &mut self.crews {
            let start_ns = crew.start_ns;
            crew.shortfall.turn(self.now, sweep, window, start_ns);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: Nanos = 1_000_000_000;

    fn after(counts: impl IntoIterator<Item = u32>, start_ns: Nanos) -> u32 {
        let mut shortfall = Shortfall::default();
        for (i, n) in counts.into_iter().enumerate() {
            (0..n).for_each(|_| shortfall.count());
            shortfall.turn((i as Nanos + 1) * S, S, 60 * S, start_ns);
        }
        shortfall.wanted
    }

    #[test]
    fn the_target_is_what_arrivals_needed_during_one_start() {
        assert_eq!(after([0; 60], S), 0);
        assert_eq!(after([4; 60], S / 2), 2, "four a second, half a second each");
        assert_eq!(after([4; 60], 3 * S), 12);
        assert_eq!(after((0..60).map(|i| u32::from(i % 30 == 7) * 50), S), 0, "two bins of sixty are beyond the 95th percentile");
    }

    #[test]
    fn a_sudden_rise_counts_at_once_and_is_forgotten_with_the_window() {
        let quiet = std::iter::repeat_n(0, 55);
        assert_eq!(after(quiet.clone().chain([10; 5]), S), 10, "a panic");
        assert_eq!(after(quiet.chain([10; 2]).chain([0; 60]), S), 0);
    }

    #[test]
    fn short_turns_are_one_bin() {
        let mut shortfall = Shortfall::default();
        shortfall.count();
        shortfall.turn(S / 2, S, 60 * S, S);
        assert_eq!((shortfall.filled, shortfall.now), (0, 1));
    }
}
