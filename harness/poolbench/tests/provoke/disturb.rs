//! A trial's process that is stopped and let go again and again, and one that may not have real-time priority.

use std::os::fd::OwnedFd;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use rustix::thread::{CapabilitySet, remove_capability_from_bounding_set};

use crate::run::{Judged, command, finish};
use crate::support::Place;

/// The trial's process that runs now in this place, by a descriptor that no other process can come to have.
fn trial(place: &Place) -> Option<OwnedFd> {
    let (pid, _) = place.alive().into_iter().find(|(_, line)| line.ends_with(" trial"))?;
    pidfd_open(Pid::from_raw(pid)?, PidfdFlags::empty()).ok()
}

/// Stops the place's trial processes for `stop` after each `go`, until told to end.
fn stop_and_go(place: &Place, stop: Duration, go: Duration, ended: &AtomicBool) {
    let mut known = None;
    while !ended.load(Ordering::Relaxed) {
        known = known.or_else(|| trial(place));
        std::thread::sleep(go);
        let Some(pidfd) = &known else { continue };
        let stopped = pidfd_send_signal(pidfd, Signal::STOP).is_ok();
        std::thread::sleep(stop);
        // Gone: the next trial is another process.
        if !stopped || pidfd_send_signal(pidfd, Signal::CONT).is_err() {
            known = None;
        }
    }
}

/// Runs the place's scenario while its trials are stopped for `stop` after each `go`.
pub(crate) fn stopped(place: &Place, stop: Duration, go: Duration) -> Judged {
    let ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| stop_and_go(place, stop, go, &ended));
        let output = command(place, &[]).output();
        ended.store(true, Ordering::Relaxed);
        Judged::of(place, "run", &crate::support::Ran::from(output.unwrap()))
    })
}

/// Runs the place's scenario without the right to real-time priority.
pub(crate) fn without_fifo(place: &Place) -> Judged {
    let inner = command(place, &[]);
    // A shell takes the limit away, this thread the capability: both are inherited, neither touches other tests.
    let mut shell = Command::new("sh");
    shell.args(["-c", "ulimit -r 0 2>/dev/null; exec \"$0\" \"$@\""]).arg(inner.get_program()).args(inner.get_args());
    shell.current_dir(place.path("")).envs(inner.get_envs().filter_map(|(key, value)| Some((key, value?))));
    std::thread::scope(|scope| {
        let run = || {
            // Without the right to take it away there is no right to keep either.
            let _ = remove_capability_from_bounding_set(CapabilitySet::SYS_NICE);
            finish(place, &mut shell)
        };
        scope.spawn(run).join().unwrap()
    })
}
