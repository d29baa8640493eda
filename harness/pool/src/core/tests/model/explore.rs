//! Every reachable state of a world, visited by the model checker `stateright`.
//!
//! A state in which an assertion failed leads nowhere and is a discovery, as is one from which a well-behaved surrounding cannot
//! bring the pool to its end. Breadth first, so that the way to it is a shortest one; depth first where memory counts.

use std::collections::HashSet;
use std::hash::{Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use stateright::{Checker as _, HasDiscoveries, Model, Property};

use super::super::super::Event;
use super::world::{State, World};

const HOLDS: &str = "every invariant holds";
const ENDS: &str = "the pool can always be brought to its end";
const DRAINED: &str = "drained";

/// Steps in which a well-behaved surrounding must bring a pool of this size to its end.
const STEPS_TO_THE_END: usize = 500;

/// How far an exploration came.
#[derive(Debug)]
#[expect(dead_code, reason = "printed")]
pub(super) struct Explored {
    pub(super) states: usize,
    pub(super) steps: usize,
    pub(super) depth: usize,
}

/// A broken promise and the way to it.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) what: String,
    pub(super) trace: Vec<Event>,
}

/// A state with what tells it from others, and what broke on the way into it.
#[derive(Clone)]
struct Node {
    state: State,
    print: u64,
    broken: Option<Arc<str>>,
}

impl Hash for Node {
    fn hash<H: Hasher>(&self, into: &mut H) {
        self.print.hash(into);
    }
}

impl PartialEq for Node {
    fn eq(&self, other: &Node) -> bool {
        self.print == other.print
    }
}

/// A world as `stateright` sees it.
struct Explorer {
    world: World,
    /// States from which the pool was seen to come to its end.
    ending: Mutex<HashSet<u64>>,
    /// The first state that breaks each property: of many, the checker would tell the last.
    first: [OnceLock<u64>; 2],
}

impl Explorer {
    /// The state after `event`, or after nothing; an assertion that fails there makes it a broken one.
    fn node(&self, state: State, event: Option<Event>) -> Node {
        let mut state = state;
        let checked = caught(|| {
            if let Some(event) = event {
                state.step(&self.world, event);
            }
            state.fingerprint(&self.world)
        });
        match checked {
            Ok(print) => Node { state, print, broken: None },
            Err(what) => Node { print: digest(&(&what, format!("{event:?}"))), state, broken: Some(what.into()) },
        }
    }

    /// What is broken in this state or on the way into it.
    fn broken(&self, node: &Node) -> Option<Arc<str>> {
        let check = || {
            node.state.check_stutter(&self.world);
            node.state.check_drained();
        };
        node.broken.clone().or_else(|| caught(check).err().map(Into::into))
    }

    fn is_first(&self, property: usize, node: &Node) -> bool {
        *self.first[property].get_or_init(|| node.print) == node.print
    }

    /// Lets only happen what a pool can count on, in a fixed order, until the pool has ended or a state that leads there is met.
    fn ends(&self, node: &Node) -> bool {
        let (mut state, mut print, mut way) = (node.state.clone(), node.print, Vec::new());
        while !state.is_drained() && !self.known(print) {
            let Some(event) = state.sure().filter(|_| way.len() < STEPS_TO_THE_END) else { return false };
            way.push(print);
            // What breaks here breaks as well where the checker takes the same step.
            let Ok(next) = caught(|| {
                state.step(&self.world, event);
                state.fingerprint(&self.world)
            }) else {
                return true;
            };
            print = next;
        }
        self.ending.lock().unwrap_or_else(PoisonError::into_inner).extend(way);
        true
    }

    fn known(&self, print: u64) -> bool {
        self.ending.lock().unwrap_or_else(PoisonError::into_inner).contains(&print)
    }
}

impl Model for Explorer {
    type State = Node;
    type Action = Event;

    fn init_states(&self) -> Vec<Node> {
        vec![self.node(self.world.begin(), None)]
    }

    fn actions(&self, node: &Node, actions: &mut Vec<Event>) {
        if node.broken.is_none() {
            actions.extend(node.state.enabled(&self.world));
        }
    }

    fn next_state(&self, node: &Node, event: Event) -> Option<Node> {
        Some(self.node(node.state.clone(), Some(event)))
    }

    fn properties(&self) -> Vec<Property<Explorer>> {
        let holds = |explorer: &Explorer, node: &Node| explorer.broken(node).is_none() || !explorer.is_first(0, node);
        let ends = |explorer: &Explorer, node: &Node| node.broken.is_some() || explorer.ends(node) || !explorer.is_first(1, node);
        let drained = |_: &Explorer, node: &Node| node.state.is_drained();
        vec![Property::always(HOLDS, holds), Property::always(ENDS, ends), Property::sometimes(DRAINED, drained)]
    }
}

fn digest(value: &impl Hash) -> u64 {
    let mut hasher = std::hash::DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// Runs a check that panics where it fails.
pub(in super::super) fn caught<T>(check: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(check)).map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
        text.unwrap_or("panicked").to_owned()
    })
}

/// Visits every state that the world can reach.
///
/// # Errors
/// The first broken invariant, or a state from which the pool cannot come to its end.
pub(super) fn explore(world: &World, large: bool) -> Result<Explored, Broken> {
    let explorer = Explorer { world: world.clone(), ending: Mutex::default(), first: [OnceLock::new(), OnceLock::new()] };
    let checker = explorer.checker().finish_when(HasDiscoveries::AnyFailures);
    if large {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        verdict(&checker.threads(threads).spawn_dfs().join())
    } else {
        verdict(&checker.spawn_bfs().join())
    }
}

fn verdict(checker: &impl stateright::Checker<Explorer>) -> Result<Explored, Broken> {
    for property in [HOLDS, ENDS] {
        if let Some(path) = checker.discovery(property) {
            let what = checker.model().broken(path.last_state());
            let what = what.map_or_else(|| format!("I11: not so: {ENDS}"), |what| what.to_string());
            return Err(Broken { what, trace: path.into_actions() });
        }
    }
    assert!(checker.discovery(DRAINED).is_some(), "no way leads to the end");
    Ok(Explored { states: checker.unique_state_count(), steps: checker.state_count(), depth: checker.max_depth() })
}
