//! `poolbench serve`, the real program over pipes: what a client asks and is told.

#![expect(clippy::needless_pass_by_value, reason = "a test that says json!({…}) reads better without a reference")]

mod config;
mod ends;
mod full;
mod unwritable;
mod watched;

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::support::{PATIENCE, PROGRAM, Place};

/// One worker, one place in its queue, a tool that takes as long as it is told.
const ONE_WORKER: &str = r#"
[server]
session = "none"
[tools.wait]
description = "Keeps the only worker busy."
service-argument = "ms"
[pool]
queue-len = 1
backoff = "10ms"
dispatch = "tiered"
hot  = { min-ready = 1, spares = 0, max = 1 }
warm = { max = 0 }
cold = { max = 0 }
"#;

/// A server and its client's ends of the pipes.
struct Server {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    last_id: u64,
}

impl Server {
    fn start(place: &Place, args: &[&str]) -> Server {
        Server::spawned(place.command(PROGRAM, &[&["serve", "--log", "error"], args].concat()))
    }

    /// By a command that becomes the server, or waits for it.
    fn spawned(mut command: Command) -> Server {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (stdin, stdout) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        let (sender, lines) = channel();
        std::thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Server { child, stdin, lines, last_id: 0 }
    }

    /// With a configuration, and greeted.
    fn with(place: &Place, config: &str) -> Server {
        place.write("serve.toml", config);
        let mut server = Server::start(place, &["--config", "serve.toml"]);
        server.greet();
        server
    }

