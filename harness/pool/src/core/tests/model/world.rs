//! A small world around the core: what may happen next, and what one step does to core, checker and the budgets.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::super::super::*;
use super::super::{Checker, Defect, SECOND, step};
use super::fingerprint;

/// How often what a pool does not count on may happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Budget {
    /// Workers that die unasked.
    pub(super) crashes: u8,
    /// Requests that are cancelled.
    pub(super) cancels: u8,
    /// Workers that are not ready in time.
    pub(super) late_starts: u8,
    /// Requests that the tool itself answers with an error.
    pub(super) tool_errors: u8,
    /// Probes that are not answered before the next sweep.
    pub(super) silences: u8,
    /// Reloads.
    pub(super) reloads: u8,
    /// A session that is ended, once.
    pub(super) ends: Option<SessionKey>,
}

/// The bounds of an exploration.
#[derive(Clone)]
pub(super) struct World {
    pub(super) name: &'static str,
    pub(super) config: Config,
    /// Submitted in this order, each at any time; deadlines count from then.
    pub(super) submits: Vec<Submit>,
    pub(super) budget: Budget,
    pub(super) defect: Option<Defect>,
}

/// One state of a world.
#[derive(Clone)]
pub(super) struct State {
    core: Core,
    seen: Checker,
    now: Nanos,
    submitted: usize,
    budget: Budget,
    /// Outcomes of each request so far.
    outcomes: Vec<u8>,
}

impl World {
    /// The pool just started.
    pub(super) fn begin(&self) -> State {
        let mut state = State {
            core: Core::new(&self.config),
            seen: Checker::new(&self.config),
            now: SECOND,
            submitted: 0,
            budget: self.budget,
            outcomes: vec![0; self.submits.len()],
        };
        state.step(self, Event::Start);
        state
    }

    fn timed(&self) -> bool {
        self.config.deadline_ns.is_some() || self.submits.iter().any(|s| s.deadline.is_some())
    }
}

impl State {
    /// All that may happen next.
    pub(super) fn enabled(&self, world: &World) -> Vec<Event> {
        let mut events = Vec::new();
        if let Some(submit) = world.submits.get(self.submitted) {
            events.push(Event::Submit(Submit { deadline: submit.deadline.map(|d| self.now + d), ..*submit }));
        }
        events.extend(self.seen.never_ready().into_iter().map(Event::Ready));
        for (r, id) in self.seen.jobs() {
            events.push(Event::Written(r, id));
            events.push(Event::Replied(r, id, ReplyKind::Ok));
            events.extend((self.budget.tool_errors > 0).then_some(Event::Replied(r, id, ReplyKind::ToolError)));
        }
        events.extend(self.seen.probed().into_iter().map(Event::Probed));
        events.extend(self.seen.resetting().into_iter().map(Event::ResetDone));
        let stopped = self.seen.stopped();
        events.extend(stopped.iter().map(|r| Event::Exited(*r)));
        if self.budget.crashes > 0 {
            let crashing = self.seen.alive().into_iter().filter(|r| !stopped.contains(r));
            events.extend(crashing.map(Event::Exited));
        }
        events.extend(self.seen.backing_off().into_iter().map(|slot| Event::Timer(Timer::Backoff(slot))));
        let may_fire = |timer: &Timer| match timer {
            Timer::Start(_) => self.budget.late_starts > 0,
            Timer::Sweep => self.budget.silences > 0 || self.seen.probed().is_empty(),
            _ => true,
        };
        let timers = self.seen.timers().into_iter().map(|(_, timer)| timer).filter(may_fire);
        events.extend(timers.map(Event::Timer));
        if self.budget.cancels > 0 {
            events.extend(self.seen.live().into_iter().map(Event::Cancel));
        }
        events.extend(self.budget.ends.map(Event::EndSession));
        if !self.seen.draining {
            events.extend((self.budget.reloads > 0).then_some(Event::Reload));
            events.push(Event::Drain);
        }
        events
    }

