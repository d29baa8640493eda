//! One request from the door to the reply.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use pool::clock::{Clock, Nanos};
use pool::core::{Outcome, Placement, RequestId, SessionKey, ToolId};
use pool::times::{Phase, RequestTimes};
use pool::{Deps, Job, Pool, ProgressSink, Work};
use serde::Serialize;
use store::compress::{Codec, Encoders};
use store::{Message, OpenSession, Role, SessionId, Store};

use crate::config::Config;
use crate::monitor::{Counters, Monitor};
use crate::sessions::{Sessions, Turn};

/// The request path. Cheap to clone.
#[derive(Clone)]
pub struct Coordinator {
    inner: Arc<Inner>,
}

struct Inner {
    config: Config,
    clock: Arc<dyn Clock>,
    pool: Pool,
    store: Option<Store>,
    sessions: Sessions,
    encoders: Encoders,
    in_flight: AtomicUsize,
    counters: Arc<Counters>,
    monitor: Arc<Monitor>,
}

/// A call of a tool.
#[derive(Clone, Debug)]
pub struct Request {
    /// The tool.
    pub tool: ToolId,
    /// The session it belongs to, if any.
    pub session: Option<SessionId>,
    /// Absolute deadline on the coordinator's clock.
    pub deadline: Option<Nanos>,
    /// What the worker is asked to spend.
    pub work: Work,
    /// The tool's argument.
    pub payload: Bytes,
    /// What the client accepts, as in `Accept-Encoding`.
    pub accept: Arc<str>,
    /// Stamps so far: the caller has begun `admit` at hand-over.
    pub times: RequestTimes,
    /// Its true service time, ns, where the caller knows it: read with `pool.predict = oracle` only.
    pub cost: Option<Nanos>,
    /// Where the tool's progress goes, if anyone wants it.
    pub progress: Option<ProgressSink>,
}

/// The answer, with all stamps but the end of `reply`, which is the caller's.
#[derive(Clone, Debug)]
pub struct Response {
    /// The one outcome.
    pub outcome: Outcome,
    /// Its id in the pool; `None` when it never reached the pool.
    pub request: Option<RequestId>,
    /// Where it was served; `None` when it never reached the pool.
    pub placement: Option<Placement>,
    /// With `shed`: when it may be worth trying again, ns from now.
    pub retry_after: Option<Nanos>,
    /// Why it is not `ok`.
    pub error: Option<String>,
    /// The worker's digest of the payload.
    pub digest: Option<u64>,
    /// Encoding of `body`.
    pub codec: Codec,
    /// The response document, encoded.
    pub body: Bytes,
    /// Its size before compression, bytes.
    pub encoded_bytes: usize,
    /// Size of the session document saved, bytes; 0 if none was.
    pub saved_bytes: usize,
    /// The stamps.
    pub times: RequestTimes,
}

/// Why the path could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The pool.
    #[error("pool: {0}")]
    Pool(#[from] pool::StartError),
    /// The store.
    #[error("store: {0}")]
    Store(#[from] store::StoreError),
}

/// The response document.
#[derive(Serialize)]
struct Document<'a> {
    tool: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    turn: Option<u64>,
    digest: String,
    result: &'a str,
}

/// Why a request stops on its way: its outcome and what to say.
struct Stop(Outcome, String);

