use std::collections::BTreeMap;

use pool::clock::MonotonicClock;
use pool::{Echo, How, Spawner, WorkerCommand};
use store::compress::decode;

use super::*;

fn config(extra: &[(&str, &str)]) -> Config {
    let base = [
        ("pool.tools.echo.tier", "hot"),
        ("pool.dispatch", "tiered"),
        ("pool.hot.worker", "function"),
        ("pool.warm.max", "0"),
        ("pool.cold.max", "0"),
        ("pool.warm.spares", "0"),
        ("store.kind", "files"),
        ("store.files.sync", "none"),
        ("session.keep", "1000"),
    ];
    let settings: BTreeMap<String, String> = base.iter().chain(extra).map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    Config::from_settings(&settings).unwrap()
}

async fn open(extra: &[(&str, &str)], dir: &Path) -> Coordinator {
    let deps = Deps {
        clock: Arc::new(MonotonicClock),
        seed: 1,
        handler: Arc::new(Echo),
        worker_command: WorkerCommand { program: "unused".into(), args: Vec::new() },
        spawner: Spawner::start().unwrap(),
        log: None,
    };
    Coordinator::open(config(extra), deps, dir).await.unwrap()
}

fn request(coordinator: &Coordinator, session: &str, text: &str) -> Request {
    let mut times = RequestTimes::default();
    times.begin(Phase::Admit, MonotonicClock.now());
    Request {
        tool: coordinator.inner.config.pool.tool("echo").unwrap(),
        session: Some(SessionId::try_from(session).unwrap()),
        deadline: None,
        work: Work::new(0, How::Sleep),
        payload: Bytes::copy_from_slice(text.as_bytes()),
        accept: Arc::from("zstd, gzip;q=0.5"),
        times,
        cost: None,
        progress: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_passes_through_all_phases_and_its_answer_is_right() {
    let dir = tempfile::tempdir().unwrap();
    let coordinator = open(&[], dir.path()).await;
    let text = "a line that compresses well. ".repeat(100);
    let response = coordinator.call(request(&coordinator, "s-1", &text)).await;
    assert_eq!((response.outcome, response.codec), (Outcome::Ok, Codec::Zstd), "{:?}", response.error);
    let plain = decode(response.codec, &response.body, 1 << 20).unwrap();
    assert_eq!((plain.len(), response.body.len() < plain.len() / 2), (response.encoded_bytes, true));
    let document: serde_json::Value = serde_json::from_slice(&plain).unwrap();
    assert_eq!((document["result"].as_str(), document["turn"].as_u64()), (Some(text.as_str()), Some(1)));
    let spans: Vec<_> = Phase::ALL.iter().filter_map(|p| response.times.span(*p)).collect();
    // `lag` and `reply` are stamped by the caller.
    assert_eq!(spans.len(), 10, "{:?}", response.times);
    assert!(spans.windows(2).all(|w| w[0].1 <= w[1].0), "phases follow each other: {spans:?}");
    coordinator.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_clients_on_one_session_lose_no_update() {
    for kind in ["files", "sqlite"] {
        let dir = tempfile::tempdir().unwrap();
        let coordinator =
            open(&[("store.kind", kind), ("pool.hot.max", "4"), ("pool.hot.min-ready", "4"), ("pool.hot.spares", "0")], dir.path()).await;
        let clients: Vec<_> = (0..8)
            .map(|client| {
                let coordinator = coordinator.clone();
                tokio::spawn(async move {
                    for turn in 0..25 {
                        let response = coordinator.call(request(&coordinator, "shared", &format!("client {client} turn {turn}"))).await;
                        assert_eq!(response.outcome, Outcome::Ok, "{:?}", response.error);
                    }
                })
            })
            .collect();
        for client in clients {
            client.await.unwrap();
        }
        let session = coordinator.store().unwrap().load(&SessionId::try_from("shared").unwrap()).await.unwrap().unwrap();
        assert_eq!(session.turns(), 200, "{kind}");
        let said: std::collections::BTreeSet<&str> = session.messages().iter().map(|m| m.text.as_str()).collect();
        assert_eq!(said.len(), 200, "every change is in the session: {kind}");
        coordinator.close().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_served_ends_with_its_own_outcome() {
    let dir = tempfile::tempdir().unwrap();
    let coordinator = open(&[("session.queue-len", "1"), ("compress.offer", "none")], dir.path()).await;
    let mut picky = request(&coordinator, "a", "x");
    picky.accept = Arc::from("identity;q=0");
    let refused = coordinator.call(picky).await;
    assert_eq!((refused.outcome, refused.placement), (Outcome::Failed, None), "refused before any work");
    let mut slow = request(&coordinator, "a", "x");
    slow.work.ns = 200_000_000;
    let (first, second) = tokio::join!(coordinator.call(slow), coordinator.call(request(&coordinator, "a", "y")));
    let outcomes = [first.outcome, second.outcome];
    assert!(outcomes.contains(&Outcome::Ok) && outcomes.contains(&Outcome::Shed), "{outcomes:?}");
    let mut late = request(&coordinator, "a", "z");
    late.deadline = Some(MonotonicClock.now() + 1);
    assert_ne!(coordinator.call(late).await.outcome, Outcome::Ok);
    assert_eq!(coordinator.inner.in_flight.load(Ordering::Relaxed), 0);
    coordinator.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_corrupt_session_is_an_error_not_a_fresh_start() {
    let dir = tempfile::tempdir().unwrap();
    let coordinator = open(&[], dir.path()).await;
    assert_eq!(coordinator.call(request(&coordinator, "s", "one")).await.outcome, Outcome::Ok);
    let file = walk(dir.path()).into_iter().find(|p| std::fs::read_to_string(p).is_ok_and(|t| t.contains("\"one\""))).unwrap();
    std::fs::write(&file, "{ not json").unwrap();
    let response = coordinator.call(request(&coordinator, "s", "two")).await;
    assert_eq!(response.outcome, Outcome::Failed);
    assert!(response.error.unwrap().contains("not loaded"));
    assert!(walk(dir.path()).iter().any(|p| p.to_string_lossy().contains("corrupt")), "set aside");
    coordinator.close().await.unwrap();
}

fn walk(dir: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().path());
    entries.flat_map(|p| if p.is_dir() { walk(&p) } else { vec![p] }).collect()
}
