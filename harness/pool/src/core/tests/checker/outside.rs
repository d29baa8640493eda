//! What the drivers ask of the outside view: what is under way, which timers still mean something, and what distinguishes two views.

use std::hash::{Hash, Hasher};

use super::*;
use crate::config::Dispatch;

impl Checker {
    /// Whether the worker's process lives, asked to stop or not.
    pub(in super::super) fn is_alive(&self, worker: WorkerRef) -> bool {
        self.workers.contains_key(&worker)
    }

    /// Whether a live request of this id has its deadline by `at`.
    pub(in super::super) fn will_expire(&self, id: RequestId, at: Nanos) -> bool {
        self.live.get(&id).and_then(|live| live.deadline).is_some_and(|deadline| deadline <= at.max(self.now))
    }

    /// Workers that never became ready: a worker that was asked to stop may still say that it is.
    pub(in super::super) fn never_ready(&self) -> Vec<WorkerRef> {
        self.workers.iter().filter(|(_, w)| w.ready_at.is_none()).map(|(r, _)| *r).collect()
    }

    /// What is under way, as it ends well: the next of forgetting, exits, answers, starts and backoffs.
    pub(in super::super) fn unfinished(&self) -> Option<Event> {
        let reset = || self.resetting().first().map(|r| Event::ResetDone(*r));
        let exit = || self.stopped().first().map(|r| Event::Exited(*r));
        let reply = || self.jobs().first().map(|(r, id)| Event::Replied(*r, *id, ReplyKind::Ok));
        let ready = || self.starting().first().map(|r| Event::Ready(*r));
        let backoff = || self.backing_off().first().map(|slot| Event::Timer(Timer::Backoff(*slot)));
        reset().or_else(exit).or_else(reply).or_else(ready).or_else(backoff)
    }

    /// Forgets the timers without meaning and returns them.
    pub(in super::super) fn drop_stale_timers(&mut self) -> Vec<Timer> {
        let stale = |timer: &Timer| match timer {
            Timer::Deadline | Timer::Backoff(_) => false,
            Timer::Sweep | Timer::Session | Timer::Drain => self.drained,
            Timer::Reset(r) => self.workers.get(r).is_none_or(|w| !w.resetting),
            Timer::Idle(r) | Timer::Healthy(r) => !self.workers.contains_key(r),
            Timer::Start(r) => self.workers.get(r).is_none_or(|w| w.ready_at.is_some()),
            Timer::Zombie(r) => self.workers.get(r).is_none_or(|w| !w.zombie),
        };
        let stale: Vec<Timer> = self.timers.keys().copied().filter(stale).collect();
        for timer in &stale {
            self.timers.remove(timer);
        }
        stale
    }

    /// Hashes all that decides about what comes. Times count from now, ages only up to the limit that they are compared with.
    pub(in super::super) fn fingerprint(&self, into: &mut impl Hasher) {
        // The fields from `due` on are empty between two steps; sums of the past decide nothing.
        let Checker {
            config,
            now,
            workers,
            generations,
            start_deaths,
            attempts,
            backing_off,
            live,
            homes,
            ended,
            timers,
            used,
            unanswered,
            ..
        } = self;
        for (r, worker) in workers {
            let Worker { partition, ready_at, stopped, job, zombie, idle_since, session, resetting, retired, stale } = worker;
            let ready = ready_at.map(|at| (now - at).min(config.healthy_after_ns));
            let ttl = config.policy(*partition).idle_ttl_ns.unwrap_or(0);
            let idle = if ready_at.is_some() && job.is_none() { (now - idle_since).min(ttl) } else { 0 };
            (r, partition, ready, stopped, job, zombie, idle).hash(into);
            (session, resetting, retired, stale).hash(into);
        }
        (generations, start_deaths, attempts, backing_off, unanswered).hash(into);
        for (id, Live { submit, deadline, enters: _, since, order: _, at, attempts, written }) in live {
            (id, submit.session, deadline.map(|d| d - now), at, attempts, written).hash(into);
            (config.dispatch == Dispatch::Shared).then(|| (now - since).min(8 * config.ageing_ns)).hash(into);
        }
        let ttl = config.session_ttl_ns.unwrap_or(0);
        used.iter().filter(|_| ttl > 0).for_each(|(key, at)| (key, (now - at).min(ttl)).hash(into));
        (homes, ended, self.draining, self.drained).hash(into);
        for (timer, at) in timers {
            (timer, at.saturating_sub(*now)).hash(into);
        }
    }
}
