//! What the parent and a trial's child say to each other: versioned JSON lines.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::plan::Case;
use crate::record::{Record, TrialKind};

/// Version of this protocol; the child says it first and a parent of another version refuses.
pub const PROTOCOL: u32 = 1;

/// From the parent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "kebab-case", deny_unknown_fields)]
pub enum ToChild {
    /// Make everything ready: payloads, pool, store.
    Prepare {
        /// The case.
        case: Box<Case>,
        /// Round, from 0.
        round: u32,
        /// What the trial is for.
        kind: TrialKind,
        /// Seed of this trial.
        seed: u64,
        /// An empty directory for the store's files.
        dir: String,
        /// Arrivals per second for an open loop, resolved.
        rate_per_s: Option<f64>,
        /// Where the trial serves the endpoints of its pool's monitor, if it does.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        monitor: Option<SocketAddr>,
    },
    /// Run one slice of load.
    Slice {
        /// Number of the slice, from 0.
        id: u32,
        /// Seed of the slice.
        seed: u64,
        /// Warm-up before the window, ns.
        warmup_ns: u64,
        /// The measured window, ns.
        length_ns: u64,
        /// Whether the profiler runs.
        profiled: bool,
    },
    /// Stop timers and probes until the next slice.
    Pause,
    /// Drain, check and send the record.
    Finish,
}

/// From the child.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "kebab-case", deny_unknown_fields)]
pub enum FromChild {
    /// First line.
    Hello {
        /// [`PROTOCOL`].
        protocol: u32,
        /// Version and commit of the child's build.
        build: String,
    },
    /// Everything is ready.
    Ready {
        /// Digest of payloads and settings; of the schedule too once a slice has run.
        fingerprint: String,
    },
    /// A slice is done.
    Result {
        /// Its number.
        id: u32,
        /// Requests with an outcome in the window.
        finished: u64,
        /// Requests per second that ended `ok` in the window.
        ok_per_s: f64,
    },
    /// Timers and probes are stopped.
    Paused,
    /// The trial's record.
    Record {
        /// The record.
        record: Box<Record>,
        /// Folded stacks of a profiled trial, one `frame;frame count` per line.
        folded: Option<String>,
    },
    /// The trial cannot go on.
    Failed {
        /// Why, with the remedy.
        why: String,
    },
}
