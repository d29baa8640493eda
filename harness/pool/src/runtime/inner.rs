//! The core behind its lock: events in, actions done at once, replies out.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use tokio::runtime::Handle;
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;

use super::observe::Observed;
use super::timers::Timers;
use super::upcalls::Door;
use super::{Deps, Job, Reply};
use crate::clock::Nanos;
use crate::config::Config;
use crate::core::Core;
use crate::core::types::{Action, Affinity, Event, Outcome, Partition, Placement, RequestId, Submit, Tier, Timer, ToolId, WorkerRef};
use crate::frames::{REPLY_HEAD, REQUEST_HEAD};
use crate::times::{Phase, RequestTimes};
use crate::workers::{Launch, ProgressSink, Sent, Started, Task, Work, WorkerCommand, WorkerHandle, WorkerKind};

/// What a frame needs beyond the payload: the longer head and the digest that [`Echo`](crate::Echo) adds.
const FRAME_OVERHEAD: usize = if REPLY_HEAD > REQUEST_HEAD { REPLY_HEAD + 8 } else { REQUEST_HEAD + 8 };

/// All of a pool but its handle.
pub(super) struct Inner {
    pub(super) config: Config,
    pub(super) deps: Deps,
    kinds: [&'static dyn WorkerKind; 4],
    command: Arc<WorkerCommand>,
    runtime: Handle,
    state: Mutex<State>,
    wake_timers: Notify,
    /// Something that `start` or `drain` waits for may have happened.
    pub(super) changed: Notify,
}

pub(super) struct State {
    pub(super) core: Core,
    pub(super) requests: HashMap<RequestId, Pending>,
    pub(super) slots: Vec<Option<Live>>,
    timers: Timers,
    events: VecDeque<Event>,
    actions: Vec<Action>,
    pub(super) random: Pcg64Mcg,
    next_request: u64,
    pub(super) observed: Observed,
    /// Tasks of workers; those that ended are dropped at the next spawn.
    tasks: Vec<JoinHandle<()>>,
    pub(super) drained: bool,
    /// Reloads that have ended, and whether the last one replaced every worker.
    pub(super) reloads: u64,
    pub(super) last_reload: bool,
}

/// A request without its outcome.
pub(super) struct Pending {
    reply: oneshot::Sender<Reply>,
    work: Work,
    payload: Bytes,
    pub(super) times: RequestTimes,
    /// When it was handed to a worker last.
    pub(super) dispatched: Option<Nanos>,
    pub(super) body: Bytes,
    pub(super) error: Option<String>,
    pub(super) progress: Option<ProgressSink>,
}

/// A worker from its spawn to its exit.
pub(super) struct Live {
    pub(super) worker: WorkerRef,
    pub(super) partition: Partition,
    pub(super) handle: Box<dyn WorkerHandle>,
    pub(super) ready: bool,
    /// The request at the worker, answered or not.
    pub(super) busy: Option<RequestId>,
    pub(super) busy_since: Nanos,
    pub(super) spawned_at: Nanos,
    /// Whether its outbox still holds that request.
    pub(super) unwritten: bool,
    /// Whether the core asked for its end.
    pub(super) ending: bool,
    pub(super) killed: bool,
}

impl Inner {
    pub(super) fn new(config: Config, deps: Deps, kinds: [&'static dyn WorkerKind; 4]) -> Arc<Inner> {
        let slots = Partition::ALL.iter().map(|partition| usize::from(config.slots(*partition))).sum();
        let state = State {
            core: Core::new(&config),
            requests: HashMap::new(),
            slots: (0..slots).map(|_| None).collect(),
            timers: Timers::default(),
            events: VecDeque::new(),
            actions: Vec::new(),
            random: Pcg64Mcg::seed_from_u64(deps.seed),
            next_request: 1,
            observed: Observed::default(),
            tasks: Vec::new(),
            drained: false,
            reloads: 0,
            last_reload: false,
        };
        let inner = Arc::new(Inner {
            kinds,
            command: Arc::new(deps.worker_command.clone()),
            runtime: Handle::current(),
            state: Mutex::new(state),
            wake_timers: Notify::new(),
            changed: Notify::new(),
            config,
            deps,
        });
        let task = inner.runtime.spawn(Arc::clone(&inner).run_timers());
        inner.lock().tasks.push(task);
        inner
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn now(&self) -> Nanos {
        self.deps.clock.now()
    }

    /// Lets one event into the core.
    pub(super) fn event(self: &Arc<Self>, event: Event) {
        let mut state = self.lock();
        let now = self.now();
        self.step(&mut state, now, event);
    }

    pub(super) fn submit(self: &Arc<Self>, job: Job, reply: oneshot::Sender<Reply>) -> RequestId {
        let mut state = self.lock();
        let now = self.now();
        let request = RequestId(state.next_request);
        state.next_request += 1;
        let refusal = self.refusal(&job);
        let mut times = job.times;
        times.begin(Phase::Queue, now);
        if let Some(error) = refusal {
            times.end(Phase::Queue, now);
            let placement = unserved(self.config.tools.get(usize::from(job.tool.0)).map_or(Tier::Hot, |tool| tool.tier));
            let refused =
                Reply { request, outcome: Outcome::Failed, placement, retry_after: None, body: Bytes::new(), error: Some(error), times };
            let _ = reply.send(refused);
            return request;
        }
        let bytes = u32::try_from(job.payload.len()).unwrap_or(u32::MAX);
        let submit = Submit { request, tool: job.tool, bytes, session: job.session, deadline: job.deadline, cost: job.cost };
        let pending = Pending {
            reply,
            work: job.work,
            payload: job.payload,
            times,
            dispatched: None,
            body: Bytes::new(),
            error: None,
            progress: job.progress,
        };
        state.requests.insert(request, pending);
        self.step(&mut state, now, Event::Submit(submit));
        request
    }

    /// Why a request can never be served by this pool.
    fn refusal(&self, job: &Job) -> Option<String> {
        let (length, limit) = (job.payload.len() + FRAME_OVERHEAD, self.config.frame_max);
        if length as u64 > limit {
            return Some(format!("a payload of {} bytes does not fit a frame of {limit}; raise frame-max", job.payload.len()));
        }
        let ToolId(tool) = job.tool;
        (usize::from(tool) >= self.config.tools.len()).then(|| format!("there is no tool {tool}; ask the configuration for the id"))
    }

    pub(super) fn step(self: &Arc<Self>, state: &mut State, now: Nanos, event: Event) {
        state.events.push_back(event);
        while let Some(event) = state.events.pop_front() {
            let mut actions = std::mem::take(&mut state.actions);
            actions.clear();
            state.core.step(now, event, &mut actions);
            if let Some(log) = &self.deps.log {
                log(now, &event, &actions);
            }
            for action in &actions {
                self.act(state, now, *action);
            }
            state.actions = actions;
        }
    }

    fn act(self: &Arc<Self>, state: &mut State, now: Nanos, action: Action) {
        match action {
            Action::Spawn(worker, partition) => self.spawn(state, now, worker, partition),
            Action::Dispatch(worker, request) => state.dispatch(now, worker, request),
            Action::CancelAtWorker(worker, request) => state.tell(worker, |handle| handle.cancel(request)),
            Action::Probe(worker) => state.tell(worker, |handle| handle.probe()),
            Action::Reset(worker) => state.tell(worker, |handle| handle.reset()),
            Action::Reloaded(whole) => {
                (state.reloads, state.last_reload) = (state.reloads + 1, whole);
                self.changed.notify_waiters();
            }
            Action::Close(worker) => state.end(worker, false),
            Action::Kill(worker) => state.end(worker, true),
            Action::Finish { request, outcome, retry_after, placement } => {
                state.finish(now, request, outcome, retry_after, placement);
            }
            Action::SetTimer(timer, at) => self.set_timer(state, timer, at),
            Action::Backoff(slot, attempt) => {
                let most = backoff_limit(self.config.backoff_base_ns, self.config.backoff_cap_ns, attempt);
                let delay = state.random.random_range(1..=most);
                self.set_timer(state, Timer::Backoff(slot), now.saturating_add(delay));
            }
            Action::Drained => {
                state.drained = true;
                self.wake_timers.notify_one();
                self.changed.notify_waiters();
            }
        }
    }

    fn set_timer(&self, state: &mut State, timer: Timer, at: Nanos) {
        if state.timers.set(timer, at) {
            self.wake_timers.notify_one();
        }
    }

    fn spawn(self: &Arc<Self>, state: &mut State, now: Nanos, worker: WorkerRef, partition: Partition) {
        // Several starts at once would fight for the same CPUs: those after the first wait a random moment.
        let crowded = self.config.spawn_jitter_ns > 0 && state.slots.iter().flatten().any(|live| !live.ready);
        let delay_ns = if crowded { state.random.random_range(0..self.config.spawn_jitter_ns) } else { 0 };
        let delay_ns = delay_ns.saturating_add(state.observed.take_slow_start());
        let launch = Launch {
            worker,
            delay_ns,
            upcalls: Arc::new(Door(Arc::clone(self))),
            runtime: self.runtime.clone(),
            clock: Arc::clone(&self.deps.clock),
            handler: Arc::clone(&self.deps.handler),
            command: Arc::clone(&self.command),
            spawner: self.deps.spawner.clone(),
            frame_max: u32::try_from(self.config.frame_max).unwrap_or(u32::MAX),
            close_grace_ns: self.config.close_grace_ns,
            term_grace_ns: self.config.term_grace_ns,
        };
        let Started { handle, task } = self.kinds[partition as usize].start(launch);
        state.tasks.retain(|task| !task.is_finished());
        state.tasks.push(task);
        state.observed.spawned(partition, now);
        if let Some(slot) = state.slots.get_mut(usize::from(worker.slot.0)) {
            *slot = Some(Live {
                worker,
                partition,
                handle,
                ready: false,
                busy: None,
                busy_since: now,
                spawned_at: now,
                unwritten: false,
                ending: false,
                killed: false,
            });
        }
    }

    async fn run_timers(self: Arc<Self>) {
        loop {
            let next = {
                let mut state = self.lock();
                let now = self.now();
                while let Some(timer) = state.timers.take_due(now) {
                    self.step(&mut state, now, Event::Timer(timer));
                }
                if state.drained {
                    return;
                }
                state.timers.wake_at()
            };
            match next {
                None => self.wake_timers.notified().await,
                Some(at) => {
                    let wait = Duration::from_nanos(at.saturating_sub(self.now()));
                    // Elapsed or woken: the turn looks for itself.
                    let _ = tokio::time::timeout(wait, self.wake_timers.notified()).await;
                }
            }
        }
    }

    /// Replaces all workers; whether it did.
    pub(super) async fn reloaded(self: &Arc<Self>) -> bool {
        let before = self.lock().reloads;
        self.event(Event::Reload);
        loop {
            let changed = self.changed.notified();
            {
                let state = self.lock();
                if state.reloads > before {
                    return state.last_reload;
                }
                if state.core.is_draining() {
                    return false;
                }
            }
            changed.await;
        }
    }

    /// Waits until every worker is gone and every task of the pool has ended.
    pub(super) async fn drained(&self) {
        loop {
            let changed = self.changed.notified();
            if self.lock().drained {
                break;
            }
            changed.await;
        }
        // What is left of them takes microseconds; looking, unlike joining, may be done by many and given up at any time.
        while !self.lock().tasks.iter().all(JoinHandle::is_finished) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

impl State {
    pub(super) fn live(&mut self, worker: WorkerRef) -> Option<&mut Live> {
        self.slots.get_mut(usize::from(worker.slot.0))?.as_mut().filter(|live| live.worker == worker)
    }

    fn dispatch(&mut self, now: Nanos, worker: WorkerRef, request: RequestId) {
        let Some(pending) = self.requests.get_mut(&request) else { return };
        pending.times.turn(Phase::Queue, Phase::Dispatch, now);
        if pending.dispatched.replace(now).is_some() {
            // A fault strikes once, or the request could never be served.
            pending.work.fault = None;
        }
        let progress = pending.progress.is_some();
        let task = Task { request, work: pending.work, payload: pending.payload.clone(), progress };
        let Some(live) = self.live(worker) else { return };
        (live.busy, live.busy_since) = (Some(request), now);
        live.unwritten = live.handle.send(task) == Sent::Queued;
        let (partition, written) = (live.partition, !live.unwritten);
        self.observed.busy(partition, now);
        if written {
            self.events.push_back(Event::Written(worker, request));
        }
    }

    fn tell(&mut self, worker: WorkerRef, what: impl FnOnce(&dyn WorkerHandle)) {
        if let Some(live) = self.live(worker) {
            what(&*live.handle);
        }
    }

    fn end(&mut self, worker: WorkerRef, at_once: bool) {
        let Some(live) = self.live(worker) else { return };
        live.ending = true;
        if at_once {
            live.killed = true;
            live.handle.kill();
        } else {
            live.handle.close();
        }
    }

    fn finish(&mut self, now: Nanos, request: RequestId, outcome: Outcome, retry_after: Option<Nanos>, placement: Placement) {
        let Some(mut pending) = self.requests.remove(&request) else { return };
        if pending.dispatched.is_none() {
            pending.times.end(Phase::Queue, now);
        }
        let mut body = Bytes::new();
        let mut error = pending.error;
        match outcome {
            Outcome::Ok => (body, error) = (pending.body, None),
            Outcome::Failed => error = error.or_else(|| self.observed.last_start_failure()),
            Outcome::Expired => error = Some(expired(pending.dispatched.is_some()).to_owned()),
            Outcome::Shed => error = Some(refused(retry_after.is_some()).to_owned()),
            _ => {}
        }
        let times = pending.times;
        let _ = pending.reply.send(Reply { request, outcome, placement, retry_after, body, error, times });
    }
}

fn expired(at_worker: bool) -> &'static str {
    if at_worker {
        "the deadline passed while a worker had the request; the worker was told, and is killed if it goes on"
    } else {
        "the deadline passed while the request waited for a worker"
    }
}

fn refused(later: bool) -> &'static str {
    if later {
        "there is no room for one more request, or no hope to serve it in time; try again after the time given"
    } else {
        "the pool takes no requests any more"
    }
}

/// Upper bound of the delay before a slot's worker is started again: min(cap, base * 2^(attempt-1)), at least 1 ns.
pub fn backoff_limit(base: Nanos, cap: Nanos, attempt: u32) -> Nanos {
    let factor = 1u64.checked_shl(attempt.saturating_sub(1)).unwrap_or(u64::MAX);
    base.saturating_mul(factor).min(cap).max(1)
}

fn unserved(predicted: Tier) -> Placement {
    Placement { predicted, served: None, worker: None, attempts: 0, affinity: Affinity::Free }
}

/// The reply of a request whose reply was lost.
pub(super) fn lost(inner: &Inner, request: RequestId) -> Reply {
    let mut times = RequestTimes::default();
    times.begin(Phase::Queue, inner.now());
    let error = Some("the pool lost the request; this is a defect of the pool, please report it".into());
    Reply { request, outcome: Outcome::OutcomeUnknown, placement: unserved(Tier::Hot), retry_after: None, body: Bytes::new(), error, times }
}

#[cfg(test)]
mod tests {
    use super::backoff_limit;

    #[test]
    fn the_backoff_doubles_up_to_its_cap_and_never_overflows() {
        let limits: Vec<_> = (1..7).map(|attempt| backoff_limit(100, 1_000, attempt)).collect();
        assert_eq!(limits, [100, 200, 400, 800, 1_000, 1_000]);
        assert_eq!(backoff_limit(100, 1_000, u32::MAX), 1_000);
        assert_eq!(backoff_limit(u64::MAX, u64::MAX, 60), u64::MAX);
        assert_eq!(backoff_limit(0, 0, 0), 1, "a delay is drawn from 1..=limit, which must not be empty");
    }
}
