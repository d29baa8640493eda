//! A run that is cut off keeps its finished trials, leaves nobody behind and can be resumed.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStderr, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::{PATIENCE, PROGRAM, Place, Ran};

/// Six trials of a second with real worker processes.
fn place() -> Place {
    Place::with_tiny(&[("worker = \"function\"", "worker = \"process\""), ("\"200ms\"", "\"1s\""), ("rounds   = 1", "rounds   = 6")])
}

const BEGIN: &[&str] = &["run", "--allow-debug", "--scenarios", "scenarios", "--out", "a run"];

struct Running {
    child: Child,
    stderr: BufReader<ChildStderr>,
    said: String,
}

impl Running {
    fn start(place: &Place, args: &[&str]) -> Running {
        let mut child = place.command(PROGRAM, args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        Running { child, stderr, said: String::new() }
    }

    /// Reads stderr up to the line of the first finished trial, then waits for a worker process of the next one.
    fn is_amid(&mut self, place: &Place) {
        while !self.said.contains(" 1/") {
            assert_ne!(self.stderr.read_line(&mut self.said).unwrap(), 0, "ended early:\n{}", self.said);
        }
        let begun = Instant::now();
        while !place.alive().iter().any(|(_, line)| line.ends_with(" worker")) {
            assert!(begun.elapsed() < PATIENCE, "no worker was started: {:?}", place.alive());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn send(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    fn ended(mut self) -> Ran {
        std::io::Read::read_to_string(&mut self.stderr, &mut self.said).unwrap();
        let Ran { code, out, .. } = Ran::from(self.child.wait_with_output().unwrap());
        Ran { code, out, err: self.said }
    }
}

/// Starts the program, sends `signal` in the middle of its second trial, and returns how many trials are kept.
fn cut_off(place: &Place, args: &[&str], signal: Signal) -> (usize, Ran) {
    let mut running = Running::start(place, args);
    running.is_amid(place);
    running.send(signal);
    let ran = running.ended().ends(130);
    place.nobody_left(Duration::from_secs(1));
    let kept = place.records("a run").len();
    assert!((1..6).contains(&kept), "{kept} trials are kept");
    let noun = if kept == 1 { "trial" } else { "trials" };
    assert!(ran.err.contains(&format!("interrupted: {kept} {noun} kept, {} to come", 6 - kept)), "{}", ran.err);
    assert!(!place.path("a run/report.md").exists() && !place.path("a run/work").exists());
    (kept, ran)
}

fn cut_off_by(signal: Signal) {
    let place = place();
    let (first, _) = cut_off(&place, BEGIN, signal);
    // Interrupted once more, the run has kept more.
    let (kept, ran) = cut_off(&place, &["run", "--continue", "a run"], signal);
    assert!(kept > first, "{first}, then {kept}");

    // The very line that was printed, given to a shell.
    let next = ran.err.lines().find_map(|l| l.strip_prefix("next: poolbench ")).expect(&ran.err);
    let resumed = Ran::from(place.command("sh", &["-c", &format!("'{PROGRAM}' {next}")]).output().unwrap()).ends(0);
    assert!(resumed.err.contains("resuming") && resumed.err.contains(&format!("{kept} trial")), "{}", resumed.err);
    assert!(resumed.out.contains("6 of 6 measured trials"), "{}", resumed.out);
    let mut rounds: Vec<_> = place.records("a run").iter().map(|r| r["round"].as_u64().unwrap()).collect();
    rounds.sort_unstable();
    assert_eq!(rounds, [0, 1, 2, 3, 4, 5]);
    place.poolbench(&["report", "a run", "--out", "again"]).ends(0);
    assert_eq!(place.read("again/report.md"), place.read("a run/report.md"));
    place.nobody_left(Duration::ZERO);
}

#[test]
fn by_ctrl_c() {
    cut_off_by(Signal::INT);
}

#[test]
fn by_sigterm() {
    cut_off_by(Signal::TERM);
}

#[test]
fn killed_it_takes_its_children_along() {
    let place = place();
    let mut running = Running::start(&place, BEGIN);
    running.is_amid(&place);
    assert!(place.alive().iter().any(|(_, line)| line.ends_with(" trial")), "{:?}", place.alive());
    running.send(Signal::KILL);
    assert_eq!(running.child.wait().unwrap().code(), None, "it was killed");
    place.nobody_left(Duration::from_secs(5));
    assert!(!place.records("a run").is_empty(), "finished trials were flushed");
    place.poolbench(&["run", "--continue", "a run", "--quiet"]).ends(0);
    assert_eq!(place.records("a run").len(), 6);
}

#[test]
fn a_finished_run_has_nothing_to_resume() {
    let place = Place::with_tiny(&[]);
    place.run_tiny(&["--quiet", "--rounds", "2"]).ends(0);
    let before = (place.read("run/records.jsonl"), place.read("run/report.md"));
    place.poolbench(&["run", "--continue", "run"]).ends(0);
    assert_eq!((place.read("run/records.jsonl"), place.read("run/report.md")), before);
}

#[test]
fn a_run_of_another_build_is_not_mixed_with_this_one() {
    let place = Place::with_tiny(&[]);
    place.run_tiny(&["--quiet"]).ends(0);
    let facts = place.read("run/run.json");
    let commit = place.json("run/run.json")["commit"].as_str().unwrap().to_owned();
    place.write("run/run.json", &facts.replace(&commit, "another"));
    place.poolbench(&["run", "--continue", "run"]).refuses(2, &["another build", "another", &commit]);
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let place = place();
    let mut running = Running::start(&place, BEGIN);
    running.is_amid(&place);
    running.send(Signal::INT);
    running.send(Signal::INT);
    running.ended().ends(130);
    place.nobody_left(Duration::from_secs(5));
}

#[test]
fn inside_the_program_the_trial_that_runs_is_the_last() {
    let place = place();
    let mut running = Running::start(&place, &[BEGIN, &["--in-process"]].concat());
    running.is_amid(&place);
    running.send(Signal::INT);
    let ran = running.ended().ends(130);
    let kept = place.records("a run").len();
    assert!((2..6).contains(&kept) && ran.err.contains(&format!("{kept} trials kept")), "{kept}: {}", ran.err);
    place.nobody_left(PATIENCE);
}

#[test]
fn two_programs_never_add_to_one_run() {
    let place = place();
    let mut running = Running::start(&place, BEGIN);
    running.is_amid(&place);
    place.poolbench(&["run", "--continue", "a run"]).refuses(2, &["another poolbench is writing to 'a run'"]);
    running.send(Signal::INT);
    running.ended().ends(130);
    place.poolbench(&["run", "--continue", "a run", "--plan"]).refuses(2, &["--plan"]);
}

#[test]
fn a_trial_that_failed_runs_again() {
    let place = Place::with_tiny(&[("worker = \"function\"", "worker = \"process\"")]);
    let args = ["-s", "worker.command=sh worker.sh", "-s", "pool.start-timeout=300ms", "--rounds", "2"];
    place.run_tiny(&args).ends(3);
    place.write("worker.sh", &format!("exec '{PROGRAM}' worker\n"));
    let ran = place.poolbench(&["run", "--continue", "run"]).ends(0);
    assert!(ran.out.contains("2 of 2 measured trials"), "{}", ran.out);
}

#[test]
fn a_reader_that_is_gone_changes_nothing_about_the_end() {
    let place = Place::with_tiny(&[("ok = \"100%\"", "ok = \"<= 50%\"")]);
    let mut child = place.command(PROGRAM, BEGIN).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    Ran::from(child.wait_with_output().unwrap()).ends(3);
}
