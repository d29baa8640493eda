//! The pool as a pure state machine: events in, actions out.
//!
//! No clock, no randomness, no input or output here: time is an argument, and the one caller (the runtime, the virtual engine or a
//! test) carries out the actions. The same events at the same times give the same actions, always.
//!
//! Dispatch is `tiered`: workers are partitioned by tier, a request waits in the queue of one tier, and goes to another one only when
//! its own cannot take it (disabled, without worker while all slots back off, or full).

mod flight;
mod ids;
mod life;
mod links;
mod place;
mod queue;
mod sessions;
mod state;
#[cfg(test)]
mod tests;
pub mod types;
mod view;

pub use types::*;
pub use view::{Residency, SlotView, TierView, Totals, View};

use std::collections::BTreeSet;

use crate::clock::Nanos;
use crate::config::Config;
use ids::IdMap;
use sessions::{SESSIONS_MAX, Sessions};
use state::{Request, Slot, TierState};

/// The pool's decisions.
#[derive(Clone, Debug)]
pub struct Core {
    config: Config,
    now: Nanos,
    slots: Vec<Slot>,
    tiers: [TierState; 3],
    requests: IdMap<RequestId, Request>,
    sessions: Sessions,
    /// Deadlines of all live requests.
    deadlines: BTreeSet<(Nanos, RequestId)>,
    /// When the deadline timer will fire.
    armed: Option<Nanos>,
    next_seq: u64,
    started: bool,
    draining: bool,
    drained: bool,
    totals: Totals,
}

impl Core {
    /// An empty pool of this configuration. Its slots are numbered over all tiers, `max` of each, hot first.
    pub fn new(config: &Config) -> Core {
        let mut slots = Vec::new();
        let tiers = Tier::ALL.map(|tier| {
            let begin = slots.len();
            slots.extend((0..config.tiers[tier as usize].max).map(|_| Slot::new(tier)));
            TierState::new(begin..slots.len())
        });
        Core {
            config: config.clone(),
            now: 0,
            slots,
            tiers,
            requests: IdMap::default(),
            sessions: Sessions::new(SESSIONS_MAX),
            deadlines: BTreeSet::new(),
            armed: None,
            next_seq: 0,
            started: false,
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
            Event::Start => self.started = true,
            Event::Submit(submit) => self.submit(submit, actions),
            Event::Cancel(id) => self.abandon(id, Outcome::Cancelled, actions),
            Event::Ready(worker) => self.ready(worker, actions),
            Event::Written(worker, id) => self.written(worker, id),
            Event::Replied(worker, id, kind) => self.replied(worker, id, kind, actions),
            Event::Exited(worker) => self.exited(worker, actions),
            Event::Timer(timer) => self.timer(timer, actions),
            Event::EndSession(key) => self.end_session(key),
            Event::Drain => self.draining = true,
        }
        self.spawn_where_needed(actions);
        self.close_when_drained(actions);
    }
}
