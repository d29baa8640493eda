//! Cancel, probe, reset, progress, faults of a request and slow starts, on every kind.

use super::*;

const LONG: u64 = 60_000_000_000;

fn faulty(fault: RequestFault) -> Work {
    Work { fault: Some(fault), ..Work::new(0, How::Sleep) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_service_is_answered_early_and_the_worker_serves_on() {
    for kind in WORKERS {
        for how in [How::Sleep, How::Spin] {
            // A function that spins cannot be told apart from one that computes; it looks at the same flag.
            let mut rig = Rig::good(kind.name());
            rig.next().await;
            rig.work(1, Work::new(LONG, how), Bytes::from_static(b"x"));
            tokio::time::sleep(Duration::from_millis(20)).await;
            rig.started.handle.cancel(RequestId(7));
            rig.started.handle.cancel(RequestId(1));
            let answer = rig.answer().await;
            assert_eq!((answer.request, answer.result), (RequestId(1), Err("cancelled".into())), "{} {how:?}", kind.name());
            assert!(answer.end - answer.begin < LONG);
            rig.send(2, 0, Bytes::from_static(b"y"));
            assert_echo(&rig.answer().await, b"y");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_waits_at_its_worker_can_be_cancelled_before_it_began() {
    let mut rig = Rig::good("process");
    rig.next().await;
    rig.send(1, 100_000_000, Bytes::from_static(b"x"));
    rig.send(2, LONG, Bytes::from_static(b"x"));
    rig.started.handle.cancel(RequestId(2));
    let first = rig.answer().await;
    assert_eq!((first.request, first.result), (RequestId(2), Err("cancelled".into())));
    assert_echo(&rig.answer().await, b"x");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idle_workers_answer_probes_and_resets() {
    for kind in WORKERS {
        let mut rig = Rig::good(kind.name());
        rig.next().await;
        rig.started.handle.probe();
        assert!(matches!(rig.next().await, Said::Probed), "{}", kind.name());
        rig.started.handle.reset();
        assert!(matches!(rig.next().await, Said::ResetDone), "{}", kind.name());
        rig.send(1, 0, Bytes::from_static(b"x"));
        assert_echo(&rig.answer().await, b"x");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sleeping_child_answers_a_probe_and_a_stopped_one_does_not() {
    let mut rig = Rig::good("process");
    rig.next().await;
    rig.send(1, 200_000_000, Bytes::from_static(b"x"));
    rig.started.handle.probe();
    assert!(matches!(rig.next().await, Said::Probed), "before its answer");
    assert_echo(&rig.answer().await, b"x");
    rig.started.handle.disturb(Disturbance::Stop);
    tokio::time::sleep(Duration::from_millis(20)).await;
    rig.started.handle.probe();
    assert!(tokio::time::timeout(Duration::from_millis(100), rig.said.recv()).await.is_err());
    rig.started.handle.kill();
    assert_eq!(rig.exit().await.cause, Cause::Ended("signal 9 (SIGKILL)".into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn progress_is_told_only_where_it_is_wanted() {
    for kind in WORKERS {
        let mut rig = Rig::good(kind.name());
        rig.next().await;
        let work = Work::new(350_000_000, How::Sleep);
        rig.started.handle.send(Task { request: RequestId(1), work, payload: Bytes::new(), progress: true });
        let mut told = Vec::new();
        let answer = loop {
            match rig.next().await {
                Said::Progressed(request, progress) => told.push((request, progress)),
                Said::Replied(answer) => break answer,
                other => panic!("{other:?}"),
            }
        };
        assert!((1..=3).contains(&told.len()), "{}: {told:?}", kind.name());
        assert!(told.iter().all(|(id, p)| *id == RequestId(1) && p.done <= p.total && p.total == work.ns));
        assert!(told.windows(2).all(|two| two[0].1.done < two[1].1.done));
        assert!(answer.end - answer.begin >= work.ns);
        rig.send(2, 250_000_000, Bytes::new());
        assert!(matches!(rig.next().await, Said::Replied(_)), "nobody asked");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_that_end_a_worker_end_every_kind() {
    use Moment::{After, Before};
    for (fault, process, inside) in [
        (RequestFault::Kill(Before), "signal 9 (SIGKILL)", "aborted"),
        (RequestFault::Kill(After), "signal 9 (SIGKILL)", "aborted"),
        (RequestFault::Exit(Before, 7), "exit 7", "exit 7"),
        (RequestFault::Exit(After, 0), "exit 0", "exit 0"),
        (RequestFault::Garbage, "protocol: a frame of 4294967295", "protocol: garbage"),
    ] {
        for kind in WORKERS {
            let mut rig = Rig::good(kind.name());
            rig.next().await;
            rig.work(1, faulty(fault), Bytes::from_static(b"x"));
            let cause = loop {
                match rig.next().await {
                    Said::Exited(exit) => break exit.cause.to_string(),
                    said => assert!(!matches!(said, Said::Replied(_)), "{fault:?}: {said:?}"),
                }
            };
            let wanted = if kind.name() == "process" { process } else { inside };
            assert!(cause.starts_with(wanted), "{}: {fault:?}: {cause}", kind.name());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_that_hang_answer_nothing_more_and_are_closed_all_the_same() {
    for (fault, answers) in
        [(RequestFault::Hang(Moment::After), false), (RequestFault::Hang(Moment::Before), true), (RequestFault::Stop, false)]
    {
        for kind in WORKERS {
            let mut rig = Rig::good(kind.name());
            rig.next().await;
            rig.work(1, faulty(fault), Bytes::from_static(b"x"));
            if answers {
                assert_echo(&rig.answer().await, b"x");
            }
            rig.send(2, 0, Bytes::from_static(b"x"));
            // An in-process worker would answer a probe before it takes a request up.
            tokio::time::sleep(Duration::from_millis(20)).await;
            rig.started.handle.probe();
            let silence = tokio::time::timeout(Duration::from_millis(100), rig.said.recv()).await;
            assert!(silence.is_err(), "{}: {fault:?}: {silence:?}", kind.name());
            rig.started.handle.close();
            rig.exit().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_that_spoil_a_reply_leave_a_worker_that_serves_on() {
    for fault in [
        RequestFault::Late(30_000_000),
        RequestFault::Duplicate,
        RequestFault::Split(7),
        RequestFault::FloodStdout(500),
        RequestFault::FloodStderr(500_000),
        RequestFault::Balloon { mib: 8, ms: 20 },
    ] {
        for kind in WORKERS {
            let mut rig = Rig::good(kind.name());
            rig.next().await;
            let begin = std::time::Instant::now();
            rig.work(1, faulty(fault), Bytes::from_static(b"first"));
            let mut unasked = 0;
            let answer = loop {
                match rig.next().await {
                    Said::Replied(answer) if answer.request == RequestId(1) => break answer,
                    Said::Replied(_) => unasked += 1,
                    Said::Probed => {}
                    other => panic!("{}: {fault:?}: {other:?}", kind.name()),
                }
            };
            assert_echo(&answer, b"first");
            assert_eq!(unasked, if matches!(fault, RequestFault::FloodStdout(_)) { 500 } else { 0 });
            match fault {
                RequestFault::Late(ns) => assert!(begin.elapsed().as_nanos() >= u128::from(ns) && answer.end - answer.begin < ns),
                RequestFault::Balloon { .. } => assert!(answer.end - answer.begin >= 20_000_000),
                RequestFault::Duplicate => assert_echo(&rig.answer().await, b"first"),
                _ => {}
            }
            rig.send(2, 0, Bytes::from_static(b"second"));
            let answer = rig.answer().await;
            assert_eq!(answer.request, RequestId(2), "{}: {fault:?}", kind.name());
            assert_echo(&answer, b"second");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_start_delays_ready_and_can_be_broken_off() {
    for kind in WORKERS {
        let good = WorkerCommand { program: worker_program(), args: Vec::new() };
        let begin = std::time::Instant::now();
        let mut rig = Rig::start_slow(kind.name(), good.clone(), Arc::new(Echo), 80_000_000);
        assert!(matches!(rig.next().await, Said::Ready));
        assert!(begin.elapsed() >= Duration::from_millis(80), "{}", kind.name());
        let mut rig = Rig::start_slow(kind.name(), good, Arc::new(Echo), LONG);
        tokio::time::sleep(Duration::from_millis(5)).await;
        rig.started.handle.kill();
        rig.exit().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_execution_is_noted_before_it_begins() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal");
    let args = vec!["--journal".into(), path.clone().into()];
    let mut rig = Rig::start("process", WorkerCommand { program: worker_program(), args }, Arc::new(Echo));
    rig.next().await;
    rig.send(5, 0, Bytes::new());
    rig.answer().await;
    rig.work(6, faulty(RequestFault::Kill(Moment::After)), Bytes::new());
    let pid = rig.exit().await.pid.unwrap();
    let mut seen = Vec::new();
    read_journal(&path, |e| seen.push((e.request, e.pid))).unwrap();
    assert_eq!(seen, [(5, pid), (6, pid)]);
}
