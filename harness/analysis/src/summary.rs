//! The summary of a run: what `report.json` holds and every report renders. Data only; other modules fill it.
//!
//! Figures that could not be computed are `None` with the reason beside them; no figure is ever NaN or infinite.

use model::facts::Facts;
use model::plan::{Axis, Size};
use serde::Serialize;

mod across;
mod case;
mod claims;
mod classes;
mod compare;
mod contenders;
mod survives;

pub use across::*;
pub use case::*;
pub use claims::*;
pub use classes::*;
pub use compare::*;
pub use contenders::*;
pub use survives::*;

/// Version of the summary's JSON.
pub const SCHEMA: u32 = 1;

/// A whole run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Size that was run.
    pub size: Size,
    /// Seed of the run.
    pub seed: u64,
    /// On what it ran.
    pub facts: Facts,
    /// What was selected and could not be run in this kind of time.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
    /// `fifo`, `other`, `none` (only closed loops) or `mixed`: the class that the pacing threads got.
    pub timing_class: String,
    /// What ran.
    pub ran: Ran,
    /// Brands of all cases by grade.
    pub brands: BrandCounts,
    /// Sentences on the whole run, computed from figures.
    pub headlines: Vec<Headline>,
    /// Whether anything failed: the exit code must say so.
    pub failed: bool,
    /// What failed, in plan order.
    pub failures: Vec<Failure>,
    /// Scenarios in plan order.
    pub scenarios: Vec<ScenarioSummary>,
    /// What survives end to end of gains in isolation, in plan order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub survives: Vec<Survival>,
}

/// How much ran.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Ran {
    /// Scenarios in the plan.
    pub scenarios: u32,
    /// Cases in the plan.
    pub cases: u32,
    /// Measured trials in the plan.
    pub trials_planned: u32,
    /// Measured trials that ran to their end.
    pub trials_measured: u32,
    /// Measured trials that were run again because the host had held up their generator; the better of both counts.
    pub trials_repeated: u32,
    /// Trials of any kind that failed or timed out.
    pub trials_failed: u32,
    /// Calibration trials that ran to their end.
    pub calibrations: u32,
    /// Profiled trials that ran to their end.
    pub profiled: u32,
}

/// Brands by grade.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct BrandCounts {
    /// Worth knowing.
    pub note: u32,
    /// Figures are less trustworthy than they look.
    pub degraded: u32,
    /// Figures must not be quoted.
    pub invalid: u32,
}

/// One scenario.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ScenarioSummary {
    /// `group/name`.
    pub name: String,
    /// What is driven.
    pub what: String,
    /// Why it is worth running.
    pub why: String,
    /// The figures it guards.
    pub guards: Vec<String>,
    /// Prose to print under its table; may be empty.
    pub notes: String,
    /// What the load is sent to; several names joined by `, ` if the target is an axis.
    pub target: String,
    /// Its axes, in file order.
    pub axes: Vec<Axis>,
    /// Sentences computed from its figures.
    pub headlines: Vec<Headline>,
    /// Its cases, in plan order.
    pub cases: Vec<CaseSummary>,
    /// Per axis and value (the first value included), in axis order: figures over the matched cases.
    pub axis_values: Vec<AxisValue>,
    /// Per axis and value after the first: ratios against the first value.
    pub comparisons: Vec<Comparison>,
    /// Its variants compared class by class.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<ClassTable>,
    /// Its ways of doing a job, one table per combination of the other axes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub contenders: Vec<ContenderTable>,
    /// What it claims, judged.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<ClaimSummary>,
    /// The profiled trial, if one ran to its end.
    pub profile: Option<ProfileSummary>,
}

/// A profiled trial beside the unprofiled ones of the same case.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ProfileSummary {
    /// Id of the profiled case.
    pub case: String,
    /// Sampler's name.
    pub sampler: String,
    /// Rate asked for, per CPU-second.
    pub hz: u32,
    /// Samples captured.
    pub samples: u64,
    /// Samples captured by samples expected of the CPU time used.
    pub captured_share: Option<f64>,
    /// Share of samples without a named function at the leaf.
    pub unnamed_share: Option<f64>,
    /// File of folded stacks in the run directory.
    pub folded: String,
    /// CPU time of worker processes during the profile, which is not in the picture, ns.
    pub outside_ns: u64,
    /// Response p50 with the profiler on, ns; never quoted as the case's own.
    pub p50_ns: Option<f64>,
    /// Response p99 with the profiler on, ns.
    pub p99_ns: Option<f64>,
    /// p50 with the profiler over the case's p50 without: what profiling costs.
    pub p50_ratio: Option<f64>,
    /// p99 with the profiler over the case's p99 without.
    pub p99_ratio: Option<f64>,
}

/// Something that makes the run fail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// Id of the case.
    pub case: String,
    /// What sort of failure.
    pub kind: FailureKind,
    /// What, and what to do.
    pub why: String,
}

/// Sorts of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// A trial failed or timed out.
    Trial,
    /// Something that had to hold did not.
    Check,
    /// Figures are branded invalid.
    Brand,
}

/// A sentence that the figures carry, with those figures.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Headline {
    /// Scenario; `None` for a sentence on the whole run.
    pub scenario: Option<String>,
    /// The sentence, without a final stop.
    pub text: String,
    /// What it says, as data.
    pub data: HeadlineData,
}

/// The figures of a headline.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum HeadlineData {
    /// How the run went as a whole.
    Run {
        /// What ran.
        ran: Ran,
        /// How many failures.
        failures: u32,
    },
    /// How one case did.
    Case {
        /// Its id.
        case: String,
        /// Response p99, ns.
        p99_ns: Option<f64>,
        /// Goodput per second.
        goodput_per_s: Option<f64>,
        /// Offered rate as a share of its capacity.
        share_of_capacity: Option<f64>,
    },
    /// How a value of an axis compares with the first.
    Comparison {
        /// Short key of the axis.
        axis: String,
        /// The value.
        value: String,
        /// The axis' first value.
        against: String,
        /// What is compared.
        metric: Metric,
        /// Ratio of value over against.
        ratio: f64,
        /// Lower end of its 95 % interval.
        low: Option<f64>,
        /// Upper end of its 95 % interval.
        high: Option<f64>,
        /// Whether the interval excludes 1, and on which side.
        seen: Difference,
    },
}

/// What an interval on a ratio permits to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Difference {
    /// The interval lies on the good side of 1.
    Better,
    /// The interval lies on the bad side of 1.
    Worse,
    /// The interval holds 1, or there is none.
    NoneSeen,
}
