//! The worlds that are explored: each as small as shows what it is about.

use super::super::super::*;
use super::super::{HEAVY, LIGHT, TWICE, config, of_session, request, tier};
use super::is_large;
use super::world::{Budget, World};
use crate::config::{AffinityMode, Dispatch, Fallback, Recycle};

/// Workers of one tier and requests of a world, and what may go wrong in it.
#[derive(Clone, Copy)]
pub(super) struct Size {
    workers: u16,
    requests: u64,
    budget: Budget,
}

const NOTHING: Budget = Budget { crashes: 0, cancels: 0, late_starts: 0, tool_errors: 0, silences: 0, reloads: 0, ends: None };
pub(super) const SMALL: Size = Size { workers: 2, requests: 2, budget: Budget { crashes: 1, cancels: 1, ..NOTHING } };
const LARGE: Size = Size { workers: 3, requests: 3, budget: Budget { crashes: 2, cancels: 1, ..NOTHING } };

pub(super) fn size() -> Size {
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

pub(super) fn free(size: Size) -> World {
    world("no affinity", small(size, Some(2)), size, |id| request(id, mixed(id)))
}

/// Workers that may be late, and slots that are given up.
pub(super) fn late(mut size: Size) -> World {
    size.budget = Budget { cancels: 0, late_starts: 2, ..size.budget };
    world("late starts", small(size, None), size, |id| request(id, mixed(id)))
}

/// A session whose state is lost with its worker, and that may be ended.
pub(super) fn stateful(mut size: Size) -> World {
    size.budget.ends = Some(SessionKey(1));
    let config = Config { affinity: AffinityMode::Strict, stateful: true, ..small(size, None) };
    world("strict, stateful, one session", config, size, |id| of_session(id, mixed(id), 1))
}

pub(super) fn strict(size: Size) -> World {
    let config = Config { affinity: AffinityMode::Strict, ..small(size, Some(2)) };
    world("strict, two sessions", config, size, |id| of_session(id, mixed(id), id % 2))
}

pub(super) fn soft(size: Size) -> World {
    let config = Config { affinity: AffinityMode::Soft, ..small(size, None) };
    world("soft, one session", config, size, |id| of_session(id, mixed(id), 1))
}

/// One hot worker, the others cold, queues of one, and requests that prefer one or the other.
pub(super) fn tiers(size: Size) -> World {
    let mut config = small(size, None);
    (config.tiers[0].max, config.tiers[2].max, config.queue_len) = (1, size.workers - 1, 1);
    world("two tiers", config, size, |id| request(id, if id.is_multiple_of(2) { HEAVY } else { TWICE }))
}

/// One worker less, a queue of one and deadlines that expire and are foreseen to.
pub(super) fn deadlines(mut size: Size) -> World {
    size.budget.cancels = 0;
    size.workers -= 1;
    let config = Config { queue_len: 1, ..small(size, None) };
    world("deadlines", config, size, |id| Submit { deadline: Some(2 + id % 2), ..request(id, mixed(id)) })
}

/// One partition, a heavy and a light request by turns, and time enough that the heavy one ages.
pub(super) fn shared(size: Size) -> World {
    let config = as_shared(small(size, None), size, 100);
    world("shared", config, size, |id| request(id, if id.is_multiple_of(2) { LIGHT } else { HEAVY }))
}

/// Heavy requests only, which may not have all the workers.
pub(super) fn capped(size: Size) -> World {
    let config = as_shared(small(size, None), size, 50);
    world("shared, capped", config, size, |id| request(id, if id < 3 { HEAVY } else { TWICE }))
}

pub(super) fn shared_soft(mut size: Size) -> World {
    size.budget.cancels = 0;
    let config = Config { affinity: AffinityMode::Soft, ..as_shared(small(size, Some(2)), size, 50) };
    world("shared, soft sessions", config, size, |id| of_session(id, if id.is_multiple_of(2) { LIGHT } else { HEAVY }, id % 2))
}

fn as_shared(config: Config, size: Size, cold_cap: u32) -> Config {
    let mut config = Config { dispatch: Dispatch::Shared, ageing_ns: 2, shared: config.tiers[0].clone(), ..config };
    config.shared.max = size.workers;
    config.tiers[2].cap_percent = cold_cap;
    config
}

/// The baseline: whatever goes wrong is tried in the other tier.
pub(super) fn any_error(mut size: Size) -> World {
    size.budget = Budget { tool_errors: 2, cancels: 0, ..size.budget };
    let mut world = tiers(size);
    world.config.fallback = Fallback::AnyError;
    World { name: "two tiers, fallback on any error", ..world }
}

pub(super) fn no_fallback(size: Size) -> World {
    let mut world = tiers(size);
    world.config.fallback = Fallback::None;
    World { name: "two tiers, no fallback", ..world }
}

/// Two sessions with state and a worker for each, at most: one must forget or be replaced before a third could be served.
pub(super) fn recycled(mut size: Size, recycle: Recycle) -> World {
    size.budget = Budget { cancels: 0, ends: Some(SessionKey(1)), ..size.budget };
    let config = Config { affinity: AffinityMode::Strict, stateful: true, recycle, ..small(size, None) };
    world("stateful, two sessions, recycled", config, size, |id| of_session(id, mixed(id), id % 2))
}

/// Sessions with state that end by themselves.
pub(super) fn session_ttl(mut size: Size) -> World {
    size.budget.cancels = 0;
    let base = small(size, None);
    let config = Config { affinity: AffinityMode::Strict, stateful: true, recycle: Recycle::Reset, session_ttl_ns: Some(2), ..base };
    world("stateful, sessions expire", config, size, |id| of_session(id, mixed(id), id % 2))
}

/// Idle and overdue workers are probed, and killed if they do not answer.
pub(super) fn probed(mut size: Size) -> World {
    size.budget = Budget { silences: 1, cancels: 0, crashes: 0, ..size.budget };
    let mut config = small(size, None);
    let health = &mut config.health;
    (health.sweep_ns, health.probe_timeout_ns, health.eject_after) = (2, 2, 1);
    (health.probe_idle_ns, health.wedged_after_ns) = (Some(2), Some(4));
    world("probes", config, size, |id| request(id, mixed(id)))
}

/// Workers that let deadlines pass are taken out of service.
pub(super) fn ejected(mut size: Size) -> World {
    size.budget = Budget { cancels: 0, crashes: size.budget.crashes - 1, ..size.budget };
    let mut config = small(size, None);
    (config.tiers[0].min_ready, config.health.eject_after) = (size.workers, 1);
    world("ejection", config, size, |id| Submit { deadline: Some(1 + id % 2), ..request(id, mixed(id)) })
}

pub(super) fn reloaded(mut size: Size) -> World {
    size.budget = Budget { reloads: 1, cancels: 0, ..size.budget };
    world("reload", small(size, None), size, |id| request(id, mixed(id)))
}

pub(super) fn drain_timeout(size: Size) -> World {
    let config = Config { drain_timeout_ns: Some(2), ..small(size, None) };
    world("bounded drain", config, size, |id| request(id, mixed(id)))
}
