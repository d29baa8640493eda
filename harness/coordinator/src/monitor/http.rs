//! The endpoints over HTTP: a thread of its own with a runtime of its own, so that a scrape costs the request path no more than
//! its counters do.

use std::convert::Infallible;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::{Semaphore, oneshot, watch};

use super::Monitor;

/// What clients may take.
#[derive(Clone, Copy)]
struct Limits {
    /// Connections at once; one more waits to be accepted.
    connections: usize,
    /// Time for a request's head, which is all of a GET; also how long a connection may be idle.
    head: Duration,
    /// Life of a connection, so that a client that reads slowly holds none for long.
    connection: Duration,
}

const LIMITS: Limits = Limits { connections: 16, head: Duration::from_secs(5), connection: Duration::from_secs(30) };
/// Longest head, bytes.
const HEAD_MAX: usize = 8 << 10;
/// Most header lines.
const HEADERS_MAX: usize = 64;
/// How long answers that are being written may take when the server stops.
const STOP_TIME: Duration = Duration::from_secs(2);
/// The window's marks are made this often although nobody asks.
const TICK: Duration = Duration::from_secs(1);

/// The type of OpenMetrics text.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const JSON: &str = "application/json";
const PLAIN: &str = "text/plain; charset=utf-8";

/// Every path and what it answers.
pub const PATHS: &[(&str, &str)] = &[
    ("/metrics", "metrics in OpenMetrics text"),
    ("/health", "health with reasons, in JSON: 200 while the pool can serve, else 503"),
    ("/healthz/live", "200 while the process and its pool answer"),
    ("/healthz/ready", "200 while the pool can serve, else 503"),
];

/// Why the endpoints cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Somebody else listens there.
    #[error("cannot listen on {0}: the port is in use; choose another one, or end the program that has it (ss -ltnp shows it)")]
    InUse(SocketAddr),
    /// The system refuses.
    #[error("cannot listen on {0}: {1}; choose an address of this host and a port that this user may have")]
    Refused(SocketAddr, std::io::Error),
    /// No thread or no runtime.
    #[error("cannot start the monitor's thread: {0}; check this user's limits on threads and open files")]
    Thread(std::io::Error),
}

/// Reads an address: `HOST:PORT` with a numeric host, or a bare port, which is on loopback.
///
/// # Errors
/// What was expected.
pub fn parse_address(text: &str) -> Result<SocketAddr, String> {
    if let Ok(port) = text.parse::<u16>() {
        return Ok(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port));
    }
    text.parse().map_err(|_| format!("'{text}' is no address (expected a port such as 9464, or a numeric address such as 127.0.0.1:9464)"))
}

/// Tries whether the address is free, without keeping it; port 0 becomes one that is.
///
/// # Errors
/// Why it is not.
pub fn probe(address: SocketAddr) -> Result<SocketAddr, BindError> {
    bind(address)?.local_addr().map_err(|e| BindError::Refused(address, e))
}

fn bind(address: SocketAddr) -> Result<TcpListener, BindError> {
    TcpListener::bind(address).map_err(|e| match e.kind() {
        std::io::ErrorKind::AddrInUse => BindError::InUse(address),
        _ => BindError::Refused(address, e),
    })
}

/// What the server's tasks share.
struct Served {
    monitor: Arc<Monitor>,
    limits: Limits,
    answered: AtomicU64,
}

