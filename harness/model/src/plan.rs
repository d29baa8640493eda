//! The plan: what will run, with every value resolved, before anything runs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::claim::Claim;
use crate::settings::Located;
use crate::survives::Survives;
use crate::trace::Trace;
use crate::units::Rate;

/// Version of the plan's, record's and report's JSON.
pub const SCHEMA: u32 = 1;

/// The two sizes of every scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Size {
    /// Short: is it right?
    Smoke,
    /// Long enough for the figures.
    Full,
}

impl Size {
    /// `smoke` or `full`.
    pub fn name(self) -> &'static str {
        match self {
            Size::Smoke => "smoke",
            Size::Full => "full",
        }
    }
}

/// Everything a run will do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Size that was asked for.
    pub size: Size,
    /// Seed of the whole run: order of cases, schedules, payloads, jitter.
    pub seed: u64,
    /// Whether trials are simulated instead of run.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub virtual_time: bool,
    /// What was selected and cannot be run in this kind of time, a sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
    /// Scenarios that have cases here, by name.
    pub scenarios: Vec<Scenario>,
    /// Cases in the order of scenario and axis values.
    pub cases: Vec<Case>,
}

impl Plan {
    /// The scenario of that name.
    pub fn scenario(&self, name: &str) -> Option<&Scenario> {
        self.scenarios.iter().find(|s| s.name == name)
    }

    /// The cases of a scenario, in plan order.
    pub fn cases_of<'a>(&'a self, scenario: &'a str) -> impl Iterator<Item = &'a Case> + 'a {
        self.cases.iter().filter(move |c| c.scenario == scenario)
    }
}

/// What a scenario file says to its reader.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// `group/name`, from the file's path.
    pub name: String,
    /// What is driven.
    pub what: String,
    /// Why it is worth running.
    pub why: String,
    /// The figures it guards, such as `response.p99`.
    pub guards: Vec<String>,
    /// Prose printed under its table; may be empty.
    pub notes: String,
    /// Axes in file order.
    pub axes: Vec<Axis>,
    /// Whether one more, profiled trial of its first case is run.
    pub profile: bool,
    /// What it claims.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<Claim>,
    /// Gains in isolation that its own are held against.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub survives: Vec<Survives>,
}

/// A setting given several values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Axis {
    /// Dotted path of the setting.
    pub key: String,
    /// Shortest unambiguous tail of the key, as in case ids.
    pub short: String,
    /// Values as typed, in file order; the first is the one the others are compared with.
    pub values: Vec<String>,
}

/// A scenario with every axis fixed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// `group/name?short=value&…`, unique in the plan.
    pub id: String,
    /// Name of its scenario.
    pub scenario: String,
    /// `(short key, value)` of each axis, in axis order.
    pub axes: Vec<(String, String)>,
    /// What the load is sent to: a name in the driver's `TARGETS`.
    pub target: Located,
    /// The settings given, by dotted key, values canonical: durations in ns, sizes in bytes.
    pub settings: BTreeMap<String, Located>,
    /// The load.
    pub load: Load,
    /// What goes wrong on purpose.
    pub faults: Vec<Fault>,
    /// What must hold in every trial.
    pub expect: Vec<Expectation>,
    /// Measured trials.
    pub rounds: u32,
    /// A trial that takes longer is killed, ns.
    pub timeout_ns: u64,
}

/// The load of a case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Load {
    /// Arrival process: a kind in the driver's `ARRIVALS`.
    pub arrivals: Kind,
    /// Rate of arrivals, the highest one where it varies between given rates; `None` for a closed loop and a trace.
    pub rate: Option<Rate>,
    /// The arrivals themselves, where they are replayed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<Trace>,
    /// Concurrent clients; for a closed loop and for calibration.
    pub clients: u32,
    /// Time before the measured window, ns.
    pub warmup_ns: u64,
    /// The measured window, ns.
    pub length_ns: u64,
    /// Number of sessions; 0 for requests without one.
    pub sessions: u32,
    /// How sessions are chosen: `uniform` or `zipf EXPONENT`.
    pub popularity: Located,
    /// What the client accepts, as in `Accept-Encoding`.
    pub accept: String,
    /// The factor by which all durations were multiplied already; `None` where the file gives none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_scale: Option<f64>,
    /// The requests, by share.
    pub mix: Vec<Mix>,
}

/// A named kind with its parameters, parsed by the owner of the kind's table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kind {
    /// The kind's name.
    pub kind: Located,
    /// Its parameters.
    pub with: BTreeMap<String, Located>,
}

/// A fault to inject: a kind in the driver's `FAULTS`.
pub type Fault = Kind;

/// One sort of request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mix {
    /// The tool called.
    pub tool: Located,
    /// Share of all requests; the shares of a load sum to 1.
    pub share: f64,
    /// Shape of the payload: a name in the driver's `SHAPES`.
    pub shape: Located,
    /// Size of the payload in bytes.
    pub payload_bytes: u64,
    /// Service time: a text for the pool's `SERVICE_TIMES`.
    pub service: Located,
    /// Whether a worker sleeps or spins for the service time: `sleep` or `spin`.
    pub work: Located,
    /// Deadline from the intended start, ns.
    pub deadline_ns: Option<u64>,
}

/// Something that must hold in every trial: a figure within bounds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// What: `outcomes.ok`, `deaths`, `digest`, `sessions`, …
    pub figure: String,
    /// As typed, with its place.
    pub says: Located,
    /// Lowest permitted value; a share 0..=1 where `share` is set.
    pub at_least: Option<f64>,
    /// Highest permitted value.
    pub at_most: Option<f64>,
    /// Whether the figure is taken as a share of all measured requests.
    pub share: bool,
}
