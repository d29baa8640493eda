//! Sleeps that are precise where tokio's timer is a millisecond coarse: a timerfd for tasks, an absolute `nanosleep` with a
//! short spun tail for the child.

use std::hint::spin_loop;
use std::io;
use std::os::fd::OwnedFd;

use rustix::time::{Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::clock::{Clock, MonotonicClock, Nanos};

/// The end of a blocking sleep that is spun instead: covers the usual wake-up delay with the timer slack at 1 ns.
pub(super) const TAIL_NS: Nanos = 40_000;

/// A timer for one task.
#[derive(Debug)]
pub(super) struct PreciseSleep {
    fd: AsyncFd<OwnedFd>,
}

impl PreciseSleep {
    pub(super) fn new() -> io::Result<Self> {
        let flags = TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK;
        let fd = rustix::time::timerfd_create(TimerfdClockId::Monotonic, flags)?;
        Ok(PreciseSleep { fd: watch(fd)? })
    }

    /// Sleeps until `clock` reads `target`; cancel-safe.
    pub(super) async fn until(&self, clock: &dyn Clock, target: Nanos) -> io::Result<()> {
        loop {
            let now = clock.now();
            if now >= target {
                return Ok(());
            }
            let once = Itimerspec { it_interval: timespec(0), it_value: timespec(target - now) };
            // Setting the timer also takes back an expiry that a cancelled sleep has left behind.
            rustix::time::timerfd_settime(&self.fd, TimerfdTimerFlags::empty(), &once)?;
            let mut ready = self.fd.readable().await?;
            let mut expiries = [0u8; 8];
            match rustix::io::read(self.fd.get_ref(), &mut expiries) {
                Ok(_) | Err(rustix::io::Errno::AGAIN) => ready.clear_ready(),
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// A descriptor whose readability tasks can await.
#[expect(unsafe_code, reason = "tokio asks its caller to vouch for the descriptor")]
pub(super) fn watch(fd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an `OwnedFd` is open as long as it lives, and is always the same descriptor.
    let registered = unsafe { AsyncFd::register_with_interest(fd, Interest::READABLE) };
    registered.map_err(Into::into)
}

/// Blocks the thread until `CLOCK_MONOTONIC` reads `target`.
pub(super) fn block_until(target: Nanos) {
    let wake = target.saturating_sub(TAIL_NS);
    while MonotonicClock.now() < wake {
        // EINTR only means another turn.
        let _ = rustix::thread::clock_nanosleep_absolute(rustix::thread::ClockId::Monotonic, &timespec(wake));
    }
    spin_until(&MonotonicClock, target, || false);
}

/// Burns CPU until `clock` reads `target` or `stop` says so.
pub(super) fn spin_until(clock: &dyn Clock, target: Nanos, stop: impl Fn() -> bool) {
    while clock.now() < target && !stop() {
        spin_loop();
    }
}

pub(super) fn timespec(ns: Nanos) -> Timespec {
    Timespec { tv_sec: (ns / 1_000_000_000) as i64, tv_nsec: (ns % 1_000_000_000) as _ }
}
