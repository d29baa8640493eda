//! Pools in trouble: each trouble has its outcome, its clear text, and an end.

use serde_json::Value;

use crate::support::{PATIENCE, Place};

const PROCESS: (&str, &str) = ("worker = \"function\"", "worker = \"process\"");
const OPEN: (&str, &str) = ("kind = \"closed\", clients = 2", "kind = \"constant\", rate = \"200/s\"");
/// So that a slot whose workers never start is given up within the test.
const QUICK: (&str, &str) = ("[pool]\n", "[pool]\nbackoff = \"1ms\"\nbackoff-cap = \"2ms\"\n");
/// Where no answer comes there is nothing to compare.
const NO_ANSWER: (&str, &str) = ("digest        = \"input\"\n", "");

fn figure(value: &Value, path: &str) -> u64 {
    value.pointer(path).and_then(Value::as_u64).unwrap_or(0)
}

/// Runs the changed scenario, which must hold; its one record.
#[track_caller]
fn record(changes: &[(&str, &str)], tail: &str, args: &[&str]) -> (Place, Value) {
    let place = Place::with_tiny(changes);
    let text = place.read("scenarios/it/tiny.toml") + tail;
    place.write("scenarios/it/tiny.toml", &text);
    place.run_tiny(args).succeeds();
    let record = place.records("run").remove(0);
    place.nobody_left(PATIENCE);
    (place, record)
}

#[test]
fn a_wedged_pool_expires_its_requests_and_replaces_its_workers() {
    let changes = [
        PROCESS,
        OPEN,
        NO_ANSWER,
        ("\"200ms\"", "\"600ms\""),
        ("service = \"constant 1ms\"", "service = \"constant 1ms\"\ndeadline = \"60ms\""),
        ("[pool]\n", "[pool]\nzombie-grace = \"40ms\"\nbackoff = \"1ms\"\nbackoff-cap = \"5ms\"\n"),
        ("ok = \"100%\"", "ok = \"0\", expired = \">= 50%\""),
    ];
    let (place, record) = record(&changes, "\n[[faults]]\nkind = \"hang\"\nevery-request = 1\n", &[]);
    let texts = record["errors"].to_string();
    assert!(texts.contains("while a worker had the request") && texts.contains("while the request waited"), "{texts}");
    let spawns = figure(&record, "/deaths/spawns");
    assert!(spawns >= 6, "two workers, killed and replaced again and again: {}", record["deaths"]);
    let hangs = figure(&record, "/faults/hang");
    // More, where a busy host let a worker read a request together with its cancel.
    assert!(hangs + 2 >= spawns, "each life met a request: {} {}", record["faults"], record["deaths"]);
    assert_eq!(figure(&record, "/left/descriptors"), 0);
    assert!(place.read("run/report.md").contains("× hang"));
}

#[test]
fn a_missing_worker_program_fails_what_needs_it_and_says_which() {
    let changes = [PROCESS, OPEN, QUICK, ("min-ready = 2", "min-ready = 0"), ("ok = \"100%\"", "ok = \"0\", failed = \">= 1\""), NO_ANSWER];
    let (_, record) = record(&changes, "", &["-s", "worker.command=/no/such/worker"]);
    let texts = record["errors"].to_string();
    assert!(texts.contains("no worker starts; the last one ended: cannot spawn: /no/such/worker: No such file"), "{texts}");
}

#[test]
fn a_full_queue_sheds_at_once_and_says_so() {
    let changes = [
        ("clients = 2", "clients = 12"),
        ("constant 1ms", "constant 5ms"),
        ("[pool]\n", "[pool]\nqueue-len = 3\n"),
        ("ok = \"100%\"", "ok = \">= 1\", shed = \">= 1\""),
    ];
    let (_, record) = record(&changes, "", &[]);
    assert!(record["errors"].to_string().contains("no room for one more request"), "{}", record["errors"]);
}

#[test]
fn a_dead_tier_hands_its_requests_on_or_fails_them_with_the_reason() {
    let cold = ("cold = { max = 0 }", "cold = { worker = \"function\", min-ready = 1, max = 2 }");
    let changes = [PROCESS, OPEN, QUICK, cold, ("min-ready = 2", "min-ready = 0")];
    let (_, record) = record(&changes, "", &["-s", "worker.command=/bin/false"]);
    assert!(figure(&record, "/counts/fallbacks") > 0 && record["errors"] == serde_json::json!({}), "{record}");

    let changes =
        [PROCESS, OPEN, QUICK, cold, ("min-ready = 2", "min-ready = 0"), ("ok = \"100%\"", "ok = \"0\", failed = \">= 1\""), NO_ANSWER];
    let (_, record) = self::record(&changes, "", &["-s", "worker.command=/bin/false", "-s", "pool.fallback=none"]);
    let texts = record["errors"].to_string();
    assert!(texts.contains("no worker starts; the last one ended: exit 1"), "{texts}");
}

#[test]
fn faults_that_make_no_sense_are_refused_with_their_line() {
    for (fault, says) in [
        ("kind = \"hangs\"\nrequest = 1", "unknown fault 'hangs' (did you mean 'hang'?"),
        ("kind = \"hang\"", "needs one of 'at', 'request', 'every-request' and 'chance'"),
        ("kind = \"hang\"\nat = \"1ms\"", "a closed loop plans none"),
        ("kind = \"hang\"\nrequets = 1", "'hang' has no parameter 'requets' (did you mean 'request'?"),
        ("kind = \"late\"\nchance = \"200%\"\ndelay = \"1ms\"", "'200%' is no probability"),
    ] {
        let place = Place::with_tiny(&[]);
        let text = place.read("scenarios/it/tiny.toml") + &format!("\n[[faults]]\n{fault}\n");
        place.write("scenarios/it/tiny.toml", &text);
        place.run_tiny(&[]).refuses(2, &["it/tiny.toml:", says]);
    }
    let place = Place::with_tiny(&[]);
    place.run_tiny(&["-s", "worker.journal=true"]).refuses(2, &["only processes keep a journal"]);
}

#[test]
fn a_replayable_tool_survives_deaths_and_the_journal_tells() {
    let changes = [
        PROCESS,
        OPEN,
        ("[pool]\n", "[worker]\njournal = true\n\n[pool]\nbackoff = \"1ms\"\n"),
        ("echo = { tier = \"hot\" }", "echo = { tier = \"hot\", replayable = true }"),
        ("digest        = \"input\"", "faults = \">= 3\"\nexecuted-never = \"0\"\nexecuted-twice = \"0\""),
    ];
    let (_, record) = record(&changes, "\n[[faults]]\nkind = \"kill\"\nevery-request = 10\n", &[]);
    assert!(figure(&record, "/journal/replayed") >= 3 && figure(&record, "/journal/twice") == 0, "{}", record["journal"]);
}
