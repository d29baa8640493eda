//! Sessions as rows of one SQLite file, behind one thread that owns the connection.
//!
//! SQLite blocks; a thread of its own keeps the runtime's workers free and gives the saves one order. Jobs reach it
//! through a bounded queue, so that a slow disk slows its callers instead of filling memory. Saves that wait together share a
//! transaction (`serve`).

mod database;
pub mod pragmas;
mod serve;

use crate::{
    config::{JournalMode, SqliteConfig},
    error::StoreError,
    session::SessionId,
};
use database::Database;
use serve::{Groups, Job, serve};
use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    thread,
};
use tokio::sync::{mpsc, oneshot};

/// Name of the database inside the store's directory.
pub(crate) const FILE: &str = "sessions.sqlite3";
/// Jobs that may wait for the thread.
const QUEUE: usize = 256;

/// A handle of the thread. The thread ends and closes the file when the handle is closed or dropped.
pub(crate) struct SqliteStore {
    jobs: mpsc::Sender<Job>,
    thread: Mutex<Option<thread::JoinHandle<()>>>,
    report: BTreeMap<&'static str, String>,
    groups: Arc<Mutex<Groups>>,
}

impl SqliteStore {
    /// Opens or creates the database in `dir`, which exists.
    pub(crate) async fn open(dir: &Path, config: SqliteConfig, max: usize) -> Result<Self, StoreError> {
        let (jobs, queue) = mpsc::channel(QUEUE);
        let (opened, outcome) = oneshot::channel();
        let path = dir.join(FILE);
        let groups = Arc::new(Mutex::new(Groups::new()));
        let counted = Arc::clone(&groups);
        // Without a journal a transaction cannot be undone, so nobody's save may depend on another's.
        let most = if config.journal_mode == JournalMode::Off { 1 } else { config.group_commit as usize };
        let thread = thread::Builder::new()
            .name("store-sqlite".to_owned())
            .spawn(move || match Database::open(&path, config, max) {
                Ok((database, report)) => {
                    let _ = opened.send(Ok(report));
                    serve(database, queue, most, &counted);
                }
                Err(why) => {
                    let _ = opened.send(Err(why));
                }
            })
            .map_err(StoreError::disk("start the thread for", dir))?;
        let report = outcome.await.map_err(|_| StoreError::Closed)??;
        Ok(Self { jobs, thread: Mutex::new(Some(thread)), report, groups })
    }

    /// What SQLite says is in force.
    pub(crate) fn report(&self) -> &BTreeMap<&'static str, String> {
        &self.report
    }

    /// How many transactions took how many saves so far: `1` a lone save, `4` four to seven.
    pub(crate) fn groups(&self) -> BTreeMap<u32, u64> {
        self.groups.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) async fn load(&self, id: &SessionId) -> Result<Option<Vec<u8>>, StoreError> {
        self.ask(|reply| Job::Load(id.clone(), reply)).await
    }

    pub(crate) async fn save(&self, id: &SessionId, bytes: Vec<u8>) -> Result<(), StoreError> {
        self.ask(|reply| Job::Save(id.clone(), bytes, reply)).await
    }

    pub(crate) async fn delete(&self, id: &SessionId) -> Result<bool, StoreError> {
        let id = id.clone();
        self.run(move |database| database.delete(&id)).await
    }

    pub(crate) async fn ids(&self) -> Result<Vec<SessionId>, StoreError> {
        self.run(|database| database.ids()).await
    }

    pub(crate) async fn set_aside(&self, id: &SessionId, why: &str) -> Result<String, StoreError> {
        let (id, why) = (id.clone(), why.to_owned());
        self.run(move |database| database.set_aside(&id, &why)).await
    }

    /// Finishes the jobs that wait, closes the file and ends the thread. A second call gives [`StoreError::Closed`].
    pub(crate) async fn close(&self) -> Result<(), StoreError> {
        let closed = self.ask(Job::Close).await;
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        // The thread returns right after its answer, so this join does not wait for a disk.
        if thread.is_some_and(|thread| thread.join().is_err()) {
            return Err(StoreError::Closed);
        }
        closed
    }

    async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Database) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        // Nobody waits any more if the caller was cancelled; the work is done all the same.
        self.ask(|reply| Job::Run(Box::new(move |database| drop(reply.send(job(database)))))).await
    }

    async fn ask<T>(&self, job: impl FnOnce(oneshot::Sender<Result<T, StoreError>>) -> Job) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.jobs.send(job(reply)).await.map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)?
    }
}

#[cfg(test)]
mod tests;
