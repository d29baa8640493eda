//! Rows into a record's figures. Pure arithmetic, after the load.

use std::collections::BTreeMap;

use model::Histogram;
use model::record::{ByteFigures, Counts, TierFigures};
use pool::Snapshot;
use pool::clock::Nanos;
use pool::core::{Affinity, Outcome, Partition, Tier};
use pool::times::Phase;

use crate::rows::Row;

/// Bands of the response's distribution whose time is laid out by phase: name, from share, to share.
const BANDS: [(&str, f64, f64); 2] = [("p50", 0.45, 0.55), ("p99", 0.99, 1.0)];

/// Figures that come from rows alone.
#[derive(Default)]
pub(crate) struct Figures {
    pub counts: Counts,
    pub outcomes: BTreeMap<String, u64>,
    pub histograms: BTreeMap<String, Histogram>,
    pub bands: BTreeMap<String, BTreeMap<String, f64>>,
    pub unexplained_share: f64,
    pub confusion: BTreeMap<String, BTreeMap<String, u64>>,
    pub affinity: BTreeMap<String, u64>,
    pub bytes: ByteFigures,
    pub served: [u64; 3],
    pub last_done: Nanos,
}

/// Response time of an `ok` row and the part of it that no phase explains, ns.
fn explained(row: &Row) -> (u64, u64) {
    let response = row.done().saturating_sub(row.intended());
    let phases: u64 = Phase::ALL.iter().map(|p| row.times.length(*p)).sum();
    (response, response.saturating_sub(phases))
}

/// Makes the figures. `tier_of` gives the tier of a cost in ns, `arrived_by` is the window.
pub(crate) fn figures(rows: &[Row], intended: u64, window: (Nanos, Nanos), tier_of: impl Fn(u64) -> Tier) -> Figures {
    let mut f = Figures::default();
    f.counts.intended = intended;
    for row in rows {
        if row.outcome == Outcome::Ok && (window.0..window.1).contains(&row.done()) {
            f.counts.ok_arrived_in_window += 1;
        }
        if row.measured { f.measured(row, &tier_of) } else { f.counts.warmup += 1 }
    }
    let ok: Vec<&Row> = rows.iter().filter(|r| r.measured && r.outcome == Outcome::Ok).collect();
    f.unexplained(&ok);
    f.bands(ok);
    f
}

impl Figures {
    fn record(&mut self, name: String, ns: u64) {
        self.histograms.entry(name).or_default().record(ns);
    }

    fn measured(&mut self, row: &Row, tier_of: &impl Fn(u64) -> Tier) {
        self.counts.sent += 1;
        self.counts.finished += 1;
        self.counts.redispatched += u64::from(row.attempts > 1);
        *self.outcomes.entry(row.outcome.name().to_owned()).or_default() += 1;
        *self.affinity.entry(affinity_name(row.affinity).to_owned()).or_default() += 1;
        self.last_done = self.last_done.max(row.done());
        self.record("lag".to_owned(), row.times.length(Phase::Lag));
        if let (Some(predicted), Some(served)) = (row.predicted, row.served) {
            self.counts.fallbacks += u64::from(served > predicted);
            self.served[served as usize] += 1;
            if let Some((begin, end)) = row.times.span(Phase::Service) {
                let actual = tier_of(end - begin);
                *self.confusion.entry(predicted.name().to_owned()).or_default().entry(actual.name().to_owned()).or_default() += 1;
                self.record(format!("tier.{}.service", served.name()), end - begin);
            }
        }
        if row.outcome == Outcome::Ok {
            self.ok(row);
        }
    }

    fn ok(&mut self, row: &Row) {
        self.counts.ok_in_deadline += u64::from(row.in_deadline);
        self.bytes.encoded += u64::from(row.encoded);
        self.bytes.sent += u64::from(row.sent_bytes);
        self.bytes.saved += u64::from(row.saved);
        let response = row.done().saturating_sub(row.intended());
        self.record("response".to_owned(), response);
        self.record("since-sent".to_owned(), row.done().saturating_sub(row.sent()));
        if let Some(served) = row.served {
            self.record(format!("tier.{}.response", served.name()), response);
        }
        for phase in Phase::ALL {
            if let Some((begin, end)) = row.times.span(phase) {
                self.record(format!("phase.{}", phase.name()), end - begin);
            }
        }
    }

    fn unexplained(&mut self, ok: &[&Row]) {
        let (response, rest) = ok.iter().map(|r| explained(r)).fold((0u64, 0u64), |a, b| (a.0 + b.0, a.1 + b.1));
        self.unexplained_share = if response == 0 { 0.0 } else { rest as f64 / response as f64 };
    }

    fn bands(&mut self, mut ok: Vec<&Row>) {
        ok.sort_by_key(|r| explained(r).0);
        for (name, from, to) in BANDS {
            let (from, to) = ((ok.len() as f64 * from) as usize, (ok.len() as f64 * to).ceil() as usize);
            let band = &ok[from.min(ok.len())..to.min(ok.len())];
            if band.is_empty() {
                continue;
            }
            let mean = |value: &dyn Fn(&Row) -> u64| band.iter().map(|r| value(r) as f64).sum::<f64>() / band.len() as f64;
            let mut means: BTreeMap<String, f64> = Phase::ALL
                .iter()
                .filter(|p| band.iter().any(|r| r.times.span(**p).is_some()))
                .map(|p| (p.name().to_owned(), mean(&|r| r.times.length(*p))))
                .collect();
            means.insert("response".to_owned(), mean(&|r| explained(r).0));
            means.insert("unexplained".to_owned(), mean(&|r| explained(r).1));
            self.bands.insert(name.to_owned(), means);
        }
    }
}

fn affinity_name(affinity: Affinity) -> &'static str {
    match affinity {
        Affinity::Free => "free",
        Affinity::Bound => "bound",
        Affinity::Hit => "hit",
        Affinity::Missed => "missed",
        Affinity::ForcedMiss => "forced-miss",
    }
}

/// Tiers that served anything, and partitions with slots and the use of them between two snapshots. With shared dispatch a tier has no slots
/// of its own, and `shared` holds them all.
pub(crate) fn tiers(begin: &Snapshot, end: &Snapshot, slots: [u16; 4], served: [u64; 3]) -> BTreeMap<String, TierFigures> {
    let row = |partition: Partition| {
        let i = partition as usize;
        TierFigures {
            served: served.get(i).copied().unwrap_or(0),
            busy_ns: end.busy_ns[i].saturating_sub(begin.busy_ns[i]),
            live_ns: end.existing_ns[i].saturating_sub(begin.existing_ns[i]),
            slots: u64::from(slots[i]),
        }
    };
    let rows = Partition::ALL.into_iter().map(|partition| (partition.name().to_owned(), row(partition)));
    rows.filter(|(_, row)| row.slots > 0 || row.served > 0).collect()
}

#[cfg(test)]
pub(crate) mod tests;
