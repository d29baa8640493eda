//! Virtual time on the real program: the same record from the same seed, what it refuses, and a live run held against it.

use crate::support::{PATIENCE, Place};

/// A little open-loop load that both kinds of time can run.
fn open(changes: &[(&str, &str)]) -> Place {
    let arrivals = ("kind = \"closed\", clients = 2", "kind = \"poisson\", rate = \"400/s\"");
    Place::with_tiny(&[&[arrivals, ("\"200ms\"", "\"1s\"")], changes].concat())
}

fn simulate(place: &Place, out: &str, more: &[&str]) -> crate::support::Ran {
    place.poolbench(&[&["run", "--virtual", "--scenarios", "scenarios", "--out", out], more].concat())
}

#[test]
fn one_seed_gives_the_same_records_and_report_in_any_build() {
    let place = open(&[]);
    let ran = simulate(&place, "one", &["--rounds", "3"]).ends(0);
    assert!(ran.err.contains("in virtual time") && ran.err.contains("requests on one core at"), "{}", ran.err);
    simulate(&place, "two", &["--rounds", "3"]).ends(0);
    simulate(&place, "other", &["--rounds", "3", "--seed", "2"]).ends(0);
    assert_eq!(place.read("one/records.jsonl"), place.read("two/records.jsonl"));
    assert_ne!(place.read("one/records.jsonl"), place.read("other/records.jsonl"));
    for record in place.records("one") {
        assert_eq!((&record["timing_class"], &record["cpu"]["process_ns"]), (&"virtual".into(), &0.into()));
        assert_eq!(record["counts"]["intended"], record["counts"]["finished"]);
    }
    let report = place.read("one/report.md");
    assert!(report.contains("`virtual`: under a virtual clock") && report.contains("`virtual-time`"), "{report}");
    assert!(!report.contains("debug-build"), "a simulation is the same in any build");
    place.nobody_left(PATIENCE);
}

#[test]
fn a_rate_of_capacity_is_calibrated_in_virtual_time() {
    let place = open(&[("400/s", "50% of capacity")]);
    simulate(&place, "run", &[]).ends(0);
    // Two workers of one millisecond each.
    let offered = place.json("run/report.json")["scenarios"][0]["cases"][0]["offered_per_s"]["value"].as_f64().unwrap();
    assert!((offered - 1000.0).abs() < 50.0, "{offered}");
}

#[test]
fn what_only_a_live_run_knows_is_refused_before_anything_runs() {
    let place = open(&[("target = \"pool\"", "target = \"coordinator\"")]);
    simulate(&place, "run", &[]).refuses(2, &["tiny.toml:4", "target 'coordinator' cannot be run in virtual time", "without --virtual"]);
    assert!(!place.path("run").exists());
    let place = open(&[("[pool.tools]", "[virtual]\npolicy = \"sjf\"\n[pool.tools]")]);
    place.run_tiny(&[]).refuses(2, &["virtual.policy = sjf exists only in virtual time", "--virtual"]);
}

#[test]
fn a_variant_for_virtual_time_is_left_out_of_a_live_run_with_a_note() {
    let variants = "[variants.core]\npool.queue-len = 900\n[variants.sjf]\nonly = \"virtual\"\nvirtual.policy = \"sjf\"\n[matrix]\n\"variant\" = [\"core\", \"sjf\"]\n[pool.tools]";
    let place = open(&[("[pool.tools]", variants)]);
    let ran = place.run_tiny(&[]).succeeds();
    assert!(ran.err.contains("note: it/tiny?variant=sjf is left out: it exists only in virtual time"), "{}", ran.err);
    assert!(place.read("run/report.md").contains("variant=sjf is left out"));
    simulate(&place, "both", &[]).ends(0);
    assert_eq!(place.records("both").len(), 2);
}

#[test]
fn a_live_run_is_compared_with_a_virtual_one_on_the_very_same_requests() {
    let place = open(&[]);
    place.run_tiny(&["--rounds", "2"]).succeeds();
    simulate(&place, "virtual", &["--rounds", "2"]).ends(0);
    let ran = place.poolbench(&["compare", "run", "virtual"]).ends(0);
    for says in
        ["two runs compared", "it/tiny", "2 rounds with the same requests in both", "| dispatch |", "**response**", "virtual: simulated"]
    {
        assert!(ran.out.contains(says), "no {says:?} in\n{}", ran.out);
    }
    place.poolbench(&["compare", "run", "virtual", "--out", "c.md"]).ends(0);
    assert_eq!(place.read("c.md"), ran.out);
    let again = place.poolbench(&["run", "--virtual", "--scenarios", "scenarios", "--out", "other", "-s", "pool.hot.max=3"]);
    again.ends(0);
    place.poolbench(&["compare", "run", "other"]).refuses(2, &["setting pool.hot.max differs: 2 and 3"]);
}

#[test]
fn guessing_is_judged_against_an_oracle() {
    let expect = "[expect]\nrecall = { hot = \">= 99%\" }\nover-predicted = \"<= 1%\"\nregret = \"<= 10%\"";
    let place = open(&[("[expect]", expect)]);
    simulate(&place, "run", &[]).ends(0);
    let record = &place.records("run")[0];
    assert_eq!(record["regret"]["response_ns"], record["regret"]["oracle_ns"], "one class leaves nothing to guess");
    assert!(place.read("run/report.md").contains("Cost regret"));
}
