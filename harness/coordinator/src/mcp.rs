//! The MCP front: a client's tool calls through the request path, over two byte streams, by the official SDK.
//!
//! The SDK (`rmcp`) speaks the protocol: both lifecycles, versions, cancellation. Ours are the streams ([`door`]: bounded lines,
//! bounded requests, a drain that waits for answers), and what a call means ([`front`]: sessions, deadlines, typed errors).

mod answer;
mod config;
mod door;
mod front;
mod lines;
mod order;
mod out;

use std::sync::Arc;
use std::time::Duration;

use rmcp::ServiceExt;
use rmcp::service::ServerInitializeError;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;

pub use config::{Face, PayloadRule, SERVER, ServeConfig, Service, SessionRule, ToolFace, settings};

use crate::Coordinator;
use door::{Bounds, Door};
use front::Front;

/// Requests over the admitted ones that may wait for their refusal to be written, before nothing more is read.
const REFUSALS: usize = 256;

/// Serves one client until it is gone, or until `stop` turns true and what is in flight is answered, which may take `drain`.
/// What is unanswered then is refused. The coordinator is left as it is: closing it is the caller's.
///
/// # Errors
/// When the client and the server could not agree on how to begin.
pub async fn serve<R, W>(
    coordinator: &Coordinator,
    face: Face,
    (input, output): (R, W),
    stop: watch::Receiver<bool>,
    drain: Duration,
) -> Result<(), String>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    let abort = Arc::new(watch::Sender::new(false));
    let bounds = Bounds { line: face.line_max, open: coordinator.in_flight_max() + REFUSALS, drain };
    let front = Front::new(coordinator.clone(), face, abort.subscribe(), stop.clone());
    match front.serve(Door::new(input, output, bounds, stop, abort)).await {
        // It ends when the door does, with everything answered.
        Ok(running) => running.waiting().await.map(|_| ()).map_err(|e| format!("the serving task ended: {e}")),
        // Gone before it said anything.
        Err(ServerInitializeError::ConnectionClosed(_)) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests;
