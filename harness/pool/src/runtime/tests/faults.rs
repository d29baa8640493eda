//! Workers that are killed and stopped while they serve.

use super::*;
use crate::core::types::SlotId;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_while_busy_gives_one_unknown_outcome_and_the_worker_comes_back() {
    for (kind, status) in [("process", "signal 9 (SIGKILL)"), ("simulated", "aborted"), ("function", "aborted")] {
        let pool = pool(kind, 1).await;
        let call = {
            let pool = pool.clone();
            tokio::spawn(async move { pool.call(job(60_000_000_000, "x")).await })
        };
        let mut victim = None;
        eventually("a busy worker", || {
            victim = pool.disturb(DisturbTarget::AnyBusy, Disturbance::Kill);
            victim.is_some()
        })
        .await;
        let reply = call.await.unwrap();
        assert_eq!(reply.outcome, Outcome::OutcomeUnknown, "{kind}");
        assert_eq!(reply.placement.worker, victim);
        assert!(reply.error.unwrap().contains(status));
        assert_echo(&pool.call(job(0, "y")).await, b"y");
        let deaths = pool.deaths();
        assert_eq!((deaths.len(), deaths[0].status.as_str(), deaths[0].expected), (1, status, false));
        assert!(deaths[0].busy.is_some() && Some(deaths[0].worker) == victim);
        assert_eq!(pool.drain().await.len(), 2);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_fire_every_call_has_one_outcome_and_wrong_answers_are_none() {
    let pool = pool("process", 2).await;
    let calls: Vec<_> = (0..400u32)
        .map(|n| {
            let pool = pool.clone();
            tokio::spawn(async move {
                let payload = vec![n as u8; 40 + (n as usize * 997) % 150_000];
                let reply = pool.call(job(u64::from(n % 4) * 300_000, payload.clone())).await;
                match reply.outcome {
                    Outcome::Ok => assert_echo(&reply, &payload),
                    Outcome::OutcomeUnknown => assert!(reply.error.unwrap().contains("worker died"), "{n}"),
                    Outcome::Failed => assert!(reply.placement.attempts > 0, "{n}"),
                    other => panic!("{n}: {other:?}"),
                }
                reply.outcome
            })
        })
        .collect();
    for n in 0..30 {
        tokio::time::sleep(Duration::from_millis(4)).await;
        let what = if n % 3 == 0 { Disturbance::Stall(5_000_000) } else { Disturbance::Kill };
        pool.disturb(DisturbTarget::AnyBusy, what);
    }
    let mut seen = BTreeMap::new();
    for call in calls {
        *seen.entry(call.await.unwrap()).or_insert(0u64) += 1;
    }
    let snapshot = pool.snapshot();
    assert_conserved(&snapshot);
    assert_eq!((snapshot.in_flight, snapshot.queued), (0, 0));
    for outcome in Outcome::ALL {
        assert_eq!(snapshot.core.totals.finished_with(outcome), seen.get(&outcome).copied().unwrap_or(0), "{}", outcome.name());
    }
    assert!(seen[&Outcome::Ok] > 0 && snapshot.deaths > 0, "{seen:?}");
    pool.drain().await;
    assert_eq!(pool.snapshot().live_pids, [0u32; 0]);
}

/// On one thread: if a call blocked it, nothing else would ever run.
#[tokio::test]
async fn a_stopped_child_blocks_neither_the_thread_nor_its_neighbour() {
    let pool = pool("process", 2).await;
    pool.disturb(DisturbTarget::Slot(SlotId(0)), Disturbance::Stall(700_000_000)).unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let payload = vec![3; 400_000];
    let (mut first, mut second) = (Box::pin(pool.call(job(0, payload.clone()))), Box::pin(pool.call(job(0, payload.clone()))));
    let (early, late) = tokio::select! {
        early = &mut first => (early, second.await),
        early = &mut second => (early, first.await),
    };
    assert_eq!([&early, &late].map(|reply| reply.placement.worker.unwrap().slot), [SlotId(1), SlotId(0)]);
    assert_echo(&early, &payload);
    assert_echo(&late, &payload);
    assert!(late.times.length(Phase::Dispatch) > early.times.length(Phase::Dispatch));
    pool.drain().await;
}

/// What was not wholly written cannot have run, so it is tried again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_was_not_wholly_written_survives_its_worker() {
    let pool = pool("process", 1).await;
    pool.disturb(DisturbTarget::Slot(SlotId(0)), Disturbance::Stall(60_000_000_000)).unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let payload = vec![3; 400_000];
    let call = pool.call(job(0, payload.clone()));
    let kill = async {
        eventually("dispatched", || pool.snapshot().in_flight == 1).await;
        pool.disturb(DisturbTarget::Slot(SlotId(0)), Disturbance::Kill);
    };
    let (reply, ()) = tokio::join!(call, kill);
    assert_echo(&reply, &payload);
    assert_eq!(reply.placement.attempts, 2);
    assert_eq!(pool.snapshot().core.totals.redispatches, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn draining_finishes_what_was_admitted_even_with_a_stopped_worker() {
    let pool = pool("process", 2).await;
    let call = {
        let pool = pool.clone();
        tokio::spawn(async move { pool.call(job(50_000_000, "x")).await })
    };
    eventually("in flight", || pool.snapshot().in_flight == 1).await;
    let idle = pool.snapshot().core.slots.iter().find(|slot| slot.busy.is_none()).unwrap().slot;
    pool.disturb(DisturbTarget::Slot(idle), Disturbance::Stall(60_000_000_000)).unwrap();
    let (deaths, again) = tokio::join!(pool.drain(), pool.drain());
    assert_eq!(deaths, again);
    assert_eq!(call.await.unwrap().outcome, Outcome::Ok);
    assert_eq!(deaths.len(), 2);
    let reply = pool.call(job(0, "late")).await;
    assert!(matches!(reply.outcome, Outcome::Shed | Outcome::Failed), "{:?}", reply.outcome);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deaths_are_kept_up_to_a_bound_and_counted_beyond() {
    let pool = Pool::start(config("simulated", 8, &[("pool.backoff", "1"), ("pool.backoff-cap", "1")]), deps()).await.unwrap();
    while pool.snapshot().deaths <= Death::KEPT as u64 {
        while pool.disturb(DisturbTarget::AnyReady, Disturbance::Kill).is_some() && pool.snapshot().deaths <= Death::KEPT as u64 {
            tokio::task::yield_now().await;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(pool.deaths().len(), Death::KEPT);
    assert_eq!(pool.drain().await.len(), Death::KEPT);
}
