//! One slice of load: open or closed, faults on time, counters at the window's edges.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use coordinator::{Request, Response};
use model::record::Memory;
use pool::clock::{Clock, MonotonicClock, Nanos};
use pool::core::{Affinity, Outcome};
use pool::times::{Phase, RequestTimes};
use pool::{Pool, Snapshot, Work};
use tokio::runtime::Runtime;

use crate::answers::session_id;
use crate::faults::{Fault, strike};
use crate::handoff::handoff;
use crate::host::{self, Counters};
use crate::pacer::{Paced, pace};
use crate::prepare::REQUESTS_MAX;
use crate::rows::{Row, Sink};
use crate::schedule::{Intent, NO_SESSION, Schedule, Sort};
use crate::sys;
use crate::target::Target;
use crate::turns::Turns;

/// Time between the pacer's readiness and the first intended start, so that the first one is not late.
pub(crate) const LEAD_NS: u64 = 2_000_000;
/// How long the last requests may take after the last send, at most; what is then without an outcome breaks conservation.
const DRAIN_NS: u64 = 30_000_000_000;
/// How long a client of a closed loop waits after an answer that is not `ok`.
pub(crate) const REFUSED: Duration = Duration::from_millis(1);
/// How often the end of the drain is looked for.
const LOOK: Duration = Duration::from_millis(2);

/// What a slice drives and with what.
pub(crate) struct Slice<'a> {
    /// Where calls go.
    pub target: &'a Arc<dyn Target>,
    /// The requests.
    pub schedule: &'a Arc<Schedule>,
    /// Their sorts.
    pub sorts: &'a Arc<Vec<Sort>>,
    /// What the client accepts.
    pub accept: &'a Arc<str>,
    /// Warm-up, ns.
    pub warmup_ns: u64,
    /// Window, ns.
    pub length_ns: u64,
    /// Clients of a closed loop; `None` for an open one.
    pub clients: Option<u32>,
    /// Requests of each session, and sessions, where they take turns.
    pub turns: Option<(u32, u32)>,
    /// What goes wrong.
    pub faults: &'a [Fault],
    /// How long the last requests may take after the window, ns.
    pub drain_ns: u64,
}

/// The drain of a trial that is killed after `timeout_ns`: half of what the load leaves of it, so that a request without an end is found lost before
/// the trial is found late.
pub(crate) fn drain_ns(timeout_ns: u64, load_ns: u64) -> u64 {
    (timeout_ns.saturating_sub(load_ns) / 2).min(DRAIN_NS)
}

/// The state at an edge of the window.
#[derive(Clone, Debug, Default)]
pub(crate) struct Edge {
    pub at: Nanos,
    pub process_cpu_ns: u64,
    pub workers_cpu_ns: u64,
    pub host: Counters,
    pub pool: Option<Snapshot>,
}

/// What a slice leaves beside its rows.
pub(crate) struct Ran {
    pub paced: Option<Paced>,
    pub window: (Nanos, Nanos),
    pub begin: Edge,
    /// When the window was over, before the drain.
    pub end: Edge,
    /// When the last request had its outcome.
    pub drained: Edge,
    pub memory: Memory,
}

/// Edges of the window, the pacer's report in an open loop, the window.
type Loaded = (Watched, Option<Paced>, (Nanos, Nanos));

/// What was read in the course of the window.
struct Watched {
    begin: Edge,
    end: Edge,
    memory: Memory,
}

/// What every request needs, shared.
struct Shared {
    target: Arc<dyn Target>,
    schedule: Arc<Schedule>,
    sorts: Arc<Vec<Sort>>,
    accept: Arc<str>,
    sink: Arc<Sink>,
    turns: Option<Turns>,
}

