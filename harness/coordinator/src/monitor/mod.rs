//! What operators see of a running pool: metrics, health, alerts.
//!
//! Requests are counted by [`Counters`], always; everything else reads those and the pool's own snapshot when it is asked, on threads of
//! its own, so that neither a scrape nor a hook is ever on the path of a request.

pub mod alerts;
mod counters;
mod health;
pub mod http;
mod metrics;
mod process;
mod sample;
mod scrape;
mod values;

use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use pool::clock::{Clock, Nanos};
use pool::{Pool, Snapshot};

pub use counters::{Counters, Entered};
pub use health::{Bounds, Health, REASONS, Reason};
pub use metrics::{METRICS, MetricKind, MetricRow, MetricUnit};
pub use values::{Part, VALUES, ValueRow, ValueUnit};

use process::Process;
use sample::{Mark, Slots, Window};
use scrape::Scrape;
use values::Between;

/// How long a snapshot of the pool is used again: whoever asks how often, the pool's lock is taken at most this often.
const SNAPSHOT_AGE_NS: Nanos = 5_000_000;

/// Reads a pool and its counters on demand.
pub struct Monitor {
    pool: Pool,
    config: Arc<pool::Config>,
    clock: Arc<dyn Clock>,
    counters: Arc<Counters>,
    bounds: Bounds,
    seen: Mutex<Seen>,
    alerts: OnceLock<Arc<alerts::Board>>,
}

struct Seen {
    window: Window,
    latest: Option<Reading>,
}

/// A snapshot with the marks of now and of the window's begin.
#[derive(Clone)]
struct Reading {
    pool: Snapshot,
    slots: [Slots; counters::PARTITIONS],
    then: Mark,
    now: Mark,
}

impl fmt::Debug for Monitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Monitor").field("bounds", &self.bounds).finish_non_exhaustive()
    }
}

impl Monitor {
    /// A monitor of `pool`, whose requests `counters` counts.
    pub fn new(pool: Pool, config: &pool::Config, clock: Arc<dyn Clock>, counters: Arc<Counters>, bounds: Bounds) -> Arc<Monitor> {
        Arc::new(Monitor {
            pool,
            config: Arc::new(config.clone()),
            clock,
            counters,
            bounds,
            seen: Mutex::new(Seen { window: Window::new(bounds.window_ns), latest: None }),
            alerts: OnceLock::new(),
        })
    }

    /// The counters of the monitored requests.
    pub fn counters(&self) -> &Arc<Counters> {
        &self.counters
    }

    /// All metrics as OpenMetrics text.
    pub fn text(&self) -> String {
        let Reading { pool, slots, then, now } = self.read();
        let between = Between { config: &self.config, pool: &pool, slots: &slots, then: &then, now: &now };
        let health = health::judge(&self.bounds, &between);
        let (alerts, deliveries) = self.alerts.get().map(|board| board.read()).unwrap_or_default();
        let (config, counters) = (Arc::clone(&self.config), Arc::clone(&self.counters));
        // Counters are free to read, so that only the pool's own figures may be a little older.
        let mark = Mark::take(&pool, &counters);
        metrics::text(Scrape { config, pool, slots, counters, mark, health, process: Process::read(), alerts, deliveries })
    }

    /// The pool's health now.
    pub fn health(&self) -> Health {
        self.between(|between| health::judge(&self.bounds, between))
    }

    /// Takes a reading, so that the window has marks although nobody asks.
    pub(crate) fn tick(&self) {
        self.read();
    }

    /// Shows the state of alerts among the metrics; the first board stays.
    pub(crate) fn show(&self, board: Arc<alerts::Board>) {
        // A second one is only not shown.
        let _ = self.alerts.set(board);
    }

    pub(crate) fn between<T>(&self, of: impl FnOnce(&Between<'_>) -> T) -> T {
        let Reading { pool, slots, then, now } = self.read();
        of(&Between { config: &self.config, pool: &pool, slots: &slots, then: &then, now: &now })
    }

    fn read(&self) -> Reading {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let at = self.clock.now();
        if let Some(latest) = seen.latest.as_ref().filter(|latest| at.saturating_sub(latest.now.at) < SNAPSHOT_AGE_NS) {
            return latest.clone();
        }
        let pool = self.pool.snapshot();
        let now = Mark::take(&pool, &self.counters);
        let then = seen.window.since(&now);
        let reading = Reading { slots: Slots::count(&pool), pool, then, now };
        seen.latest = Some(reading.clone());
        reading
    }
}

#[cfg(test)]
mod tests;
