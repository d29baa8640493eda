//! `merge`: several runs as one, without loss, and what is never merged.

use std::path::Path;

use base64::Engine as _;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};
use hdrhistogram::serialization::{Deserializer, Serializer, V2Serializer};

use crate::support::{Place, Ran, files};

/// An open-loop load that virtual time can run, of two cases.
fn open(changes: &[(&str, &str)]) -> Place {
    let arrivals = ("kind = \"closed\", clients = 2", "kind = \"poisson\", rate = \"400/s\"");
    let axis = ("[pool.tools]", "[matrix]\n\"pool.hot.min-ready\" = [\"2\", \"1\"]\n[pool.tools]");
    Place::with_tiny(&[&[arrivals, axis, ("\"200ms\"", "\"1s\"")], changes].concat())
}

fn simulate(place: &Place, out: &str, more: &[&str]) {
    place.poolbench(&[&["run", "-q", "--virtual", "--scenarios", "scenarios", "--out", out], more].concat()).ends(0);
}

fn live(place: &Place, out: &str, more: &[&str]) {
    place.poolbench(&[&["run", "-q", "--allow-debug", "--scenarios", "scenarios", "--out", out], more].concat()).succeeds();
}

fn merge(place: &Place, runs: &[&str], out: &str) -> Ran {
    place.poolbench(&[&["merge"], runs, &["--out", out]].concat())
}

/// All files of a run by name.
fn contents(dir: &Path) -> Vec<(String, Vec<u8>)> {
    files(dir).into_iter().map(|name| (name.clone(), std::fs::read(dir.join(name)).unwrap())).collect()
}

/// The histogram of a log of one interval, by the library's own reader.
fn hlog(path: &Path) -> Histogram<u64> {
    let bytes = std::fs::read(path).unwrap();
    let mut intervals = IntervalLogIterator::new(&bytes).filter_map(|entry| match entry.unwrap() {
        LogEntry::Interval(interval) => Some(interval),
        _ => None,
    });
    let interval = intervals.next().unwrap();
    assert!(intervals.next().is_none(), "{}", path.display());
    let raw = base64::engine::general_purpose::STANDARD.decode(interval.encoded_histogram()).unwrap();
    Deserializer::new().deserialize(&mut raw.as_slice()).unwrap()
}

fn v2(histogram: &Histogram<u64>) -> Vec<u8> {
    let mut bytes = Vec::new();
    V2Serializer::new().serialize(histogram, &mut bytes).unwrap();
    bytes
}

#[test]
fn merging_keeps_every_record_and_gives_the_histograms_of_one_run() {
    let place = open(&[]);
    simulate(&place, "a", &["--rounds", "2"]);
    simulate(&place, "b", &["--rounds", "3", "--seed", "2"]);
    let said = merge(&place, &["a", "b"], "ab").ends(0);
    assert!(said.out.contains("merged: 2 runs, 10 records"), "{}", said.out);
    // The evidence is there byte for byte, but for the round.
    let (a, b, ab) = (place.read("a/records.jsonl"), place.read("b/records.jsonl"), place.read("ab/records.jsonl"));
    let moved = |line: &str| {
        let round = serde_json::from_str::<serde_json::Value>(line).unwrap()["round"].as_u64().unwrap();
        line.replacen(&format!("\"round\":{round},"), &format!("\"round\":{},", round + 2), 1)
    };
    let expected: Vec<String> = a.lines().map(str::to_owned).chain(b.lines().map(moved)).collect();
    assert_eq!(ab.lines().collect::<Vec<_>>(), expected);
    let report = place.json("ab/report.json");
    assert_eq!((&report["ran"]["trials_measured"], &report["ran"]["trials_planned"]), (&10.into(), &10.into()));
    assert_eq!(report["scenarios"][0]["cases"][0]["response"]["p50_ns"]["rounds"], 5);
    assert_eq!((&report["facts"]["parts"][0]["seed"], &report["facts"]["parts"][1]["rounds"]["it/tiny"]), (&1.into(), &3.into()));
    assert!(place.read("ab/report.md").contains("seeds 1, 2"));
    // Each log is what adding the two runs' logs gives, to the byte.
    let logs: Vec<String> = files(&place.path("ab/hlog"));
    assert_eq!(logs.len(), 2, "{logs:?}");
    for log in logs {
        let [mut sum, other, whole] = ["a", "b", "ab"].map(|run| hlog(&place.path(run).join("hlog").join(&log)));
        let alone = sum.len();
        sum.add(&other).unwrap();
        assert!(whole.len() > alone && v2(&whole) == v2(&sum), "{log}: {} values, {} and {}", whole.len(), alone, other.len());
    }
}

