//! The named values that alert rules watch: gauges of this moment, and rates and shares over the window.

use pool::Snapshot;
use pool::clock::Nanos;
use pool::core::{Outcome, Residency, Tier};

use super::counters::{BUCKETS, PARTITIONS, bound_ns};
use super::sample::{Mark, Slots, partition_name};

/// What a value is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueUnit {
    /// A count, or a rate per second.
    Number,
    /// From 0 to 1; may be typed as a percentage.
    Share,
    /// Seconds; may be typed with `ms` or `s`.
    Seconds,
    /// Bytes.
    Bytes,
}

/// What of the pool a value is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// All of it.
    All,
    /// Requests of one predicted tier.
    Tier(Tier),
    /// Slots of one part of the pool.
    Partition(usize),
}

/// Which parts a value may be asked for, beside all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Nothing,
    Tier,
    Partition,
}

/// One value.
#[derive(Debug)]
pub struct ValueRow {
    /// Its name; with `.hot`, `.warm` … behind it for a part of the pool.
    pub name: &'static str,
    /// Its unit.
    pub unit: ValueUnit,
    by: By,
    /// What it says.
    pub doc: &'static str,
    read: fn(&Between<'_>, Part) -> Option<f64>,
}

/// A reading and the mark at which the window before it began.
pub(crate) struct Between<'a> {
    pub(crate) config: &'a pool::Config,
    pub(crate) pool: &'a Snapshot,
    pub(crate) slots: &'a [Slots; PARTITIONS],
    pub(crate) then: &'a Mark,
    pub(crate) now: &'a Mark,
}

