//! When alerts fire and recover: a state machine of values and times, nothing else.

use pool::clock::Nanos;

use super::rule::Rule;

/// What became of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Turn {
    /// Its rule has been broken for long enough.
    Firing,
    /// Its value is good again, or there is none any more.
    Recovered,
}

/// One change of one alert.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Transition {
    /// Index of the rule.
    pub rule: usize,
    /// The change.
    pub turn: Turn,
    /// The value that caused it; `None` where there was none.
    pub value: Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Good,
    /// Broken since then, not yet for long enough.
    Broken(Nanos),
    Firing,
}

/// The states of all rules.
#[derive(Clone, Debug)]
pub struct Machine {
    states: Vec<State>,
}

impl Machine {
    /// All good.
    pub fn new(rules: usize) -> Machine {
        Machine::resumed((0..rules).map(|_| false))
    }

    /// Firing where it was so before.
    pub fn resumed(firing: impl Iterator<Item = bool>) -> Machine {
        Machine { states: firing.map(|firing| if firing { State::Firing } else { State::Good }).collect() }
    }

    /// Whether the rule's alert fires.
    pub fn is_firing(&self, rule: usize) -> bool {
        self.states.get(rule) == Some(&State::Firing)
    }

    /// Takes the values of `rules` at `now`, in their order; returns what changed. A value that is not there breaks no rule.
    ///
    /// A rule fires when it was broken at every step of its `for`, and recovers at the first step at which it is not broken even with
    /// `clear` as its threshold. So firing and recovering alternate, whatever the values do.
    pub fn step(&mut self, now: Nanos, rules: &[Rule], values: &[Option<f64>]) -> Vec<Transition> {
        let mut turns = Vec::new();
        for (index, (state, (rule, value))) in self.states.iter_mut().zip(rules.iter().zip(values)).enumerate() {
            let breaks = |threshold| value.is_some_and(|v| rule.compare.breaks(v, threshold));
            let broken = breaks(rule.threshold);
            let next = match *state {
                State::Firing if breaks(rule.clear) => State::Firing,
                State::Good | State::Broken(_) if !broken => State::Good,
                State::Firing => State::Good,
                State::Good => State::Broken(now),
                State::Broken(since) => State::Broken(since),
            };
            let next = match next {
                State::Broken(since) if now.saturating_sub(since) >= rule.for_ns => State::Firing,
                other => other,
            };
            let turn = match (*state, next) {
                (State::Good | State::Broken(_), State::Firing) => Some(Turn::Firing),
                (State::Firing, State::Good) => Some(Turn::Recovered),
                _ => None,
            };
            *state = next;
            turns.extend(turn.map(|turn| Transition { rule: index, turn, value: *value }));
        }
        turns
    }
}

#[cfg(test)]
mod tests;