    fn line(&mut self, line: &str) {
        writeln!(self.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    fn send(&mut self, method: &str, params: Value) -> u64 {
        self.last_id += 1;
        self.line(&json!({ "jsonrpc": "2.0", "id": self.last_id, "method": method, "params": params }).to_string());
        self.last_id
    }

    fn call(&mut self, tool: &str, arguments: Value) -> u64 {
        self.send("tools/call", json!({ "name": tool, "arguments": arguments }))
    }

    /// The next message.
    #[track_caller]
    fn next(&mut self) -> Value {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => serde_json::from_str(&line).unwrap(),
            Err(why) => panic!("no message: {why}; {:?}", self.child.try_wait()),
        }
    }

    /// The next message, which answers `id`.
    #[track_caller]
    fn answer(&mut self, id: u64) -> Value {
        let message = self.next();
        assert_eq!(message["id"], id, "{message}");
        message
    }

    #[track_caller]
    fn asked(&mut self, method: &str, params: Value) -> Value {
        let id = self.send(method, params);
        self.answer(id)
    }

    #[track_caller]
    fn called(&mut self, tool: &str, arguments: Value) -> Value {
        let id = self.call(tool, arguments);
        self.answer(id)
    }

    #[track_caller]
    fn greet(&mut self) {
        let params = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "test", "version": "1" } });
        let answer = self.asked("initialize", params);
        assert_eq!(answer["result"]["serverInfo"]["name"], "poolbench", "{answer}");
        self.line(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }).to_string());
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    fn hang_up(&mut self) {
        drop(self.stdin.take());
    }

    /// Whether nothing more is said until the end.
    fn silent_to_the_end(&mut self) -> bool {
        self.lines.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Disconnected)
    }

    fn ended(&mut self) -> ExitStatus {
        let begun = std::time::Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(begun.elapsed() < PATIENCE, "it does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Hangs up; it ends well, without another word, and leaves nobody.
    #[track_caller]
    fn ends_well(mut self, place: &Place) {
        self.hang_up();
        assert!(self.silent_to_the_end());
        assert_eq!(self.ended().code(), Some(0));
        place.nobody_left(Duration::ZERO);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn text(answer: &Value) -> &str {
    answer["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("no result: {answer}"))
}

/// The worker processes of a place.
fn workers(place: &Place) -> Vec<i32> {
    place.alive().into_iter().filter(|(_, line)| line.ends_with(" worker")).map(|(pid, _)| pid).collect()
}

fn kill_workers(place: &Place) {
    let pids = workers(place);
    assert!(!pids.is_empty(), "there is no worker");
    pids.into_iter().for_each(|pid| kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap());
}

/// Long enough for a call to be at its worker.
fn a_moment() {
    std::thread::sleep(Duration::from_millis(200));
}

#[test]
fn tools_are_listed_and_called_without_any_configuration() {
    let place = Place::new();
    let mut server = Server::start(&place, &[]);
    server.greet();
    let listed = server.asked("tools/list", json!({}));
    let tools = listed["result"]["tools"].as_array().unwrap();
    let names: Vec<_> = tools.iter().map(|t| t["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["echo", "wait"]);
    assert_eq!(tools[1]["inputSchema"]["required"][0], "ms");
    assert!(tools.iter().all(|t| t["description"].as_str().is_some_and(|d| d.len() > 10)));
    let echoed = server.called("echo", json!({ "message": "grüezi" }));
    assert_eq!((text(&echoed), &echoed["result"]["isError"]), (r#"{"message":"grüezi"}"#, &json!(false)));
    assert_eq!(echoed["result"]["_meta"]["poolbench"]["tier"], "hot");
    let bare = server.asked("tools/call", json!({ "name": "echo" }));
    assert_eq!(text(&bare), "{}", "absent arguments are empty ones");
    let unknown = server.called("ecco", json!({}));
    assert!(unknown["error"]["code"] == -32602 && unknown["error"]["message"].as_str().unwrap().contains("'ecco'"), "{unknown}");
    let negative = server.called("wait", json!({ "ms": -1 }));
    assert!(negative["error"]["code"] == -32602, "{negative}");
    assert_eq!(server.asked("ping", json!({}))["result"], json!({}));
    assert!(!workers(&place).is_empty(), "calls are served by processes");
    server.ends_well(&place);
}

#[test]
fn the_era_without_a_handshake_is_served_too() {
    let place = Place::new();
    let mut server = Server::start(&place, &[]);
    let prefix = "io.modelcontextprotocol";
    let meta = json!({ format!("{prefix}/protocolVersion"): "2026-07-28", format!("{prefix}/clientInfo"): { "name": "t", "version": "1" },
        format!("{prefix}/clientCapabilities"): {} });
    let found = server.asked("server/discover", json!({ "_meta": meta }));
    let versions = found["result"]["supportedVersions"].as_array().unwrap();
    assert!(versions.contains(&json!("2026-07-28")) && versions.contains(&json!("2025-11-25")), "{found}");
    let echoed = server.asked("tools/call", json!({ "name": "echo", "arguments": { "n": 1 }, "_meta": meta }));
    assert_eq!((text(&echoed), &echoed["result"]["resultType"]), (r#"{"n":1}"#, &json!("complete")));
    server.ends_well(&place);
}

#[test]
fn what_is_no_message_is_refused_and_the_next_one_served() {
    let place = Place::new();
    let mut server = Server::with(&place, &ONE_WORKER.replace("[server]", "[server]\nline-max = \"2KiB\""));
    let bad = [
        ("{\"jsonrpc\":", -32700, "not JSON"),
        ("[]", -32600, "batches"),
        ("{\"jsonrpc\":\"2.0\",\"id\":900,\"result\":{},\"method\":\"x\"}", -32600, "no JSON-RPC message"),
        ("{\"jsonrpc\":\"2.0\",\"id\":901,\"method\":\"tools/call\",\"params\":{\"arguments\":3}}", -32602, "tools/call"),
        ("{\"jsonrpc\":\"2.0\",\"id\":902,\"method\":\"no/such\"}", -32601, "no/such"),
        (&"x".repeat(3 << 10), -32600, "longer than 2048 bytes"),
        (&"y".repeat(3 << 20), -32600, "server.line-max"),
    ];
    for (line, code, says) in bad {
        server.line(line);
        let refused = server.next();
        assert_eq!(refused["error"]["code"], code, "{refused}");
        assert!(refused["error"]["message"].as_str().unwrap().contains(says), "{refused}");
    }
    // Nothing to answer in these.
    for line in ["", "   ", "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/of/another/day\",\"params\":[1]}"] {
        server.line(line);
    }
    assert_eq!(text(&server.called("wait", json!({ "ms": 1 }))), r#"{"ms":1}"#);
    server.ends_well(&place);
}

#[test]
fn a_cancelled_call_is_not_answered_and_frees_its_worker() {
    let place = Place::new();
    let mut server = Server::with(&place, ONE_WORKER);
    let slow = server.call("wait", json!({ "ms": 600_000 }));
    a_moment();
    server.line(&json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": slow } }).to_string());
    assert_eq!(text(&server.called("wait", json!({ "ms": 1 }))), r#"{"ms":1}"#);
    server.ends_well(&place);
}

#[test]
fn progress_is_told_to_who_asks_for_it() {
    let place = Place::new();
    let mut server = Server::with(&place, ONE_WORKER);
    let id = server.send("tools/call", json!({ "name": "wait", "arguments": { "ms": 700 }, "_meta": { "progressToken": "how far" } }));
    let mut last = -1.0;
    let mut told = 0;
    let answer = loop {
        let message = server.next();
        if message["id"] == id {
            break message;
        }
        let params = &message["params"];
        assert_eq!((&message["method"], &params["progressToken"]), (&json!("notifications/progress"), &json!("how far")), "{message}");
        let progress = params["progress"].as_f64().unwrap();
        assert!(progress > last && progress <= params["total"].as_f64().unwrap(), "{message} after {last}");
        (last, told) = (progress, told + 1);
    };
    assert_eq!(text(&answer), r#"{"ms":700}"#);
    assert!(told > 0, "no progress was told");
    server.ends_well(&place);
}

#[test]
fn sockets_and_files_are_streams_too() {
    let lines = [
        json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
            "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": "t", "version": "1" } } }),
        json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": { "name": "echo", "arguments": { "n": 2 } } }),
    ];
    let said: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let place = Place::new();
    let serve = |stdin: Stdio, stdout: Stdio| {
        let mut command = place.command(PROGRAM, &["serve", "--log", "error"]);
        command.stdin(stdin).stdout(stdout).spawn().unwrap()
    };
    // As Node's clients have it.
    let (mut ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    let theirs: std::os::fd::OwnedFd = theirs.into();
    let mut child = serve(theirs.try_clone().unwrap().into(), theirs.into());
    ours.write_all(said.as_bytes()).unwrap();
    ours.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answers = String::new();
    std::io::Read::read_to_string(&mut ours, &mut answers).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(answers.contains("2025-06-18") && answers.contains(r#"{\"n\":2}"#), "{answers}");

    place.write("said", &said);
    let output = std::fs::File::create(place.path("answers")).unwrap();
    let mut child = serve(std::fs::File::open(place.path("said")).unwrap().into(), output.into());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(place.read("answers").contains(r#"{\"n\":2}"#), "{}", place.read("answers"));
    place.nobody_left(Duration::ZERO);
}

#[test]
fn an_overloaded_pool_says_when_to_try_again() {
    let place = Place::new();
    let mut server = Server::with(&place, ONE_WORKER);
    let ids: Vec<u64> = (0..4).map(|_| server.call("wait", json!({ "ms": 300 }))).collect();
    let answers: Vec<Value> = ids.iter().map(|_| server.next()).collect();
    let shed: Vec<_> = answers.iter().filter(|a| a["error"]["data"]["reason"] == "shed").collect();
    // One at the worker, one in the queue.
    assert_eq!(shed.len(), 2, "{answers:?}");
    assert!(shed.iter().all(|a| a["error"]["code"] == -32000 && a["error"]["data"]["retry_after_ms"].as_u64() >= Some(1)), "{shed:?}");
    server.ends_well(&place);
}

#[test]
fn a_deadline_and_a_dead_worker_are_told_apart() {
    let place = Place::new();
    let mut server = Server::with(&place, &ONE_WORKER.replace("[pool]", "[tools.brief]\ndeadline = \"100ms\"\nservice = \"60s\"\n[pool]"));
    let late = server.called("brief", json!({}));
    assert_eq!((&late["error"]["code"], &late["error"]["data"]["reason"]), (&json!(-32000), &json!("expired")), "{late}");
    // The late call's worker is used up.
    assert_eq!(text(&server.called("wait", json!({ "ms": 1 }))), r#"{"ms":1}"#);
    let id = server.call("wait", json!({ "ms": 60_000 }));
    a_moment();
    kill_workers(&place);
    let lost = server.answer(id);
    let data = &lost["error"]["data"];
    assert_eq!((&data["reason"], &data["phase"]), (&json!("outcome-unknown"), &json!("written")), "{lost}");
    assert!(data["worker"]["generation"].as_u64() >= Some(1) && data["exit"].as_str().unwrap().contains("SIGKILL"), "{lost}");
    server.ends_well(&place);
}

#[test]
fn a_session_is_named_by_an_argument_kept_on_disk_and_lost_with_its_worker() {
    let place = Place::new();
    let config = r#"
        [server]
        session = "argument:who"
        data = "kept"
        [tools.echo]
        description = "Says it again."
        [tools.wait]
        service-argument = "ms"
        [pool]
        affinity = "strict"
        stateful = true
        backoff = "10ms"
        dispatch = "tiered"
        hot  = { min-ready = 1, spares = 0, max = 1 }
        warm = { max = 0 }
        cold = { max = 0 }
    "#;
    let turn = |answer: &Value| answer["result"]["_meta"]["poolbench"]["turn"].as_u64();
    let mut server = Server::with(&place, config);
    for expected in 1..=3 {
        let answer = server.called("echo", json!({ "who": "ann" }));
        assert_eq!((turn(&answer), &answer["result"]["_meta"]["poolbench"]["session"]), (Some(expected), &json!("ann")), "{answer}");
    }
    // Sent at once, they are served in order, wherever their answers overtake each other.
    let ids: Vec<u64> = (0..50).map(|_| server.call("echo", json!({ "who": "ann" }))).collect();
    let turns: std::collections::BTreeMap<u64, u64> =
        ids.iter().map(|_| server.next()).map(|a| (a["id"].as_u64().unwrap(), turn(&a).unwrap())).collect();
    assert!(ids.iter().zip(4..).all(|(id, expected)| turns[id] == expected), "{turns:?}");
    let odd = server.called("echo", json!({ "who": "../../etc" }));
    assert!(odd["error"]["code"] == -32602 && odd["error"]["message"].as_str().unwrap().contains("who"), "{odd}");
    server.ends_well(&place);
    let mut server = Server::with(&place, config);
    assert_eq!(turn(&server.called("echo", json!({ "who": "ann" }))), Some(54), "the session was kept");
    let id = server.call("wait", json!({ "who": "ann", "ms": 60_000 }));
    a_moment();
    kill_workers(&place);
    let lost = server.answer(id);
    assert!(["session-lost", "outcome-unknown"].contains(&lost["error"]["data"]["reason"].as_str().unwrap()), "{lost}");
    server.ends_well(&place);
}
