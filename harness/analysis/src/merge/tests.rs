use model::units::Rate;

use super::*;
use crate::testkit;

const CASE: &str = "a/b";

fn plan(rounds: u32, seed: u64) -> Plan {
    let mut plan = testkit::plan(CASE, &[], Some(Rate::PerSecond(1000.0)), rounds);
    plan.seed = seed;
    plan.scenarios[0].profile = false;
    plan
}

/// Measured records of a run whose first trial began at `begin`.
fn records(rounds: u32, begin: u64) -> Vec<Record> {
    let record = |round: u32| Record { started_unix_ms: begin + u64::from(round), ..testkit::measured(CASE, round) };
    (0..rounds).map(record).collect()
}

/// Merges runs called `run 0`, `run 1` and so on.
fn merged(runs: &[(&Plan, &Facts, &[Record])]) -> Result<Merged, Refusal> {
    let sides = runs.iter().map(|&(plan, facts, records)| Side { plan, facts, records });
    let named: Vec<_> = sides.enumerate().map(|(place, run)| Named { name: format!("run {place}"), run }).collect();
    merge(&named)
}

/// All records of a merged run.
fn moved(merged: &Merged, runs: &[&[Record]]) -> Vec<Record> {
    let own = |(records, before): (&&[Record], &BTreeMap<String, u32>)| {
        records.iter().map(|r| Record { round: r.round + before[CASE], ..r.clone() }).collect::<Vec<_>>()
    };
    runs.iter().zip(&merged.before).flat_map(own).collect()
}

#[test]
fn rounds_follow_each_other_and_each_part_says_its_own() {
    let (a, b) = (plan(2, 1), plan(3, 9));
    let (of_a, of_b) = (records(2, 100), records(3, 200));
    let late = Facts { started: "2026-12-01T00:00:00Z".to_owned(), ..testkit::facts() };
    let all = merged(&[(&a, &late, &of_a), (&b, &testkit::facts(), &of_b)]).unwrap();
    assert_eq!((all.plan.cases[0].rounds, all.plan.seed), (5, 1));
    assert_eq!(all.before.iter().map(|b| b[CASE]).collect::<Vec<_>>(), [0, 2]);
    assert_eq!(all.facts.started, testkit::facts().started, "the earliest");
    let parts: Vec<_> = all.facts.parts.iter().map(|p| (p.seed, p.rounds[CASE])).collect();
    assert_eq!(parts, [(1, 2), (9, 3)]);
    let whole = crate::summarise(&all.plan, &all.facts, &moved(&all, &[&of_a, &of_b]));
    let case = &whole.scenarios[0].cases[0];
    assert_eq!((case.rounds_measured, case.rounds_planned, case.counts.finished), (5, 5, 10_000));
    assert!(case.brands.iter().all(|b| !["hosts-differ", "rates-differ", "incomplete"].contains(&b.name.as_str())), "{:?}", case.brands);
}

#[test]
fn unlike_hosts_and_rates_are_branded_and_a_simulation_has_no_host() {
    let (a, b) = (plan(1, 1), plan(1, 1));
    let other = Facts { kernel: "Linux 6.1".to_owned(), cpus: 64, ..testkit::facts() };
    let brands = |class: &str, rate: f64| {
        let set = |mut records: Vec<Record>, rate| {
            records.iter_mut().for_each(|r| (r.timing_class, r.offered_per_s) = (class.to_owned(), Some(rate)));
            records
        };
        let (of_a, of_b) = (set(records(1, 100), 1000.0), set(records(1, 200), rate));
        let all = merged(&[(&a, &testkit::facts(), &of_a), (&b, &other, &of_b)]).unwrap();
        assert_eq!((all.facts.kernel.as_str(), all.facts.cpus, all.facts.cpu.as_str()), (MIXED, 0, "some CPU"));
        let whole = crate::summarise(&all.plan, &all.facts, &moved(&all, &[&of_a, &of_b]));
        whole.scenarios[0].cases[0].brands.iter().map(|b| format!("{}: {}", b.name, b.reason)).collect::<Vec<_>>().join("\n")
    };
    let said = brands("fifo", 1020.0);
    assert!(said.contains("hosts-differ: rounds of 2 merged runs, whose hosts or builds differ in CPU, kernel"), "{said}");
    assert!(said.contains("rates-differ: the merged runs offered 1000/s to 1020/s"), "{said}");
    let said = brands("virtual", 1005.0);
    assert!(!said.contains("hosts-differ") && !said.contains("rates-differ"), "{said}");
}

#[test]
fn only_what_merging_changes_may_differ_between_records_of_one_trial() {
    let (a, facts) = (plan(2, 1), testkit::facts());
    let of_a = records(2, 100);
    let with = |change: fn(&mut Record)| {
        let mut of_b = records(2, 100);
        of_b.iter_mut().for_each(change);
        merged(&[(&a, &facts, &of_a), (&a, &facts, &of_b)])
    };
    for copy in [with(|_| {}), with(|r| r.round = 1 - r.round)] {
        assert!(copy.unwrap_err().why.contains("'run 1' and 'run 0' hold the same record of a/b"));
    }
    assert!(with(|r| r.started_unix_ms += 50).is_ok() && with(|r| r.counts.sent += 1).is_ok());
    // A trial that failed says nothing that could count twice.
    let failed = [testkit::failed(CASE, 0, "killed"), testkit::failed(CASE, 1, "killed")];
    assert!(merged(&[(&a, &facts, &failed), (&a, &facts, &failed)]).is_ok());
}

#[test]
fn plans_are_equal_but_for_rounds_seed_and_the_places_of_values() {
    let here = plan(2, 1);
    let with = |change: fn(&mut Plan)| {
        let mut there = plan(7, 8);
        change(&mut there);
        plans::difference(&here, &there)
    };
    assert_eq!(with(|p| (p.cases[0].target.line, p.cases[0].target.file) = (99, "moved.toml".to_owned())), None);
    let says = |change, text: &str| assert!(with(change).unwrap().contains(text), "{:?}", with(change));
    says(|p| p.virtual_time = true, "in virtual time, not live");
    says(|p| p.cases[0].id = "a/c".to_owned(), "lacks the case a/b");
    says(|p| p.cases.push(model::Case { id: "a/c".to_owned(), ..p.cases[0].clone() }), "one case more, a/c");
    says(|p| p.cases[0].target.value = "pool".to_owned(), "a/b: target is \"pool\", not \"coordinator\"");
    says(|p| p.cases[0].load.rate = None, "a/b: load.rate is not given, not ");
    says(|p| p.cases[0].timeout_ns = 1, "timeout_ns is 1, not 60000000000");
    says(|p| p.scenarios[0].notes = "x".repeat(500), "a/b: notes is \"xxx");
    says(|p| p.left_out.push("that".to_owned()), "left out:");
}

#[test]
fn rounds_beyond_counting_are_refused() {
    let (mut huge, facts) = (plan(1, 1), testkit::facts());
    let of_a = records(1, 100);
    huge.cases[0].rounds = u32::MAX;
    let ordinary = merged(&[(&huge, &facts, &of_a), (&huge, &facts, &records(1, 200))]);
    assert!(ordinary.unwrap_err().why.contains("'run 0' is unfinished: 1 of its 4294967295 trials"));
    let parts = vec![Part { facts: facts.clone(), seed: 1, rounds: BTreeMap::new() }];
    let facts = Facts { parts, ..facts };
    assert!(
        merged(&[(&huge, &facts, &of_a), (&huge, &facts, &records(1, 200))]).unwrap_err().why.contains("more rounds than can be counted")
    );
    assert!(merged(&[]).is_err());
}
