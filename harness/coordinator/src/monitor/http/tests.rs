use std::io::{Read, Write};
use std::net::TcpStream;

use super::*;
use crate::monitor::tests::{PATIENCE, Rig};

const ANY: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// Status, head and body of the answer to these bytes; nothing if the connection was closed without one.
fn say(address: SocketAddr, bytes: &[u8]) -> (u16, String, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    // A server that has closed already answers nothing.
    let _ = stream.write_all(bytes);
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    (head.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or(0), head.to_lowercase(), body.to_owned())
}

fn ask(address: SocketAddr, method: &str, path: &str) -> (u16, String, String) {
    say(address, format!("{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").as_bytes())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_path_answers_and_others_are_told_which_there_are() {
    let rig = Rig::open(&[]).await;
    let server = serve(ANY, rig.monitor()).unwrap();
    let address = server.address();
    let (status, head, body) = ask(address, "GET", "/metrics");
    assert_eq!(status, 200);
    assert!(head.contains("content-type: application/openmetrics-text; version=1.0.0; charset=utf-8"), "{head}");
    assert!(head.contains(&format!("content-length: {}", body.len())) && body.ends_with("# EOF\n"));
    let (status, head, body) = ask(address, "HEAD", "/metrics?x=y");
    assert_eq!((status, body.as_str()), (200, ""));
    assert!(!head.contains("content-length: 0"), "{head}");
    let (status, head, body) = ask(address, "GET", "/health");
    assert_eq!((status, serde_json::from_str::<serde_json::Value>(&body).unwrap()["ready"].clone()), (200, true.into()));
    assert!(head.contains("content-type: application/json"));
    assert_eq!((ask(address, "GET", "/healthz/live").0, ask(address, "GET", "/healthz/ready").2.as_str()), (200, "ready\n"));
    let (status, _, body) = ask(address, "GET", "/");
    assert_eq!(status, 404);
    assert!(PATHS.iter().all(|(path, _)| body.contains(path)), "{body}");
    let (status, head, _) = ask(address, "POST", "/metrics");
    assert_eq!(status, 405);
    assert!(head.contains("allow: get, head"), "{head}");
    assert_eq!(server.answered(), 7);
    // The pool ends before the endpoints do: not ready, but alive.
    rig.coordinator.close().await.unwrap();
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert_eq!((ask(address, "GET", "/health").0, ask(address, "GET", "/healthz/live").0), (503, 200));
    let (status, _, body) = ask(address, "GET", "/healthz/ready");
    assert!(status == 503 && body.contains("draining"), "{status} {body}");
    server.stop().await;
    assert!(TcpStream::connect(address).is_err(), "nobody listens any more");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_in_use_and_an_address_of_elsewhere_are_told_with_a_remedy() {
    let rig = Rig::open(&[]).await;
    let server = serve(ANY, rig.monitor()).unwrap();
    let address = server.address();
    for error in [serve(address, rig.monitor()).unwrap_err(), probe(address).unwrap_err()] {
        let text = error.to_string();
        assert!(matches!(error, BindError::InUse(_)) && text.contains(&address.to_string()) && text.contains("choose another"), "{text}");
    }
    let elsewhere = "192.0.2.1:0".parse().unwrap();
    let text = serve(elsewhere, rig.monitor()).unwrap_err().to_string();
    assert!(text.contains("192.0.2.1:0") && text.contains("an address of this host"), "{text}");
    drop(server);
    let begun = std::time::Instant::now();
    while probe(address).is_err() {
        assert!(begun.elapsed() < PATIENCE, "a server that is dropped ends too");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_hold_on_or_send_too_much_are_let_go() {
    let rig = Rig::open(&[]).await;
    let limits = Limits { connections: 2, head: Duration::from_millis(100), connection: Duration::from_millis(400) };
    let server = serve_within(limits, ANY, rig.monitor()).unwrap();
    let address = server.address();
    // More idle connections, and half a head, than there is room for: they are closed, and the next client is served.
    let mut idle: Vec<TcpStream> = (0..5).map(|_| TcpStream::connect(address).unwrap()).collect();
    idle[0].write_all(b"GET /metrics HTTP/1.1\r\nhost").unwrap();
    assert_eq!(ask(address, "GET", "/healthz/live").0, 200);
    // A keep-alive connection that says nothing more is closed as well.
    let mut kept = TcpStream::connect(address).unwrap();
    kept.set_read_timeout(Some(PATIENCE)).unwrap();
    kept.write_all(b"GET /healthz/live HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    let mut all = String::new();
    let _ = kept.read_to_string(&mut all);
    assert!(all.ends_with("live\n"), "{all}");
    let long = format!("GET /metrics HTTP/1.1\r\nx: {}\r\n\r\n", "y".repeat(64 << 10));
    assert!([0, 431].contains(&say(address, long.as_bytes()).0));
    let many = format!("GET /metrics HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(HEADERS_MAX + 1));
    assert!([0, 400, 431].contains(&say(address, many.as_bytes()).0));
    assert!([0, 400].contains(&say(address, &[0xff; 300]).0));
    assert_eq!(ask(address, "GET", "/healthz/live").0, 200);
    drop(idle);
    server.stop().await;
}

#[test]
fn addresses_are_read() {
    assert_eq!(parse_address("9464").unwrap().to_string(), "127.0.0.1:9464");
    assert_eq!(parse_address("0.0.0.0:80").unwrap().to_string(), "0.0.0.0:80");
    assert_eq!(parse_address("[::1]:0").unwrap().to_string(), "[::1]:0");
    for text in ["", "localhost:80", "70000", "1.2.3.4", ":80"] {
        assert!(parse_address(text).unwrap_err().contains("expected a port"), "{text}");
    }
}
