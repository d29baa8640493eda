use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::mpsc;

mod wire;

use super::*;
use crate::clock::MonotonicClock;
use crate::core::types::SlotId;

const WORKER: WorkerRef = WorkerRef { slot: SlotId(0), generation: 1 };

/// The example `worker`, which cargo builds beside the tests.
pub(crate) fn worker_program() -> PathBuf {
    let tests = std::env::current_exe().expect("the test's own path");
    let program = tests.parent().and_then(|deps| deps.parent()).expect("a target directory").join("examples/worker");
    assert!(program.exists(), "{} is missing; run `cargo build --examples` or plain `cargo test`", program.display());
    program
}

pub(crate) fn shell(script: &str) -> WorkerCommand {
    WorkerCommand { program: "/bin/sh".into(), args: vec!["-c".into(), script.into()] }
}

#[derive(Debug)]
enum Said {
    Ready,
    Written(RequestId),
    Replied(Answer),
    Probed,
    ResetDone,
    Progressed(RequestId, Progress),
    Exited(Exit),
}

struct Ear(mpsc::UnboundedSender<Said>);

impl Upcalls for Ear {
    fn ready(&self, _: WorkerRef) {
        let _ = self.0.send(Said::Ready);
    }
    fn written(&self, _: WorkerRef, request: RequestId) {
        let _ = self.0.send(Said::Written(request));
    }
    fn replied(&self, _: WorkerRef, answer: Answer) {
        let _ = self.0.send(Said::Replied(answer));
    }
    fn probed(&self, _: WorkerRef) {
        let _ = self.0.send(Said::Probed);
    }
    fn reset_done(&self, _: WorkerRef) {
        let _ = self.0.send(Said::ResetDone);
    }
    fn progressed(&self, _: WorkerRef, request: RequestId, progress: Progress) {
        let _ = self.0.send(Said::Progressed(request, progress));
    }
    fn exited(&self, _: WorkerRef, exit: Exit) {
        let _ = self.0.send(Said::Exited(exit));
    }
}

struct Rig {
    started: Started,
    said: mpsc::UnboundedReceiver<Said>,
}

struct Panics;
impl Handler for Panics {
    fn handle(&self, payload: &Bytes) -> Result<Bytes, String> {
        if payload.is_empty() { Err("nothing given".into()) } else { panic!("on purpose") }
    }
}

impl Rig {
    fn start(kind: &str, command: WorkerCommand, handler: Arc<dyn Handler>) -> Rig {
        Rig::start_slow(kind, command, handler, 0)
    }

    fn start_slow(kind: &str, command: WorkerCommand, handler: Arc<dyn Handler>, delay_ns: u64) -> Rig {
        let (ear, said) = mpsc::unbounded_channel();
        let launch = Launch {
            worker: WORKER,
            upcalls: Arc::new(Ear(ear)),
            runtime: Handle::current(),
            clock: Arc::new(MonotonicClock),
            handler,
            command: Arc::new(command),
            spawner: Spawner::start().unwrap(),
            frame_max: 8 << 20,
            close_grace_ns: 300_000_000,
            term_grace_ns: 300_000_000,
            delay_ns,
        };
        Rig { started: worker_kind(kind).unwrap().start(launch), said }
    }

    fn good(kind: &str) -> Rig {
        Rig::start(kind, WorkerCommand { program: worker_program(), args: Vec::new() }, Arc::new(Echo))
    }

    async fn next(&mut self) -> Said {
        tokio::time::timeout(Duration::from_secs(10), self.said.recv()).await.expect("nothing said in time").expect("ended")
    }

    async fn exit(&mut self) -> Exit {
        loop {
            if let Said::Exited(exit) = self.next().await {
                return exit;
            }
        }
    }

    fn send(&self, id: u64, ns: u64, payload: Bytes) -> Sent {
        self.work(id, Work::new(ns, How::Sleep), payload)
    }

    fn work(&self, id: u64, work: Work, payload: Bytes) -> Sent {
        self.started.handle.send(Task { request: RequestId(id), work, payload, progress: false })
    }

    async fn answer(&mut self) -> Answer {
        loop {
            match self.next().await {
                Said::Replied(answer) => return answer,
                Said::Exited(exit) => panic!("exited: {exit:?}"),
                _ => {}
            }
        }
    }
}

