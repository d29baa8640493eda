//! What distinguishes two cores: everything that decides about what comes, and nothing else.
//!
//! Times count from now, and ages only up to the limit that they are compared with, so that waiting does not make new states without end.

use std::hash::{Hash, Hasher};

use super::super::super::sessions::Sessions;
use super::super::super::state::{Job, Request, Slot, TierState};
use super::super::super::*;

/// Hashes the core. Hold times only if `timed`: without deadlines they decide about nothing but the advice to shed callers.
pub(super) fn of_core(core: &Core, timed: bool, into: &mut impl Hasher) {
    // Each struct is taken apart in full, so that a new field must be thought of here. `totals` are sums of the past.
    let Core { config, now, slots, tiers, requests, sessions, deadlines, armed, next_seq, started, draining, drained, totals: _ } = core;
    let ahead = |at: Nanos| at.saturating_sub(*now);
    for slot in slots {
        of_slot(slot, config, *now, timed, into);
    }
    for tier in tiers {
        of_tier(tier, timed, into);
    }
    let mut ids: Vec<RequestId> = requests.keys().copied().collect();
    ids.sort_unstable();
    for id in ids {
        let Request { tool, bytes, session, deadline, seq, at, counted, written, written_before, placement } = &requests[&id];
        (id, tool, bytes, session, deadline.map(ahead), seq).hash(into);
        (at, counted, written, written_before, placement).hash(into);
    }
    of_sessions(sessions, into);
    for (at, id) in deadlines {
        (ahead(*at), id).hash(into);
    }
    (armed.map(ahead), next_seq, started, draining, drained).hash(into);
}

fn of_sessions(sessions: &Sessions, into: &mut impl Hasher) {
    sessions.remembered().hash(into);
}

fn of_slot(slot: &Slot, config: &Config, now: Nanos, timed: bool, into: &mut impl Hasher) {
    let Slot { tier, residency, generation, killed, job, waiting, bound, failures, start_failures, since, idle, idle_since, idle_armed } =
        slot;
    let limit = match residency {
        Residency::Starting => config.start_timeout_ns,
        Residency::Ready if *failures > 0 => config.healthy_after_ns,
        _ => 0,
    };
    let ttl = config.tiers[*tier as usize].idle_ttl_ns.filter(|_| *idle).unwrap_or(0);
    let age = |since: Nanos, limit: Nanos| (now - since).min(limit);
    (tier, residency, generation, killed, waiting, bound, failures).hash(into);
    (start_failures, age(*since, limit), idle, age(*idle_since, ttl), idle_armed).hash(into);
    if let Some(Job { request, since, zombie_until }) = job {
        (request, zombie_until.map(|at| at.saturating_sub(now)), timed.then(|| now - since)).hash(into);
    }
}

fn of_tier(tier: &TierState, timed: bool, into: &mut impl Hasher) {
    let TierState { slots: _, idle, shared, soft_waiting, queued, queued_bytes, count, busy, hold_ns } = tier;
    (idle.order(), shared, soft_waiting, queued, queued_bytes, count, busy, timed.then_some(hold_ns)).hash(into);
}
