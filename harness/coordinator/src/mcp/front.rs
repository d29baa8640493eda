//! What clients may ask: the list of tools, and calls of them.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;

use bytes::Bytes;
use pool::times::{Phase, RequestTimes};
use pool::{Progress, Work};
use rmcp::ServerHandler;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CustomRequest, CustomResult, ErrorCode, ErrorData, Implementation, JsonObject,
    ListToolsResult, PaginatedRequestParams, ProgressNotificationParam, ProgressToken, RequestMetaObject, ServerCapabilities, ServerConfig,
    Tool,
};
use rmcp::service::{Peer, RequestContext, RoleServer};
use serde_json::Value;
use store::SessionId;
use tokio::sync::{mpsc, watch};

use super::answer;
use super::config::{Face, PayloadRule, Service, SessionRule, ToolFace};
use super::order::Ticket;
use crate::{Coordinator, Request};

/// Methods that are served: one of these that the SDK cannot read has wrong parameters.
const SERVED: &[&str] = &["initialize", "server/discover", "ping", "tools/list", "tools/call"];
/// Progress of one call that waits for the client to read it; more is dropped.
const PROGRESS: usize = 16;
/// Longest service time that a client may ask of our own worker, ns.
const SERVICE_MAX: f64 = 3.6e12;
/// Numbers the connections of one process.
static CONNECTIONS: AtomicU64 = AtomicU64::new(0);

/// One client's view of the pool.
pub(super) struct Front {
    coordinator: Coordinator,
    face: Face,
    listed: Vec<Tool>,
    by_name: HashMap<String, usize>,
    /// The session of the connection.
    connection: Option<SessionId>,
    accept: Arc<str>,
    abort: watch::Receiver<bool>,
    stop: watch::Receiver<bool>,
}

impl Front {
    pub(super) fn new(coordinator: Coordinator, face: Face, abort: watch::Receiver<bool>, stop: watch::Receiver<bool>) -> Self {
        // A name that no other connection has, this process' or another's, so that no client reads another's session.
        let number = CONNECTIONS.fetch_add(1, Ordering::Relaxed);
        let name = format!("connection-{:x}-{:x}-{number:x}", std::process::id(), coordinator.now());
        Self {
            listed: face.tools.iter().map(listed).collect(),
            by_name: face.tools.iter().enumerate().map(|(i, tool)| (tool.name.clone(), i)).collect(),
            connection: SessionId::try_from(name.as_str()).ok(),
            accept: Arc::from("identity"),
            coordinator,
            face,
            abort,
            stop,
        }
    }

    fn tool(&self, name: &str) -> Result<&ToolFace, ErrorData> {
        let found = self.by_name.get(name).and_then(|index| self.face.tools.get(*index));
        found.ok_or_else(|| ErrorData::invalid_params(format!("there is no tool '{name}'; tools/list names those there are"), None))
    }

    fn session(&self, arguments: &JsonObject, meta: &RequestMetaObject) -> Result<Option<SessionId>, ErrorData> {
        let (place, given) = match &self.face.session {
            SessionRule::None => return Ok(None),
            SessionRule::Connection => return Ok(self.connection.clone()),
            SessionRule::Argument(name) => (name, arguments.get(name)),
            SessionRule::Meta(key) => (key, meta.get(key)),
        };
        match given {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => match SessionId::try_from(text.as_str()) {
                Ok(id) => Ok(Some(id)),
                Err(why) => Err(ErrorData::invalid_params(format!("'{place}' names no session: {why}"), None)),
            },
            Some(_) => Err(ErrorData::invalid_params(format!("'{place}' names no session: it is not text; use 1 to 64 letters"), None)),
        }
    }

    fn request(&self, tool: &ToolFace, arguments: &JsonObject, meta: &RequestMetaObject) -> Result<Request, ErrorData> {
        let now = self.coordinator.now();
        let mut times = RequestTimes::default();
        times.begin(Phase::Admit, now);
        Ok(Request {
            tool: tool.id,
            session: self.session(arguments, meta)?,
            deadline: tool.deadline_ns.map(|ns| now.saturating_add(ns)),
            work: Work::new(service_ns(tool, arguments)?, tool.how),
            payload: payload(tool, arguments)?,
            accept: Arc::clone(&self.accept),
            cost: None,
            progress: None,
            times,
        })
    }

    /// When calls still running must be given up.
    async fn aborted(&self) {
        let mut abort = self.abort.clone();
        // A door that is gone has given up everything.
        let _ = abort.wait_for(|abort| *abort).await;
    }
}

