//! The stream transport that the SDK is given: what comes in is bounded, and it ends only when all is answered.

use std::borrow::Cow;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use rmcp::RoleServer;
use rmcp::model::{ClientJsonRpcMessage, ClientNotification, ClientRequest, ErrorCode, ErrorData, RequestId, ServerJsonRpcMessage};
use rmcp::transport::Transport;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::{Sleep, sleep};

use super::lines::{Line, Lines};
use super::order::Order;
use super::out::Out;

/// How long refusals of a cut-off drain may take to be written: a client that does not read is not waited for.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// What the door lets in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Longest line, bytes.
    pub(super) line: usize,
    /// Requests without an answer; more are not read until one is answered.
    pub(super) open: usize,
    /// Longest time that the end waits for answers.
    pub(super) drain: Duration,
}

/// The transport. `receive` is dropped and called again at any await, so all it knows is kept here.
pub(super) struct Door<R, W> {
    lines: Lines<R>,
    out: Arc<Out<W>>,
    order: Arc<Order>,
    bounds: Bounds,
    /// Whether the client has made a request; anything else before it is no beginning.
    greeted: bool,
    /// Whether the client's stream has ended.
    ended: bool,
    /// Turns true to ask for the end.
    stop: watch::Receiver<bool>,
    /// Turns true when calls still running must be given up.
    abort: Arc<watch::Sender<bool>>,
    /// Runs from the beginning of the end.
    patience: Option<Pin<Box<Sleep>>>,
}

/// What a line was.
enum Parsed {
    Message(ClientJsonRpcMessage),
    Nothing,
    Refusal(ServerJsonRpcMessage),
}

impl<R, W> Door<R, W>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    pub(super) fn new(input: R, output: W, bounds: Bounds, stop: watch::Receiver<bool>, abort: Arc<watch::Sender<bool>>) -> Self {
        let lines = Lines::new(input, bounds.line);
        Self {
            lines,
            out: Arc::new(Out::new(output)),
            order: Arc::default(),
            bounds,
            greeted: false,
            ended: false,
            stop,
            abort,
            patience: None,
        }
    }

    /// Starts the clock of the end, once.
    fn begin_end(&mut self) {
        if self.patience.is_none() {
            self.patience = Some(Box::pin(sleep(self.bounds.drain)));
        }
    }

    /// Whether nothing is left to do here.
    fn is_over(&mut self) -> bool {
        if self.out.open.is_deaf() {
            tracing::debug!("the client does not listen any more");
            self.abort.send_replace(true);
            return true;
        }
        if *self.stop.borrow() || self.ended {
            self.begin_end();
            return self.out.open.count() == 0;
        }
        false
    }

    /// The end has taken too long: what still runs is given up, which answers it.
    fn cut_short(&mut self) -> bool {
        let again = *self.abort.borrow();
        if !again {
            tracing::warn!(open = self.out.open.count(), "calls are cut off: pool.drain-timeout is over");
            self.abort.send_replace(true);
            self.patience = Some(Box::pin(sleep(LAST_WORDS)));
        }
        again
    }

    fn take(&mut self, line: io::Result<Line>) -> Option<ClientJsonRpcMessage> {
        let parsed = match line {
            Ok(Line::Whole(line)) => parse(&line),
            Ok(Line::TooLong) => {
                let why = format!("the message is longer than {} bytes; raise server.line-max, or send less", self.bounds.line);
                tracing::warn!("{why}");
                Parsed::Refusal(refusal(ErrorCode::INVALID_REQUEST, why, None))
            }
            Ok(Line::End) => {
                self.ended = true;
                Parsed::Nothing
            }
            Err(error) => {
                tracing::warn!(%error, "the client's messages cannot be read");
                self.ended = true;
                Parsed::Nothing
            }
        };
        match parsed {
            Parsed::Message(message) => self.admit(message),
            Parsed::Nothing => None,
            Parsed::Refusal(refusal) => {
                self.refuse(refusal);
                None
            }
        }
    }

    fn refuse(&self, refusal: ServerJsonRpcMessage) {
        self.out.open.begin_write();
        let out = Arc::clone(&self.out);
        // What went wrong with the writing is known to `open`.
        tokio::spawn(async move { drop(out.write(refusal).await) });
    }

    /// Keeps count of what is open, and gives each call its place.
    fn admit(&mut self, mut message: ClientJsonRpcMessage) -> Option<ClientJsonRpcMessage> {
        match &mut message {
            ClientJsonRpcMessage::Request(request) => {
                if !self.out.open.begin(&request.id) {
                    let why = format!("the id {} is that of a request without an answer; use another", request.id);
                    // Without the id, which would answer the earlier one.
                    self.refuse(refusal(ErrorCode::INVALID_REQUEST, why, None));
                    return None;
                }
                self.greeted = true;
                if let ClientRequest::CallToolRequest(call) = &mut request.request {
                    call.extensions.insert(Arc::new(self.order.ticket()));
                }
            }
            ClientJsonRpcMessage::Notification(note) if self.greeted => {
                if let ClientNotification::CancelledNotification(cancelled) = &note.notification {
                    cancelled.params.request_id.iter().for_each(|id| self.out.open.free(id));
                }
            }
            _ if !self.greeted => {
                tracing::debug!("ignored what came before the first request");
                return None;
            }
            _ => {}
        }
        Some(message)
    }
}

