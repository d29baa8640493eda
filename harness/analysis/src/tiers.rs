//! Tiers: who served what, how full the pool was, and whether the prediction of the tier was right.

use std::collections::BTreeSet;

use model::Record;

use crate::classes::interval;
use crate::rounds::{percentiles, sum};
use crate::stats::{quotient, share};
use crate::summary::{Confusion, Guessing, TierSummary};

/// The tiers every pool has, in the order they are shown.
const KNOWN: [&str; 3] = ["hot", "warm", "cold"];

/// Names with hot, warm and cold first, the rest by name.
fn in_order<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut names: Vec<&str> = names.collect::<BTreeSet<&str>>().into_iter().collect();
    names.sort_by_key(|n| (KNOWN.iter().position(|k| k == n).unwrap_or(KNOWN.len()), *n));
    names
}

/// A sum that never wraps.
fn total_of<'a>(counts: impl Iterator<Item = &'a u64>) -> u64 {
    counts.fold(0, |t, c| t.saturating_add(*c))
}

/// Every tier of a case, over its measured rounds.
pub(crate) fn tiers(rounds: &[&Record]) -> Vec<TierSummary> {
    let names = in_order(rounds.iter().flat_map(|r| r.tiers.keys().map(String::as_str)));
    let all_served = sum(rounds, |r| r.tiers.values().fold(0, |total, t| total.saturating_add(t.served)));
    names.into_iter().map(|name| tier(rounds, name, all_served)).collect()
}

fn tier(rounds: &[&Record], name: &str, all_served: u64) -> TierSummary {
    let total = |count: fn(&model::record::TierFigures) -> u64| sum(rounds, |r| r.tiers.get(name).map_or(0, count));
    let (served, busy, live) = (total(|t| t.served), total(|t| t.busy_ns), total(|t| t.live_ns));
    // Slots may differ between rounds only by mistake, yet the sum over rounds stays right.
    let slot_time: f64 = rounds.iter().filter_map(|r| Some(r.tiers.get(name)?.slots as f64 * r.window_ns as f64)).sum();
    TierSummary {
        tier: name.to_owned(),
        served,
        served_share: share(served, all_served),
        response: percentiles(rounds, &format!("tier.{name}.response")),
        service: percentiles(rounds, &format!("tier.{name}.service")),
        slots: rounds.iter().filter_map(|r| r.tiers.get(name)).map(|t| t.slots).max().unwrap_or(0),
        busy_share: share(busy, live),
        live_share: quotient(live as f64, slot_time),
    }
}

/// The matrix of predicted against actual tier, summed over rounds; `None` where nothing was predicted.
pub(crate) fn confusion(rounds: &[&Record]) -> Option<Confusion> {
    let seen = rounds.iter().flat_map(|r| &r.confusion).flat_map(|(p, row)| row.keys().chain([p])).map(String::as_str);
    let tiers = in_order(KNOWN.into_iter().chain(seen));
    let cell = |p: &str, a: &str| sum(rounds, |r| r.confusion.get(p).and_then(|row| row.get(a)).copied().unwrap_or(0));
    let counts: Vec<Vec<u64>> = tiers.iter().map(|p| tiers.iter().map(|a| cell(p, a)).collect()).collect();
    let total = total_of(counts.iter().flatten());
    if total == 0 {
        return None;
    }
    let right: Vec<u64> = counts.iter().enumerate().filter_map(|(i, row)| row.get(i).copied()).collect();
    let of_row = |i: usize| counts.get(i).map_or(0, |row| total_of(row.iter()));
    let of_column = |i: usize| total_of(counts.iter().filter_map(|row| row.get(i)));
    Some(Confusion {
        total,
        accuracy: share(total_of(right.iter()), total),
        recall: right.iter().enumerate().map(|(i, r)| share(*r, of_column(i))).collect(),
        precision: right.iter().enumerate().map(|(i, r)| share(*r, of_row(i))).collect(),
        tiers: tiers.into_iter().map(str::to_owned).collect(),
        counts,
    })
}

/// What guessing cost, where an oracle was simulated beside the trials.
pub(crate) fn guessing(rounds: &[&Record]) -> Option<Guessing> {
    let told: Vec<&Record> = rounds.iter().copied().filter(|r| r.regret.is_some()).collect();
    if told.is_empty() {
        return None;
    }
    let by_oracle = |r: &&Record| {
        let sums = r.regret.as_ref().and_then(|regret| quotient(regret.response_ns as f64, regret.oracle_ns as f64));
        sums.ok_or_else(|| "the oracle served nothing".to_owned())
    };
    let hot = |r: &Record, row: &str| r.confusion.get(row).and_then(|row| row.get("hot")).copied().unwrap_or(0);
    let all = sum(rounds, |r| KNOWN.iter().fold(0, |t, row| t.saturating_add(hot(r, row))));
    let over = all - sum(rounds, |r| hot(r, "hot")).min(all);
    Some(Guessing { by_oracle: interval(told.iter().map(by_oracle)), over_predicted: share(over, all) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit;

    #[test]
    fn accuracy_recall_and_precision_of_a_known_matrix() {
        let mut r = testkit::measured("a/b", 0);
        for (p, a, n) in [("hot", "hot", 80), ("hot", "warm", 20), ("warm", "warm", 60), ("warm", "cold", 40)] {
            r.confusion.entry(p.to_owned()).or_default().insert(a.to_owned(), n);
        }
        let c = confusion(&[&r]).unwrap();
        assert_eq!(c.tiers, ["hot", "warm", "cold"]);
        assert_eq!(c.counts, [[80, 20, 0], [0, 60, 40], [0, 0, 0]]);
        assert_eq!((c.total, c.accuracy), (200, Some(0.7)));
        assert_eq!(c.recall, [Some(1.0), Some(0.75), Some(0.0)]);
        assert_eq!(c.precision, [Some(0.8), Some(0.6), None]);
        r.confusion.clear();
        assert_eq!(confusion(&[&r]), None);
    }

    #[test]
    fn utilisation_is_of_live_time_and_live_time_of_slot_time() {
        let mut r = testkit::measured("a/b", 0);
        r.window_ns = 1000;
        let figures = model::record::TierFigures { served: 30, busy_ns: 600, live_ns: 1500, slots: 2 };
        r.tiers.insert("warm".to_owned(), figures);
        r.tiers.insert("hot".to_owned(), model::record::TierFigures { served: 90, ..Default::default() });
        let t = tiers(&[&r, &r]);
        assert_eq!(t.iter().map(|t| t.tier.as_str()).collect::<Vec<_>>(), ["hot", "warm"]);
        assert_eq!((t[1].served, t[1].served_share), (60, Some(0.25)));
        assert_eq!((t[1].busy_share, t[1].live_share, t[1].slots), (Some(0.4), Some(0.75), 2));
        assert_eq!((t[0].busy_share, t[0].live_share), (None, None));
    }
}
