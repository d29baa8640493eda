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
use super::{Deps, Job, Reply};
use crate::clock::Nanos;
use crate::config::Config;
use crate::core::Core;
use crate::core::types::{Action, Affinity, Event, Outcome, Placement, ReplyKind, RequestId, Submit, Tier, Timer, ToolId, WorkerRef};
use crate::frames::{REPLY_HEAD, REQUEST_HEAD};
use crate::times::{Phase, RequestTimes};
use crate::workers::{Answer, Exit, Launch, Sent, Started, Task, Upcalls, Work, WorkerCommand, WorkerHandle, WorkerKind};

/// What a frame needs beyond the payload: the longer head and the digest that [`Echo`](crate::Echo) adds.
const FRAME_OVERHEAD: usize = if REPLY_HEAD > REQUEST_HEAD { REPLY_HEAD + 8 } else { REQUEST_HEAD + 8 };

/// All of a pool but its handle.
pub(super) struct Inner {
    pub(super) config: Config,
    pub(super) deps: Deps,
    kinds: [&'static dyn WorkerKind; 3],
    command: Arc<WorkerCommand>,
    runtime: Handle,
    state: Mutex<State>,
    wake_timers: Notify,
    /// Something that `start` or `drain` waits for may have happened.
    pub(super) changed: Notify,
}

pub(super) struct State {
    pub(super) core: Core,
    requests: HashMap<RequestId, Pending>,
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
}

/// A request without its outcome.
struct Pending {
    reply: oneshot::Sender<Reply>,
    work: Work,
    payload: Bytes,
    times: RequestTimes,
    dispatched: bool,
    body: Bytes,
    error: Option<String>,
}

/// A worker from its spawn to its exit.
pub(super) struct Live {
    pub(super) worker: WorkerRef,
    pub(super) tier: Tier,
    pub(super) handle: Box<dyn WorkerHandle>,
    pub(super) ready: bool,
    /// The request at the worker, answered or not.
    pub(super) busy: Option<RequestId>,
    pub(super) busy_since: Nanos,
    pub(super) spawned_at: Nanos,
    /// Whether its outbox still holds that request.
    unwritten: bool,
    /// Whether the core asked for its end.
    pub(super) ending: bool,
    pub(super) killed: bool,
}

impl Inner {
    pub(super) fn new(config: Config, deps: Deps, kinds: [&'static dyn WorkerKind; 3]) -> Arc<Inner> {
        let slots = config.tiers.iter().map(|tier| usize::from(tier.max)).sum();
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
            let refused = Reply { outcome: Outcome::Failed, placement, retry_after: None, body: Bytes::new(), error: Some(error), times };
            let _ = reply.send(refused);
            return request;
        }
        let bytes = u32::try_from(job.payload.len()).unwrap_or(u32::MAX);
        let submit = Submit { request, tool: job.tool, bytes, session: job.session, deadline: job.deadline };
        let pending = Pending { reply, work: job.work, payload: job.payload, times, dispatched: false, body: Bytes::new(), error: None };
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

    fn step(self: &Arc<Self>, state: &mut State, now: Nanos, event: Event) {
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
            Action::Spawn(worker, tier) => self.spawn(state, now, worker, tier),
            Action::Dispatch(worker, request) => state.dispatch(now, worker, request),
            // The kinds of worker here run a request to its end whatever they are told.
            Action::CancelAtWorker(..) => {}
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

    fn spawn(self: &Arc<Self>, state: &mut State, now: Nanos, worker: WorkerRef, tier: Tier) {
        let launch = Launch {
            worker,
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
        let Started { handle, task } = self.kinds[tier as usize].start(launch);
        state.tasks.retain(|task| !task.is_finished());
        state.tasks.push(task);
        state.observed.spawned(tier, now);
        if let Some(slot) = state.slots.get_mut(usize::from(worker.slot.0)) {
            *slot = Some(Live {
                worker,
                tier,
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
                state.timers.next()
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

    /// Waits until every worker is gone and every task of the pool has ended.
    pub(super) async fn drained(&self) {
        loop {
            let changed = self.changed.notified();
            if self.lock().drained {
                break;
            }
            changed.await;
        }
        loop {
            let Some(task) = self.lock().tasks.pop() else { return };
            let _ = task.await;
        }
    }
}

impl State {
    fn live(&mut self, worker: WorkerRef) -> Option<&mut Live> {
        self.slots.get_mut(usize::from(worker.slot.0))?.as_mut().filter(|live| live.worker == worker)
    }

    fn dispatch(&mut self, now: Nanos, worker: WorkerRef, request: RequestId) {
        let Some(pending) = self.requests.get_mut(&request) else { return };
        pending.times.turn(Phase::Queue, Phase::Dispatch, now);
        pending.dispatched = true;
        let task = Task { request, work: pending.work, payload: pending.payload.clone() };
        let Some(live) = self.live(worker) else { return };
        (live.busy, live.busy_since) = (Some(request), now);
        live.unwritten = live.handle.send(task) == Sent::Queued;
        let (tier, written) = (live.tier, !live.unwritten);
        self.observed.busy(tier, now);
        if written {
            self.events.push_back(Event::Written(worker, request));
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
        if !pending.dispatched {
            pending.times.end(Phase::Queue, now);
        }
        let mut body = Bytes::new();
        let mut error = pending.error;
        match outcome {
            Outcome::Ok => (body, error) = (pending.body, None),
            Outcome::Failed => error = error.or_else(|| self.observed.last_start_failure()),
            _ => {}
        }
        let times = pending.times;
        let _ = pending.reply.send(Reply { outcome, placement, retry_after, body, error, times });
    }

    /// Tells the core of the write that a reply or an upcall proves.
    fn note_written(&mut self, worker: WorkerRef, request: RequestId) -> Option<Event> {
        let live = self.live(worker)?;
        let first = live.busy == Some(request) && live.unwritten;
        live.unwritten &= !first;
        first.then_some(Event::Written(worker, request))
    }
}

/// What a worker's tasks hold of the pool.
struct Door(Arc<Inner>);

impl Upcalls for Door {
    fn ready(&self, worker: WorkerRef) {
        self.0.ready(worker);
    }
    fn written(&self, worker: WorkerRef, request: RequestId) {
        self.0.written(worker, request);
    }
    fn replied(&self, worker: WorkerRef, answer: Answer) {
        self.0.replied(worker, answer);
    }
    fn exited(&self, worker: WorkerRef, exit: Exit) {
        self.0.exited(worker, exit);
    }
}

impl Inner {
    fn ready(self: &Arc<Self>, worker: WorkerRef) {
        let mut state = self.lock();
        let now = self.now();
        let Some(live) = state.live(worker) else { return };
        live.ready = true;
        self.step(&mut state, now, Event::Ready(worker));
        self.changed.notify_waiters();
    }

    fn written(self: &Arc<Self>, worker: WorkerRef, request: RequestId) {
        let mut state = self.lock();
        if let Some(event) = state.note_written(worker, request) {
            let now = self.now();
            self.step(&mut state, now, event);
        }
    }

    fn replied(self: &Arc<Self>, worker: WorkerRef, answer: Answer) {
        let mut state = self.lock();
        let now = self.now();
        if let Some(event) = state.note_written(worker, answer.request) {
            // The reply has overtaken the writer's upcall.
            self.step(&mut state, now, event);
        }
        let Some(live) = state.live(worker) else { return };
        if live.busy != Some(answer.request) {
            return;
        }
        live.busy = None;
        let (tier, since) = (live.tier, live.busy_since);
        state.observed.idle(tier, since, now);
        let kind = if answer.result.is_ok() { ReplyKind::Ok } else { ReplyKind::ToolError };
        if let Some(pending) = state.requests.get_mut(&answer.request) {
            pending.serve(now, &answer);
            match answer.result {
                Ok(body) => pending.body = body,
                Err(error) => pending.error = Some(error),
            }
        }
        self.step(&mut state, now, Event::Replied(worker, answer.request, kind));
    }

    fn exited(self: &Arc<Self>, worker: WorkerRef, exit: Exit) {
        let mut state = self.lock();
        let now = self.now();
        let Some(slot) = state.slots.get_mut(usize::from(worker.slot.0)) else { return };
        let Some(live) = slot.take_if(|live| live.worker == worker) else { return };
        if let Some(pending) = live.busy.and_then(|request| state.requests.get_mut(&request)) {
            pending.error = Some(observe_error(&exit));
        }
        state.observed.exited(&live, exit, now);
        self.step(&mut state, now, Event::Exited(worker));
        self.changed.notify_waiters();
    }
}

impl Pending {
    /// Stamps the worker's phases; a worker whose stamps are impossible is not believed.
    fn serve(&mut self, now: Nanos, answer: &Answer) {
        let begin = answer.begin.min(now);
        let end = answer.end.clamp(begin, now);
        self.times.turn(Phase::Dispatch, Phase::Service, begin);
        self.times.turn(Phase::Service, Phase::Return, end);
        self.times.end(Phase::Return, now);
    }
}

fn observe_error(exit: &Exit) -> String {
    match exit.stderr_tail.as_str() {
        "" => format!("worker died: {}", exit.cause),
        tail => format!("worker died: {}; its stderr ended: {tail}", exit.cause),
    }
}

/// min(cap, base * 2^(attempt-1)), at least 1 ns.
fn backoff_limit(base: Nanos, cap: Nanos, attempt: u32) -> Nanos {
    let factor = 1u64.checked_shl(attempt.saturating_sub(1)).unwrap_or(u64::MAX);
    base.saturating_mul(factor).min(cap).max(1)
}

fn unserved(predicted: Tier) -> Placement {
    Placement { predicted, served: None, worker: None, attempts: 0, affinity: Affinity::Free }
}

/// The reply of a request whose reply was lost.
pub(super) fn lost(inner: &Inner) -> Reply {
    let mut times = RequestTimes::default();
    times.begin(Phase::Queue, inner.now());
    let error = Some("the pool lost the request; this is a defect of the pool, please report it".into());
    Reply { outcome: Outcome::OutcomeUnknown, placement: unserved(Tier::Hot), retry_after: None, body: Bytes::new(), error, times }
}
