use super::*;
use crate::testkit;

#[test]
fn a_percentile_needs_ten_samples_beyond_it() {
    let mut h = Histogram::new();
    for i in 0..990 {
        h.record(1000 + i);
    }
    assert_eq!(percentile(Some(&h), 0.999).unwrap_err(), "p99.9 rests on 1 samples beyond it; 10 are needed: lengthen load.length");
    assert!(percentile(Some(&h), 0.99).is_ok());
    assert!(percentile(None, 0.5).is_err());
}

#[test]
fn a_figure_is_the_median_of_rounds_and_never_their_mean() {
    let f = figure([Ok(1.0), Ok(2.0), Ok(300.0)]);
    assert_eq!((f.value, f.low, f.high, f.rounds), (Some(2.0), Some(1.0), Some(300.0), 3));
    assert_eq!(f.why_blank, None);
    let blank = figure([Err("too short".to_owned()), Ok(f64::NAN)]);
    assert_eq!((blank.value, blank.rounds), (None, 0));
    assert!(blank.why_blank.is_some());
}

#[test]
fn cpu_per_request_leaves_the_pacer_out() {
    let mut r = testkit::measured("a/b", 0);
    (r.cpu.process_ns, r.cpu.workers_ns, r.cpu.pacer_ns) = (6000, 2000, 999_999);
    r.counts.finished = 4;
    assert_eq!(cpu_per_request(&r), Ok(2000.0));
    r.counts.finished = 0;
    assert!(cpu_per_request(&r).is_err());
}

#[test]
fn of_two_records_of_a_trial_the_one_that_ran_to_its_end_counts() {
    let failed = testkit::failed("a/b", 0, "killed");
    let good = testkit::measured("a/b", 0);
    for records in [vec![failed.clone(), good.clone()], vec![good, failed]] {
        let cases = by_case(&records);
        assert_eq!((cases["a/b"].measured.len(), cases["a/b"].unfinished.len()), (1, 0));
    }
}
