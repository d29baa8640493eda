//! What is typed and what is printed where.

use std::io::Read;
use std::process::Stdio;

use crate::support::{PROGRAM, Place, TINY};

#[test]
fn help_and_version_are_results() {
    let place = Place::new();
    for args in [["-h"].as_slice(), &["--help"], &["run", "-h"], &["run", "--help"], &["--version"]] {
        let ran = place.poolbench(args).ends(0);
        assert!(!ran.out.is_empty() && ran.err.is_empty(), "{args:?}: {ran:?}");
    }
    let (short, long) = (place.poolbench(&["-h"]).out, place.poolbench(&["--help"]).out);
    assert!(short.len() < long.len() && long.contains("Exit codes:") && long.contains("Examples:"), "{long}");
    assert_eq!(place.poolbench(&["--version"]).out, format!("poolbench {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_bare_call_shows_the_help_as_an_error() {
    let ran = Place::new().poolbench(&[]).ends(2);
    assert!(ran.out.is_empty() && ran.err.contains("Usage: poolbench <COMMAND>"), "{ran:?}");
}

#[test]
fn usage_errors_end_with_help() {
    let place = Place::new();
    for (args, says) in [
        (["rum"].as_slice(), "did you mean|similar|'run'"),
        (&["run", "--sise", "smoke"], "'--size'"),
        (&["run", "--size", "huge"], "smoke, full"),
        (&["run", "--rounds", "0"], "1..=1000"),
        (&["run", "--seed=-1"], "--seed"),
        (&["run", "--max-cases", "many"], "--max-cases"),
        (&["run", "--continue", "x", "--out", "y"], "'--out <DIR>'"),
        (&["list", "--cases", "--settings"], "'--settings'"),
        (&["report"], "<DIR>"),
        (&["completions", "tcsh"], "bash, elvish, fish, powershell, zsh"),
    ] {
        let ran = place.poolbench(args).refuses(2, &[]);
        assert!(says.split('|').any(|s| ran.err.contains(s)), "{args:?} says\n{}", ran.err);
    }
}

#[test]
fn a_debug_build_measures_only_when_told_to() {
    let place = Place::with_tiny(&[]);
    if cfg!(debug_assertions) {
        place.poolbench(&["run", "--scenarios", "scenarios", "--out", "run"]).refuses(2, &["debug build", "--allow-debug"]);
        assert!(!place.path("run").exists(), "a refusal leaves nothing");
    }
    place.poolbench(&["run", "--scenarios", "scenarios", "--plan"]).ends(0);
}

#[test]
fn every_shell_gets_its_completions() {
    let place = Place::new();
    let hidden = regex::Regex::new(r"\bfault\b").unwrap();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let ran = place.poolbench(&["completions", shell]).ends(0);
        assert!(ran.out.contains("poolbench") && ran.out.contains("continue") && ran.err.is_empty(), "{shell}");
        assert!(!hidden.is_match(&ran.out), "{shell}: hidden subcommands stay hidden\n{}", ran.out);
    }
}

#[test]
fn list_names_scenarios_cases_and_settings() {
    let place = Place::new();
    let scenarios = place.poolbench(&["list"]).ends(0).out;
    let cases = place.poolbench(&["list", "--cases"]).ends(0).out;
    let settings = place.poolbench(&["list", "--settings"]).ends(0).out;
    for name in ["pool/steady", "pool/crash", "io/session-files", "compression/responses", "sqlite/session-writes"] {
        assert!(scenarios.lines().any(|l| l.starts_with(name)), "{name} is not in\n{scenarios}");
        assert!(cases.lines().any(|l| l.split('?').next() == Some(name)), "{name} has no case in\n{cases}");
    }
    assert!(cases.lines().any(|l| l == "sqlite/session-writes?journal-mode=wal&synchronous=full"), "{cases}");
    let mut unique: Vec<_> = cases.lines().collect();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), cases.lines().count(), "case ids are unique");
    for key in ["pool.affinity", "store.sqlite.journal-mode", "compress.zstd-level", "worker.command"] {
        assert!(settings.lines().any(|l| l.split_whitespace().next() == Some(key)), "{key} is not in\n{settings}");
    }
}

#[test]
fn a_plan_runs_nothing() {
    let place = Place::with_tiny(&[("[expect]", "[matrix]\n\"load.clients\" = [\"1\", \"2\", \"3\"]\n\n[expect]")]);
    let ran = place.run_tiny(&["--plan", "--rounds", "4"]).ends(0);
    assert_eq!(ran.out.lines().count(), 4, "three cases and the sum\n{}", ran.out);
    assert!(ran.out.lines().last().unwrap().contains("12 trials of 3 cases"), "{}", ran.out);
    assert!(ran.err.is_empty() && !place.path("run").exists());
}

