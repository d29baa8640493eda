//! The simulation against theory, against the load it was given, and against itself.

use model::plan::{Case, Kind};
use model::record::TrialKind;
use model::settings::Located;
use model::units::Rate;

use super::*;
use crate::truth::case;

fn at(text: &str) -> Located {
    Located::new(text, "a/b.toml", 1)
}

fn run_case(mut case: Case, seconds: u64, seed: u64) -> Record {
    case.load.length_ns = seconds * 1_000_000_000;
    let lengths = Lengths { warmup_ns: case.load.warmup_ns, length_ns: case.load.length_ns };
    let rate_per_s = case.load.rate.map(|rate| if let Rate::PerSecond(r) = rate { r } else { 0.0 });
    let order = Order { case, round: 0, kind: TrialKind::Measured, seed, rate_per_s, dir: "unused".into(), monitor: None };
    let record = simulate(&order, lengths).record;
    assert_eq!(record.status, Status::Measured, "{:?}", record.status);
    let outcomes: u64 = record.outcomes.values().sum();
    assert_eq!((record.counts.sent, record.counts.finished), (outcomes, outcomes), "conservation");
    assert!(!record.open_loop || record.counts.intended == outcomes, "all that were due were sent");
    if let Some(trust) = &record.trust {
        assert_eq!((trust.little_gap, trust.busy_gap.unwrap_or(0.0)), (Some(0.0), 0.0), "what came, stayed and left is one thing");
    }
    assert!(record.unexplained_share == 0.0, "every ns lies in a phase");
    record
}

#[test]
fn a_worker_is_busy_for_its_share_of_the_time() {
    let record = run_case(case(1, "exponential 10ms", Some(80.0), &[]), 500, 11);
    let busy = record.tiers["shared"].busy_ns as f64 / record.window_ns as f64;
    assert!((busy / 0.8 - 1.0).abs() < 0.05, "busy {busy}");
}

#[test]
fn a_pool_of_one_slot_is_its_own_twin() {
    let twin = run_case(case(1, "lognormal 5ms 1.0", Some(80.0), &[]), 60, 3).twin.unwrap();
    assert_eq!(twin.measured, twin.lindley, "nothing but the queue is between arrival and answer");
}

#[test]
fn one_seed_gives_one_record() {
    let lively = || {
        let mut case = case(4, "exponential 10ms", Some(500.0), &[("pool.backoff", "1000000"), ("pool.backoff-cap", "2000000")]);
        case.load.mix[0].deadline_ns = Some(60_000_000);
        case.load.sessions = 20;
        let with = [("target", "busy"), ("at", "100ms"), ("every", "50ms"), ("count", "50")];
        let with = with.iter().map(|(key, value)| ((*key).to_owned(), at(value)));
        case.faults = vec![Kind { kind: at("kill"), with: with.collect() }];
        case
    };
    let (one, two, other) = (run_case(lively(), 10, 1), run_case(lively(), 10, 1), run_case(lively(), 10, 2));
    assert_eq!(serde_json::to_string(&one).unwrap(), serde_json::to_string(&two).unwrap());
    assert_ne!(one, other);
    assert_eq!((one.deaths.unexpected, one.deaths.while_busy), (50, 50));
    assert!(one.outcomes["outcome-unknown"] > 0 && one.outcomes["expired"] > 0, "{:?}", one.outcomes);
    assert_eq!(one.deaths.spawns, one.deaths.unexpected + one.deaths.closed, "all workers are accounted for");
    assert_eq!((one.cpu.process_ns, one.host.load_1m, one.memory_peak_bytes), (0, 0.0, 0), "no host is in it");
}

#[test]
fn a_stall_delays_what_the_worker_is_on() {
    let mut stalled = case(1, "constant 10ms", Some(20.0), &[]);
    let with = [("slot", "0"), ("at", "1s"), ("for", "2s")].iter().map(|(key, value)| ((*key).to_owned(), at(value)));
    stalled.faults = vec![Kind { kind: at("stall"), with: with.collect() }];
    let record = run_case(stalled, 10, 4);
    let max = record.histograms["response"].max().unwrap();
    assert!((1_900_000_000..2_600_000_000).contains(&max), "{max}");
    assert_eq!(record.deaths.unexpected, 0);
}

