//! The pool's core: one request's life, which is the three steps Submit, Written and Replied.
//!
//! With an empty queue the request is dispatched at once; with 1000 waiting it joins them, and another one is served.

use std::collections::{BTreeMap, VecDeque};
use std::hint::black_box;

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
    Ok(())
}

/// A core with two workers, and what they are serving.
struct Load {
    core: Core,
    now: u64,
    next: u64,
    running: VecDeque<(WorkerRef, RequestId)>,
    actions: Vec<Action>,
    finished: u64,
}

impl Load {
    /// `waiting` requests are queued, all workers are busy then; with 0 they are idle.
    fn new(affinity: &str, waiting: u32) -> Result<Self, Failure> {
        let settings = [
            ("pool.affinity", affinity),
            ("pool.hot.min-ready", "2"),
            ("pool.hot.spares", "0"),
            ("pool.hot.max", "2"),
            ("pool.warm.max", "0"),
            ("pool.cold.max", "0"),
            ("pool.queue-len", "4096"),
            ("pool.tools.light.tier", "hot"),
        ];
        let settings: BTreeMap<String, String> = settings.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let core = Core::new(&Config::from_settings(&settings)?);
        let mut load = Load { core, now: 0, next: 0, running: VecDeque::new(), actions: Vec::new(), finished: 0 };
        load.step(Event::Start);
        let spawned: Vec<_> = load.actions.iter().filter_map(|a| if let Action::Spawn(w, _) = a { Some(*w) } else { None }).collect();
        for worker in spawned {
            load.step(Event::Ready(worker));
        }
        while waiting > 0 && load.core.totals().queued < waiting {
            load.submit();
        }
        Ok(load)
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
        let session = Some(SessionKey(self.next % SESSIONS));
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
}
