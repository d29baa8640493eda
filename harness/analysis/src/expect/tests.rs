use super::*;
use crate::testkit::{located, measured};

fn expectation(figure: &str, at_least: Option<f64>, at_most: Option<f64>, share: bool) -> Expectation {
    Expectation { figure: figure.to_owned(), says: located("as typed"), at_least, at_most, share }
}

fn holds(e: &Expectation, record: &Record) -> bool {
    check(e, &[record]).ok
}

#[test]
fn a_share_of_outcomes_is_of_all_requests() {
    let mut r = measured("a/b", 0);
    let all_ok = expectation("outcomes.ok", Some(1.0), None, true);
    assert!(holds(&all_ok, &r));
    r.outcomes.insert("shed".to_owned(), 500);
    let c = check(&all_ok, &[&r]);
    assert_eq!((c.measured.as_str(), c.ok), ("80.00 % in round 0", false));
    assert_eq!(c.place, "pool/steady.toml:3");
    assert!(holds(&expectation("outcomes.shed", Some(500.0), Some(500.0), false), &r));
    assert!(holds(&expectation("outcomes.expired", None, Some(0.0), false), &r), "an outcome that never came is 0");
}

#[test]
fn the_worst_round_is_reported() {
    let (good, mut bad) = (measured("a/b", 0), measured("a/b", 3));
    bad.deaths.unexpected = 5;
    let none = expectation("deaths", None, Some(0.0), false);
    assert_eq!(check(&none, &[&good, &bad, &good]).measured, "5 in round 3");
    assert_eq!(check(&none, &[]).measured, "no trial ran to its end");
    assert!(!check(&none, &[]).ok);
}

#[test]
fn nothing_compared_is_not_right() {
    let mut r = measured("a/b", 0);
    let digest = expectation("digest", None, None, false);
    assert!(holds(&digest, &r));
    r.answers.wrong = 1;
    assert!(!holds(&digest, &r));
    (r.answers.digests, r.answers.wrong) = (0, 0);
    assert_eq!(check(&digest, &[&r]).measured, "no answer was compared in round 0");
    assert!(!holds(&expectation("sessions", None, None, false), &r));
}

#[test]
fn every_known_figure_can_be_measured() {
    let mut r = measured("a/b", 0);
    r.sessions = Some(model::record::SessionsCheck { read: 3, ..Default::default() });
    r.affinity.insert("hit".to_owned(), 3);
    r.tiers.insert("hot".to_owned(), model::record::TierFigures { served: 3, ..Default::default() });
    r.confusion.entry("hot".to_owned()).or_default().insert("hot".to_owned(), 3);
    (r.bytes.encoded, r.bytes.sent) = (100, 40);
    for figure in FIGURES {
        let stands_for = if figure.starts_with("response") { "p99" } else { "hot" };
        let name = figure.replace('*', stands_for);
        assert!(knows_figure(&name), "{name}");
        assert!(measure(&r, &name).is_ok(), "{name}: {:?}", measure(&r, &name).err());
    }
    assert!(!knows_figure("outcomes."));
}

#[test]
fn an_unknown_figure_fails_and_lists_the_known() {
    let c = check(&expectation("outcmes.ok", Some(1.0), None, true), &[&measured("a/b", 0)]);
    assert!(!c.ok && c.measured.contains("outcomes.*"), "{}", c.measured);
    assert!(!holds(&expectation("response.p200", None, Some(1e9), false), &measured("a/b", 0)));
}

#[test]
fn latency_bounds_are_in_ns() {
    let r = measured("a/b", 0);
    assert!(holds(&expectation("response.p50", None, Some(2.1e6), false), &r));
    assert!(!holds(&expectation("response.p50", None, Some(1.9e6), false), &r));
}

#[test]
fn wrong_answers_lost_sessions_and_children_left_always_fail() {
    let change: [fn(&mut Record); 4] = [
        |r| r.answers.wrong = 1,
        |r| r.sessions = Some(model::record::SessionsCheck { lost: 1, ..Default::default() }),
        |r| r.sessions = Some(model::record::SessionsCheck { corrupt: 1, ..Default::default() }),
        |r| r.deaths.children_left = 1,
    ];
    for change in change {
        let mut r = measured("a/b", 0);
        assert!(always(&Trials { measured: vec![&r], ..Default::default() }).is_empty());
        change(&mut r);
        assert_eq!(always(&Trials { measured: vec![&r], ..Default::default() }).len(), 1);
        assert_eq!(always(&Trials { profiled: vec![&r], ..Default::default() }).len(), 1, "profiled trials too");
    }
}
