//! The event loop: the earliest of what is due, into the core, and what the core asks for out again.

use std::collections::VecDeque;

use model::record::Memory;
use pool::clock::Nanos;
use pool::core::{Action, Core, Event, ReplyKind, SessionKey, WorkerRef};
use pool::{Config, Snapshot, Timers};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::meter::Meter;
use super::world::{Agenda, Due, Ended, Worker};
use super::{Load, Outcome};
use crate::answers::session_id;
use crate::faults::{Fault, When};
use crate::prepare::{Costs, PreparedCase, REQUESTS_MAX};
use crate::rows::Row;
use crate::schedule::Popularity;
use crate::slice::{Edge, Ran};

/// When the pool is started. Not 0, which a stamp takes for "did not happen".
const BEGIN: Nanos = 1_000_000_000;
/// Simulated time after the window in which the last requests must end; without an end they break conservation.
const DRAIN: Nanos = 3_600_000_000_000;
/// Never.
const NEVER: Nanos = Nanos::MAX;
/// Parts of slot time: the partitions.
const PARTS: usize = pool::core::Partition::ALL.len();

/// A pool and its load in simulated time.
pub(super) struct Engine<'a> {
    pub(super) load: &'a Load<'a>,
    pub(super) config: &'a Config,
    pub(super) faults: &'a [Fault],
    pub(super) costs: Costs,
    pub(super) core: Core,
    pub(super) now: Nanos,
    pub(super) agenda: Agenda,
    timers: Timers,
    events: VecDeque<Event>,
    actions: Vec<Action>,
    pub(super) workers: Vec<Worker>,
    pub(super) rows: Vec<Row>,
    /// The client of each row, in a closed loop.
    pub(super) clients: Vec<u32>,
    /// How often one of them has begun to think.
    pub(super) thought: usize,
    pub(super) sessions: Vec<SessionKey>,
    pub(super) busy: Meter,
    pub(super) existing: Meter,
    pub(super) random: Pcg64Mcg,
    /// When the first intent is meant to start.
    pub(super) origin: Nanos,
    pub(super) outstanding: u64,
    edges: Vec<Edge>,
    /// By how much the next worker starts later, ns.
    pub(super) slow_start_ns: Nanos,
    /// Requests of each session that takes its turn, and how many it has had.
    pub(super) turns: Option<u32>,
    pub(super) turned: Vec<u32>,
    pub(super) ended: Ended,
    drained: bool,
}

