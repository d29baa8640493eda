//! `process`: a child over framed pipes. One supervisor task owns the child from spawn to reaping; a reader, a writer and a
//! stderr task serve its pipes and have ended before the death is reported.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rustix::process::Signal as Kill;
use tokio::io::AsyncReadExt;
use tokio::io::unix::AsyncFd;
use tokio::net::unix::pipe;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};

use super::control::{Control, delayed};
use super::outbox::Outbox;
use super::reap::ChildGuard;
use super::sleep::watch;
use super::spawner::Spawned;
use super::stderr::{self, Tail};
use super::{Answer, Cause, Disturbance, Exit, Launch, Progress, Sent, Started, Task, Upcalls, WorkerHandle, WorkerKind};
use crate::core::types::{RequestId, WorkerRef};
use crate::frames::{Decoder, Frame, FrameError, Signal};

/// How long a child that closed its stdout may take to exit by itself, so that its real status is seen.
const EOF_GRACE: Duration = Duration::from_millis(100);
/// How long pipes are drained after the child's end; only a descendant that left the group can keep them open.
const DRAIN_GRACE: Duration = Duration::from_millis(200);

/// The row of the table.
#[derive(Debug)]
pub(super) struct Process;

impl WorkerKind for Process {
    fn name(&self) -> &'static str {
        "process"
    }
    fn doc(&self) -> &'static str {
        "a child process over framed pipes, in a process group of its own"
    }
    fn start(&self, launch: Launch) -> Started {
        let shared = Arc::new(Shared::default());
        let runtime = launch.runtime.clone();
        let task = runtime.spawn(supervise(launch, Arc::clone(&shared)));
        Started { handle: Box::new(ChildHandle(shared)), task }
    }
}

#[derive(Debug, Default)]
struct Shared {
    control: Control,
    outbox: Arc<Outbox>,
    /// 0 while there is no child.
    pid: AtomicU32,
}

struct ChildHandle(Arc<Shared>);

impl WorkerHandle for ChildHandle {
    fn send(&self, task: Task) -> Sent {
        self.0.outbox.send(task).unwrap_or_else(|_full| {
            self.0.control.kill();
            Sent::Queued
        })
    }
    fn cancel(&self, request: RequestId) {
        self.0.outbox.signal(Signal::Cancel, request.0);
    }
    fn probe(&self) {
        self.0.outbox.signal(Signal::Ping, 0);
    }
    fn reset(&self) {
        self.0.outbox.signal(Signal::Reset, 0);
    }
    fn close(&self) {
        self.0.control.close();
    }
    fn kill(&self) {
        self.0.control.kill();
    }
    fn disturb(&self, what: Disturbance) {
        self.0.control.disturb(what);
    }
    fn pid(&self) -> Option<u32> {
        Some(self.0.pid.load(Ordering::Acquire)).filter(|pid| *pid != 0)
    }
}

async fn supervise(launch: Launch, shared: Arc<Shared>) {
    if !delayed(&launch, &shared.control).await {
        let exit = Exit { cause: Cause::Ended("ended before it was spawned".into()), pid: None, stderr_tail: String::new(), cpu_ns: 0 };
        return launch.upcalls.exited(launch.worker, exit);
    }
    let exit = match launch.spawner.spawn(Arc::clone(&launch.command)).await {
        Ok(spawned) => live(&launch, &shared, spawned).await,
        Err(error) => Exit {
            cause: Cause::Spawn(format!("{}: {error}", launch.command.program.display())),
            pid: None,
            stderr_tail: String::new(),
            cpu_ns: 0,
        },
    };
    launch.upcalls.exited(launch.worker, exit);
}

/// Our ends of the pipes and the pidfd, known to the reactor.
struct Ends {
    stdin: pipe::Sender,
    stdout: pipe::Receiver,
    stderr: pipe::Receiver,
    exited: AsyncFd<OwnedFd>,
}

fn register(spawned: Spawned) -> io::Result<(ChildGuard, Ends)> {
    let ends = Ends {
        stdin: pipe::Sender::from_owned_fd(spawned.stdin)?,
        stdout: pipe::Receiver::from_owned_fd(spawned.stdout)?,
        stderr: pipe::Receiver::from_owned_fd(spawned.stderr)?,
        exited: watch(spawned.pidfd)?,
    };
    Ok((spawned.child, ends))
}

async fn live(launch: &Launch, shared: &Shared, spawned: Spawned) -> Exit {
    let (child, ends) = match register(spawned) {
        Ok(all) => all,
        Err(error) => {
            let cause = Cause::Spawn(format!("pipes: {error}; raise the limit of open files"));
            return Exit { cause, pid: None, stderr_tail: String::new(), cpu_ns: 0 };
        }
    };
    let pid = child.pid().as_raw_pid().cast_unsigned();
    shared.pid.store(pid, Ordering::Release);
    shared.outbox.open(ends.stdin);
    let (upcalls, tail) = (&launch.upcalls, Tail::default());
    let writer = tokio::spawn(Arc::clone(&shared.outbox).run(launch.worker, Arc::clone(upcalls)));
    let errors = tokio::spawn(stderr::drain(ends.stderr, tail.clone()));
    let reader = tokio::spawn(read(ends.stdout, launch.frame_max, launch.worker, Arc::clone(upcalls)));

    let mut watch = Watch::new(launch, shared, &child, reader);
    watch.run(&ends.exited).await;
    let (killed_for, reader) = (watch.killed_for, watch.reader);
    shared.pid.store(0, Ordering::Release);
    let reaped = child.reap();
    shared.outbox.close();
    let _ = writer.await;
    let protocol = match reader {
        Some(reader) => finish(reader).await.flatten().as_ref().map(protocol),
        None => None,
    };
    finish(errors).await;
    let cause = killed_for.or(protocol).unwrap_or(Cause::Ended(reaped.status));
    Exit { cause, pid: Some(pid), stderr_tail: tail.text(), cpu_ns: reaped.cpu_ns }
}

