//! The monitor and the alerts of a server, seen from outside.

use std::io::Read;
use std::net::{TcpListener, TcpStream};

use super::*;

/// What `curl -i` would print.
fn get(port: u16, path: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).unwrap();
    said
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[track_caller]
fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = std::time::Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "it never came to this: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn health_and_metrics_are_served_beside_the_calls() {
    let place = Place::new();
    let port = free_port();
    place.write("serve.toml", ONE_WORKER);
    let mut server = Server::start(&place, &["--config", "serve.toml", "--monitor", &format!("127.0.0.1:{port}")]);
    server.greet();
    assert_eq!(text(&server.called("wait", json!({ "ms": 1 }))), r#"{"ms":1}"#);
    let metrics = get(port, "/metrics");
    assert!(metrics.starts_with("HTTP/1.1 200") && metrics.trim_end().ends_with("# EOF"), "{metrics}");
    // A reading is used for some milliseconds.
    eventually("the call is counted", || get(port, "/metrics").lines().any(|l| l.contains("outcome=\"ok\"") && l.ends_with(" 1")));
    let health = get(port, "/health");
    assert!(health.starts_with("HTTP/1.1 200") && health.contains("\"ready\": true"), "{health}");
    server.ends_well(&place);
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err(), "the monitor ends with the server");
}

#[test]
fn a_port_in_use_or_a_bad_address_is_said_and_leaves_nobody() {
    let place = Place::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    place.poolbench(&["serve", "--monitor", &address]).refuses(1, &[&address, "in use"]);
    place.poolbench(&["serve", "--monitor", "nowhere"]).refuses(2, &["nowhere"]);
    place.write("serve.toml", &ONE_WORKER.replace("[server]", "[server]\nmonitor = \"there\""));
    place.poolbench(&["serve", "--config", "serve.toml"]).refuses(2, &["serve.toml:3: server.monitor", "there"]);
    place.nobody_left(Duration::ZERO);
}

#[test]
fn an_alert_fires_once_on_breach_and_once_on_recovery() {
    let place = Place::new();
    place.write("hook.sh", "cat >> told.jsonl; echo >> told.jsonl\n");
    let alert =
        "[[alert]]\nname = \"long-queue\"\nmetric = \"queue-depth\"\ncompare = \">=\"\nthreshold = 1\nexec = [\"sh\", \"hook.sh\"]\n";
    let config = format!("{}\n{alert}", ONE_WORKER.replace("[server]", "[server]\nalert-log = \"alerts.log\""));
    let mut server = Server::with(&place, &config);
    let told = || std::fs::read_to_string(place.path("told.jsonl")).unwrap_or_default();
    let count = || told().lines().filter(|l| !l.trim().is_empty()).count();
    let ids = [server.call("wait", json!({ "ms": 1500 })), server.call("wait", json!({ "ms": 1500 }))];
    eventually("the breach is told", || count() == 1);
    ids.into_iter().for_each(|id| drop(server.answer(id)));
    eventually("the recovery is told", || count() == 2);
    a_moment();
    assert_eq!(count(), 2, "nothing is told twice: {}", told());
    let told: Vec<Value> = told().lines().filter(|l| !l.trim().is_empty()).map(|l| serde_json::from_str(l).unwrap()).collect();
    assert!(told.iter().all(|t| t.to_string().contains("long-queue")), "{told:?}");
    server.ends_well(&place);
    assert!(place.path("alerts.log").exists());
}

#[test]
fn a_hook_that_hangs_holds_nobody_up() {
    let place = Place::new();
    let alert = "[[alert]]\nname = \"always\"\nmetric = \"queue-depth\"\ncompare = \">=\"\nthreshold = 0\nexec = \"sleep 600\"\n";
    let mut server = Server::with(&place, &format!("{ONE_WORKER}\n{alert}"));
    eventually("the hook runs", || place.alive().iter().any(|(_, line)| line.starts_with("sleep 600")));
    for _ in 0..20 {
        assert_eq!(text(&server.called("wait", json!({ "ms": 1 }))), r#"{"ms":1}"#);
    }
    server.hang_up();
    assert_eq!(server.ended().code(), Some(0));
    place.nobody_left(Duration::from_secs(1));
}

#[test]
fn an_alert_that_cannot_be_is_said_with_its_line() {
    let place = Place::new();
    for (alert, says) in [
        ("metric = \"queue-depth\"\n", "an alert needs a name"),
        ("name = \"a\"\nmetric = \"queue-depht\"\nthreshold = 1\nexec = \"true\"\n", "serve.toml:17: alert: metric"),
        ("name = \"a\"\nfro = \"1s\"\n", "unknown key 'alert.fro' (did you mean 'for'?"),
    ] {
        place.write("serve.toml", &format!("{ONE_WORKER}\n[[alert]]\n{alert}"));
        place.poolbench(&["serve", "--config", "serve.toml", "--check"]).refuses(2, &[says]);
    }
}
