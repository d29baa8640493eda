//! The whole crate on whole runs.

use model::facts::Facts;
use model::plan::Plan;
use model::record::{ProfileFigures, SessionsCheck, Status, TrialKind, Twin};
use model::units::Rate;
use model::{Histogram, Record};
use proptest::prelude::*;

use crate::summarise;
use crate::summary::{FailureKind, Summary};
use crate::testkit::{calibration, facts, failed, located, measured, one_case, plan};

fn run(plan: &Plan, facts: &Facts, records: &[Record]) -> Summary {
    summarise(plan, facts, records)
}

#[test]
fn figures_of_a_case_come_out_as_put_in() {
    let records = [calibration("a/b", 0, 2000), measured("a/b", 0), measured("a/b", 1)];
    let c = one_case(&records);
    assert_eq!((c.capacity_per_s.value, c.offered_per_s.value, c.goodput_per_s.value), (Some(2000.0), Some(1000.0), Some(1000.0)));
    assert_eq!((c.offered_share_of_capacity, c.cpu_per_request_ns.value), (Some(0.5), Some(50_000.0)));
    assert_eq!((c.rounds_measured, c.response.p50_ns.rounds, c.counts.sent), (2, 2, 4000));
    let p50 = c.response.p50_ns.value.unwrap();
    assert!((p50 / 2e6 - 1.0).abs() < 2e-3, "{p50}");
    assert!(c.since_sent.p50_ns.value.unwrap() < p50);
    assert_eq!((c.outcomes[0].outcome.as_str(), c.outcomes[0].share), ("ok", 1.0));
    assert_eq!((c.affinity, c.bytes, c.twin, c.confusion), (None, None, None, None));
}

#[test]
fn sums_and_ratios_over_rounds() {
    let mut r = measured("a/b", 0);
    (r.bytes.encoded, r.bytes.sent, r.bytes.saved) = (8000, 2000, 4000);
    r.outcomes.insert("ok".to_owned(), 1000);
    r.outcomes.insert("shed".to_owned(), 1000);
    for (key, count) in [("free", 1), ("bound", 2), ("hit", 6), ("missed", 1), ("forced-miss", 1)] {
        r.affinity.insert(key.to_owned(), count);
    }
    r.errors.extend([("late".to_owned(), 3), ("broken".to_owned(), 7)]);
    r.deaths.by_status.insert("signal 9 (SIGKILL)".to_owned(), 2);
    r.sessions = Some(SessionsCheck { read: 5, ..Default::default() });
    let c = one_case(&[r.clone(), Record { round: 1, ..r }]);
    let b = c.bytes.unwrap();
    assert_eq!((b.ratio, b.encoded_mean_bytes, b.sent_mean_bytes, b.saved_mean_bytes), (Some(4.0), Some(8.0), Some(2.0), Some(4.0)));
    let a = c.affinity.unwrap();
    assert_eq!((a.hits, a.forced_misses, a.hit_share), (12, 2, Some(0.75)));
    assert_eq!(c.errors.iter().map(|e| (e.text.as_str(), e.count)).collect::<Vec<_>>(), [("broken", 14), ("late", 6)]);
    assert_eq!((c.deaths.by_status["signal 9 (SIGKILL)"], c.sessions.unwrap().read), (4, 10));
    assert_eq!(c.outcomes.iter().map(|o| o.outcome.as_str()).collect::<Vec<_>>(), ["ok", "shed"]);
}

#[test]
fn a_twin_is_compared_percentile_by_percentile() {
    let twin = |m: f64| Twin {
        measured: [m; 4],
        lindley: [100.0; 4],
        dispatch_stamp: [2.0; 4],
        requests: 10,
        residual: Some([m / 10.0; 4]),
        ..Twin::default()
    };
    let with = |round, m| Record { twin: Some(twin(m)), ..measured("a/b", round) };
    let t = one_case(&[with(0, 101.0), with(1, 103.0), with(2, 190.0)]).twin.unwrap();
    assert_eq!((t.requests, t.rows.len(), t.rows[3].percentile.as_str()), (30, 4, "p99"));
    assert_eq!((t.rows[3].measured_ns, t.rows[3].error_share), (103.0, Some(0.03)));
    assert_eq!((t.residual.unwrap().p99_ns, t.slots), (10.3, None));
}