#[test]
fn the_last_filter_that_matches_decides() {
    let place = Place::new();
    let ids = |args: &[&str]| {
        let out = place.poolbench(&[&["run", "--plan"], args].concat()).ends(0).out;
        out.lines().rev().skip(1).map(|l| l.split_whitespace().last().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let of = "^sqlite/session-writes";
    assert_eq!(ids(&["-f", of, "-F", "wal"]).len(), 2);
    assert_eq!(ids(&["-F", of, "-f", "journal-mode=wal&synchronous=full"]).len(), ids(&["-F", of]).len() + 1);
    assert_eq!(ids(&["-f", of, "-F", "wal", "-f", "^sqlite/session.*sync"]).len(), 4);
    assert_eq!(ids(&["-f", of, "-s", "store.sqlite.journal-mode=wal"]).len(), 2);
}

#[test]
fn a_payload_is_written_as_it_is_for_peers() {
    let place = Place::new();
    let made = |seed: &str| place.poolbench(&["payload", "agent-session", "4096", seed]).ends(0).out;
    assert_eq!(made("7").len(), 4096);
    assert!(made("7").starts_with("{\"messages\":[{") && made("7") == made("7") && made("7") != made("8"));
    let refused = place.poolbench(&["payload", "agent-sesion", "4096", "7"]).ends(2);
    assert!(refused.err.contains("no payload of shape 'agent-sesion'") && refused.err.contains("help: "), "{}", refused.err);
    place.poolbench(&["payload", "agent-session", "0", "7"]).ends(2);
}

#[test]
fn results_go_to_stdout_and_progress_to_stderr() {
    let place = Place::with_tiny(&[]);
    let ran = place.run_tiny(&[]).ends(0);
    assert!(ran.out.contains("it/tiny") && ran.out.ends_with("report: run/report.md\n"), "{}", ran.out);
    assert!(ran.err.contains("1 trial of 1 case") && ran.err.contains("1/1 it/tiny  round 0"), "{}", ran.err);
    let quiet = place.poolbench(&["run", "--allow-debug", "--scenarios", "scenarios", "--out", "quiet", "--quiet"]).ends(0);
    assert_eq!(quiet.err, "");
    assert!(quiet.out.ends_with("report: quiet/report.md\n"), "{}", quiet.out);
}

#[test]
fn a_run_without_a_place_goes_below_the_working_directory() {
    let place = Place::with_tiny(&[]);
    let ran = place.poolbench(&["run", "--allow-debug", "--scenarios", "scenarios", "-q"]).ends(0);
    let report = ran.out.lines().last().unwrap().strip_prefix("report: ").unwrap();
    assert!(report.starts_with("reports/local/") && place.path(report).is_file(), "{report}");
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let place = Place::new();
    for args in [["list", "--settings"], ["completions", "bash"], ["run", "--help"], ["run", "--plan"]] {
        let mut child = place.command(PROGRAM, &args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        let status = child.wait().unwrap();
        assert!(status.success() && said.is_empty(), "{args:?}: {status}: {said}");
    }
}

#[test]
fn a_trial_can_run_inside_the_program() {
    let place = Place::with_tiny(&[("worker = \"function\"", "worker = \"process\"")]);
    let ran = place.run_tiny(&["--in-process", "--rounds", "2"]).ends(0);
    assert!(ran.out.contains("2 of 2 measured trials"), "{}", ran.out);
    for record in place.records("run") {
        assert!(record["outcomes"]["ok"].as_u64() > Some(0), "{record}");
    }
    place.nobody_left(crate::support::PATIENCE);
}

#[test]
fn check_judges_each_value_once_and_keeps_nothing() {
    let axes = "[matrix]\n\"load.clients\" = [\"1\", \"2\"]\n\"load.payload.size\" = [\"1B\", \"2B\", \"3B\"]\n\n[expect]";
    let place = Place::with_tiny(&[("[expect]", axes)]);
    let ran = place.poolbench(&["check", "--scenarios", "scenarios"]).ends(0);
    assert!(ran.out.starts_with("check: 4 cases passed, 0 failed"), "{}", ran.out);
    assert!(!place.path("reports").exists());
    let wrong = TINY.replace("ok = \"100%\"", "shed = \">= 1%\"");
    place.write("scenarios/it/wrong.toml", &wrong);
    let ran = place.poolbench(&["check", "--scenarios", "scenarios", "-f", "wrong|clients=1&size=1B"]).ends(3);
    assert!(ran.out.contains("failed: it/wrong: ") && ran.out.contains("outcomes.shed"), "{}", ran.out);
    assert!(ran.out.contains("check: 1 case passed, 1 failed"), "{}", ran.out);
}

#[test]
fn a_doctor_does_not_write_over_what_is_there() {
    let place = Place::new();
    place.write("kept/notes.txt", "mine");
    place.poolbench(&["doctor", "--out", "kept"]).refuses(2, &["'kept' is not empty", "a directory that is empty"]);
    place.poolbench(&["doctor", "--ful"]).refuses(2, &["--full"]);
}
