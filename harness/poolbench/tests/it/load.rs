//! What is measured is true: crashes are counted, no change is lost, a stall is charged to those it delayed.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::{PATIENCE, Place, TINY};

fn figure(record: &Value, at: &str) -> u64 {
    record.pointer(at).and_then(Value::as_u64).unwrap_or_else(|| panic!("no {at} in {record}"))
}

fn sum(counts: &Value) -> u64 {
    counts.as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum()
}

#[test]
fn workers_that_are_killed_come_back_and_no_request_is_lost() {
    let place = Place::new();
    place.poolbench(&["run", "--allow-debug", "-f", "^pool/crash", "--size", "smoke", "--out", "run"]).succeeds();
    for record in place.records("run") {
        let deaths = figure(&record, "/deaths/unexpected");
        assert!(deaths >= 3 && figure(&record, "/deaths/by_status/signal 9 (SIGKILL)") == deaths, "{}", record["deaths"]);
        assert_eq!(figure(&record, "/deaths/spawns"), 3 + deaths, "each came back");
        assert_eq!(figure(&record, "/deaths/children_left"), 0);
        let sent = figure(&record, "/counts/sent");
        assert_eq!((figure(&record, "/counts/intended"), figure(&record, "/counts/finished")), (sent, sent));
        assert_eq!(sum(&record["outcomes"]), sent, "each admitted request has one outcome: {}", record["outcomes"]);
        let unknown = record["outcomes"]["outcome-unknown"].as_u64().unwrap_or(0);
        assert!((1..=deaths).contains(&unknown), "{}", record["outcomes"]);
    }
    let case = place.json("run/report.json")["scenarios"][0]["cases"][0].clone();
    assert!(figure(&case, "/deaths/by_status/signal 9 (SIGKILL)") >= 3, "{}", case["deaths"]);
    let report = place.read("run/report.md");
    assert!(report.contains("signal 9 (SIGKILL)") && report.contains("outcome-unknown"), "{report}");
    place.nobody_left(PATIENCE);
}

#[test]
fn eight_clients_that_change_one_session_lose_nothing() {
    let place = Place::new();
    let text = TINY
        .replace("target = \"pool\"", "target = \"coordinator\"")
        .replace("clients = 2", "clients = 8")
        .replace("\"200ms\"", "\"400ms\"\nsessions = { count = 1, popularity = \"uniform\" }")
        .replace("constant 1ms", "constant 100us")
        .replace("min-ready = 2, spares = 0, max = 2", "min-ready = 4, spares = 0, max = 4")
        .replace("digest        =", "sessions      = \"consistent\"\ndigest        =")
        + "\n[matrix]\n\"store.kind\" = [\"files\", \"sqlite\"]\n\"session.keep\" = [\"1000\"]\n";
    place.write("scenarios/it/tiny.toml", &text);
    place.run_tiny(&[]).ends(0);
    let records = place.records("run");
    assert_eq!(records.len(), 2);
    for record in records {
        let (acknowledged, found) = (figure(&record, "/sessions/turns_acknowledged"), figure(&record, "/sessions/turns_found"));
        assert_eq!(acknowledged, found, "{}", record["sessions"]);
        assert_eq!(acknowledged, figure(&record, "/outcomes/ok") + figure(&record, "/counts/warmup"), "warm-up included");
        assert!(acknowledged >= 16, "eight clients were at it: {acknowledged}");
        for none in ["lost", "unacknowledged", "corrupt"] {
            assert_eq!(record["sessions"][none], 0, "{}", record["sessions"]);
        }
    }
}

#[test]
fn a_stall_is_charged_to_all_that_it_delayed() {
    let place = Place::new();
    place.poolbench(&["run", "--allow-debug", "-f", "^pool/stall", "--size", "smoke", "--out", "run"]).succeeds();
    let records = place.records("run");
    assert_eq!(records.len(), 2, "inside a function worker and by SIGSTOP of a process");
    for record in records {
        let twin = |name: &str| record["twin"][name].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect::<Vec<_>>();
        let (measured, lindley, stamp) = (twin("measured"), twin("lindley"), twin("dispatch_stamp"));
        // p90, p95, p99: wide bounds, since this host may be busy with other tests.
        for i in 1..4 {
            assert!((measured[i] / lindley[i] - 1.0).abs() < 0.25, "{}: {}", record["case"], record["twin"]);
            assert!(stamp[i] < 0.5 * measured[i], "a stamp at dispatch hides the stall: {}", record["twin"]);
        }
        assert!(measured[3] > 0.5e9, "most of the second reaches p99: {}", record["twin"]);
        assert_eq!(figure(&record, "/counts/finished"), 3000);
        assert_eq!(figure(&record, "/deaths/unexpected"), 0, "a stopped worker is not a dead one");
    }
    place.nobody_left(PATIENCE);
}

#[test]
fn one_seed_gives_one_load() {
    let place = Place::with_tiny(&[("kind = \"closed\", clients = 2", "kind = \"poisson\", rate = \"500/s\"")]);
    let fingerprints = |out: &str, seed: &str| {
        place
            .poolbench(&["run", "-q", "--allow-debug", "--scenarios", "scenarios", "--rounds", "2", "--seed", seed, "--out", out])
            .succeeds();
        // A busy host may have a trial repeated: that, too, must be the same load.
        let all: BTreeSet<_> = place.records(out).iter().map(|r| (r["round"].as_u64().unwrap(), r["fingerprint"].to_string())).collect();
        all.into_iter().collect::<Vec<_>>()
    };
    let one = fingerprints("one", "7");
    assert_eq!(one, fingerprints("two", "7"));
    assert_ne!(one, fingerprints("three", "8"));
    assert_eq!(one.len(), 2, "one load a round: {one:?}");
    assert_ne!(one[0].1, one[1].1, "rounds differ");
}

#[test]
fn standard_scenarios_hold_what_they_promise() {
    // One of each group; release builds check all of them in CI.
    let place = Place::new();
    let few =
        "^(pool/steady|io/session-file-apis.*api=tokio|compression/responses.*accept=zstd|sqlite/session-writes.*wal&synchronous=normal)";
    let ran = place.poolbench(&["check", "-f", few]).succeeds();
    assert!(ran.err.contains("8/8 "), "a calibration and a trial of each of four cases\n{}", ran.err);
    place.nobody_left(PATIENCE);
}

#[test]
fn clients_that_are_refused_do_not_starve_the_one_that_is_served() {
    let text = TINY.replace("target = \"pool\"", "target = \"coordinator\"").replace("clients = 2", "clients = 8");
    let place = Place::new();
    place.write("scenarios/it/tiny.toml", &text.replace("ok = \"100%\"", "ok = \">= 1\", shed = \">= 1\""));
    place.run_tiny(&["-s", "coordinator.in-flight=1"]).ends(0);
}

#[test]
fn a_capacity_that_cannot_be_measured_says_why() {
    let place = Place::with_tiny(&[
        ("target = \"pool\"", "target = \"coordinator\""),
        ("kind = \"closed\", clients = 2", "kind = \"poisson\", rate = \"50% of capacity\""),
        ("rounds   = 1", "rounds   = 1\nsessions = { count = 9, popularity = \"uniform\" }"),
    ]);
    place.run_tiny(&["-s", "store.session-max=1KiB", "-s", "load.payload.size=4KiB"]).ends(3);
    let why = place.records("run")[1]["status"]["why"].as_str().unwrap().to_owned();
    assert!(why.contains("no calibration could measure: of ") && why.contains("session"), "{why}");
}
