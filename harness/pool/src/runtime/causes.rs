//! Why workers end, in few kinds: what can be counted for as long as a pool runs.

use super::inner::Live;
use crate::workers::Cause;

/// A kind of end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum DeathCause {
    /// The pool asked for it, and it went.
    Closed,
    /// The pool killed it: too slow to start, or to finish what nobody waits for.
    Killed,
    /// It could not be started, or ended before it was ready.
    Start,
    /// It said what it must not say.
    Protocol,
    /// A signal from elsewhere.
    Signal,
    /// It exited, or closed its output, unasked.
    Exit,
    /// Anything else: a panic or abort of a worker in this process.
    Other,
}

impl DeathCause {
    /// All of them.
    pub const ALL: [DeathCause; 7] = [
        DeathCause::Closed,
        DeathCause::Killed,
        DeathCause::Start,
        DeathCause::Protocol,
        DeathCause::Signal,
        DeathCause::Exit,
        DeathCause::Other,
    ];

    /// The cause's name in metrics.
    pub fn name(self) -> &'static str {
        ["closed", "killed", "start", "protocol", "signal", "exit", "other"][self as usize]
    }

    pub(super) fn of(live: &Live, cause: &Cause) -> DeathCause {
        match cause {
            _ if live.killed => DeathCause::Killed,
            _ if live.ending => DeathCause::Closed,
            Cause::Protocol(_) => DeathCause::Protocol,
            _ if !live.ready => DeathCause::Start,
            Cause::Spawn(_) => DeathCause::Start,
            Cause::Ended(status) if status.starts_with("signal") => DeathCause::Signal,
            Cause::Ended(status) if status.starts_with("exit") || status.starts_with("eof") => DeathCause::Exit,
            Cause::Ended(_) => DeathCause::Other,
        }
    }
}