#[test]
fn the_order_of_merging_changes_no_histogram_and_its_grouping_nothing_at_all() {
    let place = open(&[]);
    for (out, seed) in [("a", "1"), ("b", "2"), ("c", "3")] {
        simulate(&place, out, &["--rounds", "2", "--seed", seed]);
    }
    merge(&place, &["a", "b", "c"], "abc").ends(0);
    merge(&place, &["a", "b"], "ab").ends(0);
    merge(&place, &["ab", "c"], "ab-c").ends(0);
    merge(&place, &["c", "a", "b"], "cab").ends(0);
    assert_eq!(contents(&place.path("abc")), contents(&place.path("ab-c")));
    assert_eq!(contents(&place.path("abc/hlog")), contents(&place.path("cab/hlog")));
    // A report of it is made like any other.
    place.poolbench(&["report", "abc", "--out", "again"]).ends(0);
    for (name, bytes) in contents(&place.path("again")) {
        assert!(std::fs::read(place.path("abc").join(&name)).unwrap() == bytes, "{name}");
    }
    merge(&place, &["ab", "b"], "twice").refuses(2, &["'b' and 'ab' hold the same record of it/tiny", "would count twice"]);
}

#[test]
fn live_runs_keep_their_profiles_and_say_in_what_their_hosts_differ() {
    let place = Place::with_tiny(&[("profile = false", "profile = true")]);
    live(&place, "a", &[]);
    live(&place, "b", &[]);
    merge(&place, &["a", "b"], "same").ends(0);
    let same = place.read("same/report.md");
    let host = same.lines().find(|l| l.starts_with("| Host |")).unwrap();
    assert!(!same.contains("hosts-differ") && !host.contains("(run 1)"), "one host\n{same}");
    for (run, kept) in [("a", "profiles/it-tiny.folded"), ("b", "profiles/1/it-tiny.folded")] {
        assert_eq!(place.read(&format!("same/{kept}")), place.read(&format!("{run}/profiles/it-tiny.folded")));
    }
    let facts = place.read("b/run.json");
    let cpu = place.json("b/run.json")["cpu"].to_string();
    place.write("b/run.json", &facts.replace(&cpu, "\"Another CPU\""));
    merge(&place, &["a", "b"], "other").ends(0);
    let report = place.read("other/report.md");
    assert!(report.contains("hosts-differ") && report.contains("differ in CPU") && report.contains("Another CPU"), "{report}");
    assert_eq!(place.json("other/report.json")["facts"]["cpu"], "mixed");
    let resume = ["run", "--allow-debug", "--continue", "same"];
    place.poolbench(&resume).refuses(2, &["'same' was merged of 2 runs", "continue the runs that it was merged from"]);
}

/// Merging `a` with `b` is refused with `says`, writes nothing and touches neither.
#[track_caller]
fn refused(place: &Place, says: &[&str]) {
    let before = ["a", "b"].map(|run| contents(&place.path(run)));
    merge(place, &["a", "b"], "out").refuses(2, says);
    assert!(!place.path("out").exists(), "nothing is written");
    assert_eq!(["a", "b"].map(|run| contents(&place.path(run))), before);
}

/// Changes to the scenario, further arguments, and what the refusal says.
type Other<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str], &'a [&'a str]);

