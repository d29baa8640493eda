//! A slot's life: spawned, ready, idle, closed or dead, and spawned again.

use super::Core;
use super::state::{At, TierState};
use super::types::{Action, RequestId, Tier, Timer, WorkerRef};
use super::view::Residency;
use crate::clock::Nanos;
use crate::config::{AffinityMode, TierConfig};

impl Core {
    fn set_residency(&mut self, s: usize, residency: Residency) {
        let slot = &mut self.slots[s];
        let tier = &mut self.tiers[slot.tier as usize];
        if slot.idle {
            slot.idle = false;
            tier.idle.remove(s as u32);
        }
        if slot.residency == Residency::Ready && slot.job.is_some() {
            tier.busy -= 1;
        }
        tier.count[slot.residency as usize] -= 1;
        tier.count[residency as usize] += 1;
        slot.residency = residency;
        slot.since = self.now;
    }

    /// Starts workers: first for requests that wait, then to keep what the tiers' policies ask for.
    pub(super) fn spawn_where_needed(&mut self, out: &mut Vec<Action>) {
        for tier in Tier::ALL {
            let state = &self.tiers[tier as usize];
            self.spawn_up_to(tier, state.busy + state.demand(), out);
        }
        if !self.started || self.draining {
            return;
        }
        for tier in Tier::ALL {
            let (state, config) = (&self.tiers[tier as usize], &self.config.tiers[tier as usize]);
            let wanted = (state.busy + state.demand() + u32::from(config.spares)).max(config.min_ready.into());
            self.spawn_up_to(tier, wanted, out);
        }
    }

    /// Starts workers of the tier until `wanted` are up, as far as slots and the bound on starts allow.
    fn spawn_up_to(&mut self, tier: Tier, wanted: u32, out: &mut Vec<Action>) {
        loop {
            let state = &self.tiers[tier as usize];
            let starting: u32 = self.tiers.iter().map(|t| t.of(Residency::Starting)).sum();
            if state.up() >= wanted || state.of(Residency::Absent) == 0 || starting >= self.config.spawn_concurrency {
                return;
            }
            let absent = |s: &usize| self.slots[*s].residency == Residency::Absent;
            let Some(s) = state.slots.clone().find(absent) else { return };
            self.spawn(s, out);
        }
    }

    fn spawn(&mut self, s: usize, out: &mut Vec<Action>) {
        self.set_residency(s, Residency::Starting);
        let slot = &mut self.slots[s];
        slot.generation = slot.generation.wrapping_add(1);
        let tier = slot.tier;
        self.totals.spawns += 1;
        let worker = self.worker(s);
        out.push(Action::Spawn(worker, tier));
        out.push(Action::SetTimer(Timer::Start(worker), self.now.saturating_add(self.config.start_timeout_ns)));
    }

    /// A worker can take work: at the back of the idle ones, unless work waits.
    pub(super) fn ready(&mut self, worker: WorkerRef, out: &mut Vec<Action>) {
        let s = usize::from(worker.slot.0);
        if !self.is(worker, Residency::Starting) || self.slots[s].killed {
            return;
        }
        self.set_residency(s, Residency::Ready);
        self.slots[s].start_failures = 0;
        if self.slots[s].failures > 0 {
            let at = self.now.saturating_add(self.config.healthy_after_ns);
            out.push(Action::SetTimer(Timer::Healthy(worker), at));
        }
        self.take_work(s, true, out);
    }

    /// Whether this very worker is in the given residency.
    fn is(&self, worker: WorkerRef, residency: Residency) -> bool {
        self.lives(worker) && self.slots[usize::from(worker.slot.0)].residency == residency
    }

    pub(super) fn make_idle(&mut self, s: usize, fresh: bool, out: &mut Vec<Action>) {
        let slot = &mut self.slots[s];
        let tier = &mut self.tiers[slot.tier as usize];
        slot.idle = true;
        slot.idle_since = self.now;
        if fresh {
            tier.idle.push_back(s as u32);
        } else {
            tier.idle.push_front(s as u32);
        }
        self.arm_idle(s, out);
    }

    /// One idle timer per worker at most: it is asked for again only when it has fired.
    fn arm_idle(&mut self, s: usize, out: &mut Vec<Action>) {
        let slot = &self.slots[s];
        let Some(ttl) = self.config.tiers[slot.tier as usize].idle_ttl_ns.filter(|_| !slot.idle_armed) else { return };
        // An idle worker that could not be closed when its time was over is looked at again one TTL later.
        let begin = if slot.idle_since.saturating_add(ttl) > self.now { slot.idle_since } else { self.now };
        let at = begin.saturating_add(ttl.max(1));
        self.slots[s].idle_armed = true;
        out.push(Action::SetTimer(Timer::Idle(self.worker(s)), at));
    }

    fn idle_timer(&mut self, worker: WorkerRef, out: &mut Vec<Action>) {
        let s = usize::from(worker.slot.0);
        if !self.is(worker, Residency::Ready) {
            return;
        }
        self.slots[s].idle_armed = false;
        if !self.slots[s].idle {
            return;
        }
        let slot = &self.slots[s];
        let (state, config) = (&self.tiers[slot.tier as usize], &self.config.tiers[slot.tier as usize]);
        let over = config.idle_ttl_ns.is_some_and(|ttl| slot.idle_since.saturating_add(ttl) <= self.now);
        let pinned = self.config.affinity == AffinityMode::Strict && slot.bound > 0;
        // A starting worker may yet fail: it replaces nobody.
        if over && !pinned && state.of(Residency::Ready) > kept(state, config) {
            self.close(s, out);
        } else {
            self.arm_idle(s, out);
        }
    }

