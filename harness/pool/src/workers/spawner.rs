//! The one thread that forks: `PR_SET_PDEATHSIG` fires when the spawning *thread* ends, so that thread must outlive every
//! child.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use rustix::process::{Pid, PidfdFlags, Signal};
use tokio::sync::{mpsc, oneshot};

use super::WorkerCommand;
use super::reap::ChildGuard;

/// Spawns that may wait for the thread; more senders wait.
const QUEUE: usize = 64;

/// A handle to the spawning thread, which lives until the last handle is gone. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Spawner {
    queue: mpsc::Sender<Order>,
}

struct Order {
    command: Arc<WorkerCommand>,
    answer: oneshot::Sender<io::Result<Spawned>>,
}

/// A child that runs, and our ends of its pipes.
pub(super) struct Spawned {
    pub(super) child: ChildGuard,
    pub(super) pidfd: OwnedFd,
    pub(super) stdin: OwnedFd,
    pub(super) stdout: OwnedFd,
    pub(super) stderr: OwnedFd,
}

impl Spawner {
    /// Starts the thread.
    ///
    /// # Errors
    /// What the system says when it gives no thread.
    pub fn start() -> io::Result<Self> {
        let (queue, mut orders) = mpsc::channel::<Order>(QUEUE);
        std::thread::Builder::new().name("spawner".into()).spawn(move || {
            while let Some(order) = orders.blocking_recv() {
                // A caller that went away drops the child, whose guard kills and reaps it.
                let _ = order.answer.send(spawn(&order.command));
            }
        })?;
        Ok(Spawner { queue })
    }

    /// Spawns one child in a process group of its own.
    pub(super) async fn spawn(&self, command: Arc<WorkerCommand>) -> io::Result<Spawned> {
        let (answer, spawned) = oneshot::channel();
        let gone = || io::Error::other("the spawner thread is gone");
        self.queue.send(Order { command, answer }).await.map_err(|_| gone())?;
        spawned.await.map_err(|_| gone())?
    }
}

fn spawn(command: &WorkerCommand) -> io::Result<Spawned> {
    let mut ready = Command::new(&command.program);
    ready.args(&command.args).process_group(0);
    ready.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    die_with_parent(&mut ready);
    let mut child = ready.spawn()?;
    let guard = ChildGuard::new(pid_of(&child)?);
    let pidfd = rustix::process::pidfd_open(guard.pid(), PidfdFlags::NONBLOCK)?;
    let missing = || io::Error::other("a pipe of the child is missing");
    Ok(Spawned {
        pidfd,
        stdin: child.stdin.take().ok_or_else(missing)?.into(),
        stdout: child.stdout.take().ok_or_else(missing)?.into(),
        stderr: child.stderr.take().ok_or_else(missing)?.into(),
        child: guard,
    })
}

fn pid_of(child: &Child) -> io::Result<Pid> {
    i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or_else(|| io::Error::other("the child has no pid"))
}

#[expect(unsafe_code, reason = "only the child itself can ask for a signal at its parent's death, between fork and exec")]
fn die_with_parent(command: &mut Command) {
    let parent = rustix::process::getpid();
    // SAFETY: after fork only async-signal-safe calls are allowed; the closure makes two plain system calls, does not
    // allocate (`from_raw_os_error` holds a number) and touches no lock.
    unsafe {
        command.pre_exec(move || {
            rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
            // A parent that died before the call above will not be noticed by it.
            if rustix::process::getppid() == Some(parent) { Ok(()) } else { Err(io::Error::from_raw_os_error(libc::ESRCH)) }
        });
    }
}
