//! The thread's loop: jobs in the order of the queue, saves that wait together in one transaction.
//!
//! A commit costs a flush, however many saves are in it. While one flushes, others queue; the next transaction takes all of them, up to
//! the setting. None is held back to wait for company, so a lone save is as fast as without groups.

use super::database::Database;
use crate::{error::StoreError, session::SessionId};
use std::collections::{BTreeMap, HashSet};
use tokio::sync::{mpsc, oneshot};

type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

/// What the thread is asked for.
pub(super) enum Job {
    /// A session's row.
    Load(SessionId, Reply<Option<Vec<u8>>>),
    /// A row put in place.
    Save(SessionId, Vec<u8>, Reply<()>),
    /// Anything else, by itself.
    Run(Box<dyn FnOnce(&mut Database) + Send>),
    /// The end.
    Close(Reply<()>),
}

/// How many transactions took how many saves. Powers of two: the key 4 counts groups of 4 to 7.
pub(super) type Groups = BTreeMap<u32, u64>;

/// Does the jobs until the queue is closed or told to. At most `most` saves share a transaction.
pub(super) fn serve(mut database: Database, mut queue: mpsc::Receiver<Job>, most: usize, groups: &std::sync::Mutex<Groups>) {
    let mut held = None;
    loop {
        let Some(job) = held.take().or_else(|| queue.blocking_recv()) else { break };
        match job {
            // Nobody waits for a reply whose caller was cancelled; the work is done all the same.
            Job::Load(id, reply) => drop(reply.send(database.load(&id))),
            Job::Run(run) => run(&mut database),
            Job::Close(reply) => {
                // Late jobs are refused: their reply channels close with the queue.
                drop(queue);
                let _ = reply.send(database.close());
                return;
            }
            Job::Save(id, bytes, reply) => {
                let first = Save { id, bytes, reply };
                let (next, size) = match most {
                    0 | 1 => (None, first.alone(&database)),
                    _ => group(&database, &mut queue, first, most),
                };
                held = next;
                let mut groups = groups.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                *groups.entry(1 << size.max(1).ilog2()).or_default() += 1;
            }
        }
    }
    // Every handle is gone, so an error of closing has nobody to go to.
    let _ = database.close();
}

struct Save {
    id: SessionId,
    bytes: Vec<u8>,
    reply: Reply<()>,
}

impl Save {
    /// In a transaction of its own; how many saves that were.
    fn alone(self, database: &Database) -> u32 {
        let _ = self.reply.send(database.save(&self.id, &self.bytes));
        1
    }
}

/// Saves `first` and all that queue behind it in one transaction. The job that ended the group, and how many were saved.
///
/// Loads in between are answered at once, but one of a session that this transaction has changed ends the group: its answer would be of
/// a save that may still be undone.
fn group(database: &Database, queue: &mut mpsc::Receiver<Job>, first: Save, most: usize) -> (Option<Job>, u32) {
    let Ok(second) = queue.try_recv() else { return (None, first.alone(database)) };
    let (mut next, mut saves, mut changed) = (Some(second), Vec::new(), HashSet::new());
    let mut outcome = database.begin().and_then(|()| database.save(&first.id, &first.bytes));
    changed.insert(first.id.clone());
    saves.push(first);
    while outcome.is_ok() && saves.len() < most {
        let Some(job) = next.take().or_else(|| queue.try_recv().ok()) else { break };
        match job {
            Job::Load(id, reply) if !changed.contains(&id) => drop(reply.send(database.load(&id))),
            Job::Save(id, bytes, reply) => {
                outcome = database.save(&id, &bytes);
                changed.insert(id.clone());
                saves.push(Save { id, bytes, reply });
            }
            other => {
                next = Some(other);
                break;
            }
        }
    }
    let size = saves.len() as u32;
    match outcome.and_then(|()| database.commit()) {
        Ok(()) => saves.into_iter().for_each(|save| drop(save.reply.send(Ok(())))),
        Err(_) => one_by_one(database, saves),
    }
    (next, size)
}

/// After a transaction that failed: each save by itself, so that each has the outcome that is its own, and one that cannot be done
/// takes no other with it.
fn one_by_one(database: &Database, saves: Vec<Save>) {
    for save in saves {
        // Where undoing fails as well, nothing may be added to what is half done.
        let outcome = database.roll_back().and_then(|()| database.save(&save.id, &save.bytes));
        let _ = save.reply.send(outcome);
    }
}

#[cfg(test)]
mod tests;
