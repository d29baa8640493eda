//! A log of what entered the core of a live pool, of real processes in trouble, replays through a fresh core to the identical actions.

use std::sync::Mutex;

use super::*;
use crate::core::{Core, Timer};

type Step = (Nanos, Event, Vec<Action>);

/// Loads the pool, kills its workers, gives up on calls, ends sessions, reloads and drains; what its core was told and said meanwhile.
async fn recorded(config: Config) -> (Vec<Step>, crate::core::Totals) {
    let steps: Arc<Mutex<Vec<Step>>> = Arc::default();
    let sink = Arc::clone(&steps);
    let log: EventLog = Arc::new(move |now, event, actions| sink.lock().unwrap().push((now, *event, actions.to_vec())));
    let pool = Pool::start(config, Deps { log: Some(log), ..deps() }).await.unwrap();
    let calls: Vec<_> = (0..200u64).map(|n| tokio::spawn(one_call(pool.clone(), n))).collect();
    let reload = {
        let pool = pool.clone();
        tokio::spawn(async move { pool.reload().await })
    };
    for n in 0..12 {
        tokio::time::sleep(Duration::from_millis(10)).await;
        pool.disturb(DisturbTarget::AnyBusy, if n % 4 == 0 { Disturbance::Stall(2_000_000) } else { Disturbance::Kill });
        pool.end_session(SessionKey(n % 3));
    }
    for call in calls {
        call.await.unwrap();
    }
    (0..7).for_each(|n| pool.end_session(SessionKey(n)));
    reload.await.unwrap();
    let long = pool.clone();
    let deadline = Some(MonotonicClock.now() + 3_600_000_000_000);
    let left_at_the_drain = tokio::spawn(async move { long.call(Job { deadline, ..job(3_600_000_000_000, "x") }).await.outcome });
    eventually("it is at a worker", || pool.snapshot().in_flight == 1).await;
    pool.drain().await;
    assert_eq!(left_at_the_drain.await.unwrap(), Outcome::OutcomeUnknown);
    let totals = pool.snapshot().core.totals;
    (std::mem::take(&mut *steps.lock().unwrap()), totals)
}

async fn one_call(pool: Pool, n: u64) {
    tokio::time::sleep(Duration::from_millis(n % 200)).await;
    let tool = ToolId((n % 2) as u16);
    let call = pool.call(Job { tool, session: Some(SessionKey(n % 7)), ..job((n % 13) * 1_000_000, "x") });
    let patience = Duration::from_millis(if n % 5 == 1 { 3 } else { 60_000 });
    let _ = tokio::time::timeout(patience, call).await;
}

fn assert_replays(config: &Config, steps: &[Step], totals: &crate::core::Totals) {
    let mut core = Core::new(config);
    for (n, (now, event, actions)) in steps.iter().enumerate() {
        let mut again = Vec::new();
        core.step(*now, *event, &mut again);
        assert_eq!(again, *actions, "step {n}: {event:?}");
    }
    assert_eq!(core.totals(), totals);
}

/// The log holds what it is about; else its replay would say little.
fn assert_holds(steps: &[Step], what: &str, is: impl Fn(&Event) -> bool) {
    assert!(steps.iter().any(|(_, event, _)| is(event)), "{} steps, but no {what}", steps.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_of_stateful_workers_replays_to_the_identical_actions() {
    let settings = [
        ("pool.affinity", "strict"),
        ("pool.stateful", "true"),
        ("pool.recycle", "reset"),
        ("pool.deadline", "40000000"),
        ("pool.queue-len", "5"),
        ("pool.drain-timeout", "1"),
        ("pool.tools.twice.tier", "hot"),
        ("pool.tools.twice.replayable", "true"),
    ];
    let config = config("process", 3, &settings);
    let (steps, totals) = recorded(config.clone()).await;
    assert_holds(&steps, "reset", |event| matches!(event, Event::ResetDone(_)));
    assert_holds(&steps, "death", |event| matches!(event, Event::Exited(_)));
    assert_holds(&steps, "end of a session", |event| matches!(event, Event::EndSession(_)));
    assert_holds(&steps, "reload", |event| *event == Event::Reload);
    assert_holds(&steps, "drain", |event| *event == Event::Drain);
    assert_replays(&config, &steps, &totals);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_of_shared_workers_replays_to_the_identical_actions() {
    let settings = [
        ("pool.dispatch", "shared"),
        ("pool.shared.worker", "process"),
        ("pool.shared.min-ready", "3"),
        ("pool.shared.max", "4"),
        ("pool.affinity", "soft"),
        ("pool.predict", "learned"),
        ("pool.ageing", "5000000"),
        ("pool.probe-idle", "10000000"),
        ("pool.drain-timeout", "1"),
        ("pool.tools.heavy.tier", "cold"),
    ];
    let config = config("process", 3, &settings);
    let (steps, totals) = recorded(config.clone()).await;
    assert_holds(&steps, "cancellation", |event| matches!(event, Event::Cancel(_)));
    assert_holds(&steps, "death", |event| matches!(event, Event::Exited(_)));
    assert_holds(&steps, "backoff", |event| matches!(event, Event::Timer(Timer::Backoff(_))));
    assert_holds(&steps, "reload", |event| *event == Event::Reload);
    assert_holds(&steps, "drain", |event| *event == Event::Drain);
    assert_replays(&config, &steps, &totals);
}
