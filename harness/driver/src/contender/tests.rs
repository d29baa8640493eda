//! Windows of contenders that are made up, so that what is counted is known.

use super::*;

/// Two operations a batch, 1000 bytes in and 400 out, in no time; the third batch fails where it is told to.
struct MadeUp {
    batches: u32,
    between: u32,
    fails: bool,
    wrong: bool,
}

impl Contender for MadeUp {
    fn batch(&mut self) -> Result<Batch, String> {
        assert!(self.between > self.batches, "between comes before each batch");
        self.batches += 1;
        if self.fails && self.batches == 3 {
            Err("the disk is gone".to_owned())
        } else {
            Ok(Batch { operations: 2, bytes_in: 1000, bytes_out: 400 })
        }
    }

    fn between(&mut self) -> Result<(), String> {
        self.between += 1;
        // Far longer than a batch: neither its wall time nor its CPU time may be counted.
        let until = MonotonicClock.now() + 2_000_000;
        while MonotonicClock.now() < until {}
        Ok(())
    }

    fn limit(&self) -> Option<contenders::Limit> {
        Some(contenders::Limit::Syscalls(2))
    }

    fn finish(self: Box<Self>) -> Result<BTreeMap<String, String>, String> {
        if self.wrong {
            Err("it does not add up".to_owned())
        } else {
            Ok(BTreeMap::from([("batches".to_owned(), self.batches.to_string())]))
        }
    }
}

fn trial(contender: Result<Box<dyn Contender>, String>, dir: &std::path::Path) -> Trial {
    let case = serde_json::from_value(serde_json::json!({
        "id": "io/x", "scenario": "io/x", "axes": [], "target": at("contender"), "settings": {}, "faults": [], "expect": [], "rounds": 1,
        "timeout_ns": 1, "load": { "arrivals": { "kind": at("closed"), "with": {} }, "rate": null, "clients": 1, "warmup_ns": 0,
        "length_ns": 1, "sessions": 0, "popularity": at("uniform"), "accept": "", "mix": [] }
    }));
    let order = Order {
        case: case.unwrap(),
        round: 0,
        kind: model::record::TrialKind::Measured,
        seed: 1,
        rate_per_s: None,
        dir: dir.to_owned(),
        monitor: None,
    };
    let job = JOBS.first().unwrap();
    let way = job.ways.first().unwrap();
    Trial {
        order,
        chosen: Chosen { job, way },
        way: "made-up".to_owned(),
        contender,
        fingerprint: "f".to_owned(),
        started_unix_ms: 0,
        descriptors: host::descriptors(),
        window: None,
        profile: None,
    }
}

fn at(text: &str) -> Located {
    Located::new(text, "io/x.toml", 1)
}

fn made_up(fails: bool, wrong: bool) -> Result<Box<dyn Contender>, String> {
    Ok(Box::new(MadeUp { batches: 0, between: 0, fails, wrong }))
}

#[test]
fn operations_are_counted_and_what_lies_between_them_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let mut trial = trial(made_up(false, false), dir.path());
    let (operations, per_s) = trial.slice(5_000_000, 20_000_000, false).unwrap();
    let record = trial.finish().unwrap().record;
    let c = record.contender.unwrap();
    assert!(operations >= 2 && per_s > 0.0 && c.operations == operations && c.batches * 2 == operations);
    assert_eq!((c.bytes_in, c.bytes_out), (c.batches * 1000, c.batches * 400));
    assert!(c.wall_ns < c.batches * 1_000_000, "two milliseconds lie between batches: {c:?}");
    assert!(c.cpu_ns < c.batches * 1_000_000, "{c:?}");
    assert_eq!((record.counts.sent, record.counts.finished, record.outcomes["ok"]), (operations, operations, operations));
    assert!(record.counts.warmup >= 2, "the warm-up is served and not measured");
    assert_eq!(record.histograms["response"].count(), c.batches, "a batch gives one value");
    assert_eq!((record.bytes.encoded, record.bytes.sent), (c.bytes_in, c.bytes_out));
    assert!(c.limit.unwrap().ns > 0.0 && c.facts["batches"].parse::<u64>().unwrap() >= c.batches);
}

#[test]
fn a_batch_that_fails_and_an_answer_that_is_wrong_fail_the_trial() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(trial(made_up(true, false), dir.path()).slice(0, 50_000_000, false), Err("the disk is gone".to_owned()));
    let mut wrong = trial(made_up(false, true), dir.path());
    wrong.slice(0, 1, false).unwrap();
    assert!(wrong.finish().is_err_and(|why| why.contains("it does not add up")));
    assert!(trial(made_up(false, false), dir.path()).finish().is_err(), "no slice was run");
}

#[test]
fn what_this_host_cannot_do_is_a_record_with_its_reason() {
    let dir = tempfile::tempdir().unwrap();
    let mut trial = trial(Err("the kernel refuses".to_owned()), dir.path());
    assert_eq!(trial.slice(1_000_000_000, 1_000_000_000, false), Ok((0, 0.0)), "and takes no time");
    let record = trial.finish().unwrap().record;
    assert_eq!(record.status, Status::Measured);
    assert_eq!(record.contender.unwrap().not_here.as_deref(), Some("the kernel refuses"));
    assert!(record.outcomes.is_empty() && record.histograms.is_empty());
}