const fn row(name: &'static str, unit: ValueUnit, by: By, doc: &'static str, read: fn(&Between<'_>, Part) -> Option<f64>) -> ValueRow {
    ValueRow { name, unit, by, doc, read }
}

/// Every value that a rule may watch.
pub const VALUES: &[ValueRow] = &[
    row("queue-depth", ValueUnit::Number, By::Tier, "requests that wait for a worker", |b, p| {
        Some(b.tiers(p, |t| f64::from(b.pool.core.tiers[t].queued)).sum())
    }),
    row("queue-bytes", ValueUnit::Bytes, By::Tier, "payload that waits for a worker", |b, p| {
        Some(b.tiers(p, |t| b.pool.core.tiers[t].queued_bytes as f64).sum())
    }),
    row("queue-share", ValueUnit::Share, By::Tier, "the queue's use of its bound in requests or bytes, of the fullest tier", |b, p| {
        Some(b.tiers(p, |t| b.queue_share(t)).fold(0.0, f64::max))
    }),
    row("in-flight", ValueUnit::Number, By::Nothing, "requests that arrived and have not ended", |b, _| Some(b.now.in_flight() as f64)),
    row("ready-workers", ValueUnit::Number, By::Partition, "workers that take work", |b, p| Some(b.slots(p, |s| s.of(Residency::Ready)))),
    row("busy-workers", ValueUnit::Number, By::Partition, "workers on a request", |b, p| Some(b.slots(p, |s| s.busy))),
    row("backoff-slots", ValueUnit::Number, By::Partition, "slots that wait to start again after a death", |b, p| {
        Some(b.slots(p, |s| s.of(Residency::Backoff)))
    }),
    row("parked-slots", ValueUnit::Number, By::Partition, "slots that were given up", |b, p| Some(b.slots(p, |s| s.of(Residency::Parked)))),
    row("ejected-workers", ValueUnit::Number, By::Partition, "workers taken out of service, not yet gone", |b, p| {
        Some(b.slots(p, |s| s.of(Residency::Ejected)))
    }),
    row("utilisation", ValueUnit::Share, By::Partition, "share of the window that existing workers spent on requests", |b, p| {
        let sum = |times: fn(&Mark) -> &[u64; PARTITIONS]| b.parts(p).map(|i| grown(times(b.then)[i], times(b.now)[i])).sum::<u64>();
        share(sum(|m| &m.busy_ns), sum(|m| &m.existing_ns))
    }),
    row("request-rate", ValueUnit::Number, By::Tier, "requests that ended, per second", |b, p| {
        b.per_second(|m| m.ended(tier(p), &Outcome::ALL))
    }),
    row("ok-share", ValueUnit::Share, By::Tier, "requests that ended ok, of all that ended", |b, p| b.ended(p, &[Outcome::Ok])),
    row("shed-share", ValueUnit::Share, By::Tier, "requests that were shed, of all that ended", |b, p| b.ended(p, &[Outcome::Shed])),
    row("expired-share", ValueUnit::Share, By::Tier, "requests that expired, of all that ended", |b, p| b.ended(p, &[Outcome::Expired])),
    row("failed-share", ValueUnit::Share, By::Tier, "requests that ended failed, outcome-unknown or session-lost", |b, p| {
        b.ended(p, &[Outcome::Failed, Outcome::OutcomeUnknown, Outcome::SessionLost])
    }),
    row("fallback-rate", ValueUnit::Number, By::Nothing, "dispatches to another tier, per second", |b, _| b.per_second(|m| m.fallbacks)),
    row("redispatch-rate", ValueUnit::Number, By::Nothing, "dispatches that repeat one, per second", |b, _| {
        b.per_second(|m| m.redispatches)
    }),
    row("death-rate", ValueUnit::Number, By::Nothing, "workers that died unasked, per second", |b, _| b.per_second(|m| m.deaths)),
    row("spawn-rate", ValueUnit::Number, By::Nothing, "workers spawned, per second", |b, _| b.per_second(|m| m.spawns)),
    row("affinity-miss-share", ValueUnit::Share, By::Nothing, "requests of bound sessions that another worker served", |b, _| {
        let [_, _, hit, missed, forced] = std::array::from_fn(|i| grown(b.then.affinity[i], b.now.affinity[i]));
        share(missed + forced, hit + missed + forced)
    }),
    row("misprediction-share", ValueUnit::Share, By::Nothing, "answered requests whose cost was that of another tier", |b, _| {
        let at = |p: usize, r: usize| grown(b.then.predictions[p][r], b.now.predictions[p][r]);
        let all = (0..9).map(|i| at(i / 3, i % 3)).sum();
        share(all - (0..3).map(|i| at(i, i)).sum::<u64>(), all)
    }),
    row("latency-p50", ValueUnit::Seconds, By::Tier, "median time of ok requests, from buckets of powers of two", |b, p| {
        b.quantile(p, 0.5)
    }),
    row("latency-p95", ValueUnit::Seconds, By::Tier, "95th percentile of the same", |b, p| b.quantile(p, 0.95)),
    row("latency-p99", ValueUnit::Seconds, By::Tier, "99th percentile of the same", |b, p| b.quantile(p, 0.99)),
];

impl ValueRow {
    /// The parts it may be asked for beside all, by name.
    pub fn parts(&self) -> Vec<(String, Part)> {
        let named = |name: &str, part| (format!("{}.{name}", self.name), part);
        match self.by {
            By::Nothing => Vec::new(),
            By::Tier => Tier::ALL.iter().map(|tier| named(tier.name(), Part::Tier(*tier))).collect(),
            By::Partition => (0..PARTITIONS).map(|part| named(partition_name(part), Part::Partition(part))).collect(),
        }
    }
}

fn tier(part: Part) -> Option<Tier> {
    match part {
        Part::Tier(tier) => Some(tier),
        _ => None,
    }
}

fn grown(then: u64, now: u64) -> u64 {
    now.saturating_sub(then)
}

/// `None` where there is nothing to be a share of.
fn share(part: u64, all: u64) -> Option<f64> {
    (all > 0).then(|| part as f64 / all as f64)
}

impl Between<'_> {
    /// The value of this name; `None` where it has none, as a share of nothing has not.
    pub(crate) fn value(&self, name: &str, part: Part) -> Option<f64> {
        VALUES.iter().find(|row| row.name == name).and_then(|row| self.read(row, part))
    }

    /// The value of this row.
    pub(crate) fn read(&self, row: &ValueRow, part: Part) -> Option<f64> {
        (row.read)(self, part)
    }

    fn tiers(&self, part: Part, value: impl Fn(usize) -> f64) -> impl Iterator<Item = f64> {
        let wanted = tier(part);
        Tier::ALL.into_iter().filter(move |t| wanted.is_none_or(|w| w == *t)).map(move |t| value(t as usize))
    }

    fn parts(&self, part: Part) -> impl Iterator<Item = usize> + use<> {
        (0..PARTITIONS).filter(move |i| !matches!(part, Part::Partition(p) if p != *i))
    }

    fn slots(&self, part: Part, count: impl Fn(&Slots) -> u32) -> f64 {
        self.parts(part).map(|i| f64::from(count(&self.slots[i]))).sum()
    }

    fn queue_share(&self, tier: usize) -> f64 {
        let queue = &self.pool.core.tiers[tier];
        let of = |used: f64, bound: f64| if bound > 0.0 { used / bound } else { 0.0 };
        of(f64::from(queue.queued), f64::from(self.config.queue_len)).max(of(queue.queued_bytes as f64, self.config.queue_bytes as f64))
    }

    fn per_second(&self, count: impl Fn(&Mark) -> u64) -> Option<f64> {
        let ns: Nanos = grown(self.then.at, self.now.at);
        (ns > 0).then(|| grown(count(self.then), count(self.now)) as f64 * 1e9 / ns as f64)
    }

    fn ended(&self, part: Part, outcomes: &[Outcome]) -> Option<f64> {
        let ended = |outcomes: &[Outcome]| grown(self.then.ended(tier(part), outcomes), self.now.ended(tier(part), outcomes));
        share(ended(outcomes), ended(&Outcome::ALL))
    }

    /// Seconds, interpolated within its bucket as `histogram_quantile` does; the last bucket counts as its lower bound.
    fn quantile(&self, part: Part, q: f64) -> Option<f64> {
        let wanted = tier(part);
        let tiers = || Tier::ALL.into_iter().filter(move |t| wanted.is_none_or(|w| w == *t)).map(|t| t as usize);
        let counts: [u64; BUCKETS] =
            std::array::from_fn(|i| tiers().map(|t| grown(self.then.latencies[t][i], self.now.latencies[t][i])).sum());
        let all: u64 = counts.iter().sum();
        let rank = q * all as f64;
        let mut below = 0.0;
        for (index, count) in counts.iter().map(|c| *c as f64).enumerate() {
            if count > 0.0 && below + count >= rank {
                let low = index.checked_sub(1).and_then(bound_ns).unwrap_or(0) as f64;
                let high = bound_ns(index).map_or(low, |ns| ns as f64);
                return Some((low + (high - low) * (rank - below) / count) / 1e9);
            }
            below += count;
        }
        None
    }
}

#[cfg(test)]
mod tests;