impl Shared {
    /// Serves one intent that was meant for `intended` and handed over at `sent`.
    async fn serve(&self, index: usize, intended: Nanos, sent: Nanos, measured: bool) -> Outcome {
        let intent = self.schedule.intents[index];
        let sort = &self.sorts[usize::from(intent.sort)];
        let (payload, digest) = &sort.payloads[usize::from(intent.payload)];
        let deadline = sort.deadline_ns.map(|d| intended + d);
        let mut times = RequestTimes::default();
        times.begin(Phase::Lag, intended);
        times.turn(Phase::Lag, Phase::Admit, sent);
        let session = (intent.session != NO_SESSION).then(|| session_id(intent.session).ok()).flatten();
        let work = Work { ns: intent.service_ns, how: sort.how, fault: self.schedule.fault_of(&intent) };
        let call = Request {
            tool: sort.tool,
            session,
            deadline,
            work,
            payload: payload.clone(),
            accept: Arc::clone(&self.accept),
            times,
            cost: Some(intent.service_ns),
            progress: None,
        };
        let mut response = self.target.call(call).await;
        let done = MonotonicClock.now();
        if let Some(turns) = &self.turns {
            turns.finished(intent.session, self.target.as_ref());
        }
        response.times.end(Phase::Reply, done);
        let row = Row { in_deadline: deadline.is_none_or(|d| done <= d), ..blank_row(intent, measured, &response) };
        let outcome = response.outcome;
        self.sink.take(row, response, *digest);
        outcome
    }
}

fn blank_row(intent: Intent, measured: bool, response: &Response) -> Row {
    Row {
        intent,
        measured,
        in_deadline: true,
        times: response.times,
        outcome: Outcome::Failed,
        request: None,
        predicted: None,
        served: None,
        attempts: 0,
        affinity: Affinity::Free,
        encoded: 0,
        sent_bytes: 0,
        saved: 0,
    }
}

/// Reads everything that is reported as a difference.
pub(crate) fn edge(target: &dyn Target) -> Edge {
    let pool = target.pool();
    let snapshot = pool.map(Pool::snapshot);
    let live: u64 = snapshot.iter().flat_map(|s| &s.live_pids).map(|pid| sys::cpu_ns_of(*pid)).sum();
    Edge {
        at: MonotonicClock.now(),
        process_cpu_ns: sys::process_cpu_ns(),
        workers_cpu_ns: live + pool.map_or(0, Pool::reaped_cpu_ns),
        host: Counters::read(),
        pool: snapshot,
    }
}

fn sleep_until(at: Nanos) {
    std::thread::sleep(Duration::from_nanos(at.saturating_sub(MonotonicClock.now())));
}

