//! What workers report, made into events of the core.

use std::sync::Arc;

use super::inner::{Inner, Pending, State};
use crate::clock::Nanos;
use crate::core::types::{Event, ReplyKind, RequestId, WorkerRef};
use crate::times::Phase;
use crate::workers::{Answer, Exit, Progress, Upcalls};

/// What a worker's tasks hold of the pool.
pub(super) struct Door(pub(super) Arc<Inner>);

impl Upcalls for Door {
    fn ready(&self, worker: WorkerRef) {
        self.0.ready(worker);
    }
    fn written(&self, worker: WorkerRef, request: RequestId) {
        self.0.written(worker, request);
    }
    fn replied(&self, worker: WorkerRef, answer: Answer) {
        self.0.replied(worker, answer);
    }
    fn probed(&self, worker: WorkerRef) {
        self.0.event(Event::Probed(worker));
    }
    fn reset_done(&self, worker: WorkerRef) {
        self.0.event(Event::ResetDone(worker));
    }
    fn progressed(&self, worker: WorkerRef, request: RequestId, progress: Progress) {
        self.0.progressed(worker, request, progress);
    }
    fn exited(&self, worker: WorkerRef, exit: Exit) {
        self.0.exited(worker, exit);
    }
}

impl Inner {
    fn ready(self: &Arc<Self>, worker: WorkerRef) {
        let mut state = self.lock();
        let now = self.now();
        let Some(live) = state.live(worker) else { return };
        live.ready = true;
        self.step(&mut state, now, Event::Ready(worker));
        self.changed.notify_waiters();
    }

    fn written(self: &Arc<Self>, worker: WorkerRef, request: RequestId) {
        let mut state = self.lock();
        if let Some(event) = state.note_written(worker, request) {
            let now = self.now();
            self.step(&mut state, now, event);
        }
    }

    fn replied(self: &Arc<Self>, worker: WorkerRef, answer: Answer) {
        let mut state = self.lock();
        let now = self.now();
        if let Some(event) = state.note_written(worker, answer.request) {
            // The reply has overtaken the writer's upcall.
            self.step(&mut state, now, event);
        }
        let Some(live) = state.live(worker) else { return };
        if live.busy != Some(answer.request) {
            return;
        }
        live.busy = None;
        let (partition, since) = (live.partition, live.busy_since);
        state.observed.idle(partition, since, now);
        let kind = if answer.result.is_ok() { ReplyKind::Ok } else { ReplyKind::ToolError };
        if let Some(pending) = state.requests.get_mut(&answer.request) {
            pending.serve(now, &answer);
            match answer.result {
                Ok(body) => pending.body = body,
                Err(error) => pending.error = Some(error),
            }
        }
        self.step(&mut state, now, Event::Replied(worker, answer.request, kind));
    }

    /// Passes progress on to a caller that asked for it, if it keeps up.
    fn progressed(&self, worker: WorkerRef, request: RequestId, progress: Progress) {
        let mut state = self.lock();
        if state.live(worker).is_none_or(|live| live.busy != Some(request)) {
            return;
        }
        if let Some(sink) = state.requests.get(&request).and_then(|pending| pending.progress.as_ref()) {
            // A caller that does not keep up misses some; the last word is the reply.
            let _ = sink.try_send(progress);
        }
    }

    fn exited(self: &Arc<Self>, worker: WorkerRef, exit: Exit) {
        let mut state = self.lock();
        let now = self.now();
        let Some(slot) = state.slots.get_mut(usize::from(worker.slot.0)) else { return };
        let Some(live) = slot.take_if(|live| live.worker == worker) else { return };
        if let Some(pending) = live.busy.and_then(|request| state.requests.get_mut(&request)) {
            pending.error = Some(describe(&exit));
        }
        state.observed.exited(&live, exit, now);
        self.step(&mut state, now, Event::Exited(worker));
        self.changed.notify_waiters();
    }
}

impl Pending {
    /// Stamps the worker's phases; a worker whose stamps are impossible is not believed.
    fn serve(&mut self, now: Nanos, answer: &Answer) {
        let begin = answer.begin.max(self.dispatched.unwrap_or(0)).min(now);
        let end = answer.end.clamp(begin, now);
        self.times.turn(Phase::Dispatch, Phase::Service, begin);
        self.times.turn(Phase::Service, Phase::Return, end);
        self.times.end(Phase::Return, now);
    }
}

fn describe(exit: &Exit) -> String {
    match exit.stderr_tail.as_str() {
        "" => format!("worker died: {}", exit.cause),
        tail => format!("worker died: {}; its stderr ended: {tail}", exit.cause),
    }
}

impl State {
    /// Tells the core of the write that a reply or an upcall proves.
    fn note_written(&mut self, worker: WorkerRef, request: RequestId) -> Option<Event> {
        let live = self.live(worker)?;
        let first = live.busy == Some(request) && live.unwritten;
        live.unwritten &= !first;
        first.then_some(Event::Written(worker, request))
    }
}