/// Waits for a pipe's task a little, then gives it up.
async fn finish<T>(mut task: JoinHandle<T>) -> Option<T> {
    match timeout(DRAIN_GRACE, &mut task).await {
        Ok(ended) => ended.ok(),
        Err(_) => {
            task.abort();
            task.await.ok()
        }
    }
}

fn protocol(error: &FrameError) -> Cause {
    Cause::Protocol(error.to_string())
}

/// Reads stdout until EOF (`None`) or the first violation of the protocol.
async fn read(mut stdout: pipe::Receiver, frame_max: u32, worker: WorkerRef, upcalls: Arc<dyn Upcalls>) -> Option<FrameError> {
    let mut decoder = Decoder::new(frame_max);
    let mut greeted = false;
    loop {
        match stdout.read_buf(decoder.buffer()).await {
            Ok(0) | Err(_) => return None,
            Ok(_) => {}
        }
        loop {
            match (decoder.next_frame(), greeted) {
                (Ok(None), _) => break,
                (Ok(Some(Frame::Hello)), false) => {
                    greeted = true;
                    upcalls.ready(worker);
                }
                (Ok(Some(Frame::Reply { id, begin, end, ok, body })), true) => {
                    let result = if ok { Ok(body) } else { Err(String::from_utf8_lossy(&body).into_owned()) };
                    upcalls.replied(worker, Answer { request: RequestId(id), begin, end, result });
                }
                (Ok(Some(Frame::Signal { signal: Signal::Pong, .. })), true) => upcalls.probed(worker),
                (Ok(Some(Frame::Signal { signal: Signal::ResetDone, .. })), true) => upcalls.reset_done(worker),
                (Ok(Some(Frame::Progress { id, done, total, message })), true) => {
                    let message = String::from_utf8_lossy(&message).into_owned();
                    upcalls.progressed(worker, RequestId(id), Progress { done, total, message });
                }
                (Ok(Some(_)), true) => return Some(FrameError::Unexpected("a reply")),
                (Ok(Some(_)), false) => return Some(FrameError::Unexpected("a hello")),
                (Err(error), _) => return Some(error),
            }
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Open,
    Closing,
    Terming,
    Killed,
}

/// Waits for the child's end and hastens it where asked.
struct Watch<'a> {
    launch: &'a Launch,
    shared: &'a Shared,
    child: &'a ChildGuard,
    reader: Option<JoinHandle<Option<FrameError>>>,
    stage: Stage,
    escalate_at: Option<Instant>,
    resume_at: Option<Instant>,
    killed_for: Option<Cause>,
}

impl<'a> Watch<'a> {
    fn new(launch: &'a Launch, shared: &'a Shared, child: &'a ChildGuard, reader: JoinHandle<Option<FrameError>>) -> Self {
        let reader = Some(reader);
        Watch { launch, shared, child, reader, stage: Stage::Open, escalate_at: None, resume_at: None, killed_for: None }
    }

    async fn run(&mut self, exited: &AsyncFd<OwnedFd>) {
        loop {
            self.obey();
            tokio::select! {
                _ = exited.readable() => return,
                ended = ended(&mut self.reader) => self.stdout_ended(ended),
                () = self.shared.control.changed() => {}
                () = at(self.escalate_at) => self.escalate(),
                () = at(self.resume_at) => {
                    self.resume_at = None;
                    self.child.signal(Kill::CONT);
                }
            }
        }
    }

    /// Does what the handle has asked for since the last turn.
    fn obey(&mut self) {
        let control = &self.shared.control;
        if control.killed() && self.stage != Stage::Killed {
            self.kill();
        }
        if control.closing() && self.stage == Stage::Open {
            self.shared.outbox.close();
            self.stage = Stage::Closing;
            self.escalate_at = Some(Instant::now() + Duration::from_nanos(self.launch.close_grace_ns));
        }
        let stall = control.take_stall();
        if stall > 0 && self.stage == Stage::Open {
            self.child.signal(Kill::STOP);
            let from = self.resume_at.unwrap_or_else(Instant::now);
            self.resume_at = Some(from + Duration::from_nanos(stall));
        }
    }

    fn stdout_ended(&mut self, error: Option<FrameError>) {
        self.reader = None;
        match error {
            Some(error) => {
                self.killed_for = Some(protocol(&error));
                self.kill();
            }
            None if self.stage == Stage::Open => {
                // Of no use any more: give it a moment to exit by itself, then kill.
                self.stage = Stage::Terming;
                self.escalate_at = Some(Instant::now() + EOF_GRACE);
            }
            None => {}
        }
    }

    fn escalate(&mut self) {
        if self.stage == Stage::Closing {
            self.stage = Stage::Terming;
            self.escalate_at = Some(Instant::now() + Duration::from_nanos(self.launch.term_grace_ns));
            self.child.signal(Kill::TERM);
            // A stopped child sees no SIGTERM.
            self.child.signal(Kill::CONT);
        } else {
            if !self.shared.control.closing() && self.reader.is_none() {
                self.killed_for = Some(Cause::Ended("eof before exit".into()));
            }
            self.kill();
        }
    }

    fn kill(&mut self) {
        self.stage = Stage::Killed;
        self.escalate_at = None;
        self.child.signal(Kill::KILL);
    }
}

async fn ended(reader: &mut Option<JoinHandle<Option<FrameError>>>) -> Option<FrameError> {
    match reader {
        Some(reader) => reader.await.ok().flatten(),
        None => std::future::pending().await,
    }
}

async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}
