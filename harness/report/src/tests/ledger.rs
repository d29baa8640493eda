//! The ledger of a constructed run, each verdict once.

use analysis::summary::{ClaimPair, ClaimSummary, ClaimVerdict};

use super::*;

fn pair(way: &str, gain: Option<(f64, f64, f64)>, repeat_spread: Option<f64>, verdict: ClaimVerdict) -> ClaimPair {
    ClaimPair {
        of: format!("a/b?size=4KiB&way={way}"),
        over: "a/b?size=4KiB&way=plain".to_owned(),
        of_name: format!("way={way}"),
        over_name: "way=plain".to_owned(),
        matched: "size=4KiB".to_owned(),
        gain: gain.map(|g| g.0),
        low: gain.map(|g| g.1),
        high: gain.map(|g| g.2),
        rounds: if gain.is_some() { 8 } else { 2 },
        repeat_spread,
        verdict,
        why: String::new(),
        durability: None,
        beside: Vec::new(),
    }
}

/// Pairs that hold, are refuted, stay open, have no repeat, and must not be compared.
fn claimed() -> Summary {
    let mut pairs = vec![
        pair("fast", Some((1.52, 1.41, 1.64)), Some(1.02), ClaimVerdict::Holds),
        pair("slow", Some((0.71, 0.68, 0.74)), Some(1.02), ClaimVerdict::Refuted),
        pair("near", Some((1.31, 1.22, 1.41)), Some(1.02), ClaimVerdict::Inconclusive),
        pair("lone", Some((1.52, 1.50, 1.54)), None, ClaimVerdict::Holds),
        pair("short", None, None, ClaimVerdict::Refused),
    ];
    pairs[1].durability = Some(("consistent".to_owned(), "durable".to_owned()));
    pairs[1].beside = vec!["at lower durability".to_owned()];
    pairs[3].beside = vec!["without a repeat: its interval has no floor".to_owned()];
    pairs[4].why = "2 rounds on both sides (at least 3 are needed)".to_owned();
    let claim = ClaimSummary {
        says: "A better way is 30 % faster".to_owned(),
        place: "a/b.toml:40".to_owned(),
        metric: "response.p50".to_owned(),
        more_is_better: false,
        at_least: Some(1.3),
        at_most: None,
        equal_durability: false,
        pairs,
    };
    let mut summary = summary();
    summary.scenarios.iter_mut().for_each(|s| s.claims.clear());
    summary.scenarios[0].claims = vec![claim];
    summary
}

#[test]
fn a_ledger_has_every_verdict_as_its_golden_file_has() {
    let summary = claimed();
    golden("ledger.txt", ledger(&summary).as_bytes());
    golden("ledger.md", claims::section(&summary).as_bytes());
    let text = ledger(&summary);
    for said in ["2 hold, 1 refuted, 1 inconclusive, 1 refused; 1 without a repeat", "repeat none", "at lower durability"] {
        assert!(text.contains(said), "no {said} in {text}");
    }
}
