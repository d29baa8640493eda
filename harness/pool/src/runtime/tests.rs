//! The pool with real tasks and real children. Nothing here asserts an absolute time, only order and conservation.

mod faults;
mod leaks;
mod reload;
mod replay;
mod starts;

use std::collections::BTreeMap;
use std::time::Duration;

use super::*;
use crate::clock::MonotonicClock;
use crate::times::Phase;
use crate::workers::tests::worker_program;
use crate::workers::{Echo, How};

/// One hot tier of `max` workers of `kind`, nothing else, and quick graces.
fn config(kind: &str, max: u16, more: &[(&str, &str)]) -> Config {
    let max = max.to_string();
    let base = [
        ("pool.dispatch", "tiered"),
        ("pool.hot.worker", kind),
        ("pool.hot.min-ready", max.as_str()),
        ("pool.hot.max", max.as_str()),
        ("pool.warm.max", "0"),
        ("pool.cold.max", "0"),
        ("pool.affinity", "none"),
        ("pool.backoff", "2000000"),
        ("pool.backoff-cap", "20000000"),
        ("pool.zombie-grace", "30000000"),
        ("pool.tools.echo.tier", "hot"),
    ];
    let settings: BTreeMap<String, String> = base.iter().chain(more).map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Config::from_settings(&settings).unwrap()
}

fn deps() -> Deps {
    Deps {
        clock: Arc::new(MonotonicClock),
        seed: 7,
        handler: Arc::new(Echo),
        worker_command: WorkerCommand { program: worker_program(), args: Vec::new() },
        spawner: Spawner::start().unwrap(),
        log: None,
    }
}

async fn pool(kind: &str, max: u16) -> Pool {
    Pool::start(config(kind, max, &[]), deps()).await.unwrap()
}

fn job(ns: u64, payload: impl Into<Bytes>) -> Job {
    let work = Work::new(ns, How::Sleep);
    Job {
        tool: ToolId(0),
        session: None,
        deadline: None,
        work,
        payload: payload.into(),
        times: RequestTimes::default(),
        cost: None,
        progress: None,
    }
}

fn assert_echo(reply: &Reply, payload: &[u8]) {
    assert_eq!((reply.outcome, &reply.error), (Outcome::Ok, &None));
    assert_eq!(reply.body[..8], xxhash_rust::xxh3::xxh3_64(payload).to_le_bytes());
    assert_eq!(reply.body[8..], *payload);
}

fn assert_conserved(snapshot: &Snapshot) {
    let totals = &snapshot.core.totals;
    let finished: u64 = totals.finished.iter().sum();
    assert_eq!(totals.admitted, finished + u64::from(snapshot.in_flight) + u64::from(snapshot.queued));
}

/// Waits until `done`, for as long as any host may need.
async fn eventually(what: &str, mut done: impl FnMut() -> bool) {
    for _ in 0..1000 {
        if done() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never: {what}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_succeed_on_all_kinds_with_contiguous_phases() {
    for kind in crate::workers::WORKERS {
        let pool = pool(kind.name(), 2).await;
        for size in [0, 1, 100, 70_000, 1 << 20] {
            let payload = vec![size as u8; size];
            let reply = pool.call(job(100_000, payload.clone())).await;
            assert_echo(&reply, &payload);
            let phases = [Phase::Queue, Phase::Dispatch, Phase::Service, Phase::Return].map(|phase| reply.times.span(phase).unwrap());
            assert!(phases.windows(2).all(|pair| pair[0].1 == pair[1].0), "{}: a gap in {phases:?}", kind.name());
            assert!(reply.times.length(Phase::Service) >= 100_000);
            assert_eq!((reply.placement.attempts, reply.placement.worker.is_some()), (1, true));
        }
        let snapshot = pool.snapshot();
        assert_conserved(&snapshot);
        assert!(snapshot.busy_ns[0] >= 5 * 100_000 && snapshot.busy_ns[0] <= snapshot.existing_ns[0]);
        assert_eq!(snapshot.existing_ns[1..], [0, 0, 0]);
        assert_eq!(snapshot.live_pids.len(), if kind.name() == "process" { 2 } else { 0 });
        let deaths = pool.drain().await;
        assert_eq!(deaths.len(), 2);
        assert!(deaths.iter().all(|death| death.expected && death.busy.is_none()), "{deaths:?}");
        assert_eq!(pool.reaped_cpu_ns() > 0, kind.name() == "process");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_spinning_child_s_cpu_time_is_counted_when_it_is_reaped() {
    let pool = pool("process", 1).await;
    let mut burn = job(30_000_000, "x");
    burn.work.how = How::Spin;
    pool.call(burn).await;
    assert_eq!(pool.reaped_cpu_ns(), 0, "it still lives");
    pool.drain().await;
    assert!(pool.reaped_cpu_ns() > 1_000_000, "{}", pool.reaped_cpu_ns());
}

struct Refuses;
impl Handler for Refuses {
    fn handle(&self, _: &Bytes) -> Result<Bytes, String> {
        Err("no such page".into())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tool_s_own_error_is_told_and_kills_nobody() {
    let deps = Deps { handler: Arc::new(Refuses), ..deps() };
    let pool = Pool::start(config("function", 1, &[]), deps).await.unwrap();
    let reply = pool.call(job(0, "x")).await;
    assert_eq!((reply.outcome, reply.error.as_deref()), (Outcome::ToolError, Some("no such page")));
    assert!(reply.body.is_empty());
    assert_eq!(pool.deaths().len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_can_never_be_served_fails_with_the_remedy() {
    let pool = Pool::start(config("simulated", 1, &[("pool.frame-max", "2048")]), deps()).await.unwrap();
    let reply = pool.call(job(0, vec![0; 2048])).await;
    assert_eq!(reply.outcome, Outcome::Failed);
    assert!(reply.error.unwrap().contains("raise frame-max"));
    assert_echo(&pool.call(job(0, vec![1; 1500])).await, &[1; 1500]);
    let reply = pool.call(Job { tool: ToolId(9), ..job(0, "x") }).await;
    assert!(reply.error.unwrap().contains("there is no tool 9"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_past_its_deadline_expires_while_the_worker_is_busy() {
    let pool = pool("simulated", 1).await;
    let deadline = Some(MonotonicClock.now() + 20_000_000);
    let late = pool.call(Job { deadline, ..job(60_000_000_000, "x") });
    let reply = tokio::time::timeout(Duration::from_secs(20), late).await.expect("it must not wait for the worker");
    assert_eq!(reply.outcome, Outcome::Expired);
    assert!(reply.body.is_empty());
    assert_echo(&pool.call(job(0, "y")).await, b"y");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropping_a_call_cancels_it_wherever_it_is() {
    for kind in ["simulated", "process"] {
        let pool = pool(kind, 1).await;
        let mut running = Box::pin(pool.call(job(60_000_000_000, "x")));
        let mut waiting = Box::pin(pool.call(job(60_000_000_000, "x")));
        tokio::select! {
            biased;
            _ = &mut running => panic!("done"),
            _ = &mut waiting => panic!("done"),
            () = eventually("one runs and one waits", || { let s = pool.snapshot(); (s.in_flight, s.queued) == (1, 1) }) => {}
        }
        drop(waiting);
        assert_eq!(pool.snapshot().queued, 0);
        drop(running);
        assert_eq!(pool.snapshot().in_flight, 0);
        // The worker is replaced once its grace is over.
        assert_echo(&pool.call(job(0, "y")).await, b"y");
        assert_eq!(pool.snapshot().core.totals.finished_with(Outcome::Cancelled), 2);
        assert_conserved(&pool.snapshot());
    }
}