/// Tells the client how far its call is, as long as that is polled; what comes faster than the client reads is dropped before here.
async fn pass_on(mut events: mpsc::Receiver<Progress>, token: ProgressToken, peer: &Peer<RoleServer>) -> Infallible {
    let mut last = None;
    while let Some(event) = events.recv().await {
        // The protocol wants it to grow with each notification.
        if last.is_some_and(|last| event.done <= last) {
            continue;
        }
        last = Some(event.done);
        let mut said = ProgressNotificationParam::new(token.clone(), event.done as f64);
        if event.total > 0 {
            said = said.with_total(event.total as f64);
        }
        if !event.message.is_empty() {
            said = said.with_message(event.message);
        }
        if peer.notify_progress(said).await.is_err() {
            break;
        }
    }
    std::future::pending().await
}

fn listed(tool: &ToolFace) -> Tool {
    Tool::new(tool.name.clone(), tool.description.clone(), Arc::new(tool.input_schema.clone()))
}

fn service_ns(tool: &ToolFace, arguments: &JsonObject) -> Result<u64, ErrorData> {
    let name = match &tool.service {
        Service::Fixed(ns) => return Ok(*ns),
        Service::Argument(name) => name,
    };
    let Some(given) = arguments.get(name) else { return Ok(0) };
    match given.as_f64().map(|ms| ms * 1e6) {
        Some(ns) if (0.0..=SERVICE_MAX).contains(&ns) => Ok(ns as u64),
        _ => Err(ErrorData::invalid_params(format!("'{name}' is {given}; use milliseconds from 0 to {}", SERVICE_MAX / 1e6), None)),
    }
}

fn payload(tool: &ToolFace, arguments: &JsonObject) -> Result<Bytes, ErrorData> {
    let written = match tool.payload {
        PayloadRule::Arguments => serde_json::to_vec(arguments),
        PayloadRule::Call => serde_json::to_vec(&serde_json::json!({ "tool": tool.name, "arguments": arguments })),
    };
    written.map(Bytes::from).map_err(|e| ErrorData::invalid_params(format!("the arguments cannot be written as JSON: {e}"), None))
}

impl ServerHandler for Front {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(Implementation::new(self.face.name.clone(), self.face.version.clone()))
    }

    async fn list_tools(&self, _: Option<PaginatedRequestParams>, _: RequestContext<RoleServer>) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(self.listed.clone()))
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        self.by_name.get(name).and_then(|index| self.listed.get(*index)).cloned()
    }

    async fn call_tool(&self, call: CallToolRequestParams, context: RequestContext<RoleServer>) -> Result<CallToolResponse, ErrorData> {
        let tool = self.tool(&call.name)?;
        if *self.stop.borrow() {
            return Err(answer::ending());
        }
        let ticket = context.extensions.get::<Arc<Ticket>>();
        if let Some(ticket) = ticket {
            ticket.turn().await;
        }
        let arguments = call.arguments.unwrap_or_default();
        let mut request = self.request(tool, &arguments, &context.meta)?;
        let mut progress = None;
        if let Some(token) = context.meta.get_progress_token() {
            let (sink, events) = mpsc::channel(PROGRESS);
            request.progress = Some(sink);
            progress = Some(pass_on(events, token, &context.peer));
        }
        // The first poll takes its place in the session's and the pool's queue; then the next call may.
        let mut call = std::pin::pin!(self.coordinator.call(request));
        let first = poll_fn(|context| Poll::Ready(call.as_mut().poll(context))).await;
        ticket.iter().for_each(|ticket| ticket.pass());
        if let Poll::Ready(response) = first {
            return answer::of(&response);
        }
        // Dropping the call cancels it in the pool.
        tokio::select! {
            biased;
            response = call => answer::of(&response),
            // Nobody reads this: the SDK answers no cancelled request.
            () = context.ct.cancelled() => Err(ErrorData::invalid_request("cancelled", None)),
            () = self.aborted() => Err(answer::cut_off()),
            never = async { match progress { Some(passing) => passing.await, None => std::future::pending().await } } => match never {},
        }
    }

    /// What the SDK has no method for, or no parameters: it does not say which.
    async fn on_custom_request(&self, request: CustomRequest, _: RequestContext<RoleServer>) -> Result<CustomResult, ErrorData> {
        let method = &request.method;
        if SERVED.contains(&method.as_str()) {
            return Err(ErrorData::invalid_params(format!("the parameters are not those of {method}; see the protocol's schema"), None));
        }
        Err(ErrorData::new(ErrorCode::METHOD_NOT_FOUND, format!("there is no method '{method}'; this server has tools only"), None))
    }
}
