//! The pool's core: one request's life, which is the three steps Submit, Written and Replied.
//!
//! `core`: with an empty queue the request is dispatched at once; with 1000 waiting it joins them, and another one is served.
//! `core-step`: single steps, the three kinds by turns, on a warm core at two sizes of pool and of its table of sessions. Half of the
//! workers are busy, and every session was used before; the next one is taken far from the last, as strangers to the caches.

use std::collections::{BTreeMap, VecDeque};
use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion};
use pool::Config;
use pool::core::{Action, Core, Event, ReplyKind, RequestId, SessionKey, Submit, ToolId, WorkerRef};

use crate::Failure;

const SESSIONS: u64 = 64;
/// Time between two requests, ns.
const GAP_NS: u64 = 1_000;

pub(crate) fn bench(criterion: &mut Criterion) -> Result<(), Failure> {
    let mut group = criterion.benchmark_group("core");
    for (name, waiting) in [("empty-queue", 0), ("1000-waiting", 1_000)] {
        for affinity in ["none", "strict", "soft"] {
            let mut load = Load::new(affinity, waiting)?;
            group.bench_function(BenchmarkId::new(name, affinity), |b| b.iter(|| load.one_request()));
        }
    }
    group.finish();
    bench_steps(criterion)
}

fn bench_steps(criterion: &mut Criterion) -> Result<(), Failure> {
    let mut group = criterion.benchmark_group("core-step");
    group.sample_size(30).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_millis(600));
    for dispatch in ["tiered", "shared"] {
        for affinity in ["none", "soft", "strict"] {
            for (workers, sessions) in SIZES {
                let mut load = Load::sized(dispatch, affinity, workers, sessions)?;
                let name = BenchmarkId::new(format!("{dispatch}-{affinity}"), format!("{workers}-workers-{sessions}-sessions"));
                group.bench_function(name, |b| b.iter(|| load.one_step()));
            }
        }
    }
    group.finish();
    Ok(())
}

/// Workers and sessions of `core-step`.
const SIZES: [(u16, u64); 4] = [(64, 10_000), (64, 100_000), (640, 10_000), (640, 100_000)];
/// Far apart in a table of sessions, and prime to its size, so that each comes up in turn.
const STRIDE: u64 = 7_919;

/// A core, and what its workers are serving.
struct Load {
    core: Core,
    now: u64,
    next: u64,
    sessions: u64,
    running: VecDeque<(WorkerRef, RequestId)>,
    actions: Vec<Action>,
    finished: u64,
    /// Requests at workers, in [`Load::one_step`].
    busy: usize,
    /// The reply that the next step tells of.
    replying: Option<(WorkerRef, RequestId)>,
}

impl Load {
    /// `waiting` requests are queued, all workers are busy then; with 0 they are idle.
    fn new(affinity: &str, waiting: u32) -> Result<Self, Failure> {
        let mut load = Load::of("tiered", affinity, 2, SESSIONS)?;
        while waiting > 0 && load.core.totals().queued < waiting {
            load.submit();
        }
        Ok(load)
    }

    /// Half of the workers are busy, and every session was used once.
    fn sized(dispatch: &str, affinity: &str, workers: u16, sessions: u64) -> Result<Self, Failure> {
        let mut load = Load::of(dispatch, affinity, workers, sessions)?;
        load.busy = usize::from(workers) / 2;
        // One request at a time would bind every strict session to the same worker.
        (0..3 * sessions).for_each(|_| load.one_step());
        Ok(load)
    }