impl<'a> Engine<'a> {
    /// `config` may differ from the case's own, for what-if questions.
    pub(super) fn new(load: &'a Load<'a>, prepared: &'a PreparedCase, config: &'a Config, costs: Costs) -> Engine<'a> {
        let core = Core::new(config);
        let sessions = (0..prepared.sessions()).filter_map(|i| session_id(i).ok());
        Engine {
            workers: vec![Worker::default(); core.view().slots.len()],
            rows: Vec::with_capacity(if load.clients.is_none() { load.schedule.intents.len() } else { 0 }),
            sessions: sessions.map(|id| coordinator::session_key(&id)).collect(),
            faults: if load.faults { &prepared.faults } else { &[] },
            costs,
            load,
            config,
            core,
            now: BEGIN,
            agenda: Agenda::default(),
            timers: Timers::default(),
            events: VecDeque::new(),
            actions: Vec::new(),
            clients: Vec::new(),
            thought: 0,
            busy: Meter::new(PARTS),
            existing: Meter::new(PARTS),
            random: Pcg64Mcg::seed_from_u64(load.seed),
            origin: NEVER,
            outstanding: 0,
            edges: Vec::new(),
            slow_start_ns: 0,
            turns: if let Popularity::InTurn(each) = prepared.popularity { Some(each) } else { None },
            turned: vec![0; prepared.sessions() as usize],
            ended: Ended::default(),
            drained: false,
        }
    }

    /// Starts the pool, runs the load to its last outcome, closes the pool.
    pub(super) fn run(mut self) -> Result<Outcome, String> {
        self.step(Event::Start);
        // Workers that the pool starts beforehand are up before the load begins.
        while self.agenda.next().is_some() {
            self.advance();
        }
        let window = self.begin();
        while self.rows.len() < self.planned() || self.outstanding > 0 || self.edges.len() < 2 {
            let stuck = self.now > window.1.saturating_add(DRAIN);
            if stuck || !self.advance() {
                break;
            }
            if self.rows.len() as f64 >= REQUESTS_MAX && self.load.clients.is_some() {
                return Err(format!(
                    "the closed loop made {REQUESTS_MAX:.0} requests, the most that one trial may, in {} of simulated time: give the requests \
                     a service time (load.mix.service), set virtual.dispatch, or shorten load.length",
                    model::units::show_ns(self.now.saturating_sub(self.origin) as f64)
                ));
            }
        }
        Ok(self.close(window))
    }

    /// Plans what is known beforehand; returns the window.
    fn begin(&mut self) -> (Nanos, Nanos) {
        self.origin = self.now + crate::slice::LEAD_NS;
        let window = (self.origin + self.load.warmup_ns, self.origin + self.load.warmup_ns + self.load.length_ns);
        self.agenda.push(window.0, Due::Edge);
        self.agenda.push(window.1, Due::Edge);
        for (n, fault) in self.faults.iter().enumerate() {
            if let (None, When::Times(times)) = (fault.carried(), &fault.when) {
                times.iter().for_each(|at| self.agenda.push(window.0.saturating_add(*at), Due::Fault(n as u32, 0)));
            }
        }
        for client in 0..self.load.clients.unwrap_or(0) {
            self.think(client, self.origin);
        }
        window
    }

    /// Requests that are sent whatever becomes of others.
    fn planned(&self) -> usize {
        if self.load.clients.is_none() { self.load.schedule.intents.len() } else { 0 }
    }

    /// Moves on to what is due first; false if nothing is.
    fn advance(&mut self) -> bool {
        let (due, timer, arrival) = (self.agenda.next().unwrap_or(NEVER), self.timers.wake_at().unwrap_or(NEVER), self.arrival());
        let at = due.min(timer).min(arrival);
        if at == NEVER {
            return false;
        }
        self.now = self.now.max(at);
        if due == at {
            if let Some(what) = self.agenda.pop() {
                self.due(what);
            }
        } else if timer == at {
            if let Some(timer) = self.timers.take_due(at) {
                self.step(Event::Timer(timer));
            }
        } else {
            self.submit(self.rows.len(), at, 0);
        }
        true
    }

    /// When the next planned request is sent.
    fn arrival(&self) -> Nanos {
        if self.origin == NEVER || self.load.clients.is_some() {
            return NEVER;
        }
        self.load.schedule.intents.get(self.rows.len()).map_or(NEVER, |intent| self.origin + intent.at_ns)
    }

    fn due(&mut self, what: Due) {
        match what {
            Due::Reply(worker, turn) => self.reply(worker, turn),
            Due::Ready(worker) => self.ready(worker),
            Due::Exit(worker) => self.exit(worker),
            Due::Probed(worker) => self.answer(worker, Event::Probed(worker)),
            Due::ResetDone(worker) => self.answer(worker, Event::ResetDone(worker)),
            Due::Client(client) => self.send_again(client),
            Due::Fault(n, tries) => self.strike(n, tries),
            Due::Edge => {
                let edge = self.edge();
                self.edges.push(edge);
            }
        }
    }

    /// Lets one event into the core, and all that follow from it at the same time.
    pub(super) fn step(&mut self, event: Event) {
        self.events.push_back(event);
        while let Some(event) = self.events.pop_front() {
            let mut actions = std::mem::take(&mut self.actions);
            actions.clear();
            self.core.step(self.now, event, &mut actions);
            actions.iter().for_each(|action| self.act(*action));
            self.actions = actions;
        }
    }

    /// Lets an event in once the present one is done.
    pub(super) fn follow(&mut self, event: Event) {
        self.events.push_back(event);
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Dispatch(worker, request) => {
                self.dispatch(worker, request);
                self.events.push_back(Event::Written(worker, request));
            }
            Action::Finish { request, outcome, placement, .. } => self.finish(request, outcome, &placement),
            Action::Spawn(worker, partition) => self.spawn(worker, partition as usize),
            Action::SetTimer(timer, at) => drop(self.timers.set(timer, at)),
            Action::Backoff(slot, attempt) => {
                let most = pool::backoff_limit(self.config.backoff_base_ns, self.config.backoff_cap_ns, attempt);
                let at = self.now.saturating_add(self.random.random_range(1..=most));
                self.timers.set(pool::core::Timer::Backoff(slot), at);
            }
            Action::CancelAtWorker(worker, request) => self.cancel(worker, request),
            Action::Reloaded(_) => {}
            Action::Probe(worker) => self.agenda.push(self.now, Due::Probed(worker)),
            Action::Reset(worker) => self.agenda.push(self.now, Due::ResetDone(worker)),
            Action::Close(worker) => self.end(worker, false),
            Action::Kill(worker) => self.end(worker, true),
            Action::Drained => self.drained = true,
        }
    }

    pub(super) fn replied(&mut self, worker: WorkerRef, request: pool::core::RequestId) {
        self.step(Event::Replied(worker, request, ReplyKind::Ok));
    }

    fn edge(&self) -> Edge {
        let view = self.core.view();
        let snapshot = Snapshot {
            at: self.now,
            deaths: self.ended.deaths.closed + self.ended.deaths.unexpected,
            deaths_by: [0; pool::DeathCause::ALL.len()],
            live_pids: Vec::new(),
            busy_ns: std::array::from_fn(|part| self.busy.read(part, self.now)),
            existing_ns: std::array::from_fn(|part| self.existing.read(part, self.now)),
            in_flight: view.totals.in_flight,
            queued: view.totals.queued,
            core: view,
        };
        Edge { at: self.now, pool: Some(snapshot), ..Edge::default() }
    }

    fn close(mut self, window: (Nanos, Nanos)) -> Outcome {
        let drained = self.edge();
        self.step(Event::Drain);
        let limit = self.now.saturating_add(DRAIN);
        while !self.drained && self.now < limit && self.advance() {}
        self.ended.deaths.spawns = self.core.totals().spawns;
        let mut edges = self.edges.into_iter();
        let (begin, end) = (edges.next().unwrap_or_default(), edges.next().unwrap_or_default());
        Outcome { rows: self.rows, ran: Ran { paced: None, window, begin, end, drained, memory: Memory::default() }, ended: self.ended }
    }
}
