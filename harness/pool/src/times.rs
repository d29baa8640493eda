//! The phases of a request's life and the stamps that travel with it.

use crate::clock::Nanos;

/// A named part of a request's life, begun and ended by its owner's stamps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Phase {
    /// Intended start to hand-over: lateness of the load generator.
    Lag,
    /// Hand-over to acceptance by the coordinator.
    Admit,
    /// Waiting for the session's previous request.
    SessionWait,
    /// Reading the session from the store.
    Load,
    /// Waiting in the pool for a worker.
    Queue,
    /// A worker was chosen, until it begins to serve.
    Dispatch,
    /// The worker serves.
    Service,
    /// The worker has finished, until its reply is read.
    Return,
    /// Building the response document, from the moment the reply was read: the wake-up of the caller's task is in it.
    Encode,
    /// Compressing the response.
    Compress,
    /// Writing the session to the store.
    Persist,
    /// Session saved, until the caller has the response.
    Reply,
}

impl Phase {
    /// All phases in the order in which a request passes through them.
    pub const ALL: [Phase; 12] = [
        Phase::Lag,
        Phase::Admit,
        Phase::SessionWait,
        Phase::Load,
        Phase::Queue,
        Phase::Dispatch,
        Phase::Service,
        Phase::Return,
        Phase::Encode,
        Phase::Compress,
        Phase::Persist,
        Phase::Reply,
    ];

    /// The phase's name in records and reports.
    pub fn name(self) -> &'static str {
        match self {
            Phase::Lag => "lag",
            Phase::Admit => "admit",
            Phase::SessionWait => "session-wait",
            Phase::Load => "load",
            Phase::Queue => "queue",
            Phase::Dispatch => "dispatch",
            Phase::Service => "service",
            Phase::Return => "return",
            Phase::Encode => "encode",
            Phase::Compress => "compress",
            Phase::Persist => "persist",
            Phase::Reply => "reply",
        }
    }
}

/// Begin and end of each phase of one request; 0 means "did not happen".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RequestTimes {
    begin: [Nanos; 12],
    end: [Nanos; 12],
}

impl RequestTimes {
    /// Stamps the begin of `phase`; a second begin (a re-dispatch) replaces the first.
    pub fn begin(&mut self, phase: Phase, at: Nanos) {
        self.begin[phase as usize] = at;
        self.end[phase as usize] = 0;
    }

    /// Stamps the end of `phase`.
    pub fn end(&mut self, phase: Phase, at: Nanos) {
        self.end[phase as usize] = at;
    }

    /// Stamps the end of `phase` and the begin of `next` with one clock reading.
    pub fn turn(&mut self, phase: Phase, next: Phase, at: Nanos) {
        self.end(phase, at);
        self.begin(next, at);
    }

    /// Whether `phase` began.
    pub fn begun(&self, phase: Phase) -> bool {
        self.begin[phase as usize] != 0
    }

    /// Begin and end of `phase` in ns, if it both began and ended.
    pub fn span(&self, phase: Phase) -> Option<(Nanos, Nanos)> {
        let (b, e) = (self.begin[phase as usize], self.end[phase as usize]);
        (b != 0 && e >= b).then_some((b, e))
    }

    /// The last end of any phase, ns: with every outcome the moment at which the caller had it; 0 where none has ended.
    pub fn last_end(&self) -> Nanos {
        self.end.iter().copied().max().unwrap_or(0)
    }

    /// Length of `phase` in ns; 0 where it did not happen.
    pub fn length(&self, phase: Phase) -> Nanos {
        self.span(phase).map_or(0, |(b, e)| e - b)
    }
}
