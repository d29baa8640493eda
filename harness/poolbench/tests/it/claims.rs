//! A scenario with claims, run for real, and its ledger.

use crate::support::Place;

const SCENARIO: &str = r#"
what   = "Two ways of writing a session as JSON"
why    = "One makes a system call per piece of the document, so that it cannot be the faster one"
guards = ["cpu-per-request"]
target = "contender"

[load]
arrivals = { kind = "closed", clients = 1 }
warmup   = "0.01s"
length   = "0.05s"
rounds   = 4

[[load.mix]]
tool    = "write"
payload = { shape = "agent-session", size = "16KiB" }

[contender]
job = "json-serialise"

[matrix]
"contender.way" = ["serde-to-vec", "serde-to-vec-again", "to-writer-file"]

[expect]
digest = "input"

[[claim]]
says     = "into memory is no slower"
metric   = "cpu-per-request"
of       = { way = "serde-to-vec" }
over     = { way = "to-writer-file" }
at-least = 1.0

[[claim]]
says     = "to the file is a thousand times faster"
metric   = "cpu-per-request"
of       = { way = "to-writer-file" }
over     = { way = "serde-to-vec" }
at-least = 1000

[[claim]]
says     = "the same way twice is no thousand times apart"
metric   = "cpu-per-request"
of       = { way = "serde-to-vec-again" }
over     = { way = "serde-to-vec" }
at-most  = 1000
"#;

#[test]
fn claims_of_a_run_are_judged_and_too_few_rounds_are_refused() {
    let place = Place::new();
    place.write("scenarios/it/write.toml", SCENARIO);
    place.poolbench(&["run", "--allow-debug", "--scenarios", "scenarios", "-f", "^it/write", "--out", "run"]).succeeds();
    let ledger = place.poolbench(&["claims", "run"]).ends(0).out;
    // The file costs tens of times as much; no host turns that round.
    let verdicts: Vec<&str> = ledger.lines().filter_map(|line| line.strip_prefix("  ")?.split_whitespace().next()).collect();
    assert!(verdicts.contains(&"holds") && verdicts.contains(&"refuted"), "{ledger}");
    assert!(ledger.contains("it/write.toml:27: into memory is no slower"), "{ledger}");
    let report = place.read("run/report.md");
    assert!(report.contains("## Claims") && report.contains("**holds**"), "{report}");
    place.poolbench(&["run", "--allow-debug", "--scenarios", "scenarios", "-f", "^it/write", "--rounds", "2", "--out", "short"]).succeeds();
    let short = place.poolbench(&["claims", "short"]).ends(0).out;
    assert!(short.contains("2 rounds on both sides (at least 3 are needed)"), "{short}");
}

#[test]
fn a_claim_about_a_case_that_is_not_of_its_file_names_what_is() {
    let place = Place::new();
    place.write(
        "scenarios/it/write.toml",
        &SCENARIO.replacen("over     = { way = \"to-writer-file\" }", "over     = { way = \"to-writer-fil\" }", 1),
    );
    let refused = place.poolbench(&["run", "--plan", "--scenarios", "scenarios", "-f", "^it/write"]).ends(2);
    assert!(
        refused.err.contains("it/write.toml:30: claim.over: unknown value of 'way' 'to-writer-fil' (did you mean 'to-writer-file'?"),
        "{}",
        refused.err
    );
}

#[test]
fn a_claim_about_a_case_of_another_file_names_that_file_and_the_remedy() {
    let place = Place::new();
    place.write("scenarios/it/other.toml", SCENARIO);
    let fewer = SCENARIO.replacen("\"to-writer-file\"", "\"to-vec-then-file\"", 1);
    assert_ne!(fewer, SCENARIO);
    place.write("scenarios/it/write.toml", &fewer);
    let refused = place.poolbench(&["run", "--plan", "--scenarios", "scenarios", "-f", "^it/write"]).ends(2);
    for part in [
        "error: it/write.toml:",
        "unknown value of 'way' 'to-writer-file' (",
        "help: the value is of it/other, and",
        "move the claim to it/other.toml",
    ] {
        assert!(refused.err.contains(part), "{part} in {}", refused.err);
    }
}
