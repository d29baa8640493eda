//! Signals to a child's group, and its reaping: exactly once, with its CPU time, or by the guard's drop.

use rustix::process::{Pid, Signal};

/// Owns an unreaped child: as long as it lives the pid, and so the group's id, cannot be reused. Dropping it kills the
/// group and reaps.
#[derive(Debug)]
pub(super) struct ChildGuard {
    pid: Pid,
    reaped: bool,
}

/// What the kernel said about a reaped child.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reaped {
    /// `exit 3`, `signal 9 (SIGKILL)`.
    pub(super) status: String,
    /// User and system time of the child and its own reaped children, ns.
    pub(super) cpu_ns: u64,
}

impl ChildGuard {
    pub(super) fn new(pid: Pid) -> Self {
        ChildGuard { pid, reaped: false }
    }

    pub(super) fn pid(&self) -> Pid {
        self.pid
    }

    /// Sends `signal` to the child's group; a group that is gone already is no error.
    pub(super) fn signal(&self, signal: Signal) {
        let _ = rustix::process::kill_process_group(self.pid, signal);
    }

    /// Kills what is left of the group and waits for the leader; call it once the leader is known to have ended.
    pub(super) fn reap(mut self) -> Reaped {
        self.finish()
    }

    fn finish(&mut self) -> Reaped {
        self.signal(Signal::KILL);
        self.reaped = true;
        wait(self.pid)
    }
}

impl Drop for ChildGuard {
    fn drop(&mut self) {
        if !self.reaped {
            self.finish();
        }
    }
}

#[expect(unsafe_code, reason = "rustix has no wait4, and no other call tells the CPU time of one reaped child")]
fn wait(pid: Pid) -> Reaped {
    let mut status: libc::c_int = 0;
    loop {
        // SAFETY: all-zero is a valid value of this plain C struct of numbers.
        let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
        // SAFETY: both pointers are to live locals of the right types, and the call keeps neither.
        let waited = unsafe { libc::wait4(pid.as_raw_pid(), &raw mut status, 0, &raw mut usage) };
        if waited >= 0 {
            return Reaped { status: describe(status), cpu_ns: ns(usage.ru_utime) + ns(usage.ru_stime) };
        }
        let error = std::io::Error::last_os_error();
        if error.kind() != std::io::ErrorKind::Interrupted {
            return Reaped { status: format!("unknown, wait failed: {error}"), cpu_ns: 0 };
        }
    }
}

fn ns(time: libc::timeval) -> u64 {
    time.tv_sec as u64 * 1_000_000_000 + time.tv_usec as u64 * 1_000
}

fn describe(status: libc::c_int) -> String {
    if libc::WIFEXITED(status) {
        return format!("exit {}", libc::WEXITSTATUS(status));
    }
    let number = libc::WTERMSIG(status);
    let name = match number {
        libc::SIGHUP => "SIGHUP",
        libc::SIGINT => "SIGINT",
        libc::SIGILL => "SIGILL",
        libc::SIGABRT => "SIGABRT",
        libc::SIGBUS => "SIGBUS",
        libc::SIGFPE => "SIGFPE",
        libc::SIGKILL => "SIGKILL",
        libc::SIGSEGV => "SIGSEGV",
        libc::SIGPIPE => "SIGPIPE",
        libc::SIGTERM => "SIGTERM",
        libc::SIGXCPU => "SIGXCPU",
        libc::SIGSYS => "SIGSYS",
        _ => return format!("signal {number}"),
    };
    format!("signal {number} ({name})")
}