fn assert_echo(answer: &Answer, payload: &[u8]) {
    let body = answer.result.as_ref().expect("an answer");
    assert_eq!(body[..8], xxhash_rust::xxh3::xxh3_64(payload).to_le_bytes());
    assert_eq!(body[8..], *payload);
}

#[test]
fn the_table_has_distinct_documented_kinds() {
    let names: BTreeSet<_> = WORKERS.iter().map(|kind| kind.name()).collect();
    assert_eq!(names, BTreeSet::from(["simulated", "function", "process"]));
    assert!(WORKERS.iter().all(|kind| kind.doc().len() > 10 && worker_kind(kind.name()).is_some()));
    assert!(worker_kind("nonesuch").is_none());
}

#[test]
fn faults_parse_or_name_what_exists() {
    assert_eq!(WorkerFault::parse("exit=3"), Ok(WorkerFault::Exit(3)));
    assert_eq!(WorkerFault::parse("stderr-flood=10"), Ok(WorkerFault::StderrFlood(10)));
    for bad in ["", "exit", "exit=256", "exit=x", "Garbage", "silent=1"] {
        assert!(WorkerFault::parse(bad).unwrap_err().to_string().contains("huge-frame"), "{bad}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_serves_sleeps_and_closes() {
    for kind in WORKERS {
        let mut rig = Rig::good(kind.name());
        assert!(matches!(rig.next().await, Said::Ready), "{}", kind.name());
        for id in 1..20u64 {
            let payload = Bytes::from(vec![id as u8; id as usize * 5_000]);
            rig.send(id, 500_000, payload.clone());
            let answer = rig.answer().await;
            assert_eq!(answer.request, RequestId(id));
            assert_echo(&answer, &payload);
            assert!(answer.end - answer.begin >= 500_000, "{} slept too little", kind.name());
        }
        rig.started.handle.close();
        let exit = rig.exit().await;
        let wanted = if kind.name() == "process" { "exit 0" } else { "closed" };
        assert_eq!((exit.cause.to_string().as_str(), exit.stderr_tail.as_str()), (wanted, ""));
        assert_eq!(exit.pid.is_some(), kind.name() == "process");
        rig.started.task.await.unwrap();
        assert!(rig.said.try_recv().is_err(), "nothing follows an exit");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_in_the_middle_of_a_service_ends_every_kind() {
    for kind in WORKERS {
        let mut rig = Rig::good(kind.name());
        rig.next().await;
        rig.send(1, 60_000_000_000, Bytes::from_static(b"x"));
        tokio::time::sleep(Duration::from_millis(5)).await;
        rig.started.handle.disturb(Disturbance::Kill);
        let wanted = if kind.name() == "process" { "signal 9 (SIGKILL)" } else { "aborted" };
        assert_eq!(rig.exit().await.cause, Cause::Ended(wanted.into()), "{}", kind.name());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stall_lengthens_the_time_to_the_answer_of_every_kind() {
    for kind in WORKERS {
        let mut rig = Rig::good(kind.name());
        rig.next().await;
        rig.started.handle.disturb(Disturbance::Stall(80_000_000));
        tokio::time::sleep(Duration::from_millis(10)).await;
        let begin = std::time::Instant::now();
        rig.send(1, 0, Bytes::from_static(b"x"));
        rig.answer().await;
        assert!(begin.elapsed() >= Duration::from_millis(50), "{}", kind.name());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_child_takes_more_than_its_pipe_holds_without_blocking() {
    let mut rig = Rig::good("process");
    rig.next().await;
    rig.started.handle.disturb(Disturbance::Stall(150_000_000));
    tokio::time::sleep(Duration::from_millis(20)).await;
    let payloads: Vec<_> = (1..=4u8).map(|id| Bytes::from(vec![id; 300_000])).collect();
    let begin = std::time::Instant::now();
    let sent: Vec<_> = payloads.iter().zip(1..).map(|(payload, id)| rig.send(id, 0, payload.clone())).collect();
    assert!(begin.elapsed() < Duration::from_millis(100), "the sender was blocked");
    assert_eq!(sent, [Sent::Queued; 4], "64 KiB of pipe cannot take 300 kB");
    let (mut written, mut replied) = (Vec::new(), Vec::new());
    while replied.len() < 4 {
        match rig.next().await {
            Said::Written(request) => written.push(request.0),
            Said::Replied(answer) => {
                assert_echo(&answer, &payloads[answer.request.0 as usize - 1]);
                replied.push(answer.request.0);
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((written, replied), (vec![1, 2, 3, 4], vec![1, 2, 3, 4]), "in order");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handler_may_fail_or_panic() {
    let mut rig = Rig::start("function", shell(""), Arc::new(Panics));
    rig.next().await;
    rig.send(1, 0, Bytes::new());
    assert_eq!(rig.answer().await.result, Err("nothing given".into()));
    rig.send(2, 0, Bytes::from_static(b"x"));
    assert_eq!(rig.exit().await.cause, Cause::Ended("panic: on purpose".into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn close_escalates_to_the_whole_group() {
    // Ignores EOF and SIGTERM, and so does its child, which holds the pipes open too.
    let mut rig = Rig::start("process", shell("trap '' TERM; sleep 60 & while :; do sleep 1; done"), Arc::new(Echo));
    tokio::time::sleep(Duration::from_millis(50)).await;
    rig.started.handle.close();
    assert_eq!(rig.exit().await.cause, Cause::Ended("signal 9 (SIGKILL)".into()));
    let mut rig = Rig::start("process", shell("sleep 60"), Arc::new(Echo));
    tokio::time::sleep(Duration::from_millis(50)).await;
    rig.started.handle.close();
    assert_eq!(rig.exit().await.cause, Cause::Ended("signal 15 (SIGTERM)".into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_children_are_told_apart() {
    let program = worker_program();
    let with = |fault: &str| WorkerCommand { program: program.clone(), args: vec!["--fault".into(), fault.into()] };
    let cases = [
        (with("exit=3"), "exit 3", "told to exit"),
        (with("garbage"), "protocol: a frame of", ""),
        (with("huge-frame"), "protocol: a frame of 4294967295 bytes", ""),
        (shell("exec >&-; sleep 60"), "eof before exit", ""),
        (shell("echo oops >&2; kill -SEGV $$"), "signal 11 (SIGSEGV)", "oops"),
        (WorkerCommand { program: "/nonesuch/worker".into(), args: vec![] }, "cannot spawn: /nonesuch/worker: No such file", ""),
    ];
    for (command, wanted, stderr) in cases {
        let what = format!("{command:?}");
        let exit = Rig::start("process", command, Arc::new(Echo)).exit().await;
        assert!(exit.cause.to_string().starts_with(wanted), "{what}: {exit:?}");
        assert!(exit.stderr_tail.contains(stderr), "{what}: {exit:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_stderr_is_drained_and_only_its_tail_kept() {
    let command = WorkerCommand { program: worker_program(), args: vec!["--fault".into(), "stderr-flood=2000000".into()] };
    let mut rig = Rig::start("process", command, Arc::new(Echo));
    assert!(matches!(rig.next().await, Said::Ready), "a full stderr pipe would block it before its hello");
    rig.started.handle.close();
    let exit = rig.exit().await;
    assert!(exit.stderr_tail.len() <= stderr::TAIL && exit.stderr_tail.len() > stderr::TAIL / 2, "{}", exit.stderr_tail.len());
    assert!(exit.stderr_tail.ends_with("end of noise"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dropped_supervisor_kills_and_reaps_its_child() {
    let mut rig = Rig::good("process");
    rig.next().await;
    let pid = rig.started.handle.pid().unwrap();
    let runs = || std::path::Path::new(&format!("/proc/{pid}")).exists();
    assert!(runs());
    rig.started.task.abort();
    let _ = rig.started.task.await;
    assert!(!runs(), "neither a process nor a zombie is left");
}

/// On one thread, which is blocked while the child answers and dies: its tasks then see the answer and the death at once.
#[tokio::test]
async fn an_answer_that_was_complete_before_the_death_is_delivered_first() {
    for _ in 0..10 {
        let mut rig = Rig::good("process");
        rig.next().await;
        let pid = rustix::process::Pid::from_raw(rig.started.handle.pid().unwrap().cast_signed()).unwrap();
        let payload = Bytes::from(vec![5; 30_000]);
        assert_eq!(rig.send(1, 0, payload.clone()), Sent::Written, "an empty pipe takes 30 kB");
        std::thread::sleep(Duration::from_millis(30));
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
        std::thread::sleep(Duration::from_millis(10));
        assert_echo(&rig.answer().await, &payload);
        assert_eq!(rig.exit().await.cause, Cause::Ended("signal 9 (SIGKILL)".into()));
    }
}
