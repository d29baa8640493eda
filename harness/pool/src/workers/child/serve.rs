//! The loop of a good worker, and of one that is told to fail: requests one at a time, with an ear for the pool in between.

use std::collections::VecDeque;
use std::io;
use std::os::fd::AsFd;

use bytes::Bytes;
use rustix::event::{PollFd, PollFlags};

use super::{READ, WorkerError, read, write_all};
use crate::clock::{Clock, MonotonicClock, Nanos};
use crate::frames::{Decoder, Frame, FrameError, Signal, encode_progress, encode_reply, hello, signal};
use crate::workers::fault::Effects;
use crate::workers::journal::Journal;
use crate::workers::sleep::{TAIL_NS, block_until, spin_until, timespec};
use crate::workers::{Echo, Handler, How, Work};

/// The longest request that a child accepts, bytes: whatever its pool was configured to send.
const FRAME_MAX: u32 = u32::MAX - 1;
/// Requests read ahead while one is served; with more of them the child listens again only when it is done.
const AHEAD: usize = 16;
/// How often a spinning child listens: a system call of a fraction of a microsecond each.
const LISTEN_NS: Nanos = 1_000_000;
/// A request that is being served or waits.
pub(super) struct Call {
    pub(super) id: u64,
    work: Work,
    progress_ms: u32,
    payload: Bytes,
}

/// What is done in the order in which it came.
enum Order {
    Serve(Call),
    Reset,
}

/// Why the loop ends.
pub(super) enum Stop {
    Exit(u8),
    Error(WorkerError),
}

impl From<io::Error> for Stop {
    /// A reader that went away is an ordinary end.
    fn from(error: io::Error) -> Stop {
        if error.kind() == io::ErrorKind::BrokenPipe { Stop::Exit(0) } else { Stop::Error(error.into()) }
    }
}

impl From<FrameError> for Stop {
    fn from(error: FrameError) -> Stop {
        Stop::Error(error.into())
    }
}

/// Begin and end of a service, and what came of it.
type Served = ((Nanos, Nanos), Result<Bytes, String>);

pub(super) struct Server<I, O> {
    stdin: I,
    pub(super) stdout: O,
    decoder: Decoder,
    chunk: Vec<u8>,
    waiting: VecDeque<Order>,
    pub(super) out: Vec<u8>,
    /// The request whose time passes now.
    current: Option<u64>,
    /// Whether nobody waits for it any more.
    cancelled: bool,
    /// Whether stdin has ended.
    ended: bool,
    /// The place of a byte that is changed in every answer that has one there.
    spoil: Option<usize>,
    journal: Option<Journal>,
}

impl<I: AsFd, O: AsFd> Server<I, O> {
    pub(super) fn new(stdin: I, stdout: O, spoil: Option<usize>, journal: Option<Journal>) -> Self {
        Server {
            stdin,
            stdout,
            decoder: Decoder::new(FRAME_MAX),
            chunk: vec![0; READ],
            waiting: VecDeque::new(),
            out: Vec::new(),
            current: None,
            cancelled: false,
            ended: false,
            spoil,
            journal,
        }
    }

    /// Serves until EOF; returns the exit code.
    pub(super) fn run(mut self) -> Result<u8, WorkerError> {
        match self.serve_all() {
            Ok(()) => Ok(0),
            Err(Stop::Exit(code)) => Ok(code),
            Err(Stop::Error(error)) => Err(error),
        }
    }

    fn serve_all(&mut self) -> Result<(), Stop> {
        write_all(&self.stdout, &hello())?;
        loop {
            while let Some(order) = self.waiting.pop_front() {
                match order {
                    Order::Serve(call) => self.serve(&call)?,
                    // An echo keeps nothing between requests.
                    Order::Reset => write_all(&self.stdout, &signal(Signal::ResetDone, 0))?,
                }
            }
            if self.ended {
                return Ok(());
            }
            self.listen()?;
        }
    }

    /// Reads once and obeys what can be obeyed at once; the rest waits for its turn.
    fn listen(&mut self) -> Result<(), Stop> {
        let count = read(&self.stdin, &mut self.chunk)?;
        if count == 0 {
            self.ended = true;
            return Ok(());
        }
        self.decoder.extend(&self.chunk[..count]);
        while let Some(frame) = self.decoder.next_frame()? {
            match frame {
                Frame::Request { id, work, progress_ms, payload } => {
                    self.waiting.push_back(Order::Serve(Call { id, work, progress_ms, payload }));
                }
                Frame::Signal { signal: Signal::Reset, .. } => self.waiting.push_back(Order::Reset),
                Frame::Signal { signal: Signal::Ping, .. } => write_all(&self.stdout, &signal(Signal::Pong, 0))?,
                Frame::Signal { signal: Signal::Cancel, id } => self.cancel(id)?,
                _ => return Err(FrameError::Unexpected("a request").into()),
            }
        }
        Ok(())
    }

