//! Which session is bound to which worker: a bounded table, least recently used last.

use super::ids::IdMap;
use super::links::Links;
use super::state::Queue;
use super::types::{SessionKey, WorkerRef};
use crate::clock::Nanos;

/// One session.
#[derive(Clone, Debug)]
pub(super) struct Session {
    key: SessionKey,
    /// Its workers: by served tier with soft affinity, the first alone with strict. They may be dead by now.
    pub(super) bound: [Option<WorkerRef>; 3],
    /// Its requests that are not finished.
    pub(super) live: u32,
    /// Those of them that any worker of their tier may take, by order of admission.
    pub(super) shared: Queue,
    /// To be forgotten with the last live request.
    pub(super) ended: bool,
    /// When a request of it was last submitted or finished.
    pub(super) used: Nanos,
}

/// All remembered sessions, addressed by an index that is stable while a request of the session lives.
#[derive(Clone, Debug)]
pub(super) struct Sessions {
    index: IdMap<SessionKey, u32>,
    entries: Vec<Session>,
    unused: Vec<u32>,
    recent: Links,
    max: usize,
}

impl Sessions {
    /// An empty table for at most `max` sessions, with room for all of them: growing it would be one long step.
    pub(super) fn new(max: usize) -> Sessions {
        let index = IdMap::with_capacity_and_hasher(max, Default::default());
        Sessions { index, entries: Vec::with_capacity(max), unused: Vec::with_capacity(max), recent: Links::with_capacity(max), max }
    }

    pub(super) fn find(&self, key: SessionKey) -> Option<u32> {
        self.index.get(&key).copied()
    }

    /// Marks the session as just used.
    pub(super) fn touch(&mut self, i: u32, now: Nanos) {
        self.entries[i as usize].used = now;
        if self.recent.front() != Some(i) {
            self.recent.remove(i);
            self.recent.push_front(i);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.index.len()
    }

    pub(super) fn is_full(&self) -> bool {
        self.len() >= self.max
    }

    /// The least recently used session.
    pub(super) fn oldest(&self) -> Option<u32> {
        self.recent.back()
    }

    /// Remembers a new session; the caller has seen that there is room and that the key is new.
    pub(super) fn insert(&mut self, key: SessionKey, now: Nanos) -> u32 {
        let session = Session { key, bound: [None; 3], live: 0, shared: Queue::new(), ended: false, used: now };
        let i = match self.unused.pop() {
            Some(i) => {
                self.entries[i as usize] = session;
                i
            }
            None => {
                self.entries.push(session);
                self.recent.grow();
                (self.entries.len() - 1) as u32
            }
        };
        self.index.insert(key, i);
        self.recent.push_front(i);
        i
    }

    /// Forgets a session without live requests.
    pub(super) fn remove(&mut self, i: u32) {
        if self.index.remove(&self.entries[i as usize].key).is_some() {
            self.recent.remove(i);
            self.unused.push(i);
        }
    }

    /// All that decides about what comes, for comparing states: the remembered sessions by index, and the order of their use; how long ago
    /// that was counts up to `ttl`.
    #[cfg(test)]
    pub(super) fn remembered(&self, now: Nanos, ttl: Nanos) -> impl std::hash::Hash {
        let kept = |i: u32| {
            let Session { key, bound, live, shared, ended, used } = &self.entries[i as usize];
            (i, *key, *bound, *live, shared.clone(), *ended, (now - used).min(ttl))
        };
        (self.recent.order().into_iter().map(kept).collect::<Vec<_>>(), self.unused.clone())
    }

    pub(super) fn get(&self, i: u32) -> &Session {
        &self.entries[i as usize]
    }

    pub(super) fn get_mut(&mut self, i: u32) -> &mut Session {
        &mut self.entries[i as usize]
    }
}
