//! What the load is sent to: the whole path, the pool alone, the store alone, the codecs alone.

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use coordinator::monitor::Monitor;
use coordinator::{Config, Request, Response};
use pool::core::Outcome;
use pool::times::RequestTimes;
use pool::{Deps, Pool};
use store::Store;

mod codec;
mod floor;
mod path;
mod pool_only;
mod store_only;

/// A future on the heap.
pub type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// An open target, or why there is none.
pub type Opened = Result<Box<dyn Target>, String>;

/// Something that serves calls.
pub trait Target: Send + Sync {
    /// Serves one, whose `lag` is whole and whose `admit` has begun; `reply` is begun in the response's stamps, its end is the driver's.
    fn call(&self, call: Request) -> Boxed<Response>;
    /// Whether `plain`, a response's body without its encoding, is the right answer to `payload`.
    fn is_right(&self, payload: &[u8], plain: &[u8]) -> bool;
    /// The pool within, if there is one.
    fn pool(&self) -> Option<&Pool> {
        None
    }
    /// The monitor of that pool, if there is one and [`Opening::monitored`] asked for it.
    fn monitor(&self) -> Option<Arc<Monitor>> {
        None
    }
    /// The store within, if there is one.
    fn store(&self) -> Option<&Store> {
        None
    }
    /// Finishes and closes everything.
    fn close(&self) -> Boxed<Result<(), String>>;
}

/// What a target is opened with.
pub struct Opening {
    /// Configuration of the products.
    pub config: Config,
    /// The pool's surroundings.
    pub deps: Deps,
    /// An empty directory for the store.
    pub dir: PathBuf,
    /// Whether the pool is to be monitored where it is not so anyway.
    pub monitored: bool,
}

/// A kind of target: its row in [`TARGETS`].
pub struct TargetKind {
    /// Name in scenario files.
    pub name: &'static str,
    /// What it is.
    pub doc: &'static str,
    /// Whether there is a pool in it.
    pub has_pool: bool,
    open: fn(Opening) -> Boxed<Opened>,
}

/// Name of the target that no load is sent to: a contender is driven by a trial of its own.
pub(crate) const CONTENDER: &str = "contender";

impl TargetKind {
    /// Opens the target.
    pub(crate) fn open(&self, opening: Opening) -> Boxed<Opened> {
        (self.open)(opening)
    }
}

/// All targets.
pub const TARGETS: &[TargetKind] = &[
    TargetKind { name: "coordinator", doc: "the whole request path", has_pool: true, open: |o| Box::pin(path::open(o)) },
    TargetKind {
        name: "pool",
        doc: "the pool alone: queue, dispatch, service, return",
        has_pool: true,
        open: |o| Box::pin(pool_only::open(o)),
    },
    TargetKind {
        name: "store",
        doc: "the session store alone: load, change, persist",
        has_pool: false,
        open: |o| Box::pin(store_only::open(o)),
    },
    TargetKind { name: "codec", doc: "encoding and compression of a response alone", has_pool: false, open: |o| Box::pin(codec::open(o)) },
    TargetKind {
        name: "channel",
        doc: "a floor: a bare tokio mpsc and oneshot round trip, no pool",
        has_pool: false,
        open: |o| Box::pin(floor::open_channel(o)),
    },
    TargetKind {
        name: "pipe",
        doc: "a floor: a bare pipe round trip to a worker process, no pool",
        has_pool: false,
        open: |o| Box::pin(floor::open_pipe(o)),
    },
    TargetKind {
        name: CONTENDER,
        doc: "one way of doing one job, alone on one thread: `contender.job` and `contender.way`",
        has_pool: false,
        open: |_| Box::pin(async { Err("a contender takes no requests".to_owned()) }),
    },
];

/// A response with nothing in it yet.
fn blank(times: RequestTimes) -> Response {
    Response {
        outcome: Outcome::Failed,
        request: None,
        placement: None,
        retry_after: None,
        error: None,
        digest: None,
        codec: store::compress::Codec::Identity,
        body: Bytes::new(),
        encoded_bytes: 0,
        saved_bytes: 0,
        times,
    }
}

/// A response that says why there is none.
fn failed(times: RequestTimes, why: impl Into<String>) -> Response {
    Response { error: Some(why.into()), ..blank(times) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_have_distinct_names_and_a_doc() {
        let names: std::collections::BTreeSet<_> = TARGETS.iter().map(|t| t.name).collect();
        assert_eq!(names.len(), TARGETS.len());
        assert!(TARGETS.iter().all(|t| t.doc.len() > 10));
    }
}
