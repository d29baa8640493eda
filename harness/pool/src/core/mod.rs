//! The pool as a pure state machine.
pub mod types;
mod view;

pub use types::*;
pub use view::{Residency, SlotView, TierView, Totals, View};

use crate::clock::Nanos;
use crate::config::Config;

/// The pool's decisions: events in, actions out.
#[derive(Debug)]
pub struct Core {}

impl Core {
    /// An empty pool of this configuration; nothing starts before [`Event::Start`].
    pub fn new(_config: &Config) -> Core {
        Core {}
    }

    /// Takes one event at `now` and appends what must be done to `actions`.
    pub fn step(&mut self, _now: Nanos, _event: Event, _actions: &mut Vec<Action>) {}
}
