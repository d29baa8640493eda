//! Starting a pool: all resident workers ready, or one clear error and nothing left behind.

use std::sync::Arc;

use super::inner::{Inner, State};
use super::observe::StartFailure;
use super::{Deps, Pool};
use crate::config::Config;
use crate::core::types::{Event, Partition};
use crate::workers::{Cause, WORKERS, WorkerKind, worker_kind};

/// Why a pool did not start. Everything that was started is reaped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// The configuration names a kind of worker that does not exist.
    #[error("pool.{}.worker: no worker kind `{kind}`; use one of {known}", partition.name())]
    UnknownKind {
        /// The partition that names it.
        partition: Partition,
        /// The name.
        kind: String,
        /// The names that exist.
        known: String,
    },
    /// The worker could not be started at all.
    #[error("cannot start a worker: {why}; check the worker command's path and rights")]
    Spawn {
        /// The program and the system's reason.
        why: String,
    },
    /// The worker ended before it was ready.
    #[error("a worker ended before it was ready: {status}{}; run the worker command by hand to see why", said(stderr))]
    Exited {
        /// Its exit status.
        status: String,
        /// The end of its stderr.
        stderr: String,
    },
    /// The worker said nothing in time.
    #[error(
        "a worker was not ready within {} ms{}; raise start-timeout, or give a worker command that speaks this pool's frames",
        waited_ns / 1_000_000,
        said(stderr)
    )]
    Silent {
        /// How long it had, ns.
        waited_ns: u64,
        /// The end of its stderr.
        stderr: String,
    },
    /// The worker said what it must not say.
    #[error("a worker broke the protocol: {what}{}", said(stderr))]
    Protocol {
        /// The violation and its remedy.
        what: String,
        /// The end of its stderr.
        stderr: String,
    },
}

fn said(stderr: &str) -> String {
    if stderr.is_empty() { String::new() } else { format!(" (its stderr ended: {stderr})") }
}

pub(super) async fn start(config: Config, deps: Deps) -> Result<Pool, StartError> {
    let [hot, warm, cold, shared] = Partition::ALL;
    let kinds = [kind(&config, hot)?, kind(&config, warm)?, kind(&config, cold)?, kind(&config, shared)?];
    // From here on the handle's drop drains, so a dropped `start` leaves nothing behind either.
    let pool = Pool::new(Inner::new(config, deps, kinds));
    pool.inner.event(Event::Start);
    match settled(&pool.inner).await {
        None => Ok(pool),
        Some(failure) => {
            pool.drain().await;
            Err(error(failure, pool.inner.config.start_timeout_ns))
        }
    }
}

fn kind(config: &Config, partition: Partition) -> Result<&'static dyn WorkerKind, StartError> {
    let kind = &config.policy(partition).worker;
    worker_kind(kind).ok_or_else(|| StartError::UnknownKind {
        partition,
        kind: kind.clone(),
        known: WORKERS.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", "),
    })
}

/// Waits until all resident workers are ready (`None`) or one has failed.
async fn settled(inner: &Arc<Inner>) -> Option<StartFailure> {
    loop {
        let changed = inner.changed.notified();
        {
            let state = inner.lock();
            if let Some(failure) = state.observed.start_failure() {
                return Some(failure.clone());
            }
            if Partition::ALL.iter().all(|partition| resident(inner, &state, *partition)) {
                return None;
            }
        }
        changed.await;
    }
}

fn resident(inner: &Inner, state: &State, partition: Partition) -> bool {
    let policy = inner.config.policy(partition);
    let ready = state.slots.iter().flatten().filter(|live| live.ready && live.partition == partition).count();
    ready >= usize::from(policy.min_ready.min(inner.config.slots(partition)))
}

fn error(failure: StartFailure, start_timeout_ns: u64) -> StartError {
    let stderr = failure.stderr_tail;
    match failure.cause {
        Cause::Spawn(why) => StartError::Spawn { why },
        Cause::Protocol(what) => StartError::Protocol { what, stderr },
        Cause::Ended(_) if failure.killed => StartError::Silent { waited_ns: start_timeout_ns, stderr },
        Cause::Ended(status) => StartError::Exited { status, stderr },
    }
}
