//! The pool as a pure state machine: events in, actions out.
//!
//! No clock, no randomness, no input or output here: time is an argument, and the one caller (the runtime, the virtual engine or a
//! test) carries out the actions. The same events at the same times give the same actions, always.
//!
//! With `tiered` dispatch workers are partitioned by tier, a request waits in the queue of one tier, and goes to a colder one only when
//! its own cannot take it (disabled, without worker while all slots back off, or full). With `shared` dispatch all workers are one
//! partition, tiers are classes of requests: whoever becomes free takes the lightest class that waits, within nested caps.

mod binding;
mod exit;
mod flight;
mod health;
mod ids;
mod life;
mod links;
mod place;
mod predict;
mod queue;
mod reload;
mod sessions;
mod spares;
mod state;
#[cfg(test)]
mod tests;
pub mod types;
mod view;

pub use types::*;
pub use view::{Residency, SlotView, TierView, Totals, View};

use std::collections::BTreeSet;

use crate::clock::Nanos;
use crate::config::{Config, Dispatch};
use ids::IdMap;
use predict::Predictor;
use reload::Reload;
use sessions::Sessions;
use state::{Class, Crew, Request, Slot};

/// The pool's decisions.
#[derive(Clone, Debug)]
pub struct Core {
    config: Config,
    now: Nanos,
    slots: Vec<Slot>,
    /// By partition.
    crews: [Crew; 4],
    /// By tier.
    classes: [Class; 3],
    /// Workers that the requests of a tier and of colder ones may hold together.
    caps: [u32; 3],
    predictor: Predictor,
    requests: IdMap<RequestId, Request>,
    sessions: Sessions,
    /// Deadlines of all live requests.
    deadlines: BTreeSet<(Nanos, RequestId)>,
    /// When the deadline timer will fire.
    armed: Option<Nanos>,
    next_seq: u64,
    /// Stateful workers that have lost their last session in the present step.
    to_recycle: Vec<usize>,
    /// The session timer is under way.
    session_armed: bool,
    started: bool,
    /// The reload under way.
    reload: Option<Reload>,
    draining: bool,
    drained: bool,
    totals: Totals,
}

impl Core {
    /// An empty pool of this configuration. Its slots are numbered over all partitions, `max` of each, hot first.
    pub fn new(config: &Config) -> Core {
        let mut slots = Vec::new();
        let crews = Partition::ALL.map(|partition| {
            let begin = slots.len();
            slots.extend((0..config.slots(partition)).map(|_| Slot::new(partition)));
            Crew::new(begin..slots.len())
        });
        Core {
            config: config.clone(),
            now: 0,
            slots,
            crews,
            classes: Default::default(),
            caps: caps(config),
            predictor: Predictor::new(config.tools.len(), config.predict_quantile),
            requests: IdMap::default(),
            sessions: Sessions::new(config.sessions_max as usize),
            deadlines: BTreeSet::new(),
            armed: None,
            next_seq: 0,
            to_recycle: Vec::new(),
            session_armed: false,
            started: false,
            reload: None,
            draining: false,
            drained: false,
            totals: Totals::default(),
        }
    }

    /// Takes one event at `now` (ns; an earlier time than before counts as the time before) and appends what must be done to `actions`.
    ///
    /// Deadlines that have come by `now` are answered first, so that the outcome does not depend on how punctual timers are. Events
    /// that name an unknown request, a dead worker or a timer without meaning are ignored.
    pub fn step(&mut self, now: Nanos, event: Event, actions: &mut Vec<Action>) {
        self.now = self.now.max(now);
        self.expire(actions);
        match event {
            Event::Start => self.start(actions),
            Event::Submit(submit) => self.submit(submit, actions),
            Event::Cancel(id) => self.abandon(id, Outcome::Cancelled, actions),
            Event::Ready(worker) => self.ready(worker, actions),
            Event::Written(worker, id) => self.written(worker, id),
            Event::Replied(worker, id, kind) => self.replied(worker, id, kind, actions),
            Event::Exited(worker) => self.exited(worker, actions),
            Event::Timer(timer) => self.timer(timer, actions),
            Event::EndSession(key) => self.end_session(key),
            Event::Probed(worker) => self.probed(worker),
            Event::ResetDone(worker) => self.reset_done(worker, actions),
            Event::Reload => self.begin_reload(),
            Event::Drain => self.drain(actions),
        }
        self.recycle(actions);
        self.arm_session(actions);
        self.go_on_reloading(actions);
        self.spawn_where_needed(actions);
        self.close_when_drained(actions);
    }

    fn start(&mut self, actions: &mut Vec<Action>) {
        if !self.started {
            self.started = true;
            self.arm_sweep(actions);
        }
    }

    /// The workers that serve a tier.
    fn crew_of(&self, tier: Tier) -> &Crew {
        &self.crews[self.config.home(tier) as usize]
    }
}

/// Workers that the requests of each tier and of colder ones may hold together: with shared dispatch its percentage, at least one.
fn caps(config: &Config) -> [u32; 3] {
    let share = |tier: Tier| (u32::from(config.shared.max) * config.tiers[tier as usize].cap_percent).div_ceil(100).max(1);
    Tier::ALL.map(|tier| if config.dispatch == Dispatch::Shared { share(tier) } else { u32::MAX })
}
