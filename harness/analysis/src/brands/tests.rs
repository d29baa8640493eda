use model::record::{ArrivalsFit, Backlog, Pacer, Settled, Trust};

use super::*;
use crate::testkit::{calibration, facts, histogram, measured, one_case, one_case_with};

/// The grade of the brand `name` after one change to a clean record.
fn grade(name: &str, change: impl Fn(&mut Record)) -> Option<Grade> {
    let mut record = measured("a/b", 0);
    change(&mut record);
    one_case(&[record]).brands.into_iter().find(|b| b.name == name).map(|b| b.grade)
}

#[test]
fn an_undisturbed_trial_has_no_brand() {
    assert_eq!(one_case(&[measured("a/b", 0)]).brands, []);
}

#[test]
fn a_lost_request_is_invalid() {
    assert_eq!(grade("conservation-broken", |r| r.counts.sent = 1999), Some(Grade::Invalid));
    assert_eq!(grade("conservation-broken", |r| *r.outcomes.get_mut("ok").unwrap() = 2001), Some(Grade::Invalid));
    assert_eq!(grade("conservation-broken", |r| r.counts.finished = 1999), Some(Grade::Invalid));
    let closed = |r: &mut Record| (r.open_loop, r.counts.intended) = (false, 0);
    assert_eq!(grade("conservation-broken", closed), None, "a closed loop intends nothing");
}

#[test]
fn loss_in_one_round_is_not_hidden_by_gain_in_another() {
    let (mut a, mut b) = (measured("a/b", 0), measured("a/b", 1));
    (a.counts.sent, b.counts.sent) = (1999, 2001);
    assert_eq!(one_case(&[a, b]).brands[0].name, "conservation-broken");
}

#[test]
fn a_late_generator_is_degraded_and_invalid_where_it_is_the_figure() {
    let lag = |ns: u64| move |r: &mut Record| drop(r.histograms.insert("lag".to_owned(), histogram(&[(2000, ns)])));
    assert_eq!(grade("generator-late", lag(400_000)), None);
    assert_eq!(grade("generator-late", lag(600_000)), Some(Grade::Degraded));
    assert_eq!(grade("generator-late", lag(950_000)), Some(Grade::Invalid), "over 10 % of the p99 of 9 ms");
    let fast = |r: &mut Record| {
        r.histograms.insert("response".to_owned(), histogram(&[(2000, 300_000)]));
        r.histograms.insert("lag".to_owned(), histogram(&[(2000, 60_000)]));
    };
    assert_eq!(grade("generator-late", fast), Some(Grade::Degraded), "under the floor it is doubtful, not wrong");
}

#[test]
fn a_short_window_hides_no_late_generator() {
    let short = |lag: u64| {
        move |r: &mut Record| {
            r.histograms.insert("lag".to_owned(), histogram(&[(300, lag)]));
            r.histograms.insert("response".to_owned(), histogram(&[(300, 8_000_000)]));
        }
    };
    assert_eq!(grade("generator-late", short(700_000)), None, "under 10 % of 8 ms");
    assert_eq!(grade("generator-late", short(900_000)), Some(Grade::Invalid), "300 requests carry a p95");
}

#[test]
fn a_rate_that_was_not_sent_is_degraded() {
    assert_eq!(grade("rate-not-achieved", |r| r.counts.sent = 1900), Some(Grade::Degraded));
    assert_eq!(grade("rate-not-achieved", |r| r.counts.sent = 1999), None);
    let (full, mut short) = (measured("a/b", 1), measured("a/b", 0));
    short.counts.sent = 1900;
    let worst = one_case(&[short, full]);
    assert_eq!(worst.pacer.unwrap().sent_share, Some(0.95), "the worst round counts");
    let behind = |r: &mut Record| drop(r.histograms.insert("lag".to_owned(), histogram(&[(2000, 30_000_000)])));
    assert_eq!(grade("rate-not-achieved", behind), Some(Grade::Degraded), "30 ms of 2 s");
}

#[test]
fn unexplained_time_is_degraded() {
    assert_eq!(grade("unexplained-time", |r| r.unexplained_share = 0.02), Some(Grade::Degraded));
    assert_eq!(grade("unexplained-time", |r| r.unexplained_share = 0.005), None);
}

/// A change of what the stamps say.
fn says(change: impl Fn(&mut Trust)) -> impl Fn(&mut Record) {
    move |r| change(r.trust.get_or_insert_default())
}