impl Coordinator {
    /// Opens store and pool. Sessions are kept below `dir`.
    ///
    /// # Errors
    /// When the store cannot be opened or a minimum worker does not become ready; nothing is left running then.
    pub async fn open(config: Config, deps: Deps, dir: &Path) -> Result<Self, OpenError> {
        let store = match config.store.kind {
            store::config::Kind::None => None,
            _ => Some(Store::open(&config.store, dir).await?),
        };
        let clock = Arc::clone(&deps.clock);
        let pool = Pool::start(config.pool.clone(), deps).await?;
        let encoders = Encoders::new(&config.compress);
        let counters = Arc::new(Counters::new(&config.pool));
        let monitor = Monitor::new(pool.clone(), &config.pool, Arc::clone(&clock), Arc::clone(&counters), config.monitor);
        let (sessions, in_flight) = (Sessions::default(), AtomicUsize::new(0));
        let inner = Inner { config, clock, pool, store, sessions, encoders, in_flight, counters, monitor };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The pool behind.
    pub fn pool(&self) -> &Pool {
        &self.inner.pool
    }

    /// The store behind, if sessions are kept.
    pub fn store(&self) -> Option<&Store> {
        self.inner.store.as_ref()
    }

    /// Now, on the clock that deadlines are read on.
    pub fn now(&self) -> Nanos {
        self.inner.now()
    }

    /// Requests that are admitted at once.
    pub fn in_flight_max(&self) -> usize {
        self.inner.config.in_flight
    }

    /// The monitor of this path: metrics and health.
    pub fn monitor(&self) -> Arc<Monitor> {
        Arc::clone(&self.inner.monitor)
    }

    /// Serves one request; always ends with exactly one outcome. Dropping the future cancels it.
    pub async fn call(&self, mut request: Request) -> Response {
        let entered = self.inner.counters.enter();
        let mut response = Response {
            outcome: Outcome::Shed,
            request: None,
            placement: None,
            retry_after: None,
            error: None,
            digest: None,
            codec: Codec::Identity,
            body: Bytes::new(),
            encoded_bytes: 0,
            saved_bytes: 0,
            times: RequestTimes::default(),
        };
        if let Err(Stop(outcome, why)) = self.inner.serve(&mut request, &mut response).await {
            response.outcome = outcome;
            response.error = Some(why);
        }
        response.times = request.times;
        entered.leave(&response);
        response
    }

    /// Finishes what is in flight, closes and reaps all workers, closes the store.
    ///
    /// # Errors
    /// When the store could not be closed in order.
    pub async fn close(self) -> Result<Vec<pool::Death>, store::StoreError> {
        let deaths = self.inner.pool.drain().await;
        if let Some(store) = self.inner.store.clone() {
            store.close().await?;
        }
        Ok(deaths)
    }
}

/// Counts a request in flight until dropped.
struct Admitted<'a>(&'a AtomicUsize);

impl Drop for Admitted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Inner {
    fn now(&self) -> Nanos {
        self.clock.now()
    }

    async fn serve(&self, request: &mut Request, response: &mut Response) -> Result<(), Stop> {
        let _admitted = self.admit()?;
        // A client that accepts nothing we offer is told before any work is done.
        self.codec(&request.accept, usize::MAX)?;
        request.times.end(Phase::Admit, self.now());
        let _turn = self.session_turn(request).await?;
        let session = self.load(request).await?;
        let answer = self.dispatch(request, response).await?;
        // The tool has run, and whether a save that failed late is on the disk nobody knows.
        self.keep(session, request, response, &answer).await.map_err(|Stop(_, why)| Stop(Outcome::OutcomeUnknown, why))
    }

    /// What follows the worker's answer: it goes into the session and into a document, and the session to its store.
    async fn keep(&self, session: Option<OpenSession>, request: &mut Request, response: &mut Response, answer: &Bytes) -> Result<(), Stop> {
        let session = session.map(|s| self.changed(s, request, answer)).transpose()?;
        let document = self.encode(request, session.as_ref(), answer)?;
        response.encoded_bytes = document.len();
        response.codec = self.codec(&request.accept, document.len())?;
        response.body = self.encoders.encode(response.codec, &document).map_err(|e| Stop(Outcome::Failed, e.to_string()))?;
        request.times.end(Phase::Compress, self.now());
        if let (Some(store), Some(session)) = (&self.store, &session) {
            request.times.begin(Phase::Persist, self.now());
            let saved = store.save_opened(session).await;
            request.times.end(Phase::Persist, self.now());
            response.saved_bytes = saved.map_err(|e| Stop(Outcome::Failed, format!("session not saved: {e}")))?.bytes;
        }
        request.times.begin(Phase::Reply, self.now());
        response.outcome = Outcome::Ok;
        Ok(())
    }

    fn codec(&self, accept: &str, size: usize) -> Result<Codec, Stop> {
        self.config.compress.choose(accept, size).map_err(|e| Stop(Outcome::Failed, e.to_string()))
    }

