//! `run --monitor` on the real program: scraped while the load runs.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::openmetrics::{Metrics, parse};
use crate::support::{PATIENCE, PROGRAM, Place, Ran};

/// A port that was free a moment ago.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Status and body of a GET; `None` where nobody listens, or who did is gone.
fn get(address: SocketAddr, path: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(5)).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
}

struct Monitored {
    child: Child,
    address: SocketAddr,
}

impl Monitored {
    fn start(place: &Place, more: &[&str]) -> Monitored {
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let port = address.port().to_string();
        let args = [&["run", "--allow-debug", "--out", "run", "--rounds", "1", "--monitor", &port], more].concat();
        let child = place.command(PROGRAM, &args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        Monitored { child, address }
    }

    /// Everything scraped until the program has ended, and what it said.
    fn scrape_to_the_end(mut self) -> (Vec<Metrics>, Ran) {
        let begun = Instant::now();
        let mut scraped = Vec::new();
        while self.child.try_wait().unwrap().is_none() {
            assert!(begun.elapsed() < PATIENCE, "it does not end");
            if let Some((status, text)) = get(self.address, "/metrics") {
                assert_eq!(status, 200);
                scraped.push(parse(&text).unwrap_or_else(|why| panic!("{why}\n{text}")));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        (scraped, Ran::from(self.child.wait_with_output().unwrap()))
    }
}

/// Every series that may only grow does, but for where a new trial begins anew; returns where trials begin.
fn check_growth(scraped: &[Metrics]) -> Vec<usize> {
    let mut begins = vec![0];
    for (i, pair) in scraped.windows(2).enumerate() {
        if pair[1].get("poolbench_requests_received_total") < pair[0].get("poolbench_requests_received_total") {
            begins.push(i + 1);
            continue;
        }
        for series in &pair[0].growing {
            assert!(pair[1].get(series) >= pair[0].get(series), "{series} went back");
        }
    }
    begins
}

fn tiny(target: &str) -> Place {
    Place::with_tiny(&[("target = \"pool\"", &format!("target = \"{target}\"")), ("\"200ms\"", "\"1500ms\"")])
}

#[test]
fn a_load_is_scraped_while_it_runs() {
    for target in ["coordinator", "pool"] {
        let place = tiny(target);
        let (scraped, ran) = Monitored::start(&place, &["--scenarios", "scenarios"]).scrape_to_the_end();
        let ran = ran.succeeds();
        assert!(ran.err.contains("monitor: http://127.0.0.1:"), "{}", ran.err);
        assert_eq!(check_growth(&scraped), [0], "one trial");
        assert!(scraped.len() >= 5, "{} scrapes of {target}", scraped.len());
        for metrics in &scraped {
            let (received, ended) = (metrics.get("poolbench_requests_received_total"), metrics.sum("poolbench_requests_total"));
            assert_eq!(received, ended + metrics.get("poolbench_requests_in_flight"));
            // How many are under way cannot be said: what arrived is read after what ended, while the load goes on.
            assert!(received >= ended);
            // All of them are ok; times are read after counts, and each client may be between the two.
            assert!(metrics.sum("poolbench_request_seconds_count") >= metrics.sum("poolbench_served_total") - 2.0);
            assert_eq!(metrics.get("poolbench_slots{partition=\"hot\",state=\"ready\"}"), 2.0);
        }
        let records = place.records("run");
        let record = records.first().unwrap();
        let (last, ok) = (scraped.last().unwrap(), "poolbench_requests_total{tier=\"hot\",outcome=\"ok\"}");
        let served = record["outcomes"]["ok"].as_u64().unwrap() + record["counts"]["warmup"].as_u64().unwrap();
        assert!(last.get(ok) <= served as f64 && last.get(ok) > served as f64 / 2.0, "{} of {served}", last.get(ok));
        // One that came to nothing here may have been answered there.
        let answered = record["monitored"].as_u64().unwrap() as usize;
        assert!((scraped.len()..=scraped.len() + 1).contains(&answered), "{answered} answers, {} arrived", scraped.len());
        assert!(place.read("run/report.md").contains("`monitored`: the monitor's endpoints were served and answered"));
        place.nobody_left(PATIENCE);
    }
}

#[test]
fn deaths_and_health_are_seen_as_they_happen() {
    let place = Place::new();
    let monitored = Monitored::start(&place, &["-f", "^pool/crash", "--size", "smoke"]);
    let (address, mut health) = (monitored.address, Vec::new());
    let watching = std::thread::spawn(move || monitored.scrape_to_the_end());
    while !watching.is_finished() {
        if let Some((status, body)) = get(address, "/health") {
            let body: Value = serde_json::from_str(&body).unwrap();
            assert_eq!(status, if body["ready"] == true { 200 } else { 503 }, "{body}");
            assert_eq!(body["degraded"] == true, !body["reasons"].as_array().unwrap().is_empty(), "{body}");
            health.push(body);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let (scraped, ran) = watching.join().unwrap();
    ran.succeeds();
    check_growth(&scraped);
    let most = scraped.iter().map(|m| m.get("poolbench_deaths_total{cause=\"signal\"}")).fold(0.0, f64::max);
    let died = place.records("run").iter().map(|r| r["deaths"]["unexpected"].as_u64().unwrap()).max().unwrap();
    assert!(most >= 1.0 && most <= died as f64, "{most} of {died} were seen");
    assert!(health.iter().any(|h| h["reasons"].to_string().contains("backing-off")), "{} looks at its health", health.len());
    place.nobody_left(PATIENCE);
}

#[test]
fn an_address_that_cannot_be_is_told_before_anything_runs() {
    let place = tiny("pool");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ran = place.run_tiny(&["--monitor", &address]).ends(1);
    assert!(
        ran.err.contains(&format!("error: --monitor: cannot listen on {address}: the port is in use\nhelp: choose another one")),
        "{}",
        ran.err
    );
    assert!(place.run_tiny(&["--monitor", "192.0.2.1:9"]).ends(1).err.contains("choose an address of this host"));
    assert!(place.run_tiny(&["--monitor", "localhost:9"]).ends(2).err.contains("expected a port such as 9464"));
    let ran = tiny("store").run_tiny(&["--monitor", "0", "-s", "store.kind=files"]);
    assert_eq!(ran.code, Some(2), "{}", ran.err);
    assert!(!place.path("run").exists(), "nothing was begun");
}

#[test]
fn a_port_chosen_by_the_system_is_told_even_if_quiet() {
    let place = Place::with_tiny(&[]);
    let ran = place.run_tiny(&["--monitor", "0", "-q"]).ends(0);
    let port = ran.err.split("http://127.0.0.1:").nth(1).and_then(|rest| rest.split('/').next()).unwrap_or("");
    assert!(port.parse::<u16>().is_ok_and(|port| port > 0), "{}", ran.err);
}