#[test]
fn runs_of_another_plan_are_refused_with_what_differs() {
    let others: [Other<'_>; 6] = [
        (&[("constant 1ms", "constant 2ms")], &[], &["'b' is a run of another plan than 'a'", "mix.0.service is", "not"]),
        (&[("\"1s\"", "\"2s\"")], &[], &["load.length_ns is 2000000000, not 1000000000"]),
        (&[("400/s", "300/s")], &[], &["load.rate"]),
        (&[("queue-len", "queue-len")], &["-s", "pool.queue-len=7"], &["settings.pool.queue-len is \"7\", not not given"]),
        (&[], &["-f", "min-ready=1"], &["it lacks the case it/tiny?min-ready=2"]),
        (&[], &["--size", "smoke"], &["its size is smoke, not full"]),
    ];
    let place = open(&[]);
    simulate(&place, "a", &[]);
    for (changes, more, says) in others {
        let other = if changes.iter().any(|(old, _)| *old == "queue-len") { open(&[]) } else { open(changes) };
        simulate(&other, "b", &[&["--seed", "2"], more].concat());
        std::fs::rename(other.path("b"), place.path("b")).unwrap();
        refused(&place, says);
        std::fs::remove_dir_all(place.path("b")).unwrap();
    }
    // A comment moves every line of the file, and changes nothing that is run.
    let other = open(&[("what   =", "# Moved.\nwhat   =")]);
    simulate(&other, "b", &["--seed", "2", "--rounds", "2"]);
    std::fs::rename(other.path("b"), place.path("b")).unwrap();
    merge(&place, &["a", "b"], "out").ends(0);
}

#[test]
fn what_is_not_of_one_kind_is_refused_and_nothing_is_touched() {
    let place = open(&[]);
    simulate(&place, "a", &["--rounds", "2"]);
    simulate(&place, "b", &["--rounds", "2"]);
    refused(&place, &["'b' and 'a' hold the same record of it/tiny", "--seed"]);
    std::fs::remove_dir_all(place.path("b")).unwrap();
    simulate(&place, "b", &["--rounds", "2", "--seed", "2"]);
    let (records, facts) = (place.read("b/records.jsonl"), place.read("b/run.json"));
    let cases: [(&str, String, &[&str]); 5] = [
        (
            "records.jsonl",
            records.replace("\"timing_class\":\"virtual\"", "\"timing_class\":\"fifo\""),
            &["`virtual` in 'a'", "`fifo` in 'b'"],
        ),
        ("records.jsonl", records.lines().next().unwrap().to_owned() + "\n", &["'b' is unfinished: 1 of its 4 trials", "--continue"]),
        ("records.jsonl", records[..records.len() - 9].to_owned(), &["'b' is unfinished: 3 of its 4 trials"]),
        ("records.jsonl", records.replace("\"round\":1,", "\"round\":9,"), &["'b': records.jsonl", "round 9", "not in plan.json"]),
        ("records.jsonl", records.replacen("{\"schema\":1", "{\"schema\":99", 1), &["'b' is not a run", "records.jsonl:1", "schema 99"]),
    ];
    for (file, spoilt, says) in cases {
        place.write(&format!("b/{file}"), &spoilt);
        refused(&place, says);
    }
    place.write("b/records.jsonl", &records);
    place.write("b/run.json", &facts.replace("\"version\": \"", "\"version\": \"9"));
    refused(&place, &["'b' was run by another build (9", "poolbench compare"]);
    place.write("b/run.json", &facts);
    merge(&place, &["a", "a"], "out").refuses(2, &["'a' and 'a' hold the same record"]);
    merge(&place, &["a", "nowhere"], "out").refuses(2, &["'nowhere' is not a run"]);
    merge(&place, &["a"], "out").refuses(2, &["2 values required"]);
    merge(&place, &["a", "b"], "a").refuses(2, &["'a' is not empty", "never overwritten"]);
    merge(&place, &["a", "b"], "out").ends(0);
}
