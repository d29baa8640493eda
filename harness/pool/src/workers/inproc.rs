//! Workers that are tasks of this process: `simulated` (synthetic time only) and `function` (time, then the handler).

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use tokio::sync::mpsc;

use super::control::Control;
use super::sleep::{PreciseSleep, spin_until};
use super::{Answer, Cause, Disturbance, Echo, Exit, Handler, How, Launch, Sent, Started, Task, WorkerHandle, WorkerKind};
use crate::clock::Nanos;
use crate::core::types::RequestId;

/// More than the core ever keeps in flight at one worker; a worker whose queue is full anyway is killed.
const QUEUE: usize = 16;

/// The pool's machinery alone: answers like [`Echo`] and does not run the handler.
#[derive(Debug)]
pub(super) struct Simulated;

/// Runs the pool's [`Handler`] in this process.
#[derive(Debug)]
pub(super) struct Function;

impl WorkerKind for Simulated {
    fn name(&self) -> &'static str {
        "simulated"
    }
    fn doc(&self) -> &'static str {
        "a task in this process that passes the time asked for and echoes"
    }
    fn start(&self, launch: Launch) -> Started {
        start(launch, Arc::new(Echo))
    }
}

impl WorkerKind for Function {
    fn name(&self) -> &'static str {
        "function"
    }
    fn doc(&self) -> &'static str {
        "a task in this process that runs a Rust handler"
    }
    fn start(&self, launch: Launch) -> Started {
        let handler = Arc::clone(&launch.handler);
        start(launch, handler)
    }
}

struct TaskHandle {
    queue: mpsc::Sender<Task>,
    control: Arc<Control>,
}

impl WorkerHandle for TaskHandle {
    fn send(&self, task: Task) -> Sent {
        if self.queue.try_send(task).is_err() {
            self.control.kill();
        }
        Sent::Written
    }
    fn cancel(&self, _request: RequestId) {}
    fn probe(&self) {}
    fn reset(&self) {}
    fn close(&self) {
        self.control.close();
    }
    fn kill(&self) {
        self.control.kill();
    }
    fn disturb(&self, what: Disturbance) {
        self.control.disturb(what);
    }
    fn pid(&self) -> Option<u32> {
        None
    }
}

struct Worker {
    launch: Launch,
    handler: Arc<dyn Handler>,
    control: Arc<Control>,
    queue: mpsc::Receiver<Task>,
}

fn start(launch: Launch, handler: Arc<dyn Handler>) -> Started {
    let control = Arc::new(Control::default());
    let (sender, queue) = mpsc::channel(QUEUE);
    let runtime = launch.runtime.clone();
    let handle = Box::new(TaskHandle { queue: sender, control: Arc::clone(&control) });
    let task = runtime.spawn(Worker { launch, handler, control, queue }.run());
    Started { handle, task }
}

impl Worker {
    async fn run(mut self) {
        let cause = match PreciseSleep::new() {
            Ok(sleep) => self.live(&sleep).await,
            Err(error) => Cause::Spawn(format!("no timer: {error}; raise the limit of open files")),
        };
        let exit = Exit { cause, pid: None, stderr_tail: String::new(), cpu_ns: 0 };
        self.launch.upcalls.exited(self.launch.worker, exit);
    }

    async fn live(&mut self, sleep: &PreciseSleep) -> Cause {
        self.launch.upcalls.ready(self.launch.worker);
        let control = Arc::clone(&self.control);
        loop {
            if control.killed() {
                return aborted();
            }
            if control.closing() && self.queue.is_empty() {
                return Cause::Ended("closed".into());
            }
            let task = tokio::select! {
                biased;
                task = self.queue.recv() => task,
                () = control.changed() => continue,
            };
            let Some(task) = task else { return aborted() };
            match self.serve(task, sleep).await {
                Ok(answer) => self.launch.upcalls.replied(self.launch.worker, answer),
                Err(cause) => return cause,
            }
        }
    }

    async fn serve(&self, task: Task, sleep: &PreciseSleep) -> Result<Answer, Cause> {
        let clock = &*self.launch.clock;
        let begin = clock.now();
        let mut until = begin.saturating_add(task.work.ns);
        match task.work.how {
            How::Spin => spin_until(clock, until, || self.control.killed()),
            How::Sleep => self.pass(sleep, &mut until).await?,
        }
        if self.control.killed() {
            return Err(aborted());
        }
        let mut stall = self.control.take_stall();
        while stall > 0 {
            until = clock.now().saturating_add(stall);
            self.pass(sleep, &mut until).await?;
            stall = self.control.take_stall();
        }
        let result = catch_unwind(AssertUnwindSafe(|| self.handler.handle(&task.payload)))
            .map_err(|panic| Cause::Ended(format!("panic: {}", message(&*panic))))?;
        Ok(Answer { request: task.request, begin, end: clock.now(), result })
    }

    /// Sleeps until `until`, pushed back by the stalls that come meanwhile.
    async fn pass(&self, sleep: &PreciseSleep, until: &mut Nanos) -> Result<(), Cause> {
        loop {
            *until = until.saturating_add(self.control.take_stall());
            tokio::select! {
                biased;
                slept = sleep.until(&*self.launch.clock, *until) => {
                    return slept.map_err(|error| Cause::Ended(format!("timer failed: {error}")));
                }
                () = self.control.changed() => {
                    if self.control.killed() {
                        return Err(aborted());
                    }
                }
            }
        }
    }
}

fn aborted() -> Cause {
    Cause::Ended("aborted".into())
}

fn message(panic: &(dyn Any + Send)) -> &str {
    panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}
