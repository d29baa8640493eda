//! Ways of doing a job, from the file to the report.

use crate::support::Place;

#[test]
fn files_and_json_are_measured_in_every_way_that_was_asked_for() {
    let place = Place::new();
    let select = "^io/file-reads\\?size=4KiB&way=(std-read|std-read-again|io-uring)$|^io/file-saves\\?sync=file-and-dir&way=temp-rename$|^json/trees.*shape=mdn";
    let ran = place.poolbench(&["run", "--allow-debug", "-f", select, "--size", "smoke", "--rounds", "2", "--out", "run"]);
    ran.succeeds();
    let records = place.records("run");
    assert_eq!(records.len(), 7 * 2);
    for record in &records {
        let c = &record["contender"];
        if c["not_here"].is_null() {
            assert!(c["operations"].as_u64().unwrap() > 0 && c["limit"]["ns"].as_f64().unwrap() > 0.0, "{c}");
            assert_eq!(record["counts"]["finished"], c["operations"]);
        }
    }
    let of = |way: &str| records.iter().find(|r| r["contender"]["way"] == way).unwrap();
    assert_eq!(of("temp-rename")["contender"]["facts"]["protocol"], "store.files.write=rename store.files.sync=file-and-dir");
    assert_eq!(of("std-read-again")["fingerprint"], of("std-read")["fingerprint"], "all ways read the same");
    let scenarios = place.json("run/report.json")["scenarios"].clone();
    let rows = |at: usize| scenarios[at]["contenders"][0]["rows"].as_array().unwrap().clone();
    assert_eq!((rows(0).len(), rows(1).len(), rows(2).len()), (3, 1, 3));
    assert!(rows(0)[0]["ratio"].is_null() && rows(0)[1]["ratio"]["value"].is_number());
    let report = place.read("run/report.md");
    for part in
        ["### Ways of `file-read`", "### Ways of `json-parse`", "of the limit", "Traps:", "median wall time", "CPU time per operation"]
    {
        assert!(report.contains(part), "no {part} in {report}");
    }
}

#[test]
fn jobs_and_their_ways_are_listed_and_an_unknown_way_names_the_nearest() {
    let place = Place::new();
    let jobs = place.poolbench(&["list", "--jobs"]).ends(0).out;
    for part in ["file-read: ", "json-parse: ", "  io-uring ", "trap: ", "judged on CPU time"] {
        assert!(jobs.contains(part), "no {part} in {jobs}");
    }
    let refused = place.poolbench(&["run", "--plan", "-f", "^json/write", "-s", "contender.way=sonic-to-vek"]).ends(2);
    assert!(refused.err.contains("unknown way of 'json-serialise' 'sonic-to-vek' (did you mean 'sonic-to-vec'?)"), "{}", refused.err);
}
