//! A pool at one moment, and the window behind it: what rates and shares are taken over.

use std::collections::VecDeque;

use pool::Snapshot;
use pool::clock::Nanos;
use pool::core::{Outcome, Partition, Residency, Tier};

use super::counters::{AFFINITIES, BUCKETS, Counters, NO_TIER, PARTITIONS};

/// Marks kept per window, so that the window's begin is at most this part of it off.
const MARKS: u64 = 10;

/// Parts of the pool by index: their names.
pub(crate) fn partition_name(index: usize) -> &'static str {
    Partition::ALL.get(index).map_or("?", |partition| partition.name())
}

/// Everything that only grows, at one moment.
#[derive(Clone, Debug)]
pub(crate) struct Mark {
    pub(crate) at: Nanos,
    pub(crate) received: u64,
    pub(crate) outcomes: [[u64; 8]; 4],
    pub(crate) affinity: [u64; AFFINITIES.len()],
    pub(crate) predictions: [[u64; 3]; 3],
    pub(crate) latencies: [[u64; BUCKETS]; 3],
    pub(crate) busy_ns: [u64; PARTITIONS],
    pub(crate) existing_ns: [u64; PARTITIONS],
    pub(crate) spawns: u64,
    pub(crate) deaths: u64,
    pub(crate) redispatches: u64,
    pub(crate) fallbacks: u64,
}

impl Mark {
    /// Reads the counters after the pool, so that neither is behind what caused it.
    pub(crate) fn take(pool: &Snapshot, counters: &Counters) -> Mark {
        let outcomes = counters.outcomes();
        Mark {
            at: pool.at,
            received: counters.received(),
            outcomes,
            affinity: counters.affinity(),
            predictions: counters.predictions(),
            latencies: Tier::ALL.map(|tier| counters.requests(tier).buckets()),
            busy_ns: pool.busy_ns,
            existing_ns: pool.existing_ns,
            spawns: pool.core.totals.spawns,
            deaths: pool.core.totals.deaths,
            redispatches: pool.core.totals.redispatches,
            fallbacks: pool.core.totals.fallbacks,
        }
    }

    /// Requests that arrived and have not ended.
    pub(crate) fn in_flight(&self) -> u64 {
        self.received.saturating_sub(self.ended(None, &Outcome::ALL))
    }

    /// Requests that ended so, of one predicted tier or of all (those without one included).
    pub(crate) fn ended(&self, tier: Option<Tier>, outcomes: &[Outcome]) -> u64 {
        let rows = match tier {
            Some(tier) => tier as usize..tier as usize + 1,
            None => 0..NO_TIER + 1,
        };
        self.outcomes[rows].iter().map(|row| outcomes.iter().map(|o| row[*o as usize]).sum::<u64>()).sum()
    }
}

/// Slots of one part of the pool by what fills them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Slots {
    pub(crate) residency: [u32; Residency::COUNT],
    pub(crate) busy: u32,
    pub(crate) zombies: u32,
    pub(crate) bound: u32,
    /// Slots that are empty or starting and have no death against them.
    pub(crate) fresh: u32,
}

/// Every residency, in the order of [`Slots::residency`].
pub(crate) const RESIDENCIES: [Residency; Residency::COUNT] = [
    Residency::Absent,
    Residency::Starting,
    Residency::Ready,
    Residency::Closing,
    Residency::Ejected,
    Residency::Backoff,
    Residency::Parked,
];

impl Slots {
    /// All slots.
    pub(crate) fn total(&self) -> u32 {
        self.residency.iter().sum()
    }

    /// Slots in this state.
    pub(crate) fn of(&self, residency: Residency) -> u32 {
        self.residency[residency as usize]
    }

    /// Slots by part of the pool.
    pub(crate) fn count(pool: &Snapshot) -> [Slots; PARTITIONS] {
        let mut parts = [Slots::default(); PARTITIONS];
        for slot in &pool.core.slots {
            let part = &mut parts[slot.partition as usize];
            part.residency[slot.residency as usize] += 1;
            part.busy += u32::from(slot.busy.is_some());
            part.zombies += u32::from(slot.zombie);
            part.bound += slot.bound;
            part.fresh += u32::from(matches!(slot.residency, Residency::Absent | Residency::Starting) && slot.failures == 0);
        }
        parts
    }
}

/// Marks of the last while, oldest first; a fixed number of them.
#[derive(Debug)]
pub(crate) struct Window {
    length_ns: Nanos,
    marks: VecDeque<Mark>,
}

impl Window {
    pub(crate) fn new(length_ns: Nanos) -> Self {
        Self { length_ns: length_ns.max(MARKS), marks: VecDeque::new() }
    }

    /// Keeps `mark` if it is far enough from the one before; returns the mark at which the window before it begins, itself if there is none.
    pub(crate) fn since(&mut self, mark: &Mark) -> Mark {
        let begin = mark.at.saturating_sub(self.length_ns);
        while self.marks.get(1).is_some_and(|second| second.at <= begin) {
            self.marks.pop_front();
        }
        if self.marks.back().is_none_or(|last| mark.at.saturating_sub(last.at) >= self.length_ns / MARKS) {
            self.marks.push_back(mark.clone());
        }
        self.marks.front().cloned().unwrap_or_else(|| mark.clone())
    }
}

#[cfg(test)]
mod tests;
