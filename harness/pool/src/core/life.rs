//! A slot's life: spawned, ready, idle, closed, and spawned again.

use super::Core;
use super::state::{Crew, Vitals, moving_mean};
use super::types::{Action, Partition, Timer, WorkerRef};
use super::view::Residency;
use crate::config::{AffinityMode, TierConfig};

impl Core {
    pub(super) fn set_residency(&mut self, s: usize, residency: Residency) {
        self.unlist(s);
        let slot = &mut self.slots[s];
        let crew = &mut self.crews[slot.partition as usize];
        if slot.job.is_some() && slot.residency == Residency::Ready {
            crew.busy -= 1;
        }
        crew.count[slot.residency as usize] -= 1;
        crew.count[residency as usize] += 1;
        if slot.residency == Residency::Absent {
            crew.absent.remove(&s);
        }
        if residency == Residency::Absent {
            crew.absent.insert(s);
        }
        slot.residency = residency;
        slot.since = self.now;
    }

    /// Starts workers: first for requests that wait, then to keep what the policies ask for.
    pub(super) fn spawn_where_needed(&mut self, out: &mut Vec<Action>) {
        for partition in Partition::ALL {
            if self.crews[partition as usize].of(Residency::Absent) > 0 {
                self.spawn_up_to(partition, self.needed(partition), out);
            }
        }
        for partition in Partition::ALL {
            if self.crews[partition as usize].of(Residency::Absent) > 0 {
                self.spawn_up_to(partition, self.wanted(partition), out);
            }
        }
    }

    /// Workers that the requests at hand would occupy.
    fn needed(&self, partition: Partition) -> u32 {
        self.crews[partition as usize].taken() + self.demand(partition)
    }

    /// Workers that are needed or that the policies ask for.
    fn wanted(&self, partition: Partition) -> u32 {
        let needed = self.needed(partition);
        if !self.started || self.draining {
            return needed;
        }
        (needed + self.spares(partition)).max(self.config.policy(partition).min_ready.into())
    }

    /// Whether a worker of the partition is wanted that a free slot is still to get.
    pub(super) fn is_short(&self, partition: Partition) -> bool {
        let crew = &self.crews[partition as usize];
        crew.of(Residency::Absent) > 0 && crew.up() < self.wanted(partition)
    }

    /// Requests that any worker of the partition may take, as far as the caps let them.
    pub(super) fn demand(&self, partition: Partition) -> u32 {
        let waiting = |t: super::Tier| {
            let class = &self.classes[t as usize];
            ((class.shared.len() + class.soft.len()) as u32).min(self.cap_room(t))
        };
        self.classes_of(partition).map(waiting).sum()
    }

    /// Starts workers of the partition until `wanted` are up, as far as slots and the bound on starts allow.
    fn spawn_up_to(&mut self, partition: Partition, wanted: u32, out: &mut Vec<Action>) {
        loop {
            let crew = &self.crews[partition as usize];
            let starting: u32 = self.crews.iter().map(|c| c.of(Residency::Starting)).sum();
            if crew.up() >= wanted || starting >= self.config.spawn_concurrency {
                return;
            }
            let Some(s) = crew.absent.first().copied() else { return };
            self.spawn(s, out);
        }
    }

    fn spawn(&mut self, s: usize, out: &mut Vec<Action>) {
        self.note_start(s);
        self.set_residency(s, Residency::Starting);
        let slot = &mut self.slots[s];
        slot.generation = slot.generation.wrapping_add(1);
        slot.vitals = Vitals { heard: self.now, ..Vitals::default() };
        let partition = slot.partition;
        self.totals.spawns += 1;
        let worker = self.worker(s);
        out.push(Action::Spawn(worker, partition));
        out.push(Action::SetTimer(Timer::Start(worker), self.now.saturating_add(self.config.start_timeout_ns)));
    }

    /// A worker can take work: at the back of the idle ones, unless work waits.
    pub(super) fn ready(&mut self, worker: WorkerRef, out: &mut Vec<Action>) {
        let s = usize::from(worker.slot.0);
        if !self.is(worker, Residency::Starting) || self.slots[s].killed {
            return;
        }
        let took = self.now - self.slots[s].since;
        self.set_residency(s, Residency::Ready);
        let slot = &mut self.slots[s];
        slot.start_failures = 0;
        slot.vitals.heard = self.now;
        let crew = &mut self.crews[slot.partition as usize];
        crew.start_ns = moving_mean(crew.start_ns, took);
        if slot.failures > 0 {
            let at = self.now.saturating_add(self.config.healthy_after_ns);
            out.push(Action::SetTimer(Timer::Healthy(worker), at));
        }
        self.look_again(s);
        self.take_work(s, true, out);
    }