    /// What a well-behaved surrounding does next: exits as asked, answers, starts and ends of backoff, and a drain once nothing waits.
    /// So every request finds its end without one.
    pub(super) fn sure(&self) -> Option<Event> {
        let drain = || (!self.seen.draining && self.seen.live().is_empty()).then_some(Event::Drain);
        self.seen.unfinished().or_else(drain)
    }

    /// Lets `event` happen; panics where an invariant breaks.
    pub(super) fn step(&mut self, world: &World, event: Event) {
        match event {
            Event::Submit(_) => self.submitted += 1,
            Event::Exited(r) if !self.seen.stopped().contains(&r) => self.budget.crashes -= 1,
            Event::Cancel(_) => self.budget.cancels -= 1,
            Event::Replied(_, _, ReplyKind::ToolError) => self.budget.tool_errors -= 1,
            Event::Reload => self.budget.reloads -= 1,
            Event::EndSession(_) => self.budget.ends = None,
            Event::Timer(timer) => {
                let at = self.seen.timers().iter().find(|t| t.1 == timer).map_or(0, |t| t.0);
                self.now = self.now.max(at);
                self.budget.late_starts -= u8::from(matches!(timer, Timer::Start(_)));
                self.budget.silences -= u8::from(timer == Timer::Sweep && !self.seen.probed().is_empty());
            }
            _ => {}
        }
        let actions = step(&mut self.core, world.defect, self.now, event);
        self.seen.check(self.now, event, &actions, &self.core);
        for action in &actions {
            if let Action::Finish { request, .. } = action {
                self.outcomes[request.0 as usize - 1] += 1;
            }
        }
        for timer in self.seen.drop_stale_timers() {
            self.ignored(Event::Timer(timer));
        }
    }

    fn ignored(&mut self, event: Event) {
        let mut actions = Vec::new();
        self.core.step(self.now, event, &mut actions);
        assert!(actions.is_empty(), "{event:?} means nothing here, but: {actions:?}");
    }

    /// What comes too late, twice or from the wrong worker changes nothing.
    pub(super) fn check_stutter(&self, world: &World) {
        let mut state = self.clone();
        for slot in self.core.view().slots {
            let present = WorkerRef { slot: slot.slot, generation: slot.generation };
            let before = WorkerRef { generation: slot.generation.saturating_sub(1), ..present };
            let dead = if self.seen.is_alive(present) { before } else { present };
            state.ignored(Event::Exited(dead));
            state.ignored(Event::Ready(dead));
            state.ignored(Event::Probed(dead));
            state.ignored(Event::ResetDone(dead));
            for submit in &world.submits[..self.submitted] {
                let id = submit.request;
                state.ignored(Event::Written(dead, id));
                state.ignored(Event::Replied(dead, id, ReplyKind::Ok));
                if slot.busy != Some(id) {
                    state.ignored(Event::Replied(present, id, ReplyKind::Ok));
                }
            }
        }
        state.ignored(Event::Start);
        assert_eq!(state.fingerprint(world), self.fingerprint(world), "an event without meaning changed the core");
    }

    pub(super) fn is_drained(&self) -> bool {
        self.seen.drained
    }

    /// Panics where something is left of a pool that has come to its end.
    pub(super) fn check_drained(&self) {
        if self.seen.drained {
            let once = self.outcomes[..self.submitted].iter().all(|n| *n == 1);
            assert!(once && self.outcomes[self.submitted..].iter().all(|n| *n == 0), "I1: outcomes {:?}", self.outcomes);
            assert!(self.seen.alive().is_empty() && self.seen.live().is_empty() && self.core.requests.is_empty(), "I11: something lives");
            assert!(
                self.core.deadlines.is_empty() && self.core.classes.iter().all(|c| c.queued == 0 && c.running == 0),
                "I11: something counts"
            );
        }
    }

    /// Equal for states with the same future.
    pub(super) fn fingerprint(&self, world: &World) -> u64 {
        let mut hasher = DefaultHasher::new();
        fingerprint::of_core(&self.core, world.timed(), &mut hasher);
        self.seen.fingerprint(&mut hasher);
        (self.submitted, self.budget, &self.outcomes).hash(&mut hasher);
        hasher.finish()
    }
}
