//! What goes wrong on purpose, and when.

mod params;
mod strike;

use model::plan::Kind;
use model::settings::Located;
use pool::{Disturbance, Moment, RequestFault};

pub use pool::DisturbTarget;

use crate::prepare::Problem;
use params::Params;
pub(crate) use strike::strike;

/// A kind of fault: its row in [`FAULTS`].
pub struct FaultKind {
    /// Name in scenario files.
    pub name: &'static str,
    /// Its parameters, those of its schedule included.
    pub params: &'static [&'static str],
    /// What happens.
    pub doc: &'static str,
    /// Reads what happens, and says who makes it happen: with a request, or at a time by the pool.
    read: fn(&Params<'_>) -> Result<What, Problem>,
}

/// All kinds.
pub const FAULTS: &[FaultKind] = &[
    FaultKind {
        name: "kill",
        params: &["target", "when", "at", "every", "count", "request", "every-request", "chance"],
        doc: "SIGKILL to a worker, at a time or by the worker itself (an in-process one is aborted)",
        read: kill,
    },
    FaultKind {
        name: "stall",
        params: &["slot", "for", "at", "every", "count"],
        doc: "SIGSTOP and later SIGCONT (an in-process worker's service takes that much longer)",
        read: |p| Ok(What::Disturb(p.slot()?, Disturbance::Stall(p.duration("for")?))),
    },
    FaultKind {
        name: "stop",
        params: &["target", "at", "every", "count", "request", "every-request", "chance"],
        doc: "SIGSTOP and nothing more, at a time or by the worker itself (an in-process one hangs)",
        read: |p| if p.by_time() { Ok(What::Disturb(p.target()?, Disturbance::Stop)) } else { Ok(What::Request(RequestFault::Stop)) },
    },
    FaultKind {
        name: "exit",
        params: &["code", "when", "at", "every", "count", "request", "every-request", "chance"],
        doc: "the worker exits with `code`, before or after the service",
        read: |p| Ok(What::Request(RequestFault::Exit(p.moment("before")?, p.number("code", Some(1), 255)? as u8))),
    },
    FaultKind {
        name: "hang",
        params: &["when", "at", "every", "count", "request", "every-request", "chance"],
        doc: "the worker never answers the request it has read (`when = \"after\"` reading it), or answers it and reads no other (`before`)",
        read: |p| Ok(What::Request(RequestFault::Hang(p.moment("after")?))),
    },
    FaultKind {
        name: "slow-start",
        params: &["delay", "at", "every", "count"],
        doc: "the next worker that is spawned starts that much later",
        read: |p| Ok(What::SlowStart(p.duration("delay")?)),
    },
    FaultKind {
        name: "late",
        params: &["delay", "at", "every", "count", "request", "every-request", "chance"],
        doc: "the reply leaves that long after the service has ended",
        read: |p| Ok(What::Request(RequestFault::Late(p.duration("delay")?))),
    },
    FaultKind {
        name: "duplicate",
        params: &["at", "every", "count", "request", "every-request", "chance"],
        doc: "the reply is sent twice",
        read: |_| Ok(What::Request(RequestFault::Duplicate)),
    },
    FaultKind {
        name: "garbage",
        params: &["at", "every", "count", "request", "every-request", "chance"],
        doc: "bytes that are no frame come in place of the reply",
        read: |_| Ok(What::Request(RequestFault::Garbage)),
    },
    FaultKind {
        name: "split",
        params: &["pieces", "at", "every", "count", "request", "every-request", "chance"],
        doc: "the reply is written in pieces with pauses of 0.2 ms (nothing to an in-process worker)",
        read: |p| Ok(What::Request(RequestFault::Split(p.number("pieces", Some(4), PIECES_MAX)? as u16))),
    },
    FaultKind {
        name: "flood-stdout",
        params: &["frames", "at", "every", "count", "request", "every-request", "chance"],
        doc: "well-formed frames that nobody asked for come before the reply",
        read: |p| Ok(What::Request(RequestFault::FloodStdout(p.number("frames", Some(100), FRAMES_MAX)? as u32))),
    },
    FaultKind {
        name: "flood-stderr",
        params: &["bytes", "at", "every", "count", "request", "every-request", "chance"],
        doc: "noise on stderr comes before the reply (nothing to an in-process worker)",
        read: |p| Ok(What::Request(RequestFault::FloodStderr(p.bytes("bytes", FLOOD_MAX)? as u32))),
    },
    FaultKind {
        name: "balloon",
        params: &["bytes", "for", "at", "every", "count", "request", "every-request", "chance"],
        doc: "the worker holds that much touched memory, and the service takes that much longer (an in-process one only takes longer)",
        read: balloon,
    },
    FaultKind {
        name: "reload",
        params: &["at", "every", "count"],
        doc: "the pool replaces every worker, one after the other, while requests go on",
        read: |_| Ok(What::Reload),
    },
    FaultKind {
        name: "drain",
        params: &["at"],
        doc: "the pool is drained: it finishes what it has and admits nothing more",
        read: |_| Ok(What::Drain),
    },
];

