//! From made-up runs to contests: what stands for which settings, under which load.

use model::durability::{Costs, Durability, Row};
use model::record::ContenderFigures;
use model::units::Rate;
use model::{Located, Plan, Record};

use super::*;
use crate::testkit::{calibration, facts, histogram, measured, plan};

fn costs(lossy: bool) -> Costs {
    let (losing, lost_max, lost_mean) = if lossy { (5, 2, 0.1) } else { (0, 0, 0.0) };
    Costs { crashes: 100, losing, lost_max, lost_mean, ..Costs::default() }
}

/// Files with `file-and-dir` and SQLite with `full` lose nothing, `none` loses on power loss.
fn tested() -> Durability {
    let row = |[first, second]: [(&str, &str); 2], lossy: bool| Row {
        id: format!("durability/x?{}&{}", first.1, second.1),
        settings: [first, second].into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
        flushes_per_write: 1.0,
        kill: costs(false),
        acknowledged: 100,
        power: costs(lossy),
        power_ext4: costs(false),
        points: [10, 10],
    };
    Durability {
        schema: 1,
        started: String::new(),
        build: String::new(),
        sqlite: String::new(),
        kernel: String::new(),
        filesystem: String::new(),
        seed: 1,
        rows: vec![
            row([("store.files.write", "rename"), ("store.files.sync", "none")], true),
            row([("store.files.write", "rename"), ("store.files.sync", "file-and-dir")], false),
            row([("store.sqlite.journal-mode", "wal"), ("store.sqlite.synchronous", "full")], false),
        ],
    }
}