    /// All workers are ready.
    fn of(dispatch: &str, affinity: &str, workers: u16, sessions: u64) -> Result<Self, Failure> {
        let (count, remembered) = (workers.to_string(), sessions.to_string());
        let settings = [
            ("pool.dispatch", dispatch),
            ("pool.affinity", affinity),
            ("pool.sessions-max", &remembered),
            ("pool.predict", "tool"),
            ("pool.hot.min-ready", &count),
            ("pool.hot.spares", "0"),
            ("pool.hot.max", &count),
            ("pool.shared.min-ready", &count),
            ("pool.shared.spares", "0"),
            ("pool.shared.max", &count),
            ("pool.warm.max", "0"),
            ("pool.cold.max", "0"),
            ("pool.queue-len", "4096"),
            ("pool.spawn-concurrency", "1024"),
            ("pool.tools.light.tier", "hot"),
        ];
        let settings: BTreeMap<String, String> = settings.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let core = Core::new(&Config::from_settings(&settings)?);
        let (running, actions) = (VecDeque::new(), Vec::new());
        let mut load = Load { core, now: 0, next: 0, sessions, running, actions, finished: 0, busy: 0, replying: None };
        load.step(Event::Start);
        let spawned: Vec<_> = load.actions.iter().filter_map(|a| if let Action::Spawn(w, _) = a { Some(*w) } else { None }).collect();
        for worker in spawned {
            load.step(Event::Ready(worker));
        }
        Ok(load)
    }

    /// Submit, Written and Replied by turns, the oldest request first.
    fn one_step(&mut self) {
        if let Some((worker, request)) = self.replying.take() {
            self.step(Event::Replied(worker, request, ReplyKind::Ok));
        } else if self.running.len() > self.busy
            && let Some((worker, request)) = self.running.pop_front()
        {
            self.step(Event::Written(worker, request));
            self.replying = Some((worker, request));
        } else {
            self.submit();
        }
    }

    fn one_request(&mut self) {
        self.submit();
        if let Some((worker, request)) = self.running.pop_front() {
            self.step(Event::Written(worker, request));
            self.step(Event::Replied(worker, request, ReplyKind::Ok));
        }
    }

    fn submit(&mut self) {
        self.now += GAP_NS;
        self.next += 1;
        let session = Some(SessionKey(self.next.wrapping_mul(STRIDE) % self.sessions));
        self.step(Event::Submit(Submit {
            request: RequestId(self.next),
            tool: ToolId(0),
            bytes: 132,
            session,
            deadline: None,
            cost: None,
        }));
    }

    fn step(&mut self, event: Event) {
        self.actions.clear();
        self.core.step(self.now, black_box(event), &mut self.actions);
        for action in &self.actions {
            match action {
                Action::Dispatch(worker, request) => self.running.push_back((*worker, *request)),
                Action::Finish { .. } => self.finished += 1,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pool::core::Outcome;

    #[test]
    fn the_queue_stays_as_long_as_it_claims_and_all_are_served() {
        for affinity in ["none", "strict", "soft"] {
            for waiting in [0, 1_000] {
                let mut load = Load::new(affinity, waiting).unwrap();
                let before = load.core.totals().queued;
                (0..5_000).for_each(|_| load.one_request());
                let totals = load.core.totals();
                assert_eq!(load.finished, 5_000, "{affinity} {waiting}");
                assert_eq!(totals.finished_with(Outcome::Ok), 5_000, "{affinity} {waiting}");
                // A strict worker may idle while the other's sessions wait: then one more waits.
                assert!(totals.queued.abs_diff(before) <= 1, "{affinity} {waiting}: {} queued", totals.queued);
            }
        }
    }

    #[test]
    fn single_steps_go_round_and_all_sessions_are_remembered() {
        for dispatch in ["tiered", "shared"] {
            for affinity in ["none", "soft", "strict"] {
                let mut load = Load::sized(dispatch, affinity, 8, 1_000).unwrap();
                let before = load.core.totals().admitted;
                (0..9_000).for_each(|_| load.one_step());
                let totals = load.core.totals();
                assert!((totals.admitted - before).abs_diff(3_000) < 50, "{dispatch} {affinity}: {totals:?}");
                assert_eq!(totals.finished_with(Outcome::Ok), load.finished, "{dispatch} {affinity}");
                let sessions = if affinity == "none" { 0 } else { 1_000 };
                assert_eq!(load.core.view().sessions, sessions, "{dispatch} {affinity}");
            }
        }
    }
}
