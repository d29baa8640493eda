use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::Instant;

use pool::core::Outcome;
use serde_json::Value;

use super::*;
use crate::monitor::tests::{PATIENCE, Rig, sample};

fn rule(name: &str, fields: &[(&str, &str)]) -> Rule {
    let base = [("metric", "busy-workers"), ("threshold", "0"), ("retries", "3"), ("backoff", "10000000")];
    let fields: BTreeMap<String, String> = base.iter().chain(fields).map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    Rule::parse(name, &fields).unwrap()
}

/// A hook that runs a script of the shell's.
fn shell(script: &str) -> String {
    serde_json::to_string(&["/bin/sh", "-c", script]).unwrap()
}

fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    // The last one may be half written.
    text.split_inclusive('\n').filter(|l| l.ends_with('\n')).map(|l| serde_json::from_str(l).unwrap()).collect()
}

async fn until(what: &str, mut done: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < PATIENCE, "{what} did not happen");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn did<'a>(log: &'a [Value], what: &str) -> Vec<&'a Value> {
    log.iter().filter(|line| line["did"] == what).collect()
}

/// Accepts POSTs for ever; gives each body to `seen` and answers with its status.
fn listener(mut answer: impl FnMut(Value) -> &'static str + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook?a=b", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let (mut got, mut buffer) = (Vec::new(), [0; 4096]);
            let body = loop {
                let n = stream.read(&mut buffer).unwrap();
                got.extend_from_slice(&buffer[..n]);
                let text = String::from_utf8_lossy(&got).into_owned();
                if let Some((head, body)) = text.split_once("\r\n\r\n").filter(|(_, body)| body.ends_with('\n')) {
                    assert!(
                        head.starts_with("POST /hook?a=b HTTP/1.1") && head.to_lowercase().contains("content-type: application/json"),
                        "{head}"
                    );
                    break body.to_owned();
                }
            };
            let status = answer(serde_json::from_str(&body).unwrap());
            let _ = write!(stream, "HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
        }
    });
    url
}