/// Settings of a value of an axis.
type Set<'a> = &'a dyn Fn(&str) -> Vec<(&'static str, String)>;

/// A run over an axis, each value with the settings it stands for; value number n takes n + 1 milliseconds, and another calibration says the reverse.
pub(super) fn run(scenario: &str, axis: &str, values: &[&str], set: Set<'_>, way: Option<&str>) -> (Plan, Vec<Record>) {
    let mut plan = plan(scenario, &[(axis, values)], Some(Rate::OfCapacity(0.5)), 3);
    let mut records = Vec::new();
    for (at, case) in plan.cases.iter_mut().enumerate() {
        case.settings = set(&case.axes[0].1).into_iter().map(|(k, v)| (k.to_owned(), Located::new(v, "f", 1))).collect();
        records.push(calibration(&case.id, 0, 1000 * (at as u64 + 1)));
        for round in 0..3 {
            let mut one = measured(&case.id, round);
            // A disk that is slower from round to round, for all alike.
            one.histograms.insert("response".to_owned(), histogram(&[(2000, 1_000_000 * (at as u64 + 1) * (u64::from(round) + 1) / 2)]));
            let said = |key: &str| case.settings.get(key).map(|v| v.value.clone()).unwrap_or_default();
            one.contender = way.map(|job| ContenderFigures {
                job: job.to_owned(),
                way: said("contender.way"),
                operations: 100,
                bytes_in: 4000,
                bytes_out: 1000,
                facts: seen(&said("contender.way")),
                ..ContenderFigures::default()
            });
            records.push(one);
        }
    }
    (plan, records)
}

/// What the product's store says of itself.
fn seen(way: &str) -> BTreeMap<String, String> {
    let group = if way.ends_with("alone") { "1" } else { "64" };
    let protocol = "store.sqlite.journal-mode=wal store.sqlite.synchronous=full";
    [("protocol", protocol), ("sqlite.group-commit", group)].into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect()
}

pub(super) fn advice((plan, records): &(Plan, Vec<Record>)) -> Advice {
    let (summary, tested) = (crate::summarise(plan, &facts(), records), tested());
    advise(&Evidence { plan, summary: &summary, records, durability: Some(&tested) }, &Constraints::default())
}

fn contests_of(axis: &str, values: &[&str], set: Set<'_>, way: Option<&str>) -> Vec<Contest> {
    advice(&run("a/b", axis, values, set, way)).decisions.into_iter().map(|decision| decision.contest).collect()
}

pub(super) fn files(sync: &str) -> Vec<(&'static str, String)> {
    vec![("store.kind", "files".to_owned()), ("store.files.write", "rename".to_owned()), ("store.files.sync", sync.to_owned())]
}

#[test]
fn cases_of_whole_requests_are_candidates_with_their_class() {
    let found = contests_of("sync", &["none", "file-and-dir"], &files, None);
    let [one] = found.as_slice() else { panic!("{found:?}") };
    let classes: Vec<_> = one.candidates.iter().map(|c| c.class).collect();
    assert_eq!((one.part, classes), (Part::Store, vec![Some("consistent"), Some("durable")]));
    let times: Vec<f64> = one.candidates.iter().map(|c| (c.time_ns.unwrap() / 1e5).round()).collect();
    assert_eq!(times, [10.0, 20.0], "at the load of the rounds, whatever the calibration says");
    let decided = decide(one.clone(), &Constraints::default()).unwrap();
    assert_eq!((decided.pick, decided.baseline), (1, Some(0)), "the default is the pick, so the other is compared with");
    assert!(contests_of("sync", &["none"], &files, None).is_empty(), "compared with nothing");
}

#[test]
fn ways_of_compressing_stand_for_levels_and_dictionaries() {
    let set = |way: &str| vec![("contender.job", "compress".to_owned()), ("contender.way", way.to_owned())];
    let ways = ["gzip-6", "gzip-6-again", "gzip-6-libdeflate", "zstd-3", "zstd-3-dict-16k", "zstd-3-dict-per-call", "zstd-small-dict-256k"];
    let found = contests_of("way", &ways, &set, Some("compress"));
    let settings = |part: Part| -> Vec<String> {
        let of = found.iter().filter(|c| c.part == part).flat_map(|c| &c.candidates);
        of.map(|c| c.settings.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>().join(" ")).collect()
    };
    assert_eq!(
        settings(Part::Responses),
        ["compress.gzip-level=6 compress.offer=gzip", "compress.offer=zstd, gzip compress.zstd-level=3",]
    );
    assert_eq!(
        settings(Part::Rest),
        [
            "store.compress=zstd store.dictionary=none",
            "store.compress=zstd store.dictionary=trained store.dictionary-size=16384",
            "store.compress=zstd-small store.dictionary=trained store.dictionary-size=262144",
        ]
    );
    assert!(found.iter().flat_map(|c| &c.candidates).all(|c| c.bytes_ratio == Some(4.0)));
}

/// Another scenario in the same run.
fn join((plan, records): &mut (Plan, Vec<Record>), (more, own): (Plan, Vec<Record>)) {
    plan.scenarios.extend(more.scenarios);
    plan.cases.extend(more.cases);
    records.extend(own);
}

#[test]
fn a_scenario_is_named_once_and_only_if_a_candidate_is_its_own() {
    let mut all = run("io/first", "sync", &["none", "file-and-dir"], &files, None);
    // Two new settings with one between them that the first scenario had: its name came twice.
    let other = |value: &str| match value {
        "none" => files("none"),
        api => [files("file-and-dir"), vec![("store.files.api", api.to_owned())]].concat(),
    };
    for (scenario, values) in [("io/second", ["std", "none", "tokio"].as_slice()), ("io/third", ["none"].as_slice())] {
        join(&mut all, run(scenario, "sync", values, &other, None));
    }
    let contest = advice(&all).decisions.pop().unwrap().contest;
    assert_eq!((contest.candidates.len(), contest.at.split_once(", ").unwrap().1), (4, "io/first, io/second"));
}

#[test]
fn of_equally_near_loads_the_one_with_most_to_choose_from_decides() {
    let api = |api: &str| [files("none"), vec![("store.files.api", api.to_owned()), ("session.keep", "2".to_owned())]].concat();
    let mut all = run("io/apis", "sync", &["std", "tokio"], &api, None);
    join(&mut all, run("io/ways", "sync", &["none", "file", "file-and-dir"], &files, None));
    let contest = advice(&all).decisions.pop().unwrap().contest;
    assert_eq!((contest.candidates.len(), contest.at.split_once(", ").unwrap().1), (3, "io/ways"));
}

#[test]
fn groups_of_saves_are_a_choice_of_their_own_and_batches_are_none() {
    let set = |way: &str| vec![("contender.job", "sqlite-write".to_owned()), ("contender.way", way.to_owned())];
    let ways = ["group-commit-64", "store-64-alone", "store-alone", "batch-10", "batch-100"];
    let advice = advice(&run("sqlite/group", "way", &ways, &set, Some("sqlite-write")));
    let [one] = advice.decisions.as_slice() else { panic!("{advice:?}") };
    let of = |at: usize| one.contest.candidates[at].settings.clone();
    let only = |value: &str| BTreeMap::from([("store.sqlite.group-commit".to_owned(), value.to_owned())]);
    assert_eq!((one.contest.part, of(0), of(1)), (Part::Group, only("64"), only("1")));
    assert_eq!((one.pick, one.baseline, one.contest.candidates[0].class), (0, Some(1), Some("durable")));
    let [said] = advice.left_out.as_slice() else { panic!("{advice:?}") };
    assert!(
        said.starts_with("batch-10 and batch-100 of sqlite/group are no settings") && said.contains("store.sqlite.group-commit"),
        "{said}"
    );
}
