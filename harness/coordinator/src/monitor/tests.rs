use std::collections::BTreeMap;
use std::path::Path;

use hyper::body::Bytes;
use pool::clock::MonotonicClock;
use pool::core::Outcome;
use pool::times::{Phase, RequestTimes};
use pool::{Deps, Echo, Handler, How, Spawner, Work, WorkerCommand};
use tempfile::TempDir;

use super::*;
use crate::{Config, Coordinator, Request, Response};

/// After which a wait is a failure: far beyond what any step takes on a busy host.
pub(super) const PATIENCE: std::time::Duration = std::time::Duration::from_secs(30);

/// A coordinator in a directory of its own.
pub(super) struct Rig {
    pub(super) coordinator: Coordinator,
    pub(super) dir: TempDir,
}

/// Echoes, but refuses what begins with `no`.
struct Picky;

impl Handler for Picky {
    fn handle(&self, payload: &Bytes) -> Result<Bytes, String> {
        if payload.starts_with(b"no") { Err("refused".to_owned()) } else { Echo.handle(payload) }
    }
}

impl Rig {
    /// Two hot function workers and whatever else is set.
    pub(super) async fn open(extra: &[(&str, &str)]) -> Rig {
        let base = [
            ("pool.tools.echo.tier", "hot"),
            ("pool.tools.heavy.tier", "cold"),
            ("pool.dispatch", "tiered"),
            ("pool.hot.worker", "function"),
            ("pool.hot.min-ready", "2"),
            ("pool.hot.spares", "0"),
            ("pool.hot.max", "2"),
            ("pool.hot.limit", "1000000"),
            ("pool.warm.max", "0"),
            ("pool.cold.max", "0"),
            ("store.kind", "none"),
        ];
        let settings: BTreeMap<String, String> = base.iter().chain(extra).map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let deps = Deps {
            clock: Arc::new(MonotonicClock),
            seed: 1,
            handler: Arc::new(Picky),
            worker_command: WorkerCommand { program: "unused".into(), args: Vec::new() },
            spawner: Spawner::start().unwrap(),
            log: None,
        };
        let dir = tempfile::tempdir().unwrap();
        let coordinator = Coordinator::open(Config::from_settings(&settings).unwrap(), deps, dir.path()).await.unwrap();
        Rig { coordinator, dir }
    }

    pub(super) fn monitor(&self) -> Arc<Monitor> {
        self.coordinator.monitor()
    }

    pub(super) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(super) fn request(text: &str, work_ns: u64) -> Request {
        let mut times = RequestTimes::default();
        times.begin(Phase::Admit, MonotonicClock.now());
        Request {
            tool: pool::core::ToolId(0),
            session: None,
            deadline: None,
            work: Work { ns: work_ns, how: How::Sleep, fault: None },
            payload: Bytes::copy_from_slice(text.as_bytes()),
            accept: Arc::from("identity"),
            times,
            cost: None,
            progress: None,
        }
    }

    pub(super) async fn call(&self, text: &str, work_ns: u64) -> Response {
        self.coordinator.call(Rig::request(text, work_ns)).await
    }

    /// The text, but not a reading that is used again.
    pub(super) fn fresh_text(&self) -> String {
        std::thread::sleep(std::time::Duration::from_nanos(SNAPSHOT_AGE_NS));
        self.monitor().text()
    }
}

/// The value of the sample that begins so.
#[track_caller]
pub(super) fn sample(text: &str, series: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {series} in\n{text}")).parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_is_counted_once_as_what_became_of_it() {
    let rig = Rig::open(&[]).await;
    for _ in 0..5 {
        assert_eq!(rig.call("a", 0).await.outcome, Outcome::Ok);
    }
    assert_eq!(rig.call("slow", 3_000_000).await.outcome, Outcome::Ok);
    assert_eq!(rig.call("no", 0).await.outcome, Outcome::ToolError);
    let mut unacceptable = Rig::request("a", 0);
    unacceptable.accept = Arc::from("identity;q=0");
    assert_eq!(rig.coordinator.call(unacceptable).await.outcome, Outcome::Failed);
    // One whose caller goes away.
    let gone = tokio::time::timeout(std::time::Duration::from_millis(20), rig.call("gone", 300_000_000)).await;
    assert!(gone.is_err());
    let text = rig.fresh_text();
    let expected = [
        ("poolbench_requests_received_total", 9.0),
        ("poolbench_requests_total{tier=\"hot\",outcome=\"ok\"}", 6.0),
        ("poolbench_requests_total{tier=\"hot\",outcome=\"tool-error\"}", 1.0),
        ("poolbench_requests_total{tier=\"none\",outcome=\"failed\"}", 1.0),
        ("poolbench_requests_total{tier=\"none\",outcome=\"cancelled\"}", 1.0),
        ("poolbench_requests_in_flight", 0.0),
        ("poolbench_served_total{tier=\"hot\",served=\"hot\"}", 7.0),
        ("poolbench_predictions_total{predicted=\"hot\",real=\"hot\"}", 6.0),
        ("poolbench_request_seconds_count{tier=\"hot\"}", 6.0),
        ("poolbench_request_seconds_bucket{le=\"+Inf\",tier=\"hot\"}", 6.0),
        ("poolbench_phase_seconds_count{phase=\"service\",tier=\"hot\"}", 6.0),
        ("poolbench_slots{partition=\"hot\",state=\"ready\"}", 2.0),
        ("poolbench_spawns_total", 2.0),
        ("poolbench_ready", 1.0),
    ];
    for (series, value) in expected {
        assert_eq!(sample(&text, series), value, "{series}");
    }
    // The slow one took longer than the hot tier's limit of 1 ms.
    assert!(sample(&text, "poolbench_request_seconds_sum{tier=\"hot\"}") >= 0.003);
    assert!(!text.contains("phase=\"lag\"") && !text.contains("phase=\"persist\""), "phases that never happened have no row");
    assert!(text.ends_with("# EOF\n"));
    rig.coordinator.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drained_pool_is_not_ready_and_says_so() {
    let rig = Rig::open(&[]).await;
    assert_eq!(rig.monitor().health(), Health { live: true, ready: true, degraded: false, draining: false, reasons: Vec::new() });
    let monitor = rig.monitor();
    rig.coordinator.clone().close().await.unwrap();
    std::thread::sleep(std::time::Duration::from_nanos(SNAPSHOT_AGE_NS));
    let health = monitor.health();
    assert!(!health.ready && health.draining && health.has("draining"), "{health:?}");
    let text = rig.fresh_text();
    assert_eq!(sample(&text, "poolbench_deaths_total{cause=\"closed\"}"), 2.0);
    assert_eq!(sample(&text, "poolbench_degraded{reason=\"draining\"}"), 1.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pools_lock_is_taken_no_oftener_than_said() {
    let rig = Rig::open(&[]).await;
    let monitor = rig.monitor();
    let before = monitor.between(|b| b.now.at);
    let begun = MonotonicClock.now();
    let mut readings = std::collections::BTreeSet::new();
    for _ in 0..200 {
        readings.insert(monitor.between(|b| b.now.at));
    }
    let most = (MonotonicClock.now() - begun) / SNAPSHOT_AGE_NS + 2;
    assert!(readings.len() as u64 <= most, "{} readings", readings.len());
    assert!(readings.iter().all(|at| *at >= before));
}
