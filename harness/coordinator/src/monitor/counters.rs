//! What is counted as requests pass: plain atomics at fixed places, so that counting one costs no lock, no lookup and no allocation.

use std::sync::atomic::{AtomicU64, Ordering};

use pool::clock::Nanos;
use pool::core::{Affinity, Outcome, Partition, Tier};
use pool::times::Phase;

use crate::path::Response;

/// Buckets of a histogram of times: 1 us, 2 us, 4 us … 33.6 s, and what is longer.
pub(crate) const BUCKETS: usize = 27;
/// Requests that ended before the pool predicted a tier for them are counted here.
pub(crate) const NO_TIER: usize = 3;

/// Upper bound of bucket `index` in ns; `None` for the last, which has none.
pub(crate) fn bound_ns(index: usize) -> Option<Nanos> {
    (index + 1 < BUCKETS).then(|| 1_000 << index)
}

/// Times by power of two.
#[derive(Debug, Default)]
pub(crate) struct Histogram {
    buckets: [AtomicU64; BUCKETS],
    sum_ns: AtomicU64,
}

impl Histogram {
    fn add(&self, ns: Nanos) {
        one_more(&self.buckets[bucket_of(ns)]);
        self.sum_ns.fetch_add(ns, Ordering::Relaxed);
    }

    /// Counts by bucket, not cumulated.
    pub(crate) fn buckets(&self) -> [u64; BUCKETS] {
        read(&self.buckets)
    }

    /// Sum of all times, seconds.
    pub(crate) fn sum_s(&self) -> f64 {
        self.sum_ns.load(Ordering::Relaxed) as f64 / 1e9
    }
}

/// The first bucket whose bound is not below `ns`.
fn bucket_of(ns: Nanos) -> usize {
    let us = ns.div_ceil(1_000).max(1);
    // The number of bits of `us - 1` is the exponent of the next power of two.
    let exponent = u64::BITS - (us - 1).leading_zeros();
    (exponent as usize).min(BUCKETS - 1)
}

/// Requests counted by what became of them. One for each pool, shared by all who call it.
#[derive(Debug)]
pub struct Counters {
    tiers: pool::Config,
    received: AtomicU64,
    outcomes: [[AtomicU64; 8]; 4],
    served: [[AtomicU64; 3]; 3],
    affinity: [AtomicU64; 5],
    predictions: [[AtomicU64; 3]; 3],
    requests: [Histogram; 3],
    phases: [[Histogram; 12]; 3],
}

/// Parts of the pool that serve requests.
pub(crate) const PARTITIONS: usize = Partition::ALL.len();

/// Values of [`Affinity`] in the order of `Counters::affinity`.
pub(crate) const AFFINITIES: [(Affinity, &str); 5] = [
    (Affinity::Free, "free"),
    (Affinity::Bound, "bound"),
    (Affinity::Hit, "hit"),
    (Affinity::Missed, "missed"),
    (Affinity::ForcedMiss, "forced-miss"),
];

impl Counters {
    /// Nothing counted yet. The configuration says to which tier a real cost belongs.
    pub fn new(pool: &pool::Config) -> Self {
        Self {
            tiers: pool.clone(),
            received: AtomicU64::default(),
            outcomes: Default::default(),
            served: Default::default(),
            affinity: Default::default(),
            predictions: Default::default(),
            requests: Default::default(),
            phases: Default::default(),
        }
    }

    /// Counts a request as received; it must be told what became of it, or counts as cancelled when dropped.
    pub fn enter(&self) -> Entered<'_> {
        one_more(&self.received);
        Entered { counters: self, left: false }
    }

    fn observe(&self, response: &Response) {
        let Some(placement) = response.placement else {
            one_more(&self.outcomes[NO_TIER][response.outcome as usize]);
            return;
        };
        let tier = placement.predicted as usize;
        one_more(&self.outcomes[tier][response.outcome as usize]);
        one_more(&self.affinity[placement.affinity as usize]);
        if let Some(served) = placement.served {
            one_more(&self.served[tier][served as usize]);
        }
        if !matches!(response.outcome, Outcome::Ok | Outcome::ToolError) {
            return;
        }
        if let Some((begin, end)) = response.times.span(Phase::Service) {
            one_more(&self.predictions[tier][self.tiers.tier_of_cost(end - begin) as usize]);
        }
        if response.outcome == Outcome::Ok {
            self.observe_times(tier, response);
        }
    }

    fn observe_times(&self, tier: usize, response: &Response) {
        let (mut first, mut last) = (Nanos::MAX, 0);
        for phase in Phase::ALL {
            let Some((begin, end)) = response.times.span(phase) else { continue };
            self.phases[tier][phase as usize].add(end - begin);
            // The lag is the caller's, not ours.
            if phase != Phase::Lag {
                (first, last) = (first.min(begin), last.max(end));
            }
        }
        self.requests[tier].add(last.saturating_sub(first));
    }

    /// Requests received so far. Read it after [`Counters::outcomes`], and it is never below their sum.
    pub(crate) fn received(&self) -> u64 {
        self.received.load(Ordering::Acquire)
    }

    /// Requests ended, by predicted tier (the last row: none) and outcome.
    pub(crate) fn outcomes(&self) -> [[u64; 8]; 4] {
        std::array::from_fn(|t| read(&self.outcomes[t]))
    }

    /// Requests by predicted tier and by the tier that served them last.
    pub(crate) fn served(&self) -> [[u64; 3]; 3] {
        std::array::from_fn(|t| read(&self.served[t]))
    }

    /// Requests by how their session's affinity was served, in the order of [`AFFINITIES`].
    pub(crate) fn affinity(&self) -> [u64; 5] {
        read(&self.affinity)
    }

    /// Requests by predicted tier and by the tier of their real cost.
    pub(crate) fn predictions(&self) -> [[u64; 3]; 3] {
        std::array::from_fn(|t| read(&self.predictions[t]))
    }

    /// Times of whole `ok` requests of a tier.
    pub(crate) fn requests(&self, tier: Tier) -> &Histogram {
        &self.requests[tier as usize]
    }

    /// Times of a phase of `ok` requests of a tier.
    pub(crate) fn phase(&self, tier: Tier, phase: Phase) -> &Histogram {
        &self.phases[tier as usize][phase as usize]
    }
}

/// A request that was received and has no outcome yet.
#[derive(Debug)]
pub struct Entered<'a> {
    counters: &'a Counters,
    left: bool,
}

impl Entered<'_> {
    /// Counts what became of it.
    pub fn leave(mut self, response: &Response) {
        self.left = true;
        self.counters.observe(response);
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        if !self.left {
            one_more(&self.counters.outcomes[NO_TIER][Outcome::Cancelled as usize]);
        }
    }
}

fn one_more(counter: &AtomicU64) {
    // Release, so that who sees an outcome counted sees the request received.
    counter.fetch_add(1, Ordering::Release);
}

fn read<const N: usize>(counters: &[AtomicU64; N]) -> [u64; N] {
    std::array::from_fn(|i| counters[i].load(Ordering::Acquire))
}

#[cfg(test)]
mod tests;
