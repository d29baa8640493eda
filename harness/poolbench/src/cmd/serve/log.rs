//! Log lines on standard error, written by a thread of their own: a client that does not read them holds nobody up.

use std::io::Write;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::time::Duration;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;

/// Lines that may wait; more are dropped.
const WAITING: usize = 1024;
/// How long the last lines may take.
const LAST_LINES: Duration = Duration::from_millis(200);

enum Order {
    Line(Vec<u8>),
    Flush(Sender<()>),
}

/// The log of a server; dropped, it writes what waits.
pub(super) struct Log(SyncSender<Order>);

/// Starts logging lines of `level` and above.
pub(super) fn start(level: &str) -> std::io::Result<Log> {
    let (orders, waiting) = sync_channel(WAITING);
    std::thread::Builder::new().name("log".into()).spawn(move || write(&waiting))?;
    let level: LevelFilter = level.parse().unwrap_or(LevelFilter::INFO);
    // The SDK warns of every refused call, which is the pool's daily business.
    let sdk = match level {
        LevelFilter::TRACE => LevelFilter::TRACE,
        LevelFilter::DEBUG => LevelFilter::INFO,
        other => other.min(LevelFilter::ERROR),
    };
    let filter = Targets::new().with_default(level).with_target("rmcp", sdk);
    let layer = tracing_subscriber::fmt::layer().with_target(false).with_writer(Lines(orders.clone())).with_filter(filter);
    // Only a second log in one process could be refused.
    let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer));
    Ok(Log(orders))
}

impl Drop for Log {
    fn drop(&mut self) {
        let (done, finished) = channel();
        if self.0.try_send(Order::Flush(done)).is_ok() {
            let _ = finished.recv_timeout(LAST_LINES);
        }
    }
}

fn write(orders: &Receiver<Order>) {
    while let Ok(order) = orders.recv() {
        match order {
            // A closed stderr stops nobody.
            Order::Line(line) => drop(std::io::stderr().lock().write_all(&line)),
            Order::Flush(done) => drop(done.send(())),
        }
    }
}

#[derive(Clone)]
struct Lines(SyncSender<Order>);

/// One event; sent as a whole.
struct Event(Vec<u8>, SyncSender<Order>);

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Event;
    fn make_writer(&'a self) -> Event {
        Event(Vec::new(), self.0.clone())
    }
}

impl Write for Event {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Drop for Event {
    fn drop(&mut self) {
        let _ = self.1.try_send(Order::Line(std::mem::take(&mut self.0)));
    }
}
