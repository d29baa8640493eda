//! The core's timers: ordered, at most one of each value, fired by one task. Tokio's 1 ms resolution is enough for them.

use std::collections::{BTreeMap, BTreeSet};

use crate::clock::Nanos;
use crate::core::types::Timer;

/// The timers that are set.
#[derive(Debug, Default)]
pub struct Timers {
    due: BTreeSet<(Nanos, Timer)>,
    at: BTreeMap<Timer, Nanos>,
    /// The time until which the task sleeps; an earlier timer must wake it.
    asleep_until: Option<Nanos>,
}

impl Timers {
    /// Sets `timer`, replacing one of the same value; true if the task must be woken for it.
    pub fn set(&mut self, timer: Timer, at: Nanos) -> bool {
        if let Some(old) = self.at.insert(timer, at) {
            self.due.remove(&(old, timer));
        }
        self.due.insert((at, timer));
        if self.asleep_until.is_some_and(|until| until <= at) {
            return false;
        }
        self.asleep_until = Some(at);
        true
    }

    /// Takes one timer that is due at `now`.
    pub fn take_due(&mut self, now: Nanos) -> Option<Timer> {
        let first = *self.due.first()?;
        if first.0 > now {
            return None;
        }
        self.due.remove(&first);
        self.at.remove(&first.1);
        Some(first.1)
    }

    /// When to wake next; the task promises to sleep until then or until it is woken.
    pub fn wake_at(&mut self) -> Option<Nanos> {
        self.asleep_until = self.due.first().map(|(at, _)| *at);
        self.asleep_until
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::types::SlotId;

    #[test]
    fn timers_fire_in_order_and_once() {
        let mut timers = Timers::default();
        let backoff = |n| Timer::Backoff(SlotId(n));
        assert!(timers.set(backoff(1), 50), "the first must wake the task");
        assert!(!timers.set(backoff(2), 70), "a later one must not");
        assert!(timers.set(Timer::Deadline, 20), "an earlier one must");
        assert!(!timers.set(Timer::Deadline, 60), "it moved back: the task wakes for nothing, and sleeps again");
        assert_eq!(timers.take_due(49), None);
        assert_eq!(timers.wake_at(), Some(50));
        let fired: Vec<_> = std::iter::from_fn(|| timers.take_due(65)).collect();
        assert_eq!(fired, [backoff(1), Timer::Deadline]);
        assert_eq!(timers.wake_at(), Some(70));
        assert_eq!(timers.take_due(70), Some(backoff(2)));
        assert_eq!((timers.wake_at(), timers.take_due(u64::MAX)), (None, None));
    }
}