impl Slice<'_> {
    /// Runs the slice on `runtime` and waits for its last outcome. Called from a thread outside of the runtime.
    ///
    /// # Errors
    /// When the system has no descriptor left for the hand-off.
    pub(crate) fn run(&self, runtime: &Runtime, sink: &Arc<Sink>) -> std::io::Result<Ran> {
        let shared = Arc::new(Shared {
            target: Arc::clone(self.target),
            schedule: Arc::clone(self.schedule),
            sorts: Arc::clone(self.sorts),
            accept: Arc::clone(self.accept),
            sink: Arc::clone(sink),
            turns: self.turns.map(|(each, sessions)| Turns::new(each, sessions)),
        });
        let (watched, paced, window) = match self.clients {
            None => self.open_loop(runtime, &shared)?,
            Some(clients) => self.closed_loop(runtime, &shared, clients),
        };
        let limit = MonotonicClock.now() + self.drain_ns;
        while sink.outstanding.load(Ordering::Acquire) > 0 && MonotonicClock.now() < limit {
            std::thread::sleep(LOOK);
        }
        let Watched { begin, end, memory } = watched;
        Ok(Ran { paced, window, begin, end, memory, drained: edge(self.target.as_ref()) })
    }

    fn window(&self, origin: Nanos) -> (Nanos, Nanos) {
        (origin + self.warmup_ns, origin + self.warmup_ns + self.length_ns)
    }

    /// Waits through the window and reads the counters at its edges; faults strike meanwhile.
    fn watch(&self, runtime: &Runtime, sink: &Arc<Sink>, window: (Nanos, Nanos)) -> Watched {
        sleep_until(window.0);
        let begin = edge(self.target.as_ref());
        let strikes = self.faults.iter().filter(|fault| fault.carried().is_none());
        let faults: Vec<_> =
            strikes.map(|fault| runtime.spawn(strike(Arc::clone(self.target), Arc::clone(sink), fault.clone(), window.0))).collect();
        let resident = || host::memory_resident_bytes().saturating_sub(sink.kept_bytes());
        sleep_until(window.0 + (window.1 - window.0) / 3);
        let early_bytes = resident();
        sleep_until(window.1);
        faults.iter().for_each(tokio::task::JoinHandle::abort);
        Watched { begin, end: edge(self.target.as_ref()), memory: Memory { early_bytes, late_bytes: resident() } }
    }

    fn open_loop(&self, runtime: &Runtime, shared: &Arc<Shared>) -> std::io::Result<Loaded> {
        let offsets: Vec<u64> = self.schedule.intents.iter().map(|i| i.at_ns).collect();
        let (sender, receiver) = handoff(offsets.len())?;
        // All are outstanding from the start, so that the drain cannot end before the last is handed over.
        shared.sink.outstanding.fetch_add(offsets.len() as u64, Ordering::Relaxed);
        let (ready, origin) = std::sync::mpsc::channel();
        std::thread::scope(|scope| {
            let pacer = scope.spawn(move || {
                let origin = || {
                    let zero = MonotonicClock.now() + LEAD_NS;
                    // The receiver waits for just this; if it is gone, so is the slice.
                    let _ = ready.send(zero);
                    zero
                };
                pace(&offsets, origin, &sender)
            });
            let zero = origin.recv().unwrap_or_else(|_| MonotonicClock.now());
            let (shared, warmup, sink) = (Arc::clone(shared), self.warmup_ns, Arc::clone(&shared.sink));
            runtime.spawn(receiver.run(move |index, sent| {
                let shared = Arc::clone(&shared);
                let offset = shared.schedule.intents[index].at_ns;
                tokio::spawn(async move { shared.serve(index, zero + offset, sent, offset >= warmup).await });
            }));
            let window = self.window(zero);
            let watched = self.watch(runtime, &sink, window);
            Ok((watched, pacer.join().ok(), window))
        })
    }

    fn closed_loop(&self, runtime: &Runtime, shared: &Arc<Shared>, clients: u32) -> Loaded {
        let window = self.window(MonotonicClock.now() + LEAD_NS);
        let next = Arc::new(AtomicU64::new(0));
        for _ in 0..clients {
            let (shared, next) = (Arc::clone(shared), Arc::clone(&next));
            runtime.spawn(async move {
                loop {
                    let made = next.fetch_add(1, Ordering::Relaxed);
                    let index = made as usize % shared.schedule.intents.len().max(1);
                    let think_ns = shared.schedule.think_ns(index);
                    if think_ns > 0 {
                        tokio::time::sleep(Duration::from_nanos(think_ns)).await;
                    }
                    let now = MonotonicClock.now();
                    if now >= window.1 || made as f64 >= REQUESTS_MAX {
                        return;
                    }
                    shared.sink.outstanding.fetch_add(1, Ordering::Relaxed);
                    if shared.serve(index, now, now, now >= window.0).await != Outcome::Ok {
                        // A refusal comes back at once: without a pause it would be asked for again and again, and starve who is served.
                        tokio::time::sleep(REFUSED).await;
                    }
                }
            });
        }
        (self.watch(runtime, &shared.sink, window), None, window)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drain_ends_before_the_trial_is_killed() {
        assert_eq!(drain_ns(21_000_000_000, 1_000_000_000), 10_000_000_000);
        assert_eq!(drain_ns(u64::MAX, 1), DRAIN_NS);
        assert_eq!(drain_ns(5, 7), 0);
    }
}
