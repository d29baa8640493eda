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

/// Response time of an `ok` row, ns.
fn response(row: &Row) -> u64 {
    row.done().saturating_sub(row.intended())
}

/// The part of an `ok` row's response that no phase explains, ns.
fn unexplained(row: &Row) -> u64 {
    response(row).saturating_sub(Phase::ALL.iter().map(|p| row.times.length(*p)).sum())
}

/// Makes the figures. `tier_of` gives the tier of a cost in ns, `arrived_by` is the window.
pub(crate) fn figures(rows: &[Row], intended: u64, window: (Nanos, Nanos), tier_of: impl Fn(u64) -> Tier) -> Figures {
    let mut f = Figures::default();
    f.counts.intended = intended;
    let mut tally = Tally::default();
    for row in rows {
        if row.outcome == Outcome::Ok && (window.0..window.1).contains(&row.done()) {
            f.counts.ok_arrived_in_window += 1;
        }
        if row.measured { f.measured(row, &mut tally, &tier_of) } else { f.counts.warmup += 1 }
    }
    tally.name(&mut f);
    f.explain(rows);
    f
}

/// Counts and histograms by number instead of by name: a million rows a second pass through here.
#[derive(Default)]
struct Tally {
    outcomes: [u64; 8],
    affinity: [u64; 5],
    confusion: [[u64; 3]; 3],
    lag: Histogram,
    response: Histogram,
    since_sent: Histogram,
    phases: [Histogram; 12],
    tier_response: [Histogram; 3],
    tier_service: [Histogram; 3],
    class_response: [Histogram; 3],
}

impl Tally {
    /// Puts what was counted under its name; nothing is put where nothing was counted.
    fn name(self, f: &mut Figures) {
        let counted = |(_, n): &(_, u64)| *n > 0;
        f.outcomes = Outcome::ALL.iter().map(|o| (o.name().to_owned(), self.outcomes[*o as usize])).filter(counted).collect();
        f.affinity = AFFINITIES.iter().map(|a| (affinity_name(*a).to_owned(), self.affinity[*a as usize])).filter(counted).collect();
        for predicted in Tier::ALL {
            let row = self.confusion[predicted as usize];
            let row: BTreeMap<_, _> = Tier::ALL.iter().map(|t| (t.name().to_owned(), row[*t as usize])).filter(counted).collect();
            if !row.is_empty() {
                f.confusion.insert(predicted.name().to_owned(), row);
            }
        }
        let by_tier = [("tier", "response", self.tier_response), ("tier", "service", self.tier_service)];
        let by_tier = by_tier.into_iter().chain([("class", "response", self.class_response)]);
        let by_tier = by_tier.flat_map(|(what, of, all)| {
            Tier::ALL.into_iter().zip(all).map(move |(tier, histogram)| (format!("{what}.{}.{of}", tier.name()), histogram))
        });
        let phases = Phase::ALL.into_iter().zip(self.phases).map(|(phase, histogram)| (format!("phase.{}", phase.name()), histogram));
        let alone = [("lag", self.lag), ("response", self.response), ("since-sent", self.since_sent)];
        let alone = alone.into_iter().map(|(name, histogram)| (name.to_owned(), histogram));
        f.histograms = alone.chain(by_tier).chain(phases).filter(|(_, histogram)| histogram.count() > 0).collect();
    }
}

impl Figures {
    fn measured(&mut self, row: &Row, tally: &mut Tally, tier_of: &impl Fn(u64) -> Tier) {
        self.counts.sent += 1;
        self.counts.finished += 1;
        self.counts.redispatched += u64::from(row.attempts > 1);
        tally.outcomes[row.outcome as usize] += 1;
        tally.affinity[row.affinity as usize] += 1;
        self.last_done = self.last_done.max(row.done());
        tally.lag.record(row.times.length(Phase::Lag));
        if let (Some(predicted), Some(served)) = (row.predicted, row.served) {
            self.counts.fallbacks += u64::from(served > predicted);
            self.served[served as usize] += 1;
            if let Some((begin, end)) = row.times.span(Phase::Service) {
                let actual = tier_of(end - begin);
                tally.confusion[predicted as usize][actual as usize] += 1;
                tally.tier_service[served as usize].record(end - begin);
            }
        }
        if row.outcome == Outcome::Ok {
            self.ok(row, tally, tier_of);
        }
    }

    fn ok(&mut self, row: &Row, tally: &mut Tally, tier_of: &impl Fn(u64) -> Tier) {
        self.counts.ok_in_deadline += u64::from(row.in_deadline);
        self.bytes.encoded += u64::from(row.encoded);
        self.bytes.sent += u64::from(row.sent_bytes);
        self.bytes.saved += u64::from(row.saved);
        let response = response(row);
        tally.response.record(response);
        tally.since_sent.record(row.done().saturating_sub(row.sent()));
        if let Some(served) = row.served {
            tally.tier_response[served as usize].record(response);
            // By the cost that was planned: the same requests form a class whatever a policy or a host did to them.
            tally.class_response[tier_of(row.intent.service_ns) as usize].record(response);
        }
        for phase in Phase::ALL {
            if let Some((begin, end)) = row.times.span(phase) {
                tally.phases[phase as usize].record(end - begin);
            }
        }
    }

    /// What no phase explains, and where the time went in each band of the response.
    fn explain(&mut self, rows: &[Row]) {
        // By response and, among equals, by row: the same rows are in a band whatever the order of the selection.
        let ok = rows.iter().enumerate().filter(|(_, r)| r.measured && r.outcome == Outcome::Ok);
        let mut ok: Vec<(u64, u32)> = ok.map(|(i, r)| (response(r), i as u32)).collect();
        let whole: u64 = ok.iter().map(|(ns, _)| *ns).sum();
        let rest: u64 = ok.iter().map(|(_, i)| unexplained(&rows[*i as usize])).sum();
        self.unexplained_share = if whole == 0 { 0.0 } else { rest as f64 / whole as f64 };
        for (name, from, to) in BANDS {
            let (from, to) = ((ok.len() as f64 * from) as usize, (ok.len() as f64 * to).ceil() as usize);
            if from >= to.min(ok.len()) {
                continue;
            }
            ok.select_nth_unstable(from);
            let above = &mut ok[from..];
            let band = if to - from < above.len() { above.select_nth_unstable(to - from).0 } else { above };
            self.bands.insert(name.to_owned(), band_of(rows, band));
        }
    }
}

/// Means over the rows of one band, by phase.
fn band_of(rows: &[Row], band: &[(u64, u32)]) -> BTreeMap<String, f64> {
    let members = || band.iter().map(|(_, i)| &rows[*i as usize]);
    let mean = |value: &dyn Fn(&Row) -> u64| members().map(|r| u128::from(value(r))).sum::<u128>() as f64 / band.len() as f64;
    let met = Phase::ALL.iter().filter(|p| members().any(|r| r.times.span(**p).is_some()));
    let mut means: BTreeMap<String, f64> = met.map(|p| (p.name().to_owned(), mean(&|r| r.times.length(*p)))).collect();
    means.insert("response".to_owned(), mean(&response));
    means.insert("unexplained".to_owned(), mean(&unexplained));
    means
}

const AFFINITIES: [Affinity; 5] = [Affinity::Free, Affinity::Bound, Affinity::Hit, Affinity::Missed, Affinity::ForcedMiss];

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
