//! The product's own SQLite store, with as many callers at once as asked for.

use super::limit;
use crate::{Batch, Contender, Limit, Opening, Refusal};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;
use std::{collections::BTreeMap, path::Path};
use store::{
    Message, Role, Session, SessionId, Store,
    config::{Config, Kind},
};
use tokio::{runtime::Runtime, task::JoinSet};

/// Sessions in the store: a multiple of 32.
const SESSIONS: usize = if cfg!(test) { 128 } else { 1024 };

struct Saving {
    runtime: Runtime,
    store: Store,
    config: Config,
    documents: Vec<String>,
    sessions: Vec<Option<Session>>,
    rng: Pcg64,
    callers: usize,
}

/// `callers` save at once; `group` replaces the setting.
pub(super) fn open(opening: &Opening, callers: usize, group: Option<u32>) -> Result<Box<dyn Contender>, Refusal> {
    if opening.documents.is_empty() {
        return Err(Refusal::Failed("no documents to keep; give the scenario a payload".to_owned()));
    }
    let mut config = Config::from_settings(&opening.settings).map_err(|why| Refusal::Failed(why.to_string()))?;
    config.kind = Kind::Sqlite;
    config.sqlite.group_commit = group.unwrap_or(config.sqlite.group_commit);
    saving(config, opening, callers).map(|saving| Box::new(saving) as Box<dyn Contender>).map_err(Refusal::Failed)
}

fn saving(config: Config, opening: &Opening, callers: usize) -> Result<Saving, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().map_err(|why| format!("no runtime: {why}"))?;
    let store = runtime.block_on(Store::open(&config, Path::new(&opening.dir))).map_err(|why| why.to_string())?;
    let sessions = (0..SESSIONS)
        .map(|n| SessionId::try_from(format!("session-{n:06}").as_str()).map(|id| Some(Session::new(id))))
        .collect::<Result<_, _>>()
        .map_err(|why| why.to_string())?;
    let documents = opening.documents.iter().map(|document| String::from_utf8_lossy(document).into_owned()).collect();
    let mut saving = Saving { runtime, store, config, documents, sessions, rng: Pcg64::seed_from_u64(opening.seed), callers };
    for first in (0..SESSIONS).step_by(32) {
        saving.save(first..first + 32)?;
    }
    Ok(saving)
}

impl Saving {
    /// Saves the sessions of these numbers, all at once, each with its next message.
    fn save(&mut self, numbers: impl Iterator<Item = usize>) -> Result<Batch, String> {
        let (store, documents) = (&self.store, &self.documents);
        let mut batch = Batch::default();
        let mut saves = JoinSet::new();
        let taken: Vec<_> = numbers.filter_map(|n| self.sessions.get_mut(n).and_then(Option::take).map(|session| (n, session))).collect();
        let answers = self.runtime.block_on(async {
            for (n, mut session) in taken {
                let turn = session.turns() as usize;
                let text = documents[(n + turn) % documents.len()].clone();
                session.record_turn(Message { role: Role::Tool, tool: "save".to_owned(), digest: turn as u64, text }, 1);
                let store = store.clone();
                saves.spawn(async move {
                    let saved = store.save(&session).await;
                    (n, session, saved)
                });
            }
            saves.join_all().await
        });
        for (n, session, saved) in answers {
            batch.operations += 1;
            batch.bytes_in += saved.map_err(|why| why.to_string())?.bytes as u64;
            self.sessions[n] = Some(session);
        }
        Ok(batch)
    }
}

impl Contender for Saving {
    fn batch(&mut self) -> Result<Batch, String> {
        // Distinct sessions: no two saves of one session may be under way.
        let first = self.rng.random_range(0..SESSIONS);
        let step = 1 + 2 * self.rng.random_range(0..SESSIONS / 2);
        let numbers: Vec<_> = (0..self.callers).map(|n| (first + n * step) % SESSIONS).collect();
        self.save(numbers.into_iter())
    }

    fn limit(&self) -> Option<Limit> {
        limit(&self.config.sqlite, (self.callers as u32).min(self.config.sqlite.group_commit))
    }

    fn finish(self: Box<Self>) -> Result<BTreeMap<String, String>, String> {
        let Self { runtime, store, config, sessions, .. } = *self;
        let mut seen = store.describe();
        let groups: Vec<_> = store.groups().into_iter().map(|(size, count)| format!("{size}+: {count}")).collect();
        seen.insert("transactions-by-saves".to_owned(), groups.join(", "));
        seen.insert("protocol".to_owned(), super::protocol(&config.sqlite));
        runtime.block_on(async {
            for session in sessions.iter().flatten() {
                let found = store.load(session.id()).await.map_err(|why| why.to_string())?;
                if found.as_ref() != Some(session) {
                    return Err(format!("session {} does not hold what was saved last", session.id()));
                }
            }
            store.close().await.map_err(|why| why.to_string())
        })?;
        Ok(seen)
    }
}
