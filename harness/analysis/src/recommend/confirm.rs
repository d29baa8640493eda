//! A prediction put to the test: the recommended settings and the baseline once more, on a payload that the run had not.

use model::plan::{Axis, Case, Plan, Scenario, Size};
use model::units::Rate;
use model::{Located, Record};
use serde::Serialize;

use super::{Candidate, Decision, Measure, Part};
use crate::classes::{interval, paired};
use crate::rounds::by_case;
use crate::schedule::resolve_rate;
use crate::summary::Interval;

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
    /// Recommended by baseline, over the rounds of the run.
    pub predicted: Interval,
    /// The same of the confirmation, over its rounds.
    pub measured: Interval,
    /// How far they are apart; `None` where nothing was measured.
    pub error: Option<Miss>,
    /// The recommended candidate's figure in the run, and in the confirmation.
    pub absolute: [Option<f64>; 2],
    /// Requests sent per second, to the recommended and to the baseline, in the run and in the confirmation; `None` in a closed loop.
    pub per_s: [[Option<f64>; 2]; 2],
}

/// By how much a prediction was off: predicted by measured, less 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Miss {
    /// The error.
    pub value: f64,
    /// Its 95 % interval, from those of both ratios; `None` where one of them has none.
    pub interval: Option<[f64; 2]>,
    /// Whether 0 lies within it: the two differ by no more than their rounds explain.
    pub holds: Option<bool>,
}

impl Miss {
    /// The interval of a quotient from the intervals of its terms, each with its own two halves, on the logarithmic scale (MOVER).
    pub(super) fn of(predicted: &Interval, measured: &Interval) -> Option<Self> {
        let logs = |of: &Interval| Some([of.value?, of.low?, of.high?].map(f64::ln)).filter(|logs| logs.iter().all(|log| log.is_finite()));
        let off = (predicted.value?.ln() - measured.value?.ln()).exp_m1();
        let interval = logs(predicted).zip(logs(measured)).map(|([p, p_low, p_high], [m, m_low, m_high])| {
            let (below, above) = ((p - p_low).hypot(m_high - m), (p_high - p).hypot(m - m_low));
            [p - m - below, p - m + above].map(f64::exp_m1)
        });
        let holds = interval.map(|[low, high]| low <= 0.0 && high >= 0.0);
        Some(Self { value: off, interval, holds }).filter(|miss| miss.value.is_finite())
    }
}

/// The plan that measures recommendation and baseline of each decision that has both, in interleaved rounds under the run's own load, so that the
/// figures are those of the run: only `seed` is another, and the payload where one is given.
pub fn confirmation(run: (&Plan, &[Record]), decisions: &[Decision], rounds: u32, seed: u64, payload: Option<&Payload>) -> Plan {
    let (plan, records) = run;
    let mut own = Plan { seed, left_out: Vec::new(), scenarios: Vec::new(), cases: Vec::new(), size: Size::Full, ..plan.clone() };
    for decision in decisions {
        let Some((pick, base)) = decision.pair() else { continue };
        let of = |one: &Candidate| {
            let case = plan.cases.iter().find(|case| case.id == one.case)?;
            Some((case.clone(), resolve_rate(plan, case, records)))
        };
        let (Some(pick), Some(base)) = (of(pick), of(base)) else { continue };
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
        Part::Group => "confirm/group",
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

fn case((of, per_s): (Case, Option<f64>), scenario: &str, value: &str, rounds: u32, payload: Option<&Payload>) -> Case {
    let axes = vec![(AXIS.to_owned(), value.to_owned())];
    let mut case = Case { id: id(scenario, value), scenario: scenario.to_owned(), axes, rounds, ..of };
    // The figures are read here, and bounds on the run's payload say nothing of another.
    case.expect.clear();
    let Some(payload) = payload else {
        // The very rate of the run: a share of the capacity of these two would be another load.
        if let (Some(Rate::OfCapacity(_)), Some(per_s)) = (case.load.rate, per_s) {
            case.load.rate = Some(Rate::PerSecond(per_s));
        }
        return case;
    };
    // A share of capacity stays one: what the run's payload permits a second may be too much for this one.
    for mix in &mut case.load.mix {
        mix.shape = Located::new(payload.shape.clone(), FROM, 0);
        mix.payload_bytes = payload.bytes;
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
            let measured = paired(&pick, &base, &|record| measure.in_round(record));
            let now = interval(pick.iter().map(|record| measure.in_round(record))).value;
            let absolute = [decision.picked().and_then(|candidate| measure.of(candidate)), now];
            let per_s = [decision.pair().map_or([None; 2], |(pick, base)| [pick.per_s, base.per_s]), [offered(&pick), offered(&base)]];
            let error = Miss::of(&predicted, &measured);
            all.push(Confirmation { part, measure, predicted, measured, error, absolute, per_s });
        }
    }
    all
}

fn offered(trials: &[&Record]) -> Option<f64> {
    trials.iter().find_map(|record| record.offered_per_s)
}
