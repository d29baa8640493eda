//! Where messages are written, and who still waits for one.

use std::collections::HashSet;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rmcp::model::{RequestId, ServerJsonRpcMessage};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::Notify;

/// A buffer above this is given back after its message.
const KEPT: usize = 256 * 1024;

/// The client's end of messages: one line each.
pub(super) struct Out<W> {
    stream: tokio::sync::Mutex<Stream<W>>,
    pub(super) open: Open,
}

struct Stream<W> {
    output: W,
    line: Vec<u8>,
}

impl<W: AsyncWrite + Send + Unpin> Out<W> {
    pub(super) fn new(output: W) -> Self {
        Self { stream: tokio::sync::Mutex::new(Stream { output, line: Vec::new() }), open: Open::default() }
    }

    /// Writes one message, which [`Open::begin_write`] has counted.
    pub(super) async fn write(&self, message: ServerJsonRpcMessage) -> io::Result<()> {
        let mut stream = self.stream.lock().await;
        // Before its first byte: a client may use an id again as soon as it has the answer.
        match &message {
            ServerJsonRpcMessage::Response(response) => self.open.free(&response.id),
            ServerJsonRpcMessage::Error(error) => error.id.iter().for_each(|id| self.open.free(id)),
            _ => {}
        }
        let result = stream.write(&message).await;
        drop(stream);
        self.open.end_write(result.is_err());
        result
    }

    pub(super) async fn flush(&self) -> io::Result<()> {
        self.stream.lock().await.output.flush().await
    }
}

impl<W: AsyncWrite + Unpin> Stream<W> {
    async fn write(&mut self, message: &ServerJsonRpcMessage) -> io::Result<()> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, message)?;
        self.line.push(b'\n');
        self.output.write_all(&self.line).await?;
        self.output.flush().await?;
        if self.line.capacity() > KEPT {
            self.line = Vec::new();
        }
        Ok(())
    }
}

/// Requests that were read and have no answer on the wire yet, and messages that are to be written.
#[derive(Default)]
pub(super) struct Open {
    state: Mutex<State>,
    /// Fewer are open than before, or nobody listens any more. One waiter.
    pub(super) changed: Notify,
}

#[derive(Default)]
struct State {
    ids: HashSet<RequestId>,
    writes: usize,
    deaf: bool,
}

impl Open {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the id was free.
    pub(super) fn begin(&self, id: &RequestId) -> bool {
        self.lock().ids.insert(id.clone())
    }

    /// The request has its answer, or the client has taken it back and gets none.
    pub(super) fn free(&self, id: &RequestId) {
        self.lock().ids.remove(id);
        self.changed.notify_one();
    }

    /// A message will be written.
    pub(super) fn begin_write(&self) {
        self.lock().writes += 1;
    }

    fn end_write(&self, failed: bool) {
        let mut state = self.lock();
        state.writes = state.writes.saturating_sub(1);
        state.deaf |= failed;
        drop(state);
        self.changed.notify_one();
    }

    pub(super) fn count(&self) -> usize {
        let state = self.lock();
        state.ids.len() + state.writes
    }

    /// Whether the client's end is closed.
    pub(super) fn is_deaf(&self) -> bool {
        self.lock().deaf
    }
}