fn refusal(code: ErrorCode, why: String, id: Option<RequestId>) -> ServerJsonRpcMessage {
    ServerJsonRpcMessage::error(ErrorData::new(code, Cow::Owned(why), None), id)
}

/// A message; or what the client is told of a line that is none. A notification that nobody knows is passed over, as MCP wants it.
fn parse(line: &[u8]) -> Parsed {
    if line.iter().all(u8::is_ascii_whitespace) {
        return Parsed::Nothing;
    }
    let unfit = match serde_json::from_slice(line) {
        Ok(message) => return Parsed::Message(message),
        Err(unfit) => unfit,
    };
    let value: Value = match serde_json::from_slice(line) {
        Ok(value) => value,
        Err(error) => return Parsed::Refusal(refusal(ErrorCode::PARSE_ERROR, format!("the line is not JSON: {error}"), None)),
    };
    let id = value.get("id").and_then(|id| serde_json::from_value::<RequestId>(id.clone()).ok());
    if value.get("method").is_some_and(Value::is_string) && value.get("id").is_none() {
        tracing::debug!("ignored a notification that is not of this protocol");
        return Parsed::Nothing;
    }
    let what = if value.is_array() { "batches are not served; send one message a line".to_owned() } else { unfit.to_string() };
    Parsed::Refusal(refusal(ErrorCode::INVALID_REQUEST, format!("the line is no JSON-RPC message: {what}"), id))
}

impl<R, W> Transport<RoleServer> for Door<R, W>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    type Error = io::Error;

    fn send(&mut self, message: ServerJsonRpcMessage) -> impl Future<Output = io::Result<()>> + Send + 'static {
        let out = Arc::clone(&self.out);
        out.open.begin_write();
        async move { out.write(message).await }
    }

    async fn receive(&mut self) -> Option<ClientJsonRpcMessage> {
        loop {
            if self.is_over() {
                return None;
            }
            let stopping = *self.stop.borrow_and_update();
            let reads = !self.ended && self.out.open.count() < self.bounds.open;
            let out = Arc::clone(&self.out);
            let line = tokio::select! {
                biased;
                // A sender that is gone asks for nothing.
                Ok(()) = self.stop.changed(), if !stopping => continue,
                () = over(&mut self.patience) => {
                    if self.cut_short() {
                        return None;
                    }
                    continue;
                }
                line = self.lines.next(), if reads => line,
                () = out.open.changed.notified() => continue,
            };
            if let Some(message) = self.take(line) {
                return Some(message);
            }
        }
    }

    async fn close(&mut self) -> io::Result<()> {
        if self.out.open.is_deaf() { Ok(()) } else { self.out.flush().await }
    }
}

async fn over(patience: &mut Option<Pin<Box<Sleep>>>) {
    match patience {
        Some(sleep) => sleep.await,
        None => std::future::pending().await,
    }
}
