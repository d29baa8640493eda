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
    assert_eq!((c.measured.as_str(), c.ok), ("80.00 % (2000 of 2500) in round 0", false));
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
fn every_known_figure_can_be_measured_and_missed() {
    let mut r = measured("a/b", 0);
    r.sessions = Some(model::record::SessionsCheck { read: 3, turns_acknowledged: 9, lost: 3, ..Default::default() });
    r.outcomes.insert("hot".to_owned(), 3);
    r.affinity.extend([("hit".to_owned(), 3), ("missed".to_owned(), 1)]);
    r.tiers.insert("hot".to_owned(), model::record::TierFigures { served: 3, ..Default::default() });
    r.confusion.entry("hot".to_owned()).or_default().extend([("hot".to_owned(), 3), ("warm".to_owned(), 1)]);
    r.confusion.entry("warm".to_owned()).or_default().insert("hot".to_owned(), 3);
    r.regret = Some(model::record::Regret { response_ns: 12, oracle_ns: 9, requests: 2 });
    (r.deaths.unexpected, r.deaths.children_left, r.answers.wrong) = (3, 3, 3);
    (r.left.descriptors, r.left.sessions) = (3, 3);
    r.faults.insert("hot".to_owned(), 3);
    r.journal = Some(JournalCheck { executions: 9, twice: 3, replayed: 1, unsaid: 3, never: 3 });
    r.memory = model::record::Memory { early_bytes: 6, late_bytes: 9 };
    for figure in FIGURES {
        let name = figure.replace('*', "hot");
        assert!(holds(&expectation(&name, Some(3.0), Some(3.0), false), &r), "{name}");
        assert!(!holds(&expectation(&name, Some(4.0), None, false), &r), "{name}");
        assert!(!holds(&expectation(&name, None, Some(2.0), false), &r), "{name}");
    }
    for (share, value) in
        [("accuracy", 3.0 / 7.0), ("affinity-hits", 0.75), ("recall.hot", 0.5), ("over-predicted", 0.5), ("regret", 1.0 / 3.0)]
    {
        assert!(holds(&expectation(share, Some(value), Some(value), true), &r), "{share}");
    }
    assert!(holds(&expectation("memory-growth", None, Some(0.5), true), &r));
    (r.journal, r.memory) = (None, Default::default());
    for unmeasured in ["executed-twice", "executed-unsaid", "executed-never", "memory-growth"] {
        assert!(!holds(&expectation(unmeasured, None, Some(0.0), false), &r), "{unmeasured}: what nobody looked at is not right");
    }
    let empty = Record { outcomes: Default::default(), ..measured("a/b", 0) };
    for share in ["accuracy", "affinity-hits", "served.hot", "outcomes.ok", "recall.cold", "regret"] {
        assert!(!holds(&expectation(share, Some(0.0), None, true), &empty), "{share}: nothing has no share");
    }
}

#[test]
fn an_unknown_figure_fails_and_lists_the_known() {
    let c = check(&expectation("outcmes.ok", Some(1.0), None, true), &[&measured("a/b", 0)]);
    assert!(!c.ok && c.measured.contains("outcomes.*"), "{}", c.measured);
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