#[test]
fn a_failed_trial_is_a_row_with_its_reason_and_fails_the_run() {
    let plan = plan("a/b", &[], Some(Rate::PerSecond(1000.0)), 2);
    let summary = run(&plan, &facts(), &[measured("a/b", 0), failed("a/b", 1, "the worker never spoke")]);
    let case = &summary.scenarios[0].cases[0];
    assert_eq!((case.rounds_measured, case.rounds_failed), (1, 1));
    assert_eq!(case.statuses[0].why, "the worker never spoke");
    assert!(summary.failed);
    assert_eq!((summary.failures.len(), summary.failures[0].kind), (1, FailureKind::Trial));
    assert_eq!(summary.failures[0].why, "round 1: the worker never spoke");
    assert_eq!((summary.ran.trials_planned, summary.ran.trials_measured, summary.ran.trials_failed), (2, 1, 1));
}

#[test]
fn a_run_that_held_does_not_fail() {
    let plan = plan("a/b", &[], Some(Rate::PerSecond(1000.0)), 1);
    let summary = run(&plan, &facts(), &[measured("a/b", 0)]);
    assert_eq!((summary.failed, summary.timing_class.as_str(), summary.brands.invalid), (false, "fifo", 0));
    let empty = run(&plan, &facts(), &[]);
    assert_eq!((empty.failed, empty.scenarios[0].cases[0].rounds_measured), (false, 0));
    assert!(empty.scenarios[0].cases[0].response.p50_ns.why_blank.is_some());
}

#[test]
fn broken_checks_and_invalid_figures_fail_the_run() {
    let mut plan = plan("a/b", &[], Some(Rate::PerSecond(1000.0)), 1);
    let expectation = model::plan::Expectation {
        figure: "outcomes.ok".to_owned(),
        says: located("100%"),
        at_least: Some(1.0),
        at_most: None,
        share: true,
    };
    plan.cases[0].expect.push(expectation);
    let mut record = measured("a/b", 0);
    record.counts.finished = 1999;
    record.outcomes.insert("shed".to_owned(), 2000);
    let kinds: Vec<_> = run(&plan, &facts(), &[record]).failures.iter().map(|f| f.kind).collect();
    assert_eq!(kinds, [FailureKind::Check, FailureKind::Brand]);
    let only_failed = run(&plan, &facts(), &[failed("a/b", 0, "killed")]);
    assert_eq!(only_failed.failures.len(), 1, "what was not measured has not missed its expectations as well");
}

#[test]
fn the_profile_stands_beside_the_unprofiled_figures() {
    let plan = plan("a/b", &[], Some(Rate::PerSecond(1000.0)), 1);
    let figures = ProfileFigures { sampler: "pprof".to_owned(), hz: 99, samples: 90, expected: 100.0, unnamed: 9, ..Default::default() };
    let profiled = Record { kind: TrialKind::Profiled, profile: Some(figures), ..measured("a/b", 0) };
    let profile = run(&plan, &facts(), &[measured("a/b", 0), profiled]).scenarios[0].profile.clone().unwrap();
    assert_eq!((profile.captured_share, profile.unnamed_share), (Some(0.9), Some(0.1)));
    assert_eq!((profile.p50_ratio, profile.p99_ratio), (Some(1.0), Some(1.0)));
}