    fn admit(&self) -> Result<Admitted<'_>, Stop> {
        let admitted = Admitted(&self.in_flight);
        if self.in_flight.fetch_add(1, Ordering::Relaxed) >= self.config.in_flight {
            return Err(Stop(Outcome::Shed, format!("{} requests are in flight already (coordinator.in-flight)", self.config.in_flight)));
        }
        Ok(admitted)
    }

    /// Waits for the session's previous request, at most until the deadline.
    async fn session_turn(&self, request: &mut Request) -> Result<Option<Turn>, Stop> {
        let Some(id) = &request.session else { return Ok(None) };
        request.times.begin(Phase::SessionWait, self.now());
        let waiting = self.sessions.turn(id, self.config.session_queue);
        let turn = match request.deadline {
            None => waiting.await,
            Some(deadline) => {
                let left = std::time::Duration::from_nanos(deadline.saturating_sub(self.now()));
                tokio::time::timeout(left, waiting).await.map_err(|_| {
                    Stop(Outcome::Expired, "the deadline passed while an earlier request of the session was served".to_owned())
                })?
            }
        };
        request.times.end(Phase::SessionWait, self.now());
        let full =
            || Stop(Outcome::Shed, format!("{} requests of this session wait already (session.queue-len)", self.config.session_queue));
        turn.ok_or_else(full).map(Some)
    }

    async fn load(&self, request: &mut Request) -> Result<Option<OpenSession>, Stop> {
        let (Some(store), Some(id)) = (&self.store, &request.session) else { return Ok(None) };
        request.times.begin(Phase::Load, self.now());
        let opened = store.open_session(id).await;
        request.times.end(Phase::Load, self.now());
        opened.map(Some).map_err(|e| Stop(Outcome::Failed, format!("session not loaded: {e}")))
    }

    /// The pool's part; stamps `queue` to `return`. The answer is the worker's digest and text.
    async fn dispatch(&self, request: &mut Request, response: &mut Response) -> Result<Bytes, Stop> {
        let job = Job {
            tool: request.tool,
            session: request.session.as_ref().map(session_key),
            deadline: request.deadline,
            work: request.work,
            payload: std::mem::take(&mut request.payload),
            times: request.times,
            cost: request.cost,
            progress: request.progress.take(),
        };
        let reply = self.pool.call(job).await;
        request.times = reply.times;
        response.request = Some(reply.request);
        response.placement = Some(reply.placement);
        response.retry_after = reply.retry_after;
        if reply.outcome != Outcome::Ok {
            return Err(Stop(reply.outcome, reply.error.unwrap_or_else(|| reply.outcome.name().to_owned())));
        }
        let Some((digest, _)) = reply.body.split_first_chunk::<8>() else {
            return Err(Stop(Outcome::Failed, format!("the worker's answer has {} bytes, too short for its digest", reply.body.len())));
        };
        response.digest = Some(u64::from_le_bytes(*digest));
        // From the moment the reply was read: the wake-up of this task is part of answering.
        request.times.begin(Phase::Encode, request.times.span(Phase::Return).map_or_else(|| self.now(), |(_, end)| end));
        Ok(reply.body)
    }

    fn tool_name(&self, tool: ToolId) -> &str {
        self.config.pool.tools.get(usize::from(tool.0)).map_or("?", |t| t.name.as_str())
    }

    fn changed(&self, mut session: OpenSession, request: &Request, answer: &Bytes) -> Result<OpenSession, Stop> {
        let (digest, text) = parts(answer)?;
        let tool = self.tool_name(request.tool).to_owned();
        let message = Message { role: Role::Tool, tool, digest, text: text.to_owned() };
        let recorded = session.record_turn(message, self.config.keep);
        recorded.map_err(|e| Stop(Outcome::Failed, format!("the turn cannot be written as JSON: {e}")))?;
        Ok(session)
    }

    fn encode(&self, request: &mut Request, session: Option<&OpenSession>, answer: &Bytes) -> Result<Vec<u8>, Stop> {
        let (digest, result) = parts(answer)?;
        let document = Document {
            tool: self.tool_name(request.tool),
            session: request.session.as_ref().map(SessionId::as_str),
            turn: session.map(OpenSession::turns),
            digest: format!("{digest:016x}"),
            result,
        };
        let bytes = serde_json::to_vec(&document).map_err(|e| Stop(Outcome::Failed, format!("response not encoded: {e}")))?;
        request.times.turn(Phase::Encode, Phase::Compress, self.now());
        Ok(bytes)
    }
}

/// Digest and text of a worker's answer.
fn parts(answer: &Bytes) -> Result<(u64, &str), Stop> {
    let Some((digest, text)) = answer.split_first_chunk::<8>() else {
        return Err(Stop(Outcome::Failed, "the worker's answer has no digest".to_owned()));
    };
    let text = std::str::from_utf8(text).map_err(|e| Stop(Outcome::Failed, format!("the worker's answer is not UTF-8: {e}")))?;
    Ok((u64::from_le_bytes(*digest), text))
}

/// The pool's key of a session. Two sessions that share one only share a worker.
pub fn session_key(id: &SessionId) -> SessionKey {
    let mut hasher = DefaultHasher::new();
    id.as_str().hash(&mut hasher);
    SessionKey(hasher.finish())
}

#[cfg(test)]
mod tests;