/// Endpoints that are being served. Dropping it stops them without waiting.
pub struct Server {
    address: SocketAddr,
    served: Arc<Served>,
    stop: watch::Sender<bool>,
    ended: oneshot::Receiver<()>,
    _thread: JoinHandle<()>,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Server {
    /// Where; with the port that the system chose if port 0 was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Requests answered so far.
    pub fn answered(&self) -> u64 {
        self.served.answered.load(Ordering::Relaxed)
    }

    /// Accepts nothing more, finishes the answers that are being written, at most two seconds; returns how many there were in all.
    pub async fn stop(self) -> u64 {
        self.stop.send_replace(true);
        // An error means that the thread has ended already.
        let _ = self.ended.await;
        self.served.answered.load(Ordering::Relaxed)
    }
}

/// Serves the monitor's endpoints on `address` until the server is stopped.
///
/// # Errors
/// The address is not to be had.
pub fn serve(address: SocketAddr, monitor: Arc<Monitor>) -> Result<Server, BindError> {
    serve_within(LIMITS, address, monitor)
}

fn serve_within(limits: Limits, address: SocketAddr, monitor: Arc<Monitor>) -> Result<Server, BindError> {
    let listener = bind(address)?;
    let refused = |e| BindError::Refused(address, e);
    listener.set_nonblocking(true).map_err(refused)?;
    let address = listener.local_addr().map_err(refused)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(BindError::Thread)?;
    let (stop, stopped) = watch::channel(false);
    let (end, ended) = oneshot::channel();
    let served = Arc::new(Served { monitor, limits, answered: AtomicU64::new(0) });
    let shared = Arc::clone(&served);
    let thread = std::thread::Builder::new().name("monitor".into()).spawn(move || {
        runtime.block_on(run(listener, shared, stopped));
        // Nobody waits for a server that was dropped.
        let _ = end.send(());
    });
    Ok(Server { address, served, stop, ended, _thread: thread.map_err(BindError::Thread)? })
}

async fn run(listener: TcpListener, served: Arc<Served>, mut stopped: watch::Receiver<bool>) {
    // It was made non-blocking, so that only a runtime that is shutting down refuses it.
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    let permits = Arc::new(Semaphore::new(served.limits.connections));
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            () = until_stopped(&mut stopped) => break,
            _ = ticks.tick() => served.monitor.tick(),
            accepted = accept(&listener, &permits) => {
                let (stream, permit) = accepted;
                let (served, stopped) = (Arc::clone(&served), stopped.clone());
                tokio::spawn(async move {
                    converse(stream, served, stopped).await;
                    drop(permit);
                });
            }
        }
    }
    drop(listener);
    // Those that do not end in time are dropped with the runtime.
    let _ = tokio::time::timeout(STOP_TIME, permits.acquire_many(served.limits.connections as u32)).await;
}

async fn until_stopped(stopped: &mut watch::Receiver<bool>) {
    // An error means that the sender is gone, which stops too.
    let _ = stopped.wait_for(|stop| *stop).await;
}

/// The next connection, once there is room for it.
async fn accept(
    listener: &tokio::net::TcpListener,
    permits: &Arc<Semaphore>,
) -> (tokio::net::TcpStream, Option<tokio::sync::OwnedSemaphorePermit>) {
    loop {
        // The semaphore is never closed, so there is always a permit in the end.
        let permit = Arc::clone(permits).acquire_owned().await.ok();
        match listener.accept().await {
            Ok((stream, _)) => return (stream, permit),
            // Out of descriptors, or a client that is gone: the next try may do better, but not at once.
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

async fn converse(stream: tokio::net::TcpStream, served: Arc<Served>, mut stopped: watch::Receiver<bool>) {
    let limits = served.limits;
    let service = service_fn(move |request| {
        let answer = answer(&request, &served.monitor);
        served.answered.fetch_add(1, Ordering::Relaxed);
        async move { Ok::<_, Infallible>(answer) }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_buf_size(HEAD_MAX)
        .max_headers(HEADERS_MAX)
        .half_close(false)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let whole = tokio::time::timeout(limits.connection, async {
        tokio::select! {
            ended = connection.as_mut() => ended,
            () = until_stopped(&mut stopped) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        }
    });
    // A client that broke off, or was too slow, has nobody to be told.
    let _ = whole.await;
}

fn answer(request: &Request<Incoming>, monitor: &Monitor) -> Response<Full<Bytes>> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut answer = reply(StatusCode::METHOD_NOT_ALLOWED, PLAIN, "only GET and HEAD\n".to_owned());
        answer.headers_mut().insert(ALLOW, hyper::header::HeaderValue::from_static("GET, HEAD"));
        return answer;
    }
    let serves = |ready| if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    match request.uri().path() {
        "/metrics" => reply(StatusCode::OK, OPEN_METRICS, monitor.text()),
        "/health" => {
            let health = monitor.health();
            let text = serde_json::to_string_pretty(&health).unwrap_or_default();
            reply(serves(health.live && health.ready), JSON, text + "\n")
        }
        "/healthz/live" => {
            let live = monitor.health().live;
            reply(serves(live), PLAIN, if live { "live\n" } else { "not live\n" }.to_owned())
        }
        "/healthz/ready" => {
            let health = monitor.health();
            let why: String = health.reasons.iter().map(|r| format!("{}: {}\n", r.reason, r.why)).collect();
            reply(serves(health.ready), PLAIN, if health.ready { "ready\n".to_owned() } else { format!("not ready\n{why}") })
        }
        _ => {
            let list: String = PATHS.iter().map(|(path, what)| format!("{path}  {what}\n")).collect();
            reply(StatusCode::NOT_FOUND, PLAIN, format!("nothing is here; what is:\n{list}"))
        }
    }
}

fn reply(status: StatusCode, kind: &'static str, text: String) -> Response<Full<Bytes>> {
    let length = text.len();
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, hyper::header::HeaderValue::from_static("no-store"));
    headers.insert(CONTENT_LENGTH, hyper::header::HeaderValue::from(length));
    response
}

#[cfg(test)]
mod tests;
