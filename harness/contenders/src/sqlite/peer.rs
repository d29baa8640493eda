//! Threads beside the one that is measured. Each does one piece of work per call and waits otherwise, so that nothing runs between batches.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

/// A thread with something of its own, such as a connection, that does what it is told.
pub(super) struct Peer<T> {
    calls: Option<SyncSender<()>>,
    answers: Receiver<Result<T, String>>,
    thread: Option<JoinHandle<()>>,
}

impl<T: Send + 'static> Peer<T> {
    /// Starts it; `work` is done once per call.
    ///
    /// # Errors
    /// Where no thread can be made.
    pub(super) fn start(mut work: impl FnMut() -> Result<T, String> + Send + 'static) -> Result<Self, String> {
        let (calls, waiting) = sync_channel::<()>(1);
        let (answer, answers) = sync_channel(1);
        let run = move || {
            while waiting.recv().is_ok() {
                if answer.send(work()).is_err() {
                    return;
                }
            }
        };
        let thread =
            thread::Builder::new().name("sqlite-peer".to_owned()).spawn(run).map_err(|why| format!("cannot start a thread: {why}"))?;
        Ok(Self { calls: Some(calls), answers, thread: Some(thread) })
    }

    /// Has the work begun.
    pub(super) fn call(&self) -> Result<(), String> {
        let gone = || "the other thread is gone".to_owned();
        self.calls.as_ref().ok_or_else(gone)?.send(()).map_err(|_| gone())
    }

    /// Waits for the work that was begun.
    pub(super) fn answer(&self) -> Result<T, String> {
        self.answers.recv().map_err(|_| "the other thread is gone".to_owned())?
    }

    /// The answer, if it is there already.
    pub(super) fn answered(&self) -> Option<Result<T, String>> {
        self.answers.try_recv().ok()
    }
}

impl<T> Drop for Peer<T> {
    fn drop(&mut self) {
        self.calls = None;
        if let Some(thread) = self.thread.take() {
            // It ends after the work under way; its own connection is closed with it.
            let _ = thread.join();
        }
    }
}
