use tempfile::TempDir;

use super::*;

fn alert(id: &str, state: Turn) -> Alert {
    Alert {
        id: id.to_owned(),
        alert: "a".to_owned(),
        state,
        severity: "warning".to_owned(),
        condition: "queue-depth > 1".to_owned(),
        value: Some(2.0),
        at_unix_ms: id.parse().unwrap_or(0),
    }
}

fn open(dir: &TempDir) -> Log {
    Log::open(LogTo::File(dir.path().join("alerts.jsonl"))).unwrap()
}

fn undelivered(log: &Log) -> Vec<String> {
    log.undelivered().into_iter().map(|(hook, alert)| format!("{hook} {}", alert.id)).collect()
}

#[test]
fn what_was_not_delivered_is_known_to_the_next_process() {
    let dir = TempDir::new().unwrap();
    let mut log = open(&dir);
    for id in ["1", "2", "3", "4"] {
        log.note(Did::Pending, "exec", &alert(id, Turn::Firing), None, None).unwrap();
    }
    log.note(Did::Pending, "webhook", &alert("1", Turn::Firing), None, None).unwrap();
    log.note(Did::Delivered, "exec", &alert("1", Turn::Firing), Some(1), None).unwrap();
    log.note(Did::Failed, "exec", &alert("2", Turn::Firing), Some(1), Some("exit 1".to_owned())).unwrap();
    log.note(Did::GaveUp, "exec", &alert("2", Turn::Firing), None, None).unwrap();
    log.note(Did::LeftOut, "exec", &alert("3", Turn::Firing), None, None).unwrap();
    let expected = ["webhook 1", "exec 2", "exec 4"];
    assert_eq!(undelivered(&log), expected);
    drop(log);
    let again = open(&dir);
    assert_eq!(undelivered(&again), expected);
    assert!(again.was_firing("a") && !again.was_firing("b"));
}

#[test]
fn a_torn_line_and_foreign_ones_are_passed_over() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("alerts.jsonl");
    let mut log = open(&dir);
    log.note(Did::Pending, "exec", &alert("1", Turn::Firing), None, None).unwrap();
    drop(log);
    let whole = std::fs::read_to_string(&path).unwrap();
    let torn = &whole[..whole.len() / 2];
    std::fs::write(&path, format!("not json\n{whole}{}\n{torn}", "x".repeat(100_000))).unwrap();
    let mut log = open(&dir);
    assert_eq!(undelivered(&log), ["exec 1"]);
    log.note(Did::Delivered, "exec", &alert("1", Turn::Firing), Some(1), None).unwrap();
    drop(log);
    assert_eq!(undelivered(&open(&dir)), [""; 0], "what followed the torn line is a line of its own");
}

#[test]
fn a_long_log_is_moved_aside_and_what_counts_is_carried_over() {
    let dir = TempDir::new().unwrap();
    let mut log = open(&dir);
    log.note(Did::Pending, "exec", &alert("7", Turn::Firing), None, None).unwrap();
    let Out::File { bytes, .. } = &mut log.out else { panic!() };
    *bytes = LOG_MAX;
    log.note(Did::Failed, "exec", &alert("7", Turn::Firing), Some(1), None).unwrap();
    assert!(dir.path().join("alerts.jsonl.1").exists());
    assert_eq!(std::fs::read_to_string(dir.path().join("alerts.jsonl")).unwrap().lines().count(), 2, "one state, one pending");
    drop(log);
    let again = open(&dir);
    assert!(again.was_firing("a"));
    assert_eq!(undelivered(&again), ["exec 7"]);
}

#[test]
fn undelivered_alerts_are_bounded() {
    let dir = TempDir::new().unwrap();
    let mut log = Log::open(LogTo::Writer(Box::new(std::io::sink()))).unwrap();
    for id in 0..OPEN_MAX + 10 {
        log.note(Did::Pending, "exec", &alert(&id.to_string(), Turn::Firing), None, None).unwrap();
    }
    assert_eq!((log.undelivered().len(), log.undelivered()[0].1.id.as_str()), (OPEN_MAX, "10"), "the oldest go first");
    drop(dir);
}

#[test]
fn a_log_is_one_processs() {
    let dir = TempDir::new().unwrap();
    let _first = open(&dir);
    let error = Log::open(LogTo::File(dir.path().join("alerts.jsonl"))).err().unwrap();
    assert!(error.to_string().contains("another process"), "{error}");
}
