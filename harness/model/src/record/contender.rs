//! What a trial of a contender leaves beside the figures of any trial.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One way of doing a job, as it was measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContenderFigures {
    /// The job.
    pub job: String,
    /// The way, with `-again` behind it for a repeat.
    pub way: String,
    /// Whether the job is judged on CPU time rather than wall time.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cpu_bound: bool,
    /// What goes wrong for who uses this way unawares; empty where nothing does.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub trap: String,
    /// Why this host cannot do it: nothing was measured then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_here: Option<String>,
    /// Batches in the window.
    pub batches: u64,
    /// Operations in them.
    pub operations: u64,
    /// Wall time within batches, ns.
    pub wall_ns: u64,
    /// CPU time of the whole process within batches, ns.
    pub cpu_ns: u64,
    /// Bytes that went in.
    pub bytes_in: u64,
    /// Bytes that came out.
    pub bytes_out: u64,
    /// What cannot be passed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<LimitFigures>,
    /// What the contender saw, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: BTreeMap<String, String>,
}

/// A physical limit, measured in the same trial just after the window.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitFigures {
    /// What was measured.
    pub what: String,
    /// Time that an operation takes at the least, ns.
    pub ns: f64,
}