#[test]
fn what_the_stamps_say_is_branded() {
    let fit = |statistic| says(move |t| t.arrivals = Some(ArrivalsFit { statistic, critical: 1.957, gaps: 2000 }));
    assert_eq!(grade("arrivals-differ", fit(3.9)), None, "bad luck");
    assert_eq!(grade("arrivals-differ", fit(4.0)), Some(Grade::Degraded));
    assert_eq!(grade("conservation-broken", says(|t| (t.little_gap, t.busy_gap) = (Some(1e-12), Some(0.0)))), None);
    assert_eq!(grade("conservation-broken", says(|t| t.little_gap = Some(1e-6))), Some(Grade::Invalid));
    assert_eq!(grade("conservation-broken", says(|t| t.busy_gap = Some(1e-6))), Some(Grade::Invalid));
    let grew = |saturated| says(move |t| t.backlog = Some(Backlog { slope_per_s: 160.0, error_per_s: 3.0, gained: 320.0, saturated }));
    assert_eq!((grade("saturated", grew(true)), grade("saturated", grew(false))), (Some(Grade::Note), None));
    let settles = |warm_up_share, never| says(move |t| t.settled = Some(Settled { warm_up_share, never }));
    assert_eq!(grade("not-settled", settles(0.05, false)), None);
    assert_eq!(
        (grade("not-settled", settles(0.2, false)), grade("not-settled", settles(0.6, true))),
        (Some(Grade::Note), Some(Grade::Degraded))
    );
    let busy = |cpu_ns| move |r: &mut Record| r.pacer = Some(Pacer { cpu_ns, wall_ns: 100, ..Pacer::default() });
    assert_eq!((grade("generator-busy", busy(71)), grade("generator-busy", busy(69))), (Some(Grade::Degraded), None));
}

#[test]
fn latencies_that_no_queue_explains_are_degraded() {
    let apart = |p99: f64| {
        move |r: &mut Record| {
            let twin =
                model::record::Twin { measured: [9e6; 4], lindley: [9e6; 4], residual: Some([0.0, 0.0, 0.0, p99]), ..Default::default() };
            r.twin = Some(twin);
        }
    };
    assert_eq!(grade("twin-apart", apart(1e6)), Some(Grade::Degraded));
    assert_eq!(grade("twin-apart", apart(0.8e6)), None, "under a tenth of 9 ms");
    let short = |r: &mut Record| (apart(0.4e6)(r), r.twin.as_mut().unwrap().measured = [1e6; 4]).1;
    assert_eq!(grade("twin-apart", short), None, "under half a millisecond");
    assert_eq!(grade("twin-apart", |r: &mut Record| r.twin = Some(model::record::Twin::default())), None, "an old record");
}

#[test]
fn a_disturbed_host_is_named() {
    assert_eq!(grade("host-disturbed", |r| r.host.steal_share = 0.02), Some(Grade::Degraded));
    assert_eq!(grade("host-disturbed", |r| r.host.steal_share = 0.005), None);
    assert_eq!(grade("host-disturbed", |r| r.host.throttled_ns = 1_000), Some(Grade::Note));
    let others = |share, error| move |r: &mut Record| r.host.others = Some(model::record::Others { share, error });
    assert_eq!(grade("host-shared", others(0.12, 0.03)), Some(Grade::Degraded));
    assert_eq!(grade("host-shared", others(0.12, 0.08)), None, "within the error of the ticks");
    assert_eq!(grade("host-shared", others(0.04, 0.01)), None);
    assert_eq!(grade("host-disturbed", |r| r.host.throttled_ns = 30_000_000), Some(Grade::Degraded));
    assert_eq!(grade("cpu-pressure", |r| r.host.cpu_pressure = 0.9), Some(Grade::Note));
    assert_eq!(grade("cpu-pressure", |r| r.host.cpu_pressure = 0.3), None);
}

#[test]
fn a_pacing_thread_that_waits_for_a_cpu_is_a_disturbed_host() {
    // 2,000 sends, of which waking up may count 4 ms, in 2 s.
    let waits = |run_queue_ns| move |r: &mut Record| r.pacer = Some(Pacer { run_queue_ns, wall_ns: 2_000_000_000, ..Pacer::default() });
    assert_eq!(grade("host-disturbed", waits(23_900_000)), None);
    assert_eq!(grade("host-disturbed", waits(24_100_000)), Some(Grade::Degraded), "over 1 % beyond the wake-ups");
    let ordinary = |r: &mut Record| (waits(1_000_000_000)(r), r.timing_class = "other".to_owned()).1;
    assert_eq!(grade("host-disturbed", ordinary), None, "it may have waited for the trial's own threads");
    let both = |r: &mut Record| (waits(24_100_000)(r), r.host.throttled_ns = 1_000).1;
    assert_eq!(grade("host-disturbed", both), Some(Grade::Degraded), "the worse of two reasons is told");
    let neither = |r: &mut Record| r.pacer = Some(Pacer { run_queue_ns: 5, wall_ns: 0, ..Pacer::default() });
    assert_eq!(grade("host-disturbed", neither), None);
}