    fn close(&mut self, s: usize, out: &mut Vec<Action>) {
        self.set_residency(s, Residency::Closing);
        if !self.slots[s].killed {
            out.push(Action::Close(self.worker(s)));
        }
    }

    /// Handles a timer; one that has lost its meaning does nothing.
    pub(super) fn timer(&mut self, timer: Timer, out: &mut Vec<Action>) {
        match timer {
            Timer::Deadline => {
                // Those that were due are answered already; what is left is later.
                self.armed = None;
                self.arm_deadline(out);
            }
            Timer::Idle(worker) => self.idle_timer(worker, out),
            Timer::Backoff(slot) => {
                let s = usize::from(slot.0);
                if self.slots.get(s).is_some_and(|slot| slot.residency == Residency::Backoff) {
                    self.set_residency(s, Residency::Absent);
                }
            }
            Timer::Start(worker) => {
                let s = usize::from(worker.slot.0);
                if self.is(worker, Residency::Starting) && self.aged(s, self.config.start_timeout_ns) {
                    self.kill(s, out);
                }
            }
            Timer::Zombie(worker) => self.zombie_timer(worker, out),
            Timer::Healthy(worker) => {
                let s = usize::from(worker.slot.0);
                if self.is(worker, Residency::Ready) && self.aged(s, self.config.healthy_after_ns) {
                    self.slots[s].failures = 0;
                }
            }
        }
    }

    /// Whether the slot's present residency has lasted for `ns`.
    fn aged(&self, s: usize, ns: Nanos) -> bool {
        self.slots[s].since.saturating_add(ns) <= self.now
    }

    fn kill(&mut self, s: usize, out: &mut Vec<Action>) {
        if !self.slots[s].killed {
            self.slots[s].killed = true;
            out.push(Action::Kill(self.worker(s)));
        }
    }

    /// Kills a worker that still has not answered what nobody waits for; its slot is free again once it is reaped.
    fn zombie_timer(&mut self, worker: WorkerRef, out: &mut Vec<Action>) {
        let s = usize::from(worker.slot.0);
        if !self.is(worker, Residency::Ready) {
            return;
        }
        let until = self.slots[s].job.and_then(|job| job.zombie_until);
        if until.is_some_and(|until| until <= self.now) {
            self.set_residency(s, Residency::Closing);
            self.kill(s, out);
        }
    }

    /// A worker is gone: its slot backs off (or is parked, or free if we asked for the exit), its requests find their fate.
    pub(super) fn exited(&mut self, worker: WorkerRef, out: &mut Vec<Action>) {
        if !self.lives(worker) {
            return;
        }
        let s = usize::from(worker.slot.0);
        let next = self.after_exit(s);
        self.set_residency(s, next);
        let slot = &mut self.slots[s];
        (slot.killed, slot.idle_armed, slot.bound) = (false, false, 0);
        let job = slot.job.take();
        let waiting = slot.waiting.clone();
        if next == Residency::Backoff {
            out.push(Action::Backoff(worker.slot, slot.failures));
        }
        if let Some(job) = job.filter(|job| job.zombie_until.is_none()) {
            self.orphaned(job.request, worker, out);
        }
        for (_, id) in waiting {
            self.bereaved(id, worker, out);
        }
        let tier = self.slots[s].tier;
        if !self.tiers[tier as usize].can_take() {
            self.evacuate(tier, out);
        }
    }

    fn after_exit(&mut self, s: usize) -> Residency {
        let slot = &mut self.slots[s];
        if slot.residency == Residency::Closing {
            return Residency::Absent;
        }
        self.totals.deaths += 1;
        slot.failures = slot.failures.saturating_add(1);
        if slot.residency == Residency::Starting {
            slot.start_failures += 1;
        }
        if slot.start_failures >= self.config.park_after { Residency::Parked } else { Residency::Backoff }
    }

    /// Finds new places for the requests of a tier that can serve nothing now.
    fn evacuate(&mut self, tier: Tier, out: &mut Vec<Action>) {
        let ids: Vec<RequestId> = self.tiers[tier as usize].shared.iter().map(|entry| entry.1).collect();
        for id in ids {
            // A strict session may have been bound, and this one moved, by the placing of an earlier one.
            if self.requests.get(&id).is_some_and(|r| r.at == At::Shared(tier)) {
                self.unqueue(id);
                self.place_again(id, out);
            }
        }
    }

    /// Closes all workers once no request is left, and says so once when all are gone.
    pub(super) fn close_when_drained(&mut self, out: &mut Vec<Action>) {
        if !self.draining || self.drained || !self.requests.is_empty() {
            return;
        }
        for s in 0..self.slots.len() {
            if matches!(self.slots[s].residency, Residency::Starting | Residency::Ready) {
                self.close(s, out);
            }
        }
        if self.tiers.iter().all(|t| t.up() + t.of(Residency::Closing) == 0) {
            self.drained = true;
            out.push(Action::Drained);
        }
    }
}

/// Workers of the tier that idle time never closes.
fn kept(state: &TierState, config: &TierConfig) -> u32 {
    (state.busy + u32::from(config.spares)).max(config.min_ready.into()).min(config.max.into())
}
