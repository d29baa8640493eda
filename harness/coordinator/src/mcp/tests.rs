use std::collections::BTreeMap;

use bytes::Bytes;
use pool::clock::MonotonicClock;
use pool::{Deps, Handler, Spawner, WorkerCommand};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, DuplexStream, ReadHalf, WriteHalf};
use tokio::task::JoinHandle;

use super::*;

/// Says it again, unless it is told to complain.
struct Moody;

impl Handler for Moody {
    fn handle(&self, payload: &Bytes) -> Result<Bytes, String> {
        match payload.windows(5).any(|w| w == b"moody") {
            true => Err("not today".to_owned()),
            false => pool::Echo.handle(payload),
        }
    }
}

struct Client {
    reader: BufReader<ReadHalf<DuplexStream>>,
    writer: WriteHalf<DuplexStream>,
    server: JoinHandle<Result<(), String>>,
    stop: watch::Sender<bool>,
    coordinator: Coordinator,
}

impl Client {
    async fn start(more: &[(&str, &str)]) -> Client {
        let base = [
            ("server.session", "none"),
            ("tools.say.tier", "hot"),
            ("tools.say.service-argument", "ms"),
            ("pool.dispatch", "tiered"),
            ("pool.hot.worker", "function"),
            ("pool.hot.min-ready", "1"),
            ("pool.hot.spares", "0"),
            ("pool.hot.max", "1"),
            ("pool.warm.max", "0"),
            ("pool.cold.max", "0"),
        ];
        let values: BTreeMap<String, String> = base.iter().chain(more).map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let ServeConfig { path, face, .. } = ServeConfig::from_settings(&values, "1").unwrap();
        let deps = Deps {
            clock: Arc::new(MonotonicClock),
            seed: 1,
            handler: Arc::new(Moody),
            worker_command: WorkerCommand { program: "unused".into(), args: Vec::new() },
            spawner: Spawner::start().unwrap(),
            log: None,
        };
        let coordinator = Coordinator::open(path, deps, &std::env::temp_dir()).await.unwrap();
        let (ours, theirs) = tokio::io::duplex(16 * 1024);
        let (stop, stopped) = watch::channel(false);
        let server = tokio::spawn({
            let (coordinator, streams) = (coordinator.clone(), tokio::io::split(theirs));
            async move { serve(&coordinator, face, streams, stopped, Duration::from_secs(20)).await }
        });
        let (reader, writer) = tokio::io::split(ours);
        let mut client = Client { reader: BufReader::new(reader), writer, server, stop, coordinator };
        let params = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "t", "version": "1" } });
        client.send(&json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params })).await;
        assert!(client.next().await["result"].is_object());
        client
    }

    async fn send(&mut self, message: &Value) {
        self.writer.write_all(format!("{message}\n").as_bytes()).await.unwrap();
    }

    async fn call(&mut self, id: u64, arguments: Value) {
        self.send(&call(id, &arguments)).await;
    }

    async fn next(&mut self) -> Value {
        next(&mut self.reader).await
    }

    /// Hangs up; the server ends well and has nothing in flight.
    async fn end(self) {
        drop((self.writer, self.reader));
        self.server.await.unwrap().unwrap();
        assert_eq!(self.coordinator.pool().snapshot().in_flight, 0);
        self.coordinator.close().await.unwrap();
        drop(self.stop);
    }
}

async fn next(reader: &mut BufReader<ReadHalf<DuplexStream>>) -> Value {
    let mut line = String::new();
    reader.read_line(&mut line).await.unwrap();
    serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line:?}"))
}

fn call(id: u64, arguments: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": { "name": "say", "arguments": arguments } })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tools_own_error_is_a_result() {
    let mut client = Client::start(&[]).await;
    client.call(1, json!({ "mood": "moody" })).await;
    let answer = client.next().await;
    assert_eq!((&answer["result"]["isError"], &answer["result"]["content"][0]["text"]), (&json!(true), &json!("not today")), "{answer}");
    client.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_only_sends_is_not_read_for_ever_and_each_call_is_answered_once() {
    const CALLS: u64 = 3000;
    let Client { mut writer, mut reader, server, stop, coordinator } = Client::start(&[("coordinator.in-flight", "4")]).await;
    let sent = Arc::new(std::sync::atomic::AtomicU64::new(0));
    let sending = tokio::spawn({
        let sent = Arc::clone(&sent);
        async move {
            for id in 1..=CALLS {
                writer.write_all(format!("{}\n", call(id, &json!({ "filler": "x".repeat(100) }))).as_bytes()).await.unwrap();
                sent.store(id, std::sync::atomic::Ordering::Relaxed);
            }
            writer
        }
    });
    let mut before = u64::MAX;
    loop {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let now = sent.load(std::sync::atomic::Ordering::Relaxed);
        if now == before {
            break;
        }
        before = now;
    }
    assert!(before < CALLS / 2, "{before} calls were read from a client that reads no answer");
    let mut seen = std::collections::BTreeSet::new();
    let mut ok = 0;
    for _ in 0..CALLS {
        let answer = next(&mut reader).await;
        assert!(seen.insert(answer["id"].as_u64().unwrap()), "answered twice: {answer}");
        ok += u64::from(answer["result"].is_object());
        assert!(answer["result"].is_object() || answer["error"]["data"]["reason"] == "shed", "{answer}");
    }
    assert!(ok > 0 && seen.len() as u64 == CALLS, "{ok}");
    let writer = sending.await.unwrap();
    Client { reader, writer, server, stop, coordinator }.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_in_use_is_refused_without_answering_the_earlier_call() {
    let mut client = Client::start(&[]).await;
    client.call(7, json!({ "ms": 300 })).await;
    client.call(7, json!({ "ms": 0 })).await;
    let refused = client.next().await;
    assert!(refused["id"].is_null() && refused["error"]["code"] == -32600, "{refused}");
    assert_eq!(client.next().await["result"]["content"][0]["text"], "{\"ms\":300}");
    client.call(7, json!({})).await;
    assert_eq!(client.next().await["id"], 7, "it is free again");
    client.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_call_leaves_nothing_open() {
    let mut client = Client::start(&[]).await;
    for id in 1..=50 {
        client.call(id, json!({ "ms": 60_000 })).await;
        client.send(&json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": id } })).await;
    }
    client.call(99, json!({})).await;
    assert_eq!(client.next().await["id"], 99, "no cancelled call is answered");
    // The end waits for nobody.
    client.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn asked_to_stop_it_answers_and_closes_though_the_client_stays() {
    let mut client = Client::start(&[]).await;
    client.call(1, json!({ "ms": 200 })).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    client.stop.send_replace(true);
    client.call(2, json!({})).await;
    let answers = [client.next().await, client.next().await];
    assert!(answers.iter().any(|a| a["id"] == 1 && a["result"].is_object()), "{answers:?}");
    assert!(answers.iter().any(|a| a["id"] == 2 && a["error"]["data"]["reason"] == "shed"), "{answers:?}");
    let mut rest = String::new();
    client.reader.read_to_string(&mut rest).await.unwrap();
    assert_eq!(rest, "");
    client.end().await;
}
