//! What a load does that its figures must not be taken for others.

use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::run::{Judged, alone, control, judged, open};
use crate::support::Place;

/// Whatever is shed is no matter here.
const SHEDS: (&str, &str) = ("ok = \"100%\"", "ok = \">= 1\"");

#[test]
fn a_load_above_capacity_is_saturated_and_never_settles() {
    let _alone = alone();
    // Two workers of 1 ms, 2400 requests a second: 120 % of capacity, and a queue that grows from the first to the last.
    let place = open("2400/s", "600ms", &[SHEDS]);
    let over = judged(&place, &[]);
    over.must_carry("saturated", "note", "the backlog grew by", "lower load.arrivals.rate");
    over.must_carry("not-settled", "degraded", "responses never settled", "lengthen load.warmup");
    let place = open("1000/s", "600ms", &[]);
    control(&["saturated", "not-settled"], || judged(&place, &[]));
}

#[test]
fn a_pool_that_is_slow_at_first_warms_up_within_the_window() {
    let _alone = alone();
    // Each worker's first request takes 180 ms longer; what waits meanwhile is served soon after.
    let stall = |slot| format!("[[faults]]\nkind = \"stall\"\nslot = {slot}\nfor = \"180ms\"\nat = \"0%\"\n");
    let faults = format!("{}\n{}\n[expect]", stall(0), stall(1));
    let changes = [("constant 1ms", "lognormal 200us 0.4"), ("[expect]", faults.as_str())];
    let place = open("2000/s", "1200ms", &changes);
    // A busy host may slow the end of a run as well, which then never settles.
    let cold = (0..5).map(|_| judged(&place, &[])).find(|run| run.says("not-settled", "still look like warm-up"));
    cold.unwrap().must_carry("not-settled", "note", "still look like warm-up", "lengthen load.warmup");
    let warm = open("2000/s", "1200ms", &[("constant 1ms", "lognormal 200us 0.4")]);
    control(&["not-settled"], || judged(&warm, &[]));
}

#[test]
fn a_request_without_an_end_breaks_conservation() {
    let _alone = alone();
    // The worker reads the 50th request and never answers; nothing ends it before the drain does.
    let fault = "[[faults]]\nkind = \"hang\"\nrequest = 50\n\n[expect]";
    let changes = [("[expect]", fault), ("rounds   = 1", "rounds   = 1\ntimeout  = \"4s\"")];
    let lost = judged(&open("500/s", "200ms", &changes), &[]);
    lost.must_carry("conservation-broken", "invalid", "these must be equal", "do not quote these figures");
    assert_eq!(lost.code, Some(3));
    let (intended, finished) = (lost.number("/counts/intended"), lost.number("/counts/finished"));
    assert_eq!(intended - finished, 1.0, "one request is lost, no more");
    let whole = judged(&open("500/s", "200ms", &[]), &[]);
    assert!(!whole.carries("conservation-broken"), "{whole:?}");
}

/// Asks for the metrics at `address` until told to end.
fn scrape(address: SocketAddr, ended: &AtomicBool) {
    while !ended.load(Ordering::Relaxed) {
        let ask = || {
            let mut stream = TcpStream::connect(address)?;
            stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")?;
            std::io::copy(&mut stream, &mut std::io::sink())
        };
        if ask().is_err() {
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
    }
}

/// Runs the place's scenario while two clients ask its monitor for all it has.
fn scraped(place: &Place) -> Judged {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        (0..2).for_each(|_| drop(scope.spawn(|| scrape(address, &ended))));
        let judged = std::panic::catch_unwind(|| judged(place, &["--monitor", &address.to_string()]));
        ended.store(true, Ordering::Relaxed);
        judged.unwrap()
    })
}

#[test]
fn a_lock_that_is_fought_for_is_time_in_no_phase() {
    let _alone = alone();
    // Between admission and queue lies the pool's lock. It is held for long where a snapshot is taken of a thousand slots, and nothing else of a
    // request takes long.
    let many = [
        ("worker = \"function\", min-ready = 2, spares = 0, max = 2", "worker = \"simulated\", min-ready = 1000, spares = 0, max = 1000"),
        ("constant 1ms", "constant 0ns"),
    ];
    let fought = Place::with_tiny(&many);
    let seen = (0..6).map(|_| scraped(&fought)).find(|run| run.carries("unexplained-time")).expect("never over 1 %");
    seen.must_carry("unexplained-time", "degraded", "of the response time lies in no phase", "free a CPU");
    seen.must_carry("monitored", "note", "answered", "run without --monitor");
    let plain = Place::with_tiny(&[]);
    control(&["unexplained-time"], || judged(&plain, &[]));
    assert!(!judged(&plain, &[]).carries("monitored"));
}

#[test]
fn kinds_of_load_and_of_time_are_named() {
    let _alone = alone();
    let (closed, open) = (judged(&Place::with_tiny(&[]), &[]), open("500/s", "200ms", &[]));
    closed.must_carry("closed", "note", "a stall delays the next requests", "");
    let (live, simulated) = (judged(&open, &[]), judged(&open, &["--virtual"]));
    simulated.must_carry("virtual-time", "note", "no process, pipe, scheduler or clock", "poolbench compare");
    assert!(!live.carries("closed") && !live.carries("virtual-time"), "{live:?}");
    // The program under test is what cargo built.
    assert_eq!(live.carries("debug-build"), cfg!(debug_assertions), "{live:?}");
    if cfg!(debug_assertions) {
        live.must_carry("debug-build", "degraded", "built without optimisation", "build with --release");
    }
    assert!(!simulated.carries("debug-build"), "virtual time is the same in any build");
}