/// Writes of one split reply.
const PIECES_MAX: u64 = 1000;
/// Unasked frames of one fault.
const FRAMES_MAX: u64 = 100_000;
/// Noise of one fault, bytes.
const FLOOD_MAX: u64 = 64 << 20;
/// Memory of one balloon, bytes.
const BALLOON_MAX: u64 = 1 << 30;
/// Time that a balloon is held, ns.
const BALLOON_HOLD_MAX: u64 = 60_000_000_000;

/// What a fault does, and who does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// The pool, to one worker.
    Disturb(DisturbTarget, Disturbance),
    /// The pool, to the next worker that it spawns: so many ns.
    SlowStart(u64),
    /// The pool, to all of its workers.
    Reload,
    /// The pool, to itself.
    Drain,
    /// The worker that serves the request which carries it.
    Request(RequestFault),
}

/// When it does it.
#[derive(Clone, Debug, PartialEq)]
pub enum When {
    /// At these times, ns after the window's begin; one that a request carries: with the first request from then on.
    Times(Vec<u64>),
    /// With the window's n-th request, from 1.
    Request(u64),
    /// With every n-th request of the window.
    EveryRequest(u64),
    /// With each request of the window with this probability.
    Chance(f64),
}

/// A fault with its schedule.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// Its kind.
    pub kind: &'static str,
    /// What.
    pub what: What,
    /// When.
    pub when: When,
    /// Where the scenario says so.
    pub place: String,
}

impl Fault {
    /// Reads a fault of a load whose window is `window_ns` long; `open` tells whether its requests come at planned times.
    ///
    /// # Errors
    /// An unknown kind, a parameter that is missing, wrong or at odds with another one, or a time beyond the window.
    pub fn parse(fault: &Kind, window_ns: u64, open: bool) -> Result<Fault, Problem> {
        let Some(kind) = FAULTS.iter().find(|f| f.name == fault.kind.value) else {
            return Err(Problem::unknown(&fault.kind, "kind of fault", &fault.kind.value, FAULTS.iter().map(|f| f.name)));
        };
        let params = Params { kind: &fault.kind, with: &fault.with, window_ns };
        let by_request = kind.params.contains(&"request");
        let when = params.when(by_request)?;
        let what = (kind.read)(&params)?;
        if let (What::Request(_), When::Times(_), false) = (what, &when, open) {
            let why = format!(
                "a '{}' at a time strikes the next planned request, and a closed loop plans none (expected 'request', 'every-request' or 'chance', or open-loop arrivals)",
                kind.name
            );
            return Err(Problem::at(&fault.kind, why));
        }
        Ok(Fault { kind: kind.name, what, when, place: fault.kind.place() })
    }

    /// What its requests carry, if they do.
    pub fn carried(&self) -> Option<RequestFault> {
        match self.what {
            What::Request(fault) => Some(fault),
            _ => None,
        }
    }
}

fn kill(params: &Params<'_>) -> Result<What, Problem> {
    if params.by_time() {
        params.refuse("when", "a worker killed at a time is struck whatever it does")?;
        return Ok(What::Disturb(params.target()?, Disturbance::Kill));
    }
    params.refuse("target", "a fault that a request carries strikes the worker that serves it")?;
    Ok(What::Request(RequestFault::Kill(params.moment("after")?)))
}

fn balloon(params: &Params<'_>) -> Result<What, Problem> {
    let mib = (params.bytes("bytes", BALLOON_MAX)? >> 20) as u32;
    let hold: &Located = params.needed("for")?;
    match params.duration("for")? {
        ns if ns <= BALLOON_HOLD_MAX => Ok(What::Request(RequestFault::Balloon { mib, ms: (ns / 1_000_000) as u32 })),
        _ => Err(Problem::at(hold, format!("'{}' is too long to hold memory (expected up to 60s)", hold.value))),
    }
}

impl Params<'_> {
    fn moment(&self, default: &str) -> Result<Moment, Problem> {
        match self.text("when").unwrap_or(default) {
            "before" => Ok(Moment::Before),
            "after" => Ok(Moment::After),
            other => Err(Problem::unknown(self.needed("when")?, "moment", other, ["before", "after"].into_iter())),
        }
    }
}

#[cfg(test)]
mod tests;
