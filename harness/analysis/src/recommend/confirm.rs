//! A prediction put to the test: the recommended settings and the baseline once more, on a payload that the run had not.

use model::plan::{Axis, Case, Plan, Scenario, Size};
use model::{Located, Record};
use serde::Serialize;

use super::{Decision, Measure, Part};
use crate::classes::paired;
use crate::rounds::{self, RoundValue, by_case};
use crate::stats::quotient;
use crate::summary::{Interval, Metric};

/// The axis of a confirmation, and its two values.
const AXIS: &str = "settings";
const PICK: &str = "recommended";
const BASELINE: &str = "baseline";
/// Where the settings of a confirmation come from, in place of a file.
const FROM: &str = "recommend";

/// What is sent in a confirmation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payload {
    /// Its shape, a word that the driver knows.
    pub shape: String,
    /// Its size, bytes.
    pub bytes: u64,
}

/// A figure as it was predicted and as it was measured.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Confirmation {
    /// What was chosen.
    pub part: Part,
    /// Which figure.
    pub measure: Measure,
    /// Recommended by baseline, of the run.
    pub predicted: f64,
    /// Recommended by baseline, of the confirmation, over its rounds.
    pub measured: Interval,
    /// Predicted by measured, less 1; `None` where nothing was measured.
    pub error: Option<f64>,
    /// The recommended candidate's figure in the run, and in the confirmation.
    pub absolute: [Option<f64>; 2],
}

/// The plan that measures recommendation and baseline of each decision that has both: closed loops, `rounds` rounds, the run's own load
/// but for the payload and for `seed`, which has to be another than the run's.
pub fn confirmation(plan: &Plan, decisions: &[Decision], rounds: u32, seed: u64, payload: Option<&Payload>) -> Plan {
    let mut own = Plan { seed, left_out: Vec::new(), scenarios: Vec::new(), cases: Vec::new(), size: Size::Full, ..plan.clone() };
    for decision in decisions {
        let Some((pick, base)) = decision.pair() else { continue };
        let of = |id: &str| plan.cases.iter().find(|case| case.id == id);
        let (Some(pick), Some(base)) = (of(&pick.case), of(&base.case)) else { continue };
        let name = name(decision.contest.part);
        own.scenarios.push(scenario(name));
        // A dictionary is trained on many documents, and one payload is one.
        let payload = payload.filter(|_| decision.contest.part != Part::Rest);
        own.cases.extend([case(pick, name, PICK, rounds, payload), case(base, name, BASELINE, rounds, payload)]);
    }
    own
}

fn name(part: Part) -> &'static str {
    match part {
        Part::Store => "confirm/store",
        Part::Responses => "confirm/responses",
        Part::Rest => "confirm/rest",
    }
}

fn scenario(name: &str) -> Scenario {
    Scenario {
        name: name.to_owned(),
        what: "A recommendation and its baseline on a payload that the run had not".to_owned(),
        why: "A prediction that was never tested is a guess".to_owned(),
        guards: Vec::new(),
        notes: String::new(),
        axes: vec![Axis { key: AXIS.to_owned(), short: AXIS.to_owned(), values: vec![PICK.to_owned(), BASELINE.to_owned()] }],
        profile: false,
        claims: Vec::new(),
        survives: Vec::new(),
    }
}

fn id(scenario: &str, value: &str) -> String {
    format!("{scenario}?{AXIS}={value}")
}

fn case(of: &Case, scenario: &str, value: &str, rounds: u32, payload: Option<&Payload>) -> Case {
    let mut case = Case {
        id: id(scenario, value),
        scenario: scenario.to_owned(),
        axes: vec![(AXIS.to_owned(), value.to_owned())],
        rounds,
        ..of.clone()
    };
    // As where the capacity was taken from; whatever paces the load of the run would hide which one is faster.
    case.load.arrivals.kind = Located::new("closed", FROM, 0);
    case.load.arrivals.with.clear();
    (case.load.rate, case.load.trace) = (None, None);
    // The figures are read here, and bounds on a paced load say nothing of this one.
    case.expect.clear();
    for mix in &mut case.load.mix {
        if let Some(payload) = payload {
            mix.shape = Located::new(payload.shape.clone(), FROM, 0);
            mix.payload_bytes = payload.bytes;
        }
    }
    case
}

/// What the records of [`confirmation`]'s plan say of the predictions.
pub fn confirmations(decisions: &[Decision], records: &[Record]) -> Vec<Confirmation> {
    let trials = by_case(records);
    let mut all = Vec::new();
    for decision in decisions {
        let part = decision.contest.part;
        let of = |value: &str| trials.get(id(name(part), value).as_str()).map(|t| t.measured.clone()).unwrap_or_default();
        let (pick, base) = (of(PICK), of(BASELINE));
        for (measure, predicted) in decision.predicted() {
            let value = |record: &Record| value(measure, record);
            let measured = paired(&pick, &base, &value);
            let error = measured.value.and_then(|measured| quotient(predicted, measured)).map(|ratio| ratio - 1.0);
            let now = crate::classes::interval(pick.iter().map(|record| value(record))).value;
            let absolute = [decision.picked().and_then(|candidate| measure.of(candidate)), now];
            all.push(Confirmation { part, measure, predicted, measured, error, absolute });
        }
    }
    all
}

/// A figure of one trial, as a candidate's is of a run.
fn value(measure: Measure, record: &Record) -> RoundValue {
    match (measure, &record.contender) {
        (Measure::Time, Some(_)) => rounds::metric(Metric::P50, record),
        (Measure::Time, None) => rounds::capacity(record).map(|per_s| 1e9 / per_s),
        (Measure::Cpu, _) => rounds::metric(Metric::CpuPerRequest, record),
        (Measure::Size, Some(c)) => quotient(c.bytes_out as f64, c.bytes_in as f64).ok_or_else(|| "nothing was compressed".to_owned()),
        (Measure::Size, None) => Err("only contenders compress here".to_owned()),
    }
}
