//! How a child serves a request with a fault.

use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use bytes::Bytes;
use rustix::process::{Signal as Kill, getpid, kill_process};

use super::serve::{Call, Server, Stop};
use super::{noise, write_all};
use crate::clock::{Clock, MonotonicClock, Nanos};
use crate::frames::{Signal, signal};
use crate::workers::fault::{Effects, Ending};
use crate::workers::sleep::block_until;

/// Between the pieces of a reply that is split.
const PIECE_PAUSE: Duration = Duration::from_micros(200);
/// What a child says that speaks no frames: its first four bytes announce more than any limit.
const GARBAGE: &[u8] = b"\xff\xff\xff\xffthis is no frame\n";

impl<I: AsFd, O: AsFd> Server<I, O> {
    /// Serves as a fault has it.
    pub(super) fn misserve(&mut self, call: &Call, effects: Effects) -> Result<(), Stop> {
        end(effects.before)?;
        let balloon = inflate(effects.balloon_mib);
        let (stamps, answer) = self.answer(call, effects.longer_ns)?;
        drop(balloon);
        end(effects.after)?;
        self.misreply(call.id, stamps, answer, effects)
    }

    /// Replies as a fault has it.
    fn misreply(&mut self, id: u64, stamps: (Nanos, Nanos), answer: Result<Bytes, String>, effects: Effects) -> Result<(), Stop> {
        block_until(MonotonicClock.now().saturating_add(effects.late_ns));
        if effects.stderr_bytes > 0 {
            noise(effects.stderr_bytes.into())?;
        }
        for n in 0..u64::from(effects.unasked) {
            // Ids from the far end, which no pool reaches.
            self.reply(u64::MAX - n, stamps, Err("nobody asked".into()))?;
            write_all(&self.stdout, &signal(Signal::Pong, 0))?;
        }
        if effects.garbage {
            write_all(&self.stdout, GARBAGE)?;
        }
        self.encode(id, stamps, answer);
        for _ in 0..effects.replies {
            let piece = self.out.len().div_ceil(usize::from(effects.pieces)).max(1);
            for (n, part) in self.out.chunks(piece).enumerate() {
                if n > 0 {
                    std::thread::sleep(PIECE_PAUSE);
                }
                write_all(&self.stdout, part)?;
            }
        }
        end(effects.deaf.then_some(Ending::Hang))
    }
}

/// Ends the worker where a fault says so.
fn end(how: Option<Ending>) -> Result<(), Stop> {
    match how {
        None => Ok(()),
        Some(Ending::Exit(code)) => Err(Stop::Exit(code)),
        Some(Ending::Stop) => signal_self(Kill::STOP),
        Some(Ending::Killed) => signal_self(Kill::KILL),
        Some(Ending::Hang) => loop {
            // Only a signal ends this.
            std::thread::sleep(Duration::from_secs(3600));
        },
    }
}

fn signal_self(what: Kill) -> Result<(), Stop> {
    kill_process(getpid(), what).map_err(|error| Stop::from(io::Error::from(error)))
}

/// Memory that is really there: a page that was never touched costs nothing.
fn inflate(mib: u32) -> Vec<u8> {
    vec![1; (mib as usize) << 20]
}
