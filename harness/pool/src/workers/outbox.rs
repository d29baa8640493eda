//! What waits to be written to a child. The dispatching thread writes at once where the pipe takes it; the rest is left to
//! a writer task, so that a stopped child blocks nobody and its requests still arrive in order.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::net::unix::pipe;
use tokio::sync::Notify;

use super::{Sent, Task, Upcalls};
use crate::core::types::{RequestId, WorkerRef};
use crate::frames::{REQUEST_HEAD, SIGNAL_SIZE, Signal, request_head, signal};

/// More than the core ever keeps in flight at one worker.
const QUEUE: usize = 16;

/// The outbox of one child.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    pipe: Option<Arc<pipe::Sender>>,
    queue: VecDeque<Outgoing>,
}

#[derive(Debug)]
struct Outgoing {
    /// `None` for a signal.
    request: Option<RequestId>,
    /// The frame without its payload, of which `head_len` bytes count.
    head: [u8; REQUEST_HEAD],
    head_len: usize,
    payload: Bytes,
    sent: usize,
}

/// The outbox has no room: the worker is out of step with the pool.
#[derive(Debug)]
pub(super) struct Full;

impl Outgoing {
    fn request(task: Task) -> Outgoing {
        let head = request_head(task.request.0, task.work, task.progress_ms(), task.payload.len());
        Outgoing { request: Some(task.request), head, head_len: REQUEST_HEAD, payload: task.payload, sent: 0 }
    }

    fn signal(what: Signal, id: u64) -> Outgoing {
        let mut head = [0; REQUEST_HEAD];
        head[..SIGNAL_SIZE].copy_from_slice(&signal(what, id));
        Outgoing { request: None, head, head_len: SIGNAL_SIZE, payload: Bytes::new(), sent: 0 }
    }

    /// Writes what the pipe takes; true once nothing is left.
    fn write(&mut self, pipe: &pipe::Sender) -> io::Result<bool> {
        loop {
            let written = match self.sent.checked_sub(self.head_len) {
                None => pipe.try_write_vectored(&[IoSlice::new(&self.head[self.sent..self.head_len]), IoSlice::new(&self.payload)]),
                Some(at) if at < self.payload.len() => pipe.try_write(&self.payload[at..]),
                Some(_) => return Ok(true),
            };
            match written {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(n) => self.sent += n,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
            if self.sent == self.head_len + self.payload.len() {
                return Ok(true);
            }
        }
    }
}

impl Outbox {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn open(&self, pipe: pipe::Sender) {
        self.lock().pipe = Some(Arc::new(pipe));
    }

    /// Closes our end (the child reads EOF) and forgets what was not written; the writer task ends.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.pipe = None;
        state.queue.clear();
        drop(state);
        self.changed.notify_one();
    }

    pub(super) fn send(&self, task: Task) -> Result<Sent, Full> {
        let mut state = self.lock();
        if state.queue.len() >= QUEUE {
            return Err(Full);
        }
        state.queue.push_back(Outgoing::request(task));
        if state.queue.len() == 1 {
            let mut written = None;
            state.flush(|request| written = Some(request));
            if written.is_some() {
                return Ok(Sent::Written);
            }
        }
        drop(state);
        self.changed.notify_one();
        Ok(Sent::Queued)
    }

    /// Says something to the child, behind what waits already. A child that reads so little that its outbox is full is not told.
    pub(super) fn signal(&self, what: Signal, id: u64) {
        let mut state = self.lock();
        if state.queue.len() >= QUEUE {
            return;
        }
        state.queue.push_back(Outgoing::signal(what, id));
        if state.queue.len() == 1 {
            state.flush(|_| {});
        }
        let waits = !state.queue.is_empty();
        drop(state);
        if waits {
            self.changed.notify_one();
        }
    }

    /// The writer task: writes what `send` could not, until the outbox is closed or the child is gone.
    pub(super) async fn run(self: Arc<Self>, worker: WorkerRef, upcalls: Arc<dyn Upcalls>) {
        let mut written = Vec::new();
        loop {
            let pending = {
                let state = self.lock();
                let Some(pipe) = &state.pipe else { return };
                // Idle, the task must not hold the pipe: `close` has to close it at once.
                (!state.queue.is_empty()).then(|| Arc::clone(pipe))
            };
            match pending {
                Some(pipe) => tokio::select! {
                    _ = pipe.writable() => {}
                    () = self.changed.notified() => {}
                },
                None => self.changed.notified().await,
            }
            self.lock().flush(|request| written.push(request));
            written.drain(..).for_each(|request| upcalls.written(worker, request));
        }
    }
}

impl State {
    fn flush(&mut self, mut written: impl FnMut(RequestId)) {
        let Some(pipe) = &self.pipe else { return };
        while let Some(first) = self.queue.front_mut() {
            match first.write(pipe) {
                Ok(true) => first.request.into_iter().for_each(&mut written),
                Ok(false) => return,
                Err(_) => {
                    // The reading end is gone. What is left cannot have run; the death itself is seen elsewhere.
                    self.pipe = None;
                    self.queue.clear();
                    return;
                }
            }
            self.queue.pop_front();
        }
    }
}
