//! How a server ends, and that it leaves nobody.

use super::*;

#[test]
fn a_client_that_hangs_up_gets_the_answers_it_waits_for() {
    let place = Place::new();
    let mut server = Server::with(&place, ONE_WORKER);
    let id = server.call("wait", json!({ "ms": 400 }));
    server.hang_up();
    assert_eq!(text(&server.answer(id)), r#"{"ms":400}"#);
    server.ends_well(&place);
}

#[test]
fn a_client_that_never_says_anything_is_no_error() {
    let place = Place::new();
    for said in ["", "\n", "nonsense\n", "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n"] {
        let mut server = Server::start(&place, &[]);
        write!(server.stdin.as_mut().unwrap(), "{said}").unwrap();
        server.hang_up();
        assert_eq!(server.ended().code(), Some(0), "{said:?}");
        place.nobody_left(Duration::ZERO);
    }
}

#[test]
fn sigterm_finishes_what_is_in_flight_and_takes_nothing_new() {
    for signal in [Signal::TERM, Signal::INT] {
        let place = Place::new();
        let mut server = Server::with(&place, ONE_WORKER);
        let id = server.call("wait", json!({ "ms": 1000 }));
        a_moment();
        server.signal(signal);
        a_moment();
        let late = server.called("wait", json!({ "ms": 1 }));
        assert_eq!((&late["error"]["code"], &late["error"]["data"]["reason"]), (&json!(-32000), &json!("shed")), "{late}");
        assert_eq!(text(&server.answer(id)), r#"{"ms":1000}"#);
        // The client's end is still open.
        assert_eq!(server.ended().code(), Some(0));
        place.nobody_left(Duration::ZERO);
    }
}

#[test]
fn a_drain_is_bounded_and_what_it_cuts_off_is_told() {
    let place = Place::new();
    let mut server = Server::with(&place, &ONE_WORKER.replace("[pool]", "[pool]\ndrain-timeout = \"300ms\""));
    let id = server.call("wait", json!({ "ms": 600_000 }));
    a_moment();
    server.signal(Signal::TERM);
    let cut = server.answer(id);
    assert_eq!(cut["error"]["data"]["reason"], "outcome-unknown", "{cut}");
    assert_eq!(server.ended().code(), Some(0));
    place.nobody_left(Duration::ZERO);
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let place = Place::new();
    let mut server = Server::with(&place, ONE_WORKER);
    server.call("wait", json!({ "ms": 600_000 }));
    a_moment();
    server.signal(Signal::TERM);
    a_moment();
    server.signal(Signal::TERM);
    assert_eq!(server.ended().code(), Some(130));
    place.nobody_left(PATIENCE);
}

#[test]
fn killed_it_takes_its_workers_along() {
    let place = Place::new();
    let mut server = Server::with(&place, ONE_WORKER);
    server.call("wait", json!({ "ms": 600_000 }));
    a_moment();
    assert_eq!(workers(&place).len(), 1);
    server.signal(Signal::KILL);
    assert_eq!(server.ended().code(), None);
    place.nobody_left(Duration::from_secs(5));
}

#[test]
fn a_client_that_does_not_listen_any_more_ends_it() {
    let place = Place::new();
    place.write("serve.toml", ONE_WORKER);
    let mut command = place.command(PROGRAM, &["serve", "--log", "error", "--config", "serve.toml"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let mut stdin = child.stdin.take().unwrap();
    writeln!(stdin, "{}", json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" })).unwrap();
    writeln!(stdin, "{}", json!({ "jsonrpc": "2.0", "id": 2, "method": "ping" })).unwrap();
    // Its own end stays open.
    assert_eq!(child.wait().unwrap().code(), Some(0));
    place.nobody_left(Duration::ZERO);
}

#[test]
fn sighup_replaces_the_workers_and_fails_no_call() {
    let place = Place::new();
    let mut server = Server::with(&place, ONE_WORKER);
    let before = workers(&place);
    server.signal(Signal::HUP);
    let begun = std::time::Instant::now();
    while workers(&place) == before || workers(&place).is_empty() {
        assert_eq!(text(&server.called("wait", json!({ "ms": 5 }))), r#"{"ms":5}"#);
        assert!(begun.elapsed() < PATIENCE, "the workers were not replaced");
    }
    assert_eq!(text(&server.called("wait", json!({ "ms": 5 }))), r#"{"ms":5}"#);
    server.ends_well(&place);
}