    /// Whether this very worker is in the given residency.
    pub(super) fn is(&self, worker: WorkerRef, residency: Residency) -> bool {
        self.lives(worker) && self.slots[usize::from(worker.slot.0)].residency == residency
    }

    pub(super) fn make_idle(&mut self, s: usize, fresh: bool, out: &mut Vec<Action>) {
        self.slots[s].idle_since = self.now;
        if self.is_reserved(s) {
            // Its session may have ended while it was on a request that nobody waited for any more.
            self.to_recycle.push(s);
        } else {
            let slot = &mut self.slots[s];
            // Whoever is still starting slowly is used last.
            let slow = slot.since.saturating_add(self.config.health.slow_start_ns) > self.now;
            let crew = &mut self.crews[slot.partition as usize];
            slot.idle = true;
            crew.listed += 1;
            if fresh || slow {
                crew.idle.push_back(s as u32);
            } else {
                crew.idle.push_front(s as u32);
            }
        }
        self.arm_idle(s, out);
    }

    /// One idle timer per worker at most: it is asked for again only when it has fired.
    fn arm_idle(&mut self, s: usize, out: &mut Vec<Action>) {
        let slot = &self.slots[s];
        let Some(ttl) = self.config.policy(slot.partition).idle_ttl_ns.filter(|_| !slot.idle_armed) else { return };
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
        if self.slots[s].job.is_some() {
            return;
        }
        let slot = &self.slots[s];
        let (crew, policy) = (&self.crews[slot.partition as usize], self.config.policy(slot.partition));
        let over = policy.idle_ttl_ns.is_some_and(|ttl| slot.idle_since.saturating_add(ttl) <= self.now);
        let pinned = self.config.affinity == AffinityMode::Strict && slot.bound > 0;
        // A starting worker may yet fail: it replaces nobody.
        if over && slot.idle && !pinned && crew.of(Residency::Ready) > kept(crew, policy, self.spares(slot.partition)) {
            self.close(s, out);
        } else {
            self.arm_idle(s, out);
        }
    }

    pub(super) fn close(&mut self, s: usize, out: &mut Vec<Action>) {
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
            Timer::Reset(worker) => self.reset_timer(worker, out),
            Timer::Sweep => self.sweep(out),
            Timer::Session => self.session_timer(out),
            Timer::Drain => self.drain_timer(out),
        }
    }

    /// Whether the slot's present residency has lasted for `ns`.
    fn aged(&self, s: usize, ns: crate::clock::Nanos) -> bool {
        self.slots[s].since.saturating_add(ns) <= self.now
    }

    pub(super) fn kill(&mut self, s: usize, out: &mut Vec<Action>) {
        if !self.slots[s].killed {
            self.slots[s].killed = true;
            out.push(Action::Kill(self.worker(s)));
        }
    }

    /// Ends a ready worker that cannot be trusted any more, as if it had died.
    pub(super) fn condemn(&mut self, s: usize, out: &mut Vec<Action>) {
        self.set_residency(s, Residency::Ejected);
        self.kill(s, out);
    }

    /// Kills a worker that still has not answered what nobody waits for; its slot is free again once it is reaped.
    fn zombie_timer(&mut self, worker: WorkerRef, out: &mut Vec<Action>) {
        let s = usize::from(worker.slot.0);
        if !self.is(worker, Residency::Ready) && !self.is(worker, Residency::Ejected) {
            return;
        }
        let until = self.slots[s].job.and_then(|job| job.zombie_until);
        if until.is_some_and(|until| until <= self.now) {
            self.set_residency(s, Residency::Closing);
            self.kill(s, out);
        }
    }
}

/// Workers of the partition that idle time never closes.
fn kept(crew: &Crew, policy: &TierConfig, spares: u32) -> u32 {
    (crew.taken() + spares).max(policy.min_ready.into()).min(policy.max.into())
}