#[test]
fn another_load_under_one_seed_is_noted_unless_an_axis_changes_it() {
    let mut plan = plan("a/b", &[("mode", &["x", "y"])], Some(Rate::PerSecond(1000.0)), 1);
    let other = Record { fingerprint: "other".to_owned(), ..measured("a/b?mode=y", 0) };
    let records = [measured("a/b?mode=x", 0), other];
    let noted = |p: &Plan| run(p, &facts(), &records).scenarios[0].cases[1].brands.iter().any(|b| b.name == "different-load");
    assert!(noted(&plan));
    let later = records.clone().map(|r| Record { round: 1, ..r });
    let equal = records.clone().map(|r| Record { fingerprint: "load".to_owned(), ..r });
    let second_round = run(&plan, &facts(), &[equal, later].concat());
    assert!(second_round.scenarios[0].cases[1].brands.iter().any(|b| b.name == "different-load"), "each round is compared");
    plan.scenarios[0].axes[0].key = "load.mix.payload".to_owned();
    assert!(!noted(&plan));
}

/// Any record, whether it makes sense or not.
fn any_record() -> impl Strategy<Value = Record> {
    let shape = (0usize..3, 0u32..3, 0usize..3, 0usize..3, any::<bool>());
    let numbers = (any::<u64>(), any::<f64>(), proptest::collection::vec(any::<u64>(), 0..30), any::<f64>());
    (shape, numbers).prop_map(|((case, round, kind, status, open_loop), (n, f, values, g))| {
        let kind = [TrialKind::Calibration, TrialKind::Measured, TrialKind::Profiled][kind];
        let status = [Status::Measured, Status::Failed { why: "why".to_owned() }, Status::TimedOut { after_ns: n }][status].clone();
        let mut r = measured(["a/b?mode=x", "a/b?mode=y", "unknown"][case], round);
        (r.kind, r.status, r.open_loop) = (kind, status, open_loop);
        (r.offered_per_s, r.window_ns, r.unexplained_share, r.host.steal_share) = (Some(f), n, g, f);
        (r.counts.finished, r.counts.ok_in_deadline, r.cpu.process_ns, r.deaths.spawns) = (n, n, n, u64::MAX);
        r.outcomes.insert("shed".to_owned(), n);
        r.affinity.insert("hit".to_owned(), n);
        r.bands.entry("p99".to_owned()).or_default().extend([("queue".to_owned(), f), ("response".to_owned(), g)]);
        r.confusion.entry("hot".to_owned()).or_default().insert("odd".to_owned(), n / 4);
        let figures = model::record::TierFigures { served: n, busy_ns: n, live_ns: n, slots: n };
        r.tiers.insert("hot".to_owned(), figures);
        r.twin = Some(Twin { measured: [f; 4], lindley: [g; 4], dispatch_stamp: [f; 4], requests: n, ..Twin::default() });
        let mut h = Histogram::new();
        values.iter().for_each(|v| h.record(*v));
        r.histograms.insert("response".to_owned(), h.clone());
        r.histograms.insert("phase.queue".to_owned(), h);
        r.profile = Some(ProfileFigures { samples: n, expected: f, ..Default::default() });
        r
    })
}

/// Whether any number of a summary is not one: serde_json writes NaN and infinity as null, which Debug does not.
fn has_nonsense(summary: &Summary) -> bool {
    let text = format!("{summary:?}");
    text.contains("NaN") || text.contains("(inf") || text.contains(": inf") || text.contains("-inf")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_records_in_any_order_give_one_summary_without_nonsense(mut records in proptest::collection::vec(any_record(), 0..6)) {
        let mut plan = plan("a/b", &[("mode", &["x", "y"])], Some(Rate::OfCapacity(0.5)), 2);
        plan.cases[0].expect.extend(crate::FIGURES.map(|f| model::plan::Expectation {
            figure: f.replace('*', "p99"), says: located("any"), at_least: Some(0.0), at_most: None, share: true,
        }));
        let summary = run(&plan, &facts(), &records);
        prop_assert!(!has_nonsense(&summary), "{summary:?}");
        prop_assert!(serde_json::to_string(&summary).is_ok());
        // Two records of one trial with the same begin are told apart by nothing: keep one of each.
        records.sort_by_key(|r| (r.case.clone(), r.kind, r.round));
        records.dedup_by_key(|r| (r.case.clone(), r.kind, r.round));
        let forwards = run(&plan, &facts(), &records);
        records.reverse();
        prop_assert_eq!(run(&plan, &facts(), &records), forwards);
    }
}
