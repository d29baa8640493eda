//! Whether the pool lives, can serve, and what is wrong with it: a pure judgement of one reading.

use pool::clock::Nanos;
use pool::core::{Partition, Residency, Tier};
use serde::Serialize;

use super::sample::{Slots, partition_name};
use super::values::{Between, Part};

/// When a pool counts as degraded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// What shares and rates are taken over, ns.
    pub window_ns: Nanos,
    /// Share of a tier's queue bound that may be in use.
    pub queue: f64,
    /// Share of the requests ended in the window that may be shed.
    pub shed: f64,
    /// Share that may end as failed, outcome-unknown or session-lost.
    pub failed: f64,
}

/// Codes of all reasons.
pub const REASONS: [&str; 8] = [DRAINING, NO_WORKER, PARKED, BACKOFF, EJECTED, QUEUE, SHED, FAILED];
const DRAINING: &str = "draining";
const NO_WORKER: &str = "no-ready-worker";
const PARKED: &str = "parked-slots";
const BACKOFF: &str = "backing-off";
const EJECTED: &str = "ejected-workers";
const QUEUE: &str = "queue-filling";
const SHED: &str = "shedding";
const FAILED: &str = "failing";

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// One of [`REASONS`].
    pub reason: &'static str,
    /// The part of the pool it is about, if not all of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part: Option<&'static str>,
    /// In words, with the figures.
    pub why: String,
}

/// A pool's health.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Health {
    /// The process answers and the pool's lock is free: who reads this knows it.
    pub live: bool,
    /// A request that comes now can be served.
    pub ready: bool,
    /// Something is wrong; see the reasons.
    pub degraded: bool,
    /// No request is admitted any more.
    pub draining: bool,
    /// What is wrong.
    pub reasons: Vec<Reason>,
}

impl Health {
    /// Whether this is among the reasons.
    pub fn has(&self, reason: &str) -> bool {
        self.reasons.iter().any(|r| r.reason == reason)
    }
}

/// Whether a part of the pool can serve: a worker is ready, or one can be started on demand that has no death against it.
fn able(slots: &Slots) -> bool {
    slots.of(Residency::Ready) > 0 || slots.fresh > 0
}

/// Judges one reading.
pub(crate) fn judge(bounds: &Bounds, between: &Between<'_>) -> Health {
    let slots = between.slots;
    let draining = between.pool.core.draining;
    let mut reasons = Vec::new();
    let mut say = |reason, part, why| reasons.push(Reason { reason, part, why });
    if draining {
        say(DRAINING, None, "the pool finishes what it has and admits nothing".to_owned());
    }
    for (part, slots) in slots.iter().enumerate().filter(|(_, slots)| slots.total() > 0) {
        let name = Some(partition_name(part));
        let kept = between.config.policy(Partition::ALL[part]).min_ready;
        if kept > 0 && slots.of(Residency::Ready) == 0 && !draining {
            say(
                NO_WORKER,
                name,
                format!("no worker is ready where {kept} should be; look at the deaths and at what workers write to stderr"),
            );
        }
        for (reason, residency, why) in [
            (EJECTED, Residency::Ejected, "are out of service until their workers are replaced"),
            (PARKED, Residency::Parked, "were given up after dying too often"),
            (BACKOFF, Residency::Backoff, "wait to start again after a death"),
        ] {
            let count = slots.of(residency);
            // A reload takes workers out of service as a matter of course.
            if count > 0 && !(reason == EJECTED && between.pool.core.reloading) {
                say(reason, name, format!("{count} of {} slots {why}", slots.total()));
            }
        }
    }
    for tier in Tier::ALL {
        if let Some(share) = between.value("queue-share", Part::Tier(tier)).filter(|share| *share > bounds.queue) {
            say(QUEUE, Some(tier.name()), format!("its queue is {} full", percent(share)));
        }
    }
    let seconds = bounds.window_ns as f64 / 1e9;
    for (reason, value, most) in [(SHED, "shed-share", bounds.shed), (FAILED, "failed-share", bounds.failed)] {
        if let Some(share) = between.value(value, Part::All).filter(|share| *share > most) {
            say(reason, None, format!("{} of the requests of the last {seconds} s", percent(share)));
        }
    }
    let ready = !draining && slots.iter().any(able);
    Health { live: true, ready, degraded: !reasons.is_empty(), draining, reasons }
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

#[cfg(test)]
pub(in crate::monitor) mod tests;
