//! Workers that cannot work: each is a row with its reason, and nobody is left behind.

use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::{PATIENCE, PROGRAM, Place, Ran};

const PROCESS: (&str, &str) = ("worker = \"function\"", "worker = \"process\"");

#[track_caller]
fn fails(command: &str, says: &[&str]) {
    let place = Place::with_tiny(&[PROCESS]);
    let ran = place.run_tiny(&["-s", &format!("worker.command={command}"), "-s", "pool.start-timeout=300ms"]).ends(3);
    let records = place.records("run");
    assert_eq!(records.len(), 1, "a trial that fails is a record too");
    let why = records[0]["status"]["why"].as_str().unwrap();
    for text in says {
        assert!(why.contains(text), "{command}: {text:?} is not in {why:?}");
    }
    assert!(ran.out.contains("FAILED") && ran.err.contains(why), "{ran:?}");
    assert!(place.read("run/report.md").contains(why) && place.json("run/report.json")["failed"] == true);
    place.nobody_left(PATIENCE);
}

#[test]
fn missing() {
    fails("/no/such/worker", &["cannot start a worker", "/no/such/worker", "No such file"]);
    fails("/etc", &["cannot start a worker", "Permission denied"]);
}

#[test]
fn ends_at_once() {
    fails("/bin/false", &["ended before it was ready: exit 1", "run the worker command by hand"]);
    fails(&format!("{PROGRAM} worker --fault exit=3"), &["exit 3", "told to exit"]);
}

#[test]
fn never_speaks() {
    fails("sleep 1000", &["not ready within 300 ms", "start-timeout"]);
    fails(&format!("{PROGRAM} worker --fault silent"), &["not ready within 300 ms"]);
}

#[test]
fn speaks_nonsense() {
    fails("cat /dev/zero", &["broke the protocol"]);
    fails(&format!("{PROGRAM} worker --fault garbage"), &["broke the protocol"]);
    fails(&format!("{PROGRAM} worker --fault huge-frame"), &["a frame of 4294967295 bytes exceeds the limit", "frame-max"]);
}

#[test]
fn a_wrong_answer_fails_the_case_and_says_so() {
    for (fault, says) in [("wrong-digest", "wrong"), ("wrong-body", "differs from it")] {
        let place = Place::with_tiny(&[PROCESS]);
        let ran = place.run_tiny(&["-s", &format!("worker.command={PROGRAM} worker --fault {fault}")]).ends(3);
        let answers = &place.records("run")[0]["answers"];
        assert!(answers["wrong"].as_u64().unwrap() > 0, "{fault}: {answers}");
        assert!(ran.err.contains("answers.wrong was expected to be always 0") && ran.err.contains(says), "{fault}: {}", ran.err);
        assert!(place.read("run/report.md").contains("answers.wrong"), "{fault}");
        place.nobody_left(PATIENCE);
    }
}

#[test]
fn unknown_faults_are_refused() {
    Place::new().poolbench(&["worker", "--fault", "grabage"]).refuses(2, &["grabage"]);
}

#[test]
fn a_trial_that_takes_too_long_is_killed_with_its_workers() {
    let place = Place::with_tiny(&[PROCESS, ("\"200ms\"", "\"60s\"")]);
    let ran = place.run_tiny(&["-s", "load.timeout=1s"]).ends(3);
    assert!(ran.err.contains("TIMED OUT after 1.00 s"), "{}", ran.err);
    assert_eq!(place.records("run")[0]["status"]["is"], "timed-out");
    place.nobody_left(PATIENCE);
}

#[test]
fn a_trial_whose_process_is_killed_is_a_row_and_the_run_goes_on() {
    let place = Place::with_tiny(&[PROCESS, ("\"200ms\"", "\"500ms\""), ("rounds   = 1", "rounds   = 2")]);
    let args = ["run", "--allow-debug", "--scenarios", "scenarios", "--out", "run"];
    let child = place.command(PROGRAM, &args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let begun = Instant::now();
    // Its workers run by then.
    while !place.alive().iter().any(|(_, line)| line.ends_with(" worker")) {
        assert!(begun.elapsed() < PATIENCE);
        std::thread::sleep(Duration::from_millis(5));
    }
    let trial = place.alive().into_iter().find(|(_, line)| line.ends_with(" trial")).expect("the trial's process");
    kill_process(Pid::from_raw(trial.0).unwrap(), Signal::KILL).unwrap();
    Ran::from(child.wait_with_output().unwrap()).ends(3);
    let records = place.records("run");
    let why = records[0]["status"]["why"].as_str().unwrap();
    assert!(why.contains("the trial's process died") && why.contains("SIGKILL"), "{why}");
    assert_eq!(records[1]["status"]["is"], "measured", "the next trial is not harmed");
    place.nobody_left(Duration::ZERO);
}

#[test]
fn a_good_run_leaves_nobody() {
    let place = Place::with_tiny(&[PROCESS]);
    place.run_tiny(&[]).ends(0);
    place.nobody_left(Duration::ZERO);
    let left: Vec<_> = crate::support::files(&place.path("run")).into_iter().filter(|f| f.starts_with("work")).collect();
    assert!(left.is_empty(), "the store's files are gone: {left:?}");
}
