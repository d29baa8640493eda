//! Workers that are tasks of this process: `simulated` (synthetic time only) and `function` (time, then the handler).

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use tokio::sync::mpsc;

use super::control::{Control, FOREVER, delayed};
use super::fault::{Effects, Ending};
use super::sleep::{PreciseSleep, spin_until};
use super::{Answer, Cause, Disturbance, Echo, Exit, Handler, How, Launch, Progress, Sent, Started, Task, WorkerHandle, WorkerKind};
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
    fn cancel(&self, request: RequestId) {
        self.control.cancel(request);
    }
    fn probe(&self) {
        self.control.probe();
    }
    fn reset(&self) {
        self.control.reset();
    }
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
        if !delayed(&self.launch, &self.control).await {
            return aborted();
        }
        let (worker, upcalls) = (self.launch.worker, Arc::clone(&self.launch.upcalls));
        upcalls.ready(worker);
        let control = Arc::clone(&self.control);
        loop {
            if control.killed() {
                return aborted();
            }
            if control.closing() && self.queue.is_empty() {
                return Cause::Ended("closed".into());
            }
            if control.take_probe() {
                upcalls.probed(worker);
            }
            if control.take_reset() {
                upcalls.reset_done(worker);
            }
            let task = tokio::select! {
                biased;
                task = self.queue.recv() => task,
                () = control.changed() => continue,
            };
            let Some(task) = task else { return aborted() };
            if let Err(cause) = self.serve(task, sleep).await {
                return cause;
            }
        }
    }

    async fn serve(&self, task: Task, sleep: &PreciseSleep) -> Result<(), Cause> {
        let effects = Effects::of(task.work.fault);
        self.end(effects.before, sleep).await?;
        let clock = &*self.launch.clock;
        let begin = clock.now();
        let mut until = begin.saturating_add(task.work.ns).saturating_add(effects.longer_ns);
        match task.work.how {
            How::Spin => spin_until(clock, until, || self.control.killed() || self.control.cancelled(task.request)),
            How::Sleep => self.pass(sleep, &mut until, Some(&task)).await?,
        }
        if self.control.killed() {
            return Err(aborted());
        }
        let mut stall = self.control.take_stall();
        while stall > 0 {
            until = clock.now().saturating_add(stall);
            self.pass(sleep, &mut until, None).await?;
            stall = self.control.take_stall();
        }
        let result = if self.control.cancelled(task.request) {
            Err("cancelled".to_owned())
        } else {
            catch_unwind(AssertUnwindSafe(|| self.handler.handle(&task.payload)))
                .map_err(|panic| Cause::Ended(format!("panic: {}", message(&*panic))))?
        };
        let answer = Answer { request: task.request, begin, end: clock.now(), result };
        if effects == Effects::NONE {
            self.launch.upcalls.replied(self.launch.worker, answer);
            return Ok(());
        }
        self.misreply(answer, effects, sleep).await
    }

    /// Replies as a fault has it.
    async fn misreply(&self, answer: Answer, effects: Effects, sleep: &PreciseSleep) -> Result<(), Cause> {
        let (worker, upcalls) = (self.launch.worker, &self.launch.upcalls);
        self.end(effects.after, sleep).await?;
        let mut until = self.launch.clock.now().saturating_add(effects.late_ns);
        self.pass(sleep, &mut until, None).await?;
        let Answer { request, begin, end, result } = answer;
        for n in 0..u64::from(effects.unasked) {
            upcalls.replied(worker, Answer { request: RequestId(u64::MAX - n), begin, end, result: Err("nobody asked".into()) });
            upcalls.probed(worker);
        }
        if effects.garbage {
            return Err(Cause::Protocol("garbage in place of a reply".into()));
        }
        for _ in 0..effects.replies {
            upcalls.replied(worker, Answer { request, begin, end, result: result.clone() });
        }
        self.end(effects.deaf.then_some(Ending::Hang), sleep).await
    }

    /// Ends the worker where a fault says so. A task cannot be stopped from outside: it hangs until it is killed, as a child does.
    async fn end(&self, how: Option<Ending>, sleep: &PreciseSleep) -> Result<(), Cause> {
        match how {
            None => Ok(()),
            Some(Ending::Killed) => Err(aborted()),
            Some(Ending::Exit(code)) => Err(Cause::Ended(format!("exit {code}"))),
            Some(Ending::Hang | Ending::Stop) => {
                let mut until = self.launch.clock.now().saturating_add(FOREVER);
                self.pass(sleep, &mut until, None).await
            }
        }
    }

    /// Sleeps until `until`, pushed back by the stalls that come meanwhile; ends early when `task`'s progress is no longer wanted.
    async fn pass(&self, sleep: &PreciseSleep, until: &mut Nanos, task: Option<&Task>) -> Result<(), Cause> {
        let clock = &*self.launch.clock;
        let begin = clock.now();
        let every = task.map_or(0, |task| u64::from(task.progress_ms()) * 1_000_000);
        let mut tell_at = if every == 0 { Nanos::MAX } else { begin.saturating_add(every) };
        loop {
            *until = until.saturating_add(self.control.take_stall());
            // Who hangs hears nothing of a close; a child would be killed.
            let hangs = *until >= begin.saturating_add(FOREVER / 2);
            if self.control.killed() || (hangs && self.control.closing()) {
                return Err(aborted());
            }
            if !hangs && self.control.take_probe() {
                self.launch.upcalls.probed(self.launch.worker);
            }
            if task.is_some_and(|task| self.control.cancelled(task.request)) {
                return Ok(());
            }
            let wake = tell_at.min(*until);
            tokio::select! {
                biased;
                slept = sleep.until(clock, wake) => {
                    slept.map_err(|error| Cause::Ended(format!("timer failed: {error}")))?;
                    if wake == *until {
                        return Ok(());
                    }
                    tell_at = wake.saturating_add(every);
                    if let Some(task) = task {
                        let progress = Progress { done: wake - begin, total: task.work.ns, message: String::new() };
                        self.launch.upcalls.progressed(self.launch.worker, task.request, progress);
                    }
                }
                () = self.control.changed() => {}
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
