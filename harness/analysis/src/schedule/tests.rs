use std::collections::BTreeSet;

use model::record::Status;
use proptest::prelude::*;

use super::*;
use crate::testkit::{calibration, measured, plan};

const AXES: [(&str, &[&str]); 2] = [("mode", &["a", "b", "c"]), ("sync", &["x", "y"])];

#[test]
fn calibration_comes_first_then_rounds_then_the_profile() {
    let plan = plan("a/b", &AXES, Some(Rate::OfCapacity(0.6)), 3);
    let trials = order(&plan);
    assert_eq!(trials.len(), 6 + 3 * 6 + 1);
    assert!(trials[..6].iter().all(|t| t.kind == TrialKind::Calibration));
    let rounds: Vec<u32> = trials[6..24].iter().map(|t| t.round).collect();
    assert!(rounds.is_sorted() && trials[6..24].iter().all(|t| t.kind == TrialKind::Measured));
    assert_eq!((trials[24].kind, trials[24].case), (TrialKind::Profiled, 0));
}

#[test]
fn cases_of_a_round_share_their_load_and_rounds_do_not() {
    let plan = plan("a/b", &AXES, Some(Rate::PerSecond(5.0)), 3);
    let seeds: BTreeSet<(u32, u64)> = order(&plan).iter().map(|t| (t.round, t.seed)).collect();
    assert_eq!(seeds.len(), 3);
    assert_eq!(seeds.iter().map(|s| s.1).collect::<BTreeSet<_>>().len(), 3);
}

#[test]
fn what_has_a_fixed_rate_or_none_is_not_calibrated() {
    for rate in [Some(Rate::PerSecond(5.0)), None] {
        let plan = plan("a/b", &[], rate, 1);
        assert_eq!(order(&plan).iter().filter(|t| t.kind == TrialKind::Calibration).count(), 0);
    }
}

#[test]
fn the_rate_is_a_share_of_the_slowest_case() {
    let plan = plan("a/b", &[("mode", &["a", "b"])], Some(Rate::OfCapacity(0.5)), 1);
    let mut records = vec![
        calibration("a/b?mode=a", 0, 1000),
        calibration("a/b?mode=b", 0, 380),
        calibration("a/b?mode=b", 1, 400),
        calibration("a/b?mode=b", 2, 9000),
    ];
    assert_eq!(resolve_rate(&plan, &plan.cases[0], &records), Some(200.0));
    assert_eq!(resolve_rate(&plan, &plan.cases[1], &records), Some(200.0));
    assert_eq!(resolve_rate(&plan, &plan.cases[0], &[]), None);
    records.iter_mut().for_each(|r| r.status = Status::Failed { why: "x".to_owned() });
    assert_eq!(resolve_rate(&plan, &plan.cases[0], &records), None);
}

#[test]
fn fixed_rates_and_closed_loops_need_no_calibration() {
    let of = |rate| plan("a/b", &[], rate, 1);
    let (fixed, closed) = (of(Some(Rate::PerSecond(800.0))), of(None));
    assert_eq!(resolve_rate(&fixed, &fixed.cases[0], &[]), Some(800.0));
    assert_eq!(resolve_rate(&closed, &closed.cases[0], &[]), None);
}

#[test]
fn an_estimate_is_the_sum_of_its_trials() {
    let plan = plan("a/b", &[("mode", &["a", "b"])], Some(Rate::OfCapacity(0.5)), 2);
    let e = estimate(&plan);
    // Per case a calibration of 1.3 s and two rounds of 0.3 + 0.1 + 2 s; the first case is profiled too, for 0.3 + 4.5 s.
    assert_eq!((e.trials, e.total_ns), (7, 2 * 1_300_000_000 + 4 * 2_400_000_000 + 4_800_000_000));
    assert_eq!((e.per_case[0].trials, e.per_case[1].trials), (4, 3));
    let mut short = plan;
    short.cases.iter_mut().for_each(|c| c.timeout_ns = 1);
    assert_eq!(estimate(&short).total_ns, 7, "no trial takes longer than its timeout");
}

#[test]
fn a_profile_lasts_until_it_has_its_samples() {
    let mut plan = plan("a/b", &[], Some(Rate::PerSecond(5.0)), 1);
    // 0.1 s of CPU in a window of 2 s: a twentieth of a CPU gives 5 samples a second at 100 Hz.
    let records = [measured("a/b", 0)];
    let lasts = |plan: &Plan, hz| profiled_ns(plan, &plan.cases[0], &records, hz);
    assert_eq!(lasts(&plan, 100), PROFILED_MAX_NS);
    assert_eq!(lasts(&plan, 1000), 4_000_000_000);
    assert_eq!(lasts(&plan, 1_000_000), plan.cases[0].load.length_ns, "never shorter than the load");
    plan.cases[0].timeout_ns = 5_000_000_000;
    assert_eq!(lasts(&plan, 100), 2_500_000_000, "within the trial's time limit");
    plan.size = Size::Smoke;
    assert_eq!(lasts(&plan, 100), plan.cases[0].load.length_ns);
}

proptest! {
    #[test]
    fn every_trial_comes_once_and_only_the_seed_decides_the_order(seed: u64, rounds in 1u32..5) {
        let mut plan = plan("a/b", &AXES, Some(Rate::OfCapacity(0.6)), rounds);
        plan.seed = seed;
        let trials = order(&plan);
        let distinct: BTreeSet<_> = trials.iter().map(|t| (t.kind, t.round, t.case)).collect();
        prop_assert_eq!(distinct.len(), trials.len());
        prop_assert_eq!(trials.len() as u32, 6 + 6 * rounds + 1);
        prop_assert_eq!(&order(&plan), &trials);
    }
}

#[test]
fn seeds_and_rounds_shuffle_differently() {
    let mut plan = plan("a/b", &AXES, Some(Rate::PerSecond(5.0)), 8);
    let cases = |p: &Plan, round| {
        let trials = order(p);
        trials.iter().filter(|t| t.kind == TrialKind::Measured && t.round == round).map(|t| t.case).collect::<Vec<usize>>()
    };
    let orders = |p: &Plan| (0..8).map(|r| cases(p, r)).collect::<BTreeSet<Vec<usize>>>();
    let before = orders(&plan);
    assert!(before.len() > 1, "8 rounds of 6 cases in one order");
    plan.seed = 43;
    assert_ne!(orders(&plan), before);
}

#[test]
fn a_closed_loop_beside_calibrated_cases_is_not_calibrated() {
    let mut plan = plan("a/b", &[("mode", &["a", "b"])], Some(Rate::OfCapacity(0.5)), 1);
    plan.cases[1].load.rate = None;
    let calibrated: Vec<usize> = order(&plan).iter().filter(|t| t.kind == TrialKind::Calibration).map(|t| t.case).collect();
    assert_eq!(calibrated, [0]);
}