    fn cancel(&mut self, id: u64) -> Result<(), Stop> {
        self.cancelled |= self.current == Some(id);
        let at = self.waiting.iter().position(|order| matches!(order, Order::Serve(call) if call.id == id));
        let Some(at) = at else { return Ok(()) };
        self.waiting.remove(at);
        let now = MonotonicClock.now();
        self.reply(id, (now, now), Err(cancelled()))
    }

    fn serve(&mut self, call: &Call) -> Result<(), Stop> {
        if let Some(fault) = call.work.fault {
            return self.misserve(call, Effects::of(Some(fault)));
        }
        let (stamps, answer) = self.answer(call, 0)?;
        self.reply(call.id, stamps, answer)
    }

    pub(super) fn answer(&mut self, call: &Call, longer_ns: Nanos) -> Result<Served, Stop> {
        let begin = MonotonicClock.now();
        if let Some(journal) = &mut self.journal {
            journal.note(call.id, begin).map_err(|error| Stop::Error(WorkerError::Journal(error.to_string())))?;
        }
        (self.current, self.cancelled) = (Some(call.id), false);
        self.pass(call, begin, call.work.ns.saturating_add(longer_ns))?;
        self.current = None;
        let answer = if self.cancelled { Err(cancelled()) } else { Echo.handle(&call.payload) };
        let answer = answer.map(|body| spoilt(body, self.spoil));
        Ok(((begin, MonotonicClock.now()), answer))
    }

    /// Lets the service time pass; ends early when the request is cancelled meanwhile.
    fn pass(&mut self, call: &Call, begin: Nanos, ns: Nanos) -> Result<(), Stop> {
        let until = begin.saturating_add(ns);
        let every = u64::from(call.progress_ms).saturating_mul(1_000_000);
        let mut tell_at = if every == 0 { Nanos::MAX } else { begin.saturating_add(every) };
        loop {
            let now = MonotonicClock.now();
            if now >= until || self.cancelled {
                return Ok(());
            }
            if now >= tell_at {
                tell_at = now.saturating_add(every);
                self.out.clear();
                encode_progress(call.id, now - begin, ns, "", &mut self.out);
                write_all(&self.stdout, &self.out)?;
            }
            match call.work.how {
                How::Sleep => self.sleep(now, until, tell_at)?,
                How::Spin => self.spin(now, until.min(tell_at))?,
            }
        }
    }

    /// Sleeps until shortly before `until` or until `tell_at`, or until something was said, and then spins the rest to `until`.
    fn sleep(&mut self, now: Nanos, until: Nanos, tell_at: Nanos) -> Result<(), Stop> {
        let wake = until.saturating_sub(TAIL_NS).min(tell_at);
        if now >= wake {
            spin_until(&MonotonicClock, until, || false);
        } else if self.ended || self.waiting.len() >= AHEAD {
            block_until(wake.min(until));
        } else if self.heard(wake - now)? {
            self.listen()?;
        }
        Ok(())
    }

    fn spin(&mut self, now: Nanos, until: Nanos) -> Result<(), Stop> {
        spin_until(&MonotonicClock, until.min(now.saturating_add(LISTEN_NS)), || false);
        if !self.ended && self.waiting.len() < AHEAD && self.heard(0)? {
            self.listen()?;
        }
        Ok(())
    }

    /// Whether the pool has said something, or has gone, within `ns`.
    fn heard(&self, ns: Nanos) -> Result<bool, Stop> {
        let mut ear = [PollFd::new(&self.stdin, PollFlags::IN)];
        match rustix::event::poll(&mut ear, Some(&timespec(ns))) {
            Ok(ready) => Ok(ready > 0),
            Err(rustix::io::Errno::INTR) => Ok(false),
            Err(error) => Err(io::Error::from(error).into()),
        }
    }

    pub(super) fn reply(&mut self, id: u64, stamps: (Nanos, Nanos), answer: Result<Bytes, String>) -> Result<(), Stop> {
        self.encode(id, stamps, answer);
        Ok(write_all(&self.stdout, &self.out)?)
    }

    pub(super) fn encode(&mut self, id: u64, (begin, end): (Nanos, Nanos), answer: Result<Bytes, String>) {
        let (ok, body) = answer.map_or_else(|error| (false, Bytes::from(error)), |body| (true, body));
        self.out.clear();
        encode_reply(id, begin, end, ok, &body, &mut self.out);
    }
}

fn cancelled() -> String {
    "cancelled".to_owned()
}

fn spoilt(body: Bytes, at: Option<usize>) -> Bytes {
    let Some(at) = at.filter(|at| *at < body.len()) else { return body };
    let mut bytes = body.to_vec();
    // Another byte below 128, so that text stays text.
    bytes[at] = bytes[at].wrapping_add(1) & 0x7f;
    Bytes::from(bytes)
}
