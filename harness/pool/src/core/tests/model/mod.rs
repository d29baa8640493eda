//! Exhaustive exploration: every order of events that a small world allows, with the checker's invariants after every step.
//!
//! Time passes only when a timer fires, and any armed timer may be the next, punctual or late. `POOL_MODEL=large` explores larger worlds
//! (`scripts/model-check`).

mod defects;
mod explore;
mod fingerprint;
mod world;

use super::super::*;
use super::{HEAVY, LIGHT, TWICE, config, of_session, request, tier};
use crate::config::AffinityMode;
pub(super) use defects::forgets_what_was_written;
pub(super) use explore::caught;
use explore::explore;
use world::{Budget, World};

/// Workers of one tier and requests of a world, and what may go wrong in it.
#[derive(Clone, Copy)]
struct Size {
    workers: u16,
    requests: u64,
    budget: Budget,
}

const SMALL: Size = Size { workers: 2, requests: 2, budget: Budget { crashes: 1, cancels: 1, late_starts: 0, ends: None } };
const LARGE: Size = Size { workers: 3, requests: 3, budget: Budget { crashes: 2, cancels: 1, late_starts: 0, ends: None } };

fn is_large() -> bool {
    std::env::var("POOL_MODEL").as_deref() == Ok("large")
}

fn size() -> Size {
    if is_large() { LARGE } else { SMALL }
}

/// One hot tier that keeps one worker; all times are equal, so that timers meet, and any of them may come first.
fn small(size: Size, ttl: Option<Nanos>) -> Config {
    let mut config = config();
    config.tiers = [tier(1, 0, size.workers, ttl), tier(0, 0, 0, None), tier(0, 0, 0, None)];
    // Names cost an allocation in each of many copies.
    config.tiers.iter_mut().for_each(|t| t.worker = String::new());
    config.tools.iter_mut().for_each(|t| t.name = String::new());
    config.start_timeout_ns = 2;
    config.healthy_after_ns = 2;
    config.zombie_grace_ns = 2;
    config.park_after = 2;
    config
}

fn world(name: &'static str, config: Config, size: Size, submit: impl Fn(u64) -> Submit) -> World {
    World { name, config, submits: (1..=size.requests).map(submit).collect(), budget: size.budget, defect: None }
}

/// Every second request may run twice.
fn mixed(id: u64) -> ToolId {
    if id.is_multiple_of(2) { TWICE } else { LIGHT }
}

fn free(size: Size) -> World {
    world("no affinity", small(size, Some(2)), size, |id| request(id, mixed(id)))
}

/// Workers that may be late, and slots that are given up.
fn late(mut size: Size) -> World {
    size.budget = Budget { cancels: 0, late_starts: 2, ..size.budget };
    world("late starts", small(size, None), size, |id| request(id, mixed(id)))
}

/// A session whose state is lost with its worker, and that may be ended.
fn stateful(mut size: Size) -> World {
    size.budget.ends = Some(SessionKey(1));
    let config = Config { affinity: AffinityMode::Strict, stateful: true, ..small(size, None) };
    world("strict, stateful, one session", config, size, |id| of_session(id, mixed(id), 1))
}

fn strict(size: Size) -> World {
    let config = Config { affinity: AffinityMode::Strict, ..small(size, Some(2)) };
    world("strict, two sessions", config, size, |id| of_session(id, mixed(id), id % 2))
}

fn soft(size: Size) -> World {
    let config = Config { affinity: AffinityMode::Soft, ..small(size, None) };
    world("soft, one session", config, size, |id| of_session(id, mixed(id), 1))
}

/// One hot worker, the others cold, queues of one, and requests that prefer one or the other.
fn tiers(size: Size) -> World {
    let mut config = small(size, None);
    (config.tiers[0].max, config.tiers[2].max, config.queue_len) = (1, size.workers - 1, 1);
    world("two tiers", config, size, |id| request(id, if id.is_multiple_of(2) { HEAVY } else { TWICE }))
}

/// One worker less, a queue of one and deadlines that expire and are foreseen to.
fn deadlines(mut size: Size) -> World {
    size.budget.cancels = 0;
    size.workers -= 1;
    let config = Config { queue_len: 1, ..small(size, None) };
    world("deadlines", config, size, |id| Submit { deadline: Some(2 + id % 2), ..request(id, mixed(id)) })
}

#[expect(clippy::print_stdout, reason = "the number of states is what a reader of the test log wants to know")]
fn holds(world: &World, at_least: usize) {
    let begin = std::time::Instant::now();
    match explore(world, is_large()) {
        Ok(found) => {
            println!("{}: {found:?} in {:.1} s", world.name, begin.elapsed().as_secs_f64());
            assert!(found.states >= at_least, "{} states: the generator has shrunk", found.states);
        }
        Err(broken) => panic!("{}: {}\nafter {:#?}", world.name, broken.what, broken.trace),
    }
}

#[test]
fn every_state_without_affinity_is_right() {
    holds(&free(size()), 14_000);
}

#[test]
fn every_state_with_late_starts_is_right() {
    holds(&late(size()), 16_000);
}

#[test]
fn every_state_of_a_stateful_session_is_right() {
    holds(&stateful(size()), 8_000);
}

#[test]
fn every_state_of_two_strict_sessions_is_right() {
    holds(&strict(size()), 21_000);
}

#[test]
fn every_state_of_a_soft_session_is_right() {
    holds(&soft(size()), 5_000);
}

#[test]
fn every_state_of_two_tiers_is_right() {
    holds(&tiers(size()), 4_500);
}

#[test]
fn every_state_with_deadlines_is_right() {
    holds(&deadlines(size()), 1_500);
}
