//! Every reachable state of a world, breadth first, so that a trace to a defect is a shortest one.

use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::super::super::Event;
use super::world::{State, World};

/// How far an exploration came.
#[derive(Debug, Default)]
pub(super) struct Explored {
    pub(super) states: usize,
    pub(super) steps: usize,
    pub(super) drained: usize,
}

/// A broken promise and the shortest way to it.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) what: String,
    pub(super) trace: Vec<Event>,
}

/// The states found so far: how each was first reached, and which steps lead on towards the end.
#[derive(Default)]
struct Graph {
    /// Parent and the place of the event among those that were possible there.
    parents: Vec<(u32, u8)>,
    /// To and from, of the steps that a pool can count on.
    towards: Vec<(u32, u32)>,
    drained: Vec<u32>,
}

impl Graph {
    /// The events from the beginning to a state, found by going the way again.
    fn trace(&self, world: &World, mut node: u32) -> Vec<Event> {
        let mut choices = Vec::new();
        while node > 0 {
            let (parent, choice) = self.parents[node as usize];
            choices.push(choice);
            node = parent;
        }
        let mut state = world.begin();
        let go = |choice: &u8| {
            let event = state.enabled(world)[usize::from(*choice)].0;
            state.step(world, event);
            event
        };
        choices.iter().rev().map(go).collect()
    }

    /// The first state from which the pool may never come to its end, although workers start, reply and exit as asked.
    fn stuck(&mut self) -> Option<u32> {
        self.towards.sort_unstable();
        let mut ends = vec![false; self.parents.len()];
        let mut todo = self.drained.clone();
        while let Some(to) = todo.pop() {
            if !std::mem::replace(&mut ends[to as usize], true) {
                let first = self.towards.partition_point(|edge| edge.0 < to);
                todo.extend(self.towards[first..].iter().take_while(|edge| edge.0 == to).map(|edge| edge.1));
            }
        }
        ends.iter().position(|end| !end).map(|node| node as u32)
    }
}

/// Runs a check that panics where it fails.
fn caught<T>(check: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(check)).map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
        text.unwrap_or("panicked").to_owned()
    })
}

/// Visits every state that the world can reach.
///
/// # Errors
/// The first broken invariant, or a state from which the pool cannot come to its end.
pub(super) fn explore(world: &World) -> Result<Explored, Broken> {
    let (mut graph, mut ids, mut frontier) = (Graph::default(), HashMap::new(), VecDeque::new());
    let mut explored = Explored::default();
    let begin = world.begin();
    ids.insert(begin.fingerprint(world), 0u32);
    graph.parents.push((0, 0));
    frontier.push_back((0u32, begin));
    while let Some((from, state)) = frontier.pop_front() {
        let broken = |graph: &Graph, last, what| {
            let mut trace = graph.trace(world, from);
            trace.extend(last);
            Broken { what, trace }
        };
        let drained = caught(|| {
            state.check_stutter(world);
            state.is_drained()
        });
        if drained.map_err(|what| broken(&graph, None, what))? {
            graph.drained.push(from);
        }
        for (choice, (event, sure)) in state.enabled(world).into_iter().enumerate() {
            let mut next: State = state.clone();
            let print = caught(|| {
                next.step(world, event);
                next.fingerprint(world)
            });
            let print = print.map_err(|what| broken(&graph, Some(event), what))?;
            explored.steps += 1;
            let fresh = graph.parents.len() as u32;
            let to = *ids.entry(print).or_insert(fresh);
            if to == fresh {
                graph.parents.push((from, choice as u8));
                frontier.push_back((to, next));
            }
            if sure {
                graph.towards.push((to, from));
            }
        }
    }
    (explored.states, explored.drained) = (graph.parents.len(), graph.drained.len());
    match graph.stuck() {
        Some(node) => Err(Broken { what: "the pool can no longer be drained".to_owned(), trace: graph.trace(world, node) }),
        None => Ok(explored),
    }
}