#[tokio::test(flavor = "multi_thread")]
async fn both_hooks_are_told_once_of_a_breach_and_once_of_its_end() {
    let rig = Rig::open(&[]).await;
    let (told, log) = (rig.path().join("told"), rig.path().join("alerts.jsonl"));
    let posted = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&posted);
    let url = listener(move |body| {
        seen.lock().unwrap().push(body);
        "204 No Content"
    });
    let exec = shell(&format!("cat >> {}", told.display()));
    let rules = vec![rule("busy", &[("exec", &exec), ("webhook", &url), ("severity", "critical")]), rule("never", &[("threshold", "99")])];
    let alerts = start(rules, rig.monitor(), LogTo::File(log.clone())).unwrap();
    assert_eq!(rig.call("a", 600_000_000).await.outcome, Outcome::Ok);
    until("both tellings", || lines(&told).len() >= 2 && posted.lock().unwrap().len() >= 2).await;
    let text = rig.fresh_text();
    assert_eq!(sample(&text, "poolbench_alert_firing{alert=\"busy\"}"), 0.0);
    assert_eq!(sample(&text, "poolbench_alert_firing{alert=\"never\"}"), 0.0);
    alerts.stop().await;
    for told in [lines(&told), posted.lock().unwrap().clone()] {
        assert_eq!(told.len(), 2, "{told:?}");
        assert_eq!((&told[0]["state"], &told[1]["state"]), (&"firing".into(), &"recovered".into()));
        assert_eq!((&told[0]["alert"], &told[0]["severity"], &told[0]["value"]), (&"busy".into(), &"critical".into(), &1.0.into()));
        assert_eq!((&told[0]["condition"], &told[0]["attempt"]), (&"busy-workers > 0".into(), &1.into()));
        assert_ne!(told[0]["id"], told[1]["id"]);
    }
    let log = lines(&log);
    assert_eq!((did(&log, "pending").len(), did(&log, "delivered").len(), log.len()), (4, 4, 8), "{log:?}");
    assert_eq!(sample(&rig.fresh_text(), "poolbench_alert_deliveries_total{result=\"delivered\"}"), 4.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_that_hangs_is_killed_and_no_request_waits_for_it() {
    let rig = Rig::open(&[]).await;
    let (pid, log) = (rig.path().join("pid"), rig.path().join("alerts.jsonl"));
    // Its child hangs too, and neither reads what it is told.
    let exec = shell(&format!("echo $$ > {0}.new; mv {0}.new {0}; sleep 1000 & wait", pid.display()));
    let rules = vec![rule("hangs", &[("exec", &exec), ("timeout", "300000000"), ("retries", "0")])];
    let alerts = start(rules, rig.monitor(), LogTo::File(log.clone())).unwrap();
    let busy = tokio::spawn({
        let coordinator = rig.coordinator.clone();
        async move { coordinator.call(Rig::request("a", 700_000_000)).await.outcome }
    });
    until("the hook's start", || pid.exists()).await;
    let group = std::fs::read_to_string(&pid).unwrap().trim().to_owned();
    let begun = Instant::now();
    for _ in 0..50 {
        assert_eq!(rig.call("b", 0).await.outcome, Outcome::Ok);
    }
    assert!(Path::new("/proc").join(&group).exists() || begun.elapsed() > Duration::from_millis(200), "served while the hook hung");
    until("giving up", || !did(&lines(&log), "gave-up").is_empty()).await;
    let failed = lines(&log);
    assert!(did(&failed, "failed")[0]["why"].as_str().unwrap().contains("not done within 300ms"), "{failed:?}");
    assert!(!group_lives(&group), "the whole group is gone");
    assert_eq!(busy.await.unwrap(), Outcome::Ok);
    let stopping = Instant::now();
    alerts.stop().await;
    assert!(stopping.elapsed() < PATIENCE);
}

fn group_lives(group: &str) -> bool {
    let stats = std::fs::read_dir("/proc").unwrap().flatten().filter_map(|e| std::fs::read_to_string(e.path().join("stat")).ok());
    // Behind the name in parentheses: state, parent, group. The dead that nobody has reaped are dead.
    let fields = stats.filter_map(|s| Some(s.rsplit_once(')')?.1.split_whitespace().take(3).map(str::to_owned).collect::<Vec<_>>()));
    fields.into_iter().any(|f| f[0] != "Z" && f[2] == group)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_fails_is_tried_again_and_one_that_was_given_up_by_the_next_process() {
    let rig = Rig::open(&[]).await;
    let (told, log, marks) = (rig.path().join("told"), rig.path().join("alerts.jsonl"), rig.path().join("marks"));
    let second_time = format!("echo x >> {0}; test $(wc -l < {0}) -ge 2 && cat >> {1}", marks.display(), told.display());
    let refused = listener(|_| "503 Service Unavailable");
    let fields = [("exec", &*shell(&second_time)), ("webhook", &*refused), ("retries", "1")];
    let alerts = start(vec![rule("busy", &fields)], rig.monitor(), LogTo::File(log.clone())).unwrap();
    assert_eq!(rig.call("a", 400_000_000).await.outcome, Outcome::Ok);
    until("giving up twice", || did(&lines(&log), "gave-up").len() == 2 && lines(&told).len() == 2).await;
    alerts.stop().await;
    assert_eq!(lines(&told)[0]["attempt"], 2, "the first try failed");
    let first = lines(&log);
    assert!(did(&first, "failed").iter().any(|l| l["why"].as_str().unwrap().contains("503")), "{first:?}");
    // The next process has another address for it, and delivers under the same ids.
    let posted = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&posted);
    let works = listener(move |body| {
        seen.lock().unwrap().push(body["id"].as_str().unwrap().to_owned());
        "200 OK"
    });
    let next = Rig::open(&[]).await;
    let fields = [("exec", &*shell(&second_time)), ("webhook", &*works)];
    let alerts = start(vec![rule("busy", &fields)], next.monitor(), LogTo::File(log.clone())).unwrap();
    until("the second telling", || posted.lock().unwrap().len() == 2).await;
    alerts.stop().await;
    let pending: Vec<_> =
        did(&first, "pending").into_iter().filter(|l| l["hook"] == "webhook").map(|l| l["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(*posted.lock().unwrap(), pending);
    assert_eq!(lines(&told).len(), 2, "what was delivered is not delivered again");
    assert_eq!(sample(&next.fresh_text(), "poolbench_alert_deliveries_total{result=\"delivered\"}"), 2.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_that_fired_when_the_process_ended_recovers_in_the_next() {
    let rig = Rig::open(&[]).await;
    let (told, log) = (rig.path().join("told"), rig.path().join("alerts.jsonl"));
    let fields =
        [("metric", "ready-workers"), ("compare", "<"), ("threshold", "3"), ("exec", &*shell(&format!("cat >> {}", told.display())))];
    let alerts = start(vec![rule("few", &fields)], rig.monitor(), LogTo::File(log.clone())).unwrap();
    until("the firing", || lines(&told).len() == 1).await;
    alerts.stop().await;
    let again = start(vec![rule("few", &fields)], rig.monitor(), LogTo::File(log.clone())).unwrap();
    tokio::time::sleep(LOOK * 2).await;
    again.stop().await;
    assert_eq!(lines(&told).len(), 1, "still the same breach");
    let more = Rig::open(&[("pool.hot.max", "3"), ("pool.hot.min-ready", "3")]).await;
    let third = start(vec![rule("few", &fields)], more.monitor(), LogTo::File(log)).unwrap();
    until("the recovery", || lines(&told).len() == 2).await;
    third.stop().await;
    assert_eq!(lines(&told)[1]["state"], "recovered");
}

fn at(id: u32, state: Turn) -> Alert {
    let (alert, severity, condition) = ("r".to_owned(), "info".to_owned(), "x > 0".to_owned());
    Alert { id: id.to_string(), alert, state, severity, condition, value: None, at_unix_ms: u64::from(id) }
}

#[tokio::test]
async fn within_the_rate_limit_pairs_are_left_out_and_the_last_state_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let told: PathBuf = dir.path().join("told");
    let limit = [("exec", &*shell(&format!("cat >> {}", told.display()))), ("rate-limit", "200000000")];
    let rule = rule("r", &limit);
    let board = Arc::new(Board { alerts: Vec::new(), deliveries: Default::default() });
    let log = Log::open(LogTo::File(dir.path().join("alerts.jsonl"))).unwrap();
    let line = Line::new(&rule, &rule.hooks[0], Shared { log: Arc::new(Mutex::new(log)), board: Arc::clone(&board) });
    let task = tokio::spawn({
        let line = Arc::clone(&line);
        async move { line.run(|_| {}).await }
    });
    line.push(at(1, Turn::Firing));
    until("the first", || lines(&told).len() == 1).await;
    for id in 2..=6 {
        line.push(at(id, if id % 2 == 0 { Turn::Recovered } else { Turn::Firing }));
    }
    until("the last", || lines(&told).len() == 2).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    task.abort();
    let ids: Vec<_> = lines(&told).iter().map(|l| l["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids, ["1", "6"]);
    let counts = board.read().1;
    assert_eq!((counts[DELIVERED], counts[LEFT_OUT]), (2, 4));
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_and_logs_that_cannot_be_are_refused() {
    let rig = Rig::open(&[]).await;
    let go = |rules, log| start(rules, rig.monitor(), log).err().unwrap().to_string();
    let sink = || LogTo::Writer(Box::new(std::io::sink()));
    assert!(go(vec![rule("a", &[]), rule("a", &[])], sink()).contains("two alerts are named 'a'"));
    assert!(go((0..=RULES_MAX).map(|i| rule(&i.to_string(), &[])).collect(), sink()).contains("65 alerts are more than 64"));
    assert!(go(Vec::new(), LogTo::File(rig.path().join("no/such"))).contains("choose a file"));
    let missing = [("exec", "/no/such/program"), ("retries", "0"), ("metric", "ready-workers")];
    let log = rig.path().join("log");
    let alerts = start(vec![rule("a", &missing)], rig.monitor(), LogTo::File(log.clone())).unwrap();
    until("giving up", || !did(&lines(&log), "gave-up").is_empty()).await;
    alerts.stop().await;
    let log = lines(&log);
    assert!(did(&log, "failed")[0]["why"].as_str().unwrap().contains("cannot start '/no/such/program'"), "{log:?}");
}