#[test]
fn a_closed_loop_measures_the_capacity() {
    let record = run_case(case(4, "constant 10ms", None, &[("virtual.dispatch", "1000000"), ("virtual.return", "1000000")]), 10, 1);
    let per_s = record.counts.ok_arrived_in_window as f64 / 10.0;
    assert!((per_s - 4.0 * 1e3 / 12.0).abs() < 2.0, "{per_s}");
    assert_eq!(record.timing_class, "virtual");
}

#[test]
fn a_closed_loop_that_takes_no_time_is_refused() {
    let mut case = case(4, "constant 0ns", None, &[]);
    case.load.length_ns = 1_000_000_000;
    let order = Order { case, round: 0, kind: TrialKind::Measured, seed: 1, rate_per_s: None, dir: "unused".into(), monitor: None };
    let record = simulate(&order, Lengths { warmup_ns: 0, length_ns: 1_000_000_000 }).record;
    assert!(matches!(&record.status, Status::Failed { why } if why.contains("virtual.dispatch")), "{:?}", record.status);
}

#[test]
fn shortest_first_is_a_lower_mean_and_the_same_load() {
    let mix = "bimodal 1ms 100ms 0.1";
    let core = run_case(case(2, mix, Some(140.0), &[]), 100, 9);
    let sjf = run_case(case(2, mix, Some(140.0), &[("virtual.policy", "sjf")]), 100, 9);
    assert_eq!(core.fingerprint, sjf.fingerprint);
    let mean = |r: &Record| r.histograms["response"].mean().unwrap();
    assert!(mean(&sjf) < 0.8 * mean(&core), "{} against {}", mean(&sjf), mean(&core));
    assert_eq!(core.histograms["class.hot.response"].count(), sjf.histograms["class.hot.response"].count());
}

#[test]
fn what_virtual_time_cannot_know_is_refused_with_the_reason() {
    for (target, says) in [("coordinator", "live run"), ("store", "live run"), ("pipe", "a floor")] {
        let case = Case { target: at(target), ..case(1, "constant 1ms", Some(10.0), &[]) };
        let problem = check(&prepare_case(&case).unwrap()).unwrap_err();
        assert!(problem.what.contains(says) && problem.help.is_some(), "{problem}");
    }
}

#[test]
fn faults_that_requests_carry_strike_in_virtual_time_too() {
    let fault = |kind: &str, with: &[(&str, &str)]| {
        let with = with.iter().map(|(key, value)| ((*key).to_owned(), at(value)));
        Kind { kind: at(kind), with: with.collect() }
    };
    let mut spoiled = case(4, "constant 10ms", Some(100.0), &[("pool.backoff", "1000000"), ("pool.backoff-cap", "2000000")]);
    spoiled.faults = vec![
        fault("exit", &[("code", "7"), ("when", "before"), ("every-request", "50")]),
        fault("late", &[("delay", "200ms"), ("request", "7")]),
        fault("garbage", &[("request", "33")]),
        fault("hang", &[("request", "77")]),
        fault("drain", &[("at", "95%")]),
    ];
    spoiled.load.mix[0].deadline_ns = Some(1_000_000_000);
    let record = run_case(spoiled, 20, 8);
    let exits = record.deaths.by_status["exit 7"];
    assert_eq!((exits, record.faults["late"], record.faults["garbage"], record.faults["drain"]), (record.faults["exit"], 1, 1, 1));
    assert!(exits >= 30, "{:?}", record.faults);
    assert_eq!(record.outcomes["outcome-unknown"], exits + 1, "written, and never answered: {:?}", record.outcomes);
    assert_eq!(record.outcomes["expired"], 1, "the hung one has a deadline");
    assert!(record.outcomes["shed"] > 50, "after the drain nothing is admitted");
    assert_eq!(record.histograms["response"].max().unwrap() / 10_000_000, 21, "the late one");
}
