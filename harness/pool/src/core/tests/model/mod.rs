//! Exhaustive exploration: every order of events that a small world allows, with the checker's invariants after every step.
//!
//! Time passes only when a timer fires, and any armed timer may be the next, punctual or late. `POOL_MODEL=large` explores larger worlds
//! (`scripts/model-check`).

mod defects;
mod explore;
mod fingerprint;
mod world;
mod worlds;

use super::super::*;
use crate::config::Recycle;
pub(super) use defects::forgets_what_was_written;
pub(super) use explore::caught;
use explore::explore;
use world::World;
use worlds::*;

fn is_large() -> bool {
    std::env::var("POOL_MODEL").as_deref() == Ok("large")
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
    holds(&stateful(size()), 8_250);
}

#[test]
fn every_state_of_two_strict_sessions_is_right() {
    holds(&strict(size()), 21_000);
}

#[test]
fn every_state_of_a_soft_session_is_right() {
    holds(&soft(size()), 5_800);
}

#[test]
fn every_state_of_two_tiers_is_right() {
    holds(&tiers(size()), 3_400);
}

#[test]
fn every_state_with_deadlines_is_right() {
    holds(&deadlines(size()), 1_500);
}

#[test]
fn every_state_of_shared_workers_is_right() {
    holds(&shared(size()), 4_200);
}

#[test]
fn every_state_of_capped_workers_is_right() {
    holds(&capped(size()), 1_230);
}

#[test]
fn every_state_of_shared_workers_with_soft_sessions_is_right() {
    holds(&shared_soft(size()), 4_750);
}

#[test]
fn every_state_with_any_error_fallback_is_right() {
    holds(&any_error(size()), 3_640);
}

#[test]
fn every_state_without_fallback_is_right() {
    holds(&no_fallback(size()), 2_220);
}

#[test]
fn every_state_with_resets_is_right() {
    holds(&recycled(size(), Recycle::Reset), 8_130);
}

#[test]
fn every_state_with_restarts_between_sessions_is_right() {
    holds(&recycled(size(), Recycle::Restart), 4_280);
}

#[test]
fn every_state_with_sessions_that_expire_is_right() {
    holds(&session_ttl(size()), 22_600);
}

#[test]
fn every_state_with_probes_is_right() {
    holds(&probed(size()), 25_900);
}

#[test]
fn every_state_with_ejections_is_right() {
    holds(&ejected(size()), 6_780);
}

#[test]
fn every_state_of_a_reload_is_right() {
    holds(&reloaded(size()), 7_240);
}

#[test]
fn every_state_of_a_bounded_drain_is_right() {
    holds(&drain_timeout(size()), 6_090);
}
