//! The process that is killed: it leads a group of its own and does not outlive the one that started it.

use std::io::Read;
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal};

/// Last words that are kept, bytes.
const STDERR_KEPT: u64 = 4096;

/// A child that dies when this is dropped.
pub(crate) struct Victim {
    child: Child,
    ended: bool,
}

impl Victim {
    /// Starts `command`. Call this from a thread that lives as long as the child should.
    pub(crate) fn start(mut command: Command) -> std::io::Result<Self> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        die_with_parent(&mut command);
        Ok(Self { child: command.spawn()?, ended: false })
    }

    /// What it says.
    pub(crate) fn stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// Kills its group and reaps it; how it ended, and its last words.
    pub(crate) fn kill(&mut self) -> std::io::Result<(ExitStatus, String)> {
        // One that has ended by itself is a zombie until it is waited for, so its group is still its own.
        if let Some(group) = Pid::from_raw(self.child.id().cast_signed()) {
            // Gone already is what we want.
            let _ = rustix::process::kill_process_group(group, Signal::KILL);
        }
        let status = self.child.wait()?;
        self.ended = true;
        let mut words = Vec::new();
        if let Some(stderr) = self.child.stderr.take() {
            stderr.take(STDERR_KEPT).read_to_end(&mut words)?;
        }
        Ok((status, String::from_utf8_lossy(&words).trim().replace('\n', " | ")))
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        if !self.ended {
            // Best effort: the error that led here is the one to report.
            let _ = self.kill();
        }
    }
}

#[expect(unsafe_code, reason = "CommandExt::pre_exec is unsafe; the closure makes one async-signal-safe system call")]
fn die_with_parent(command: &mut Command) {
    // SAFETY: prctl is async-signal-safe and the closure neither allocates nor locks.
    unsafe {
        command.pre_exec(|| Ok(rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?));
    }
}
