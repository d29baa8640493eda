//! The figures that candidates are judged by: one definition, for the rounds of a run and for those of its confirmation.

use std::collections::BTreeMap;

use model::Record;
use serde::Serialize;

use super::{Candidate, Decision, Part};
use crate::classes::interval;
use crate::rounds::{self, RoundValue};
use crate::stats::quotient;
use crate::summary::{Interval, Metric};

/// A figure that is predicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// [`Candidate::time_ns`].
    Time,
    /// [`Candidate::cpu_ns`].
    Cpu,
    /// Bytes out of the same bytes in.
    Size,
}

/// The figures of a candidate by round.
pub type ByRound = BTreeMap<u32, BTreeMap<Measure, f64>>;

impl Measure {
    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Measure::Time => "time",
            Measure::Cpu => "CPU",
            Measure::Size => "size",
        }
    }

    /// The figures that a part is judged by, the most important first.
    pub fn of_part(part: Part) -> [Measure; 2] {
        match part {
            Part::Store | Part::Group => [Measure::Time, Measure::Cpu],
            Part::Responses => [Measure::Cpu, Measure::Size],
            Part::Rest => [Measure::Size, Measure::Cpu],
        }
    }

    pub(super) fn of(self, one: &Candidate) -> Option<f64> {
        match self {
            Measure::Time => one.time_ns,
            Measure::Cpu => Some(one.cpu_ns),
            Measure::Size => one.bytes_ratio.map(|ratio| 1.0 / ratio),
        }
    }

    /// The figure of one trial.
    pub(super) fn in_round(self, record: &Record) -> RoundValue {
        match (self, &record.contender) {
            (Measure::Time, _) => rounds::metric(Metric::P50, record),
            (Measure::Cpu, _) => rounds::metric(Metric::CpuPerRequest, record),
            (Measure::Size, Some(c)) => quotient(c.bytes_out as f64, c.bytes_in as f64).ok_or_else(|| "nothing was compressed".to_owned()),
            (Measure::Size, None) => Err("only contenders compress here".to_owned()),
        }
    }
}

/// All figures of all rounds that have them.
pub(super) fn by_round(measured: &[&Record]) -> ByRound {
    let of = |record: &&Record| {
        let all = [Measure::Time, Measure::Cpu, Measure::Size];
        (record.round, all.into_iter().filter_map(|measure| Some((measure, measure.in_round(record).ok()?))).collect())
    };
    measured.iter().map(of).collect()
}

/// One candidate's figure by another's of the same round, over the rounds that have both.
fn paired(measure: Measure, a: &ByRound, b: &ByRound) -> Interval {
    let ratio = |(round, own): (&u32, &BTreeMap<Measure, f64>)| quotient(*own.get(&measure)?, *b.get(round)?.get(&measure)?);
    let mut ratio = interval(a.iter().filter_map(ratio).map(Ok));
    ratio.why_blank = ratio.value.is_none().then(|| "no round of the run has the figure of both".to_owned());
    ratio
}

impl Decision {
    /// What the run predicts: each figure of the recommended candidate by that of the baseline, over the rounds of the run.
    pub fn predicted(&self) -> Vec<(Measure, Interval)> {
        let Some((pick, base)) = self.pair() else { return Vec::new() };
        let of = |measure| (measure, paired(measure, &pick.by_round, &base.by_round));
        Measure::of_part(self.contest.part).into_iter().map(of).filter(|(_, ratio)| ratio.value.is_some()).collect()
    }

    /// Whether the rounds of the run do not tell this candidate from the recommended one in the figure that decides.
    pub fn is_close(&self, at: usize) -> bool {
        let [first, _] = Measure::of_part(self.contest.part);
        let other = self.contest.candidates.get(at).filter(|_| at != self.pick);
        other.zip(self.picked()).is_some_and(|(other, pick)| {
            let ratio = paired(first, &other.by_round, &pick.by_round);
            ratio.low.zip(ratio.high).is_some_and(|(low, high)| low <= 1.0 && high >= 1.0)
        })
    }
}
