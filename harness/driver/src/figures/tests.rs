use pool::times::RequestTimes;

use super::*;
use crate::schedule::{Intent, NO_FAULT, NO_SESSION};

/// A measured `ok` row of one slot: intended, slot taken, slot freed and answered.
pub(crate) fn row(intended: u64, taken: u64, freed: u64) -> Row {
    let mut times = RequestTimes::default();
    times.begin(Phase::Lag, intended);
    times.turn(Phase::Lag, Phase::Queue, intended);
    times.turn(Phase::Queue, Phase::Dispatch, taken);
    times.turn(Phase::Dispatch, Phase::Service, taken);
    times.turn(Phase::Service, Phase::Return, freed);
    times.turn(Phase::Return, Phase::Reply, freed);
    times.end(Phase::Reply, freed);
    Row {
        intent: Intent { at_ns: 0, sort: 0, payload: 0, session: NO_SESSION, service_ns: 0, fault: NO_FAULT },
        measured: true,
        in_deadline: true,
        times,
        outcome: Outcome::Ok,
        request: None,
        predicted: Some(Tier::Hot),
        served: Some(Tier::Hot),
        attempts: 1,
        affinity: Affinity::Free,
        encoded: 10,
        sent_bytes: 5,
        saved: 0,
    }
}

fn make(rows: &[Row]) -> Figures {
    figures(rows, rows.len() as u64, (0, u64::MAX), |cost| if cost <= 100 { Tier::Hot } else { Tier::Warm })
}

#[test]
fn every_request_is_counted_once_and_by_its_outcome() {
    let mut rows = vec![row(1, 2, 50), row(3, 4, 300), row(5, 6, 7), row(8, 9, 10)];
    rows[2].outcome = Outcome::Shed;
    rows[3].measured = false;
    let f = make(&rows);
    assert_eq!((f.counts.sent, f.counts.finished, f.counts.warmup), (3, 3, 1));
    assert_eq!(f.outcomes, BTreeMap::from([("ok".to_owned(), 2), ("shed".to_owned(), 1)]));
    assert_eq!(f.histograms["response"].count(), 2);
    assert_eq!(f.confusion["hot"], BTreeMap::from([("hot".to_owned(), 2), ("warm".to_owned(), 1)]));
    assert_eq!((f.bytes.encoded, f.bytes.sent), (20, 10));
}

#[test]
fn phases_explain_the_response_and_a_gap_is_shown() {
    let rows: Vec<Row> = (1..=200).map(|i| row(i * 1000, i * 1000 + 300, i * 1000 + 900)).collect();
    let f = make(&rows);
    assert!(f.unexplained_share.abs() < 1e-12);
    assert!((f.bands["p50"]["queue"] - 300.0).abs() < 1e-9 && (f.bands["p99"]["service"] - 600.0).abs() < 1e-9);
    let mut gap = rows;
    for r in &mut gap {
        let end = r.done();
        r.times.begin(Phase::Reply, end + 100);
        r.times.end(Phase::Reply, end + 100);
    }
    let f = make(&gap);
    assert!((f.unexplained_share - 0.1).abs() < 1e-9, "{}", f.unexplained_share);
    assert!((f.bands["p50"]["unexplained"] - 100.0).abs() < 1e-9);
}
