//! Everything that one answer of the monitor is made of, read once.

use std::sync::Arc;

use pool::Snapshot;

use super::counters::{Counters, PARTITIONS};
use super::health::Health;
use super::process::Process;
use super::sample::{Mark, Slots};

/// One reading of pool, counters and alerts.
#[derive(Debug)]
pub(crate) struct Scrape {
    pub(crate) config: Arc<pool::Config>,
    pub(crate) pool: Snapshot,
    pub(crate) slots: [Slots; PARTITIONS],
    pub(crate) counters: Arc<Counters>,
    pub(crate) mark: Mark,
    pub(crate) health: Health,
    pub(crate) process: Process,
    pub(crate) alerts: Vec<(String, bool)>,
    pub(crate) deliveries: [u64; super::alerts::DELIVERIES.len()],
}

impl Scrape {
    /// Requests that arrived and have not ended.
    pub(crate) fn in_flight(&self) -> u64 {
        self.mark.in_flight()
    }

    /// Parts of the pool that have slots.
    pub(crate) fn parts(&self) -> impl Iterator<Item = usize> + use<> {
        let slots = self.slots;
        (0..PARTITIONS).filter(move |part| slots[*part].total() > 0)
    }
}
