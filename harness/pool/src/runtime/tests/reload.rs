//! A reload under load, a drain that ends, and shared dispatch, with real tasks and real children.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reload_replaces_every_worker_and_fails_no_request() {
    for kind in ["process", "function"] {
        let pool = Pool::start(config(kind, 3, &[("pool.spawn-jitter", "0")]), deps()).await.unwrap();
        let busy = {
            let pool = pool.clone();
            tokio::spawn(async move {
                let mut outcomes = Vec::new();
                for n in 0..150u64 {
                    let call = pool.call(job(n % 3 * 1_000_000, "reload"));
                    outcomes.push(call.await.outcome);
                }
                outcomes
            })
        };
        let others: Vec<_> = (0..2)
            .map(|_| {
                let pool = pool.clone();
                tokio::spawn(async move { pool.call(job(50_000_000, "long")).await.outcome })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(5)).await;
        assert!(pool.reload().await, "{kind}");
        assert!(busy.await.unwrap().iter().all(|outcome| *outcome == Outcome::Ok), "{kind}");
        for call in others {
            assert_eq!(call.await.unwrap(), Outcome::Ok, "{kind}");
        }
        let core = pool.snapshot().core;
        assert!(core.slots.iter().all(|slot| slot.generation == 2), "{kind}: {:?}", core.slots);
        assert_eq!((core.totals.deaths, core.totals.reloads, core.reloading), (0, 1, false), "{kind}");
        pool.drain().await;
        assert!(!pool.reload().await, "a drained pool is not reloaded");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drain_ends_in_time_whatever_is_in_flight() {
    let pool =
        Pool::start(config("process", 1, &[("pool.drain-timeout", "50000000"), ("pool.close-grace", "10000000")]), deps()).await.unwrap();
    let call = |ns: u64| {
        let pool = pool.clone();
        tokio::spawn(async move { pool.call(job(ns, "x")).await.outcome })
    };
    let running = call(3_600_000_000_000);
    eventually("it runs", || pool.snapshot().in_flight == 1).await;
    let waiting = call(0);
    eventually("it waits", || pool.snapshot().queued == 1).await;
    pool.drain().await;
    assert_eq!((running.await.unwrap(), waiting.await.unwrap()), (Outcome::OutcomeUnknown, Outcome::Shed));
    assert!(pool.snapshot().live_pids.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shared_workers_serve_every_class_and_are_counted_in_their_partition() {
    let settings =
        [("pool.dispatch", "shared"), ("pool.shared.worker", "function"), ("pool.shared.max", "4"), ("pool.tools.heavy.tier", "cold")];
    let pool = Pool::start(config("function", 1, &settings), deps()).await.unwrap();
    let calls: Vec<_> = (0..40u64)
        .map(|n| {
            let pool = pool.clone();
            tokio::spawn(async move { pool.call(Job { tool: ToolId((n % 2) as u16), ..job(2_000_000, "x") }).await })
        })
        .collect();
    for call in calls {
        assert_echo(&call.await.unwrap(), b"x");
    }
    let snapshot = pool.snapshot();
    assert_conserved(&snapshot);
    assert!(snapshot.busy_ns[3] > 0 && snapshot.busy_ns[..3] == [0, 0, 0]);
    pool.drain().await;
}
