//! What distinguishes two cores: everything that decides about what comes, and nothing else.
//!
//! Times count from now, and ages only up to the limit that they are compared with, so that waiting does not make new states without end.

use std::hash::{Hash, Hasher};

use super::super::super::sessions::Sessions;
use super::super::super::state::{Class, Crew, Job, Request, Slot};
use super::super::super::*;

/// Hashes the core. Hold times only if `timed`: without deadlines they decide about nothing but the advice to shed callers.
pub(super) fn of_core(core: &Core, timed: bool, into: &mut impl Hasher) {
    // Each struct is taken apart in full, so that a new field must be thought of here. `totals` are sums of the past.
    // What is learnt of costs decides nothing in these worlds: they take a request's tier from its tool.
    let Core { config, now, slots, crews, classes, caps: _, predictor: _, requests, sessions, deadlines, armed, .. } = core;
    let Core { next_seq, to_recycle, session_armed, started, reload, draining, drained, totals: _, .. } = core;
    let ahead = |at: Nanos| at.saturating_sub(*now);
    for slot in slots {
        of_slot(slot, config, *now, timed, into);
    }
    for crew in crews {
        of_crew(crew, into);
    }
    for class in classes {
        of_class(class, timed, into);
    }
    let mut ids: Vec<RequestId> = requests.keys().copied().collect();
    ids.sort_unstable();
    for id in ids {
        let Request { tool, bytes, session, deadline, seq, since, at, counted, written, written_before, tried, placement } = &requests[&id];
        (id, tool, bytes, session, deadline.map(ahead), seq, tried).hash(into);
        // Its age decides with shared dispatch only, and beyond some steps of ageing no more.
        (config.dispatch == Dispatch::Shared).then(|| (now - since).min(8 * config.ageing_ns)).hash(into);
        (at, counted, written, written_before, placement).hash(into);
    }
    of_sessions(sessions, config, *now, into);
    for (at, id) in deadlines {
        (ahead(*at), id).hash(into);
    }
    (armed.map(ahead), next_seq, started, draining, drained).hash(into);
    (to_recycle, session_armed, reload).hash(into);
}

fn of_sessions(sessions: &Sessions, config: &Config, now: Nanos, into: &mut impl Hasher) {
    sessions.remembered(now, config.session_ttl_ns.unwrap_or(0)).hash(into);
}

fn of_slot(slot: &Slot, config: &Config, now: Nanos, timed: bool, into: &mut impl Hasher) {
    let Slot { partition, residency, generation, killed, job, waiting, bound, dirty, resetting, stale, .. } = slot;
    let Slot { failures, start_failures, since, idle, idle_since, idle_armed, vitals, .. } = slot;
    let age = |since: Nanos, limit: Nanos| (now - since).min(limit);
    let limit = match residency {
        Residency::Starting => config.start_timeout_ns,
        Residency::Ready if *failures > 0 => config.healthy_after_ns,
        _ => 0,
    };
    let ttl = config.policy(*partition).idle_ttl_ns.filter(|_| *idle).unwrap_or(0);
    (partition, residency, generation, killed, waiting, bound, failures).hash(into);
    (dirty, resetting.map(|at| at.saturating_sub(now)), stale, vitals.misses).hash(into);
    (vitals.probed.map(|at| age(at, config.health.probe_timeout_ns)), age_of_silence(slot, config, now)).hash(into);
    (start_failures, age(*since, limit), idle, age(*idle_since, ttl), idle_armed).hash(into);
    if let Some(Job { request, tool, bytes, class, since, zombie_until }) = job {
        (tool, bytes, class, age(*since, config.health.wedged_after_ns.unwrap_or(0))).hash(into);
        (request, zombie_until.map(|at| at.saturating_sub(now)), timed.then(|| now - since)).hash(into);
    }
}

/// Silence counts up to the limits that it is compared with.
fn age_of_silence(slot: &Slot, config: &Config, now: Nanos) -> Nanos {
    config.health.probe_idle_ns.map_or(0, |limit| (now - slot.vitals.heard).min(limit))
}

fn of_crew(crew: &Crew, into: &mut impl Hasher) {
    // How long starts take decides about adaptive spares only, which these worlds do not have.
    let Crew { slots: _, idle, listed, absent: _, count, busy, start_ns: _, shortfall: _ } = crew;
    (idle.order(), listed, count, busy).hash(into);
}

fn of_class(class: &Class, timed: bool, into: &mut impl Hasher) {
    let Class { shared, soft, queued, queued_bytes, running, hold_ns } = class;
    (shared, soft, queued, queued_bytes, running, timed.then_some(hold_ns)).hash(into);
}