#[test]
fn builds_that_should_not_be_quoted_are_named() {
    let (mut debug, mut dirty) = (facts(), facts());
    debug.profile = "debug".to_owned();
    dirty.dirty = true;
    let brands = |f: &Facts| one_case_with(f, &[measured("a/b", 0)]).brands;
    assert_eq!((brands(&debug)[0].name.as_str(), brands(&debug)[0].grade), ("debug-build", Grade::Degraded));
    assert_eq!((brands(&dirty)[0].name.as_str(), brands(&dirty)[0].grade), ("dirty-tree", Grade::Note));
}

#[test]
fn a_load_above_capacity_is_saturated() {
    let with = |per_s| one_case(&[measured("a/b", 0), calibration("a/b", 0, per_s)]).brands;
    assert_eq!(with(800)[0].name, "saturated");
    assert_eq!(with(2000), []);
    let shed = |n: u64| {
        move |r: &mut Record| {
            r.outcomes.insert("ok".to_owned(), 2000 - n);
            r.outcomes.insert("shed".to_owned(), n);
        }
    };
    assert_eq!(grade("saturated", shed(100)), Some(Grade::Note));
    assert_eq!(grade("saturated", shed(1)), None);
}

#[test]
fn loops_and_timing_classes_are_named() {
    assert_eq!(grade("closed", |r| r.open_loop = false), Some(Grade::Note));
    assert_eq!(grade("closed", |_| ()), None);
    assert_eq!(grade("timing-class", |r| r.timing_class = "other".to_owned()), Some(Grade::Note));
    let closed = |r: &mut Record| (r.open_loop, r.timing_class) = (false, "none".to_owned());
    assert_eq!(grade("timing-class", closed), None, "a closed loop has no pacer");
}

#[test]
fn missing_rounds_and_changing_settings_are_named() {
    let second = measured("a/b", 1);
    assert_eq!(one_case(&[second]).brands[0].name, "incomplete");
    let (mut a, mut b) = (measured("a/b", 0), measured("a/b", 1));
    a.seen.insert("journal_mode".to_owned(), "wal".to_owned());
    b.seen.insert("journal_mode".to_owned(), "delete".to_owned());
    assert_eq!(one_case(&[a.clone(), b]).brands[0].name, "settings-differ");
    let again = Record { round: 1, ..a.clone() };
    assert_eq!(one_case(&[a, again]).brands, []);
}

#[test]
fn one_seed_must_give_one_load() {
    let (a, mut b) = (measured("a/b", 0), measured("a/c", 0));
    assert_eq!(different_load(&[&a, &b]), None);
    b.fingerprint = "another".to_owned();
    assert_eq!(different_load(&[&a, &b]).unwrap().grade, Grade::Note);
    b.seed = 8;
    assert_eq!(different_load(&[&a, &b]), None, "another seed may give another load");
    assert_eq!(different_load(&[]), None);
}

#[test]
fn a_trial_is_held_up_by_its_generator_alone_and_the_better_of_two_counts() {
    let calm = measured("a/b", 0);
    assert!(!held_up(&calm));
    let mut late = calm.clone();
    late.histograms.insert("lag".to_owned(), histogram(&[(1900, 20_000), (100, 3_000_000)]));
    assert!(held_up(&late), "3 ms of lag at p99 beside a response of 9 ms");
    let mut slow = calm.clone();
    slow.histograms.insert("response".to_owned(), histogram(&[(2000, 900_000_000)]));
    assert!(!held_up(&slow), "a slow answer is no reason to look away");
    let mut calibration = late.clone();
    calibration.kind = TrialKind::Calibration;
    assert!(!held_up(&calibration));
    late.started_unix_ms = 2;
    for records in [vec![calm.clone(), late.clone()], vec![late, calm.clone()]] {
        let trials = crate::rounds::by_case(&records);
        assert_eq!(trials["a/b"].measured, [&calm], "in whichever order they came");
    }
}
