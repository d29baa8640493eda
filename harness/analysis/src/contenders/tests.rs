//! Ratios of ways, the noise that they must exceed, and rows of what a host cannot do.

use model::plan::{Case, Expectation};
use model::record::{ContenderFigures, LimitFigures};
use model::{Plan, Record};

use crate::summary::{ContenderTable, Summary};
use crate::testkit::{facts, histogram, located, measured, plan};

/// A round of one way: operations of `ns`, half of it CPU time.
fn record(case: &Case, round: u32, ns: u64) -> Record {
    let mut r = measured(&case.id, round);
    r.open_loop = false;
    r.offered_per_s = None;
    r.pacer = None;
    r.histograms.clear();
    r.histograms.insert("response".to_owned(), histogram(&[(1980, ns), (20, 10 * ns)]));
    r.cpu.process_ns = 2000 * ns / 2;
    r.cpu.workers_ns = 0;
    let way = case.axes.iter().find(|(key, _)| key == "way").map(|(_, way)| way.clone()).unwrap();
    r.contender = Some(ContenderFigures {
        job: "file-read".to_owned(),
        way,
        operations: 2000,
        batches: 2000,
        wall_ns: 2000 * ns,
        cpu_ns: 1000 * ns,
        bytes_in: 2000 * 4096,
        limit: Some(LimitFigures { what: "copying".to_owned(), ns: 100.0 }),
        ..ContenderFigures::default()
    });
    r
}

/// Three rounds of each way at each size; `ns` is given way, size and round.
fn summary(ways: &[&str], change: impl Fn(&mut Record), ns: impl Fn(&str, &str, u32) -> u64) -> Summary {
    let mut plan: Plan = plan("io/reads", &[("size", &["4KiB", "1MiB"]), ("way", ways)], None, 3);
    for (axis, key) in plan.scenarios[0].axes.iter_mut().zip(["load.payload.size", "contender.way"]) {
        axis.key = key.to_owned();
    }
    let expect = Expectation { figure: "outcomes.ok".to_owned(), says: located("100%"), at_least: Some(1.0), at_most: None, share: true };
    plan.cases.iter_mut().for_each(|case| case.expect.push(expect.clone()));
    let at = |case: &Case, key: &str| case.axes.iter().find(|(k, _)| k == key).map(|(_, v)| v.clone()).unwrap();
    let records = plan.cases.iter().flat_map(|case| (0..3).map(|round| (case.clone(), round))).map(|(case, round)| {
        let mut r = record(&case, round, ns(&at(&case, "way"), &at(&case, "size"), round));
        change(&mut r);
        r
    });
    let records: Vec<Record> = records.collect();
    crate::summarise(&plan, &facts(), &records)
}

fn tables(summary: &Summary) -> &[ContenderTable] {
    &summary.scenarios[0].contenders
}

#[test]
fn each_size_has_a_table_against_the_first_way() {
    let summary = summary(
        &["a", "a-again", "b"],
        |_| (),
        |way, size, round| {
            let base = if size == "4KiB" { 4000 } else { 400_000 };
            base * (100 + u64::from(round)) / 100 / if way == "b" { 2 } else { 1 }
        },
    );
    let tables = tables(&summary);
    assert_eq!(tables.len(), 2);
    for table in tables {
        assert_eq!((table.at.len(), table.axis.as_str(), table.rows.len()), (1, "way", 3));
        let [first, again, b] = table.rows.as_slice() else { panic!() };
        assert!(first.ratio.is_none() && !first.differs);
        assert!((again.ratio.as_ref().unwrap().value.unwrap() - 1.0).abs() < 1e-9 && !again.differs);
        assert!((b.ratio.as_ref().unwrap().value.unwrap() - 0.5).abs() < 0.01 && b.differs);
        assert!((table.noise.unwrap() - 1.0).abs() < 1e-9);
    }
    let said: Vec<&str> = summary.scenarios[0].headlines.iter().map(|h| h.text.as_str()).collect();
    assert_eq!(said.len(), 1, "only one way differs: {said:?}");
    assert!(said[0].starts_with("io/reads: way=b is ahead: 0.50x [") && said[0].contains("the median time of way=a at size="), "{said:?}");
    let limit = tables[0].rows[0].limit.as_ref().unwrap();
    assert!((limit.share.unwrap() - 100.0 / 4040.0).abs() < 0.001);
    assert!((tables[0].rows[0].bytes_per_s.unwrap() - 4096.0 / 4040e-9).abs() / 1e9 < 0.01);
}

#[test]
fn a_difference_within_the_noise_of_the_repeat_is_none() {
    let summary = summary(
        &["a", "a-again", "b"],
        |_| (),
        |way, _, _| match way {
            "a" => 1000,
            "a-again" => 1300,
            _ => 1200,
        },
    );
    let table = &tables(&summary)[0];
    assert!((table.noise.unwrap() - 1.3).abs() < 0.01);
    assert!(!table.rows[2].differs, "its interval excludes 1, but the repeat was farther");
    let said = &summary.scenarios[0].headlines[0].text;
    assert!(said.contains("no way differs from the first beyond the noise"), "{said}");
}

#[test]
fn a_job_bound_by_the_cpu_is_judged_on_cpu_time() {
    let slow_wall = |r: &mut Record| {
        let c = r.contender.as_mut().unwrap();
        c.cpu_bound = true;
        if c.way == "b" {
            c.cpu_ns *= 3;
            r.cpu.process_ns *= 3;
        }
    };
    let summary = summary(&["a", "b"], slow_wall, |_, _, _| 1000);
    let row = &tables(&summary)[0].rows[1];
    assert!((row.ratio.as_ref().unwrap().value.unwrap() - 3.0).abs() < 0.01 && row.differs);
    assert_eq!(row.p50_ns.value, tables(&summary)[0].rows[0].p50_ns.value);
}

#[test]
fn what_a_host_cannot_do_is_a_row_and_no_failure() {
    let missing = |r: &mut Record| {
        let c = r.contender.as_mut().unwrap();
        if c.way == "b" {
            c.not_here = Some("the kernel refuses".to_owned());
            r.histograms.clear();
            r.outcomes.clear();
            r.counts = model::record::Counts::default();
        }
    };
    let summary = summary(&["a", "b"], missing, |_, _, _| 1000);
    assert!(!summary.failed, "{:?}", summary.failures);
    let row = &tables(&summary)[0].rows[1];
    assert_eq!(row.not_here.as_deref(), Some("the kernel refuses"));
    assert!(row.p50_ns.why_blank.as_ref().unwrap().contains("the kernel refuses") && row.ratio.as_ref().unwrap().value.is_none());
}
