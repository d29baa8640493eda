//! Claims judged: a gain per matched pair of cases, with an interval over interleaved rounds that a repeat widens.

mod value;

use std::collections::BTreeMap;

use model::claim::{AGAIN, Choice, Claim, Durability as Rule, more_is_better};
use model::durability::{Class, Durability, settings_of};
use model::{Case, Record};

use crate::compare::Subject;
use crate::stats::{mean, quotient};
use crate::summary::{CaseSummary, ClaimPair, ClaimSummary, ClaimVerdict, Grade};

/// Confidence of the interval: each side is wrong in one of 200, so that of 200 comparisons of the same thing at most two are called different.
const LEVEL: f64 = 0.99;
/// Rounds without which nothing is judged.
const LEAST_ROUNDS: usize = 3;
/// What is said beside the verdict of a pair that nothing was measured twice for.
const NO_REPEAT: &str = "without a repeat: its interval has no floor";
/// Share of requests that may have another outcome in one case than in the other.
const OUTCOME_GAP: f64 = 0.01;

/// Judges all claims of a scenario; `planned` are the plan's cases.
pub(crate) fn judge<'a>(
    claims: &'a [Claim],
    subjects: &'a [Subject<'a>],
    planned: &'a [Case],
    durability: Option<&'a Durability>,
) -> Vec<ClaimSummary> {
    claims.iter().map(|claim| Judge { claim, subjects, planned, durability }.summary()).collect()
}

/// Whether a case has the values of a choice.
fn chosen(choice: &Choice, case: &CaseSummary) -> bool {
    choice.iter().all(|(axis, values)| case.axes.iter().any(|(key, value)| key == axis && values.contains(value)))
}

/// The axes of a case that `keep` takes, as in its id.
fn named(case: &CaseSummary, keep: impl Fn(&str) -> bool) -> String {
    let parts: Vec<String> = case.axes.iter().filter(|(key, _)| keep(key)).map(|(key, value)| format!("{key}={value}")).collect();
    parts.join(" ")
}

/// Equal in all axes that `keep` takes.
fn agree(a: &CaseSummary, b: &CaseSummary, keep: impl Fn(&str) -> bool) -> bool {
    a.axes.iter().filter(|(key, _)| keep(key)).all(|pair| b.axes.contains(pair))
}

struct Judge<'a> {
    claim: &'a Claim,
    subjects: &'a [Subject<'a>],
    planned: &'a [Case],
    durability: Option<&'a Durability>,
}

impl Judge<'_> {
    fn names_axis(&self, axis: &str) -> bool {
        self.claim.of.iter().any(|(named, _)| named == axis)
    }

    fn summary(&self) -> ClaimSummary {
        let claim = self.claim;
        let mut pairs = Vec::new();
        for of in self.subjects.iter().filter(|s| chosen(&claim.of, s.case)) {
            let others = self.subjects.iter().filter(|s| chosen(&claim.over, s.case) && s.case.id != of.case.id);
            pairs.extend(others.filter(|over| agree(of.case, over.case, |axis| !self.names_axis(axis))).map(|over| self.pair(of, over)));
        }
        ClaimSummary {
            says: claim.says.value.clone(),
            place: claim.says.place(),
            metric: claim.metric.clone(),
            more_is_better: more_is_better(&claim.metric).unwrap_or(false),
            at_least: claim.at_least,
            at_most: claim.at_most,
            equal_durability: claim.durability == Rule::Equal,
            pairs,
        }
    }

    fn pair(&self, of: &Subject<'_>, over: &Subject<'_>) -> ClaimPair {
        let differs = |axis: &str| !agree(of.case, over.case, |key| key == axis);
        let classes = self.class(of).zip(self.class(over));
        let mut beside = Vec::new();
        let mut found = ClaimPair {
            of: of.case.id.clone(),
            over: over.case.id.clone(),
            of_name: named(of.case, differs),
            over_name: named(over.case, differs),
            matched: named(of.case, |axis| !differs(axis)),
            gain: None,
            low: None,
            high: None,
            rounds: 0,
            repeat_spread: None,
            verdict: ClaimVerdict::Refused,
            why: String::new(),
            durability: classes.map(|(a, b)| (a.word().to_owned(), b.word().to_owned())),
            beside: Vec::new(),
        };
        // Classes go from the best to the worst.
        let lower = classes.is_some_and(|(a, b)| a > b);
        match self.refusal(of, over, lower, classes.is_some()) {
            Err(why) => found.why = why,
            Ok(logs) => self.judged(&mut found, &logs, self.repeat_spread(of, over)),
        }
        if lower {
            beside.push("at lower durability".to_owned());
        }
        if found.repeat_spread.is_none() && found.verdict != ClaimVerdict::Refused {
            beside.push(NO_REPEAT.to_owned());
        }
        found.beside = beside;
        found
    }

    /// The gains of the rounds as logarithms, or why the pair is not judged.
    fn refusal(&self, of: &Subject<'_>, over: &Subject<'_>, lower: bool, classed: bool) -> Result<Vec<f64>, String> {
        let invalid =
            |s: &Subject<'_>| s.case.brands.iter().find(|b| b.grade == Grade::Invalid).map(|b| format!("{}: {}", b.name, b.reason));
        if let Some(why) = invalid(of).or_else(|| invalid(over)) {
            return Err(why);
        }
        if of.case.timing_class != over.case.timing_class {
            return Err(format!("timing classes differ: {} and {}", of.case.timing_class, over.case.timing_class));
        }
        if let Some(why) = outcomes_apart(of.case, over.case) {
            return Err(why);
        }
        if self.claim.durability == Rule::Equal && lower {
            return Err("its durability is lower, and the claim is about equal durability".to_owned());
        }
        if self.claim.durability == Rule::Equal && !classed {
            return Err("its durability is not known: `poolbench durability --into RUN` tests it".to_owned());
        }
        let logs = self.gains(of, over)?;
        if logs.len() < LEAST_ROUNDS {
            return Err(format!("{} rounds on both sides (at least {LEAST_ROUNDS} are needed)", logs.len()));
        }
        Ok(logs)
    }

    /// Per round that both sides have: the logarithm of the gain.
    fn gains(&self, of: &Subject<'_>, over: &Subject<'_>) -> Result<Vec<f64>, String> {
        let metric = self.claim.metric.as_str();
        let (a, b) = (value::by_round(metric, of.trials), value::by_round(metric, over.trials));
        let why = |values: &BTreeMap<u32, Result<f64, String>>| values.values().find_map(|v| v.clone().err());
        let sign = if more_is_better(metric).unwrap_or(false) { 1.0 } else { -1.0 };
        let log = |(round, x): (&u32, &Result<f64, String>)| {
            let ratio = quotient(*x.as_ref().ok()?, *b.get(round)?.as_ref().ok()?).filter(|r| *r > 0.0)?;
            Some(sign * ratio.ln())
        };
        let logs: Vec<f64> = a.iter().filter_map(log).collect();
        match why(&a).or_else(|| why(&b)) {
            Some(why) if logs.is_empty() => Err(why),
            _ => Ok(logs),
        }
    }

    fn judged(&self, found: &mut ClaimPair, logs: &[f64], spread: Option<f64>) {
        found.rounds = logs.len() as u32;
        let Some((centre, half)) = stats::student::interval(LEVEL, logs) else {
            "the rounds give no interval".clone_into(&mut found.why);
            return;
        };
        // What varies from round to round is in the interval; what does not, a repeat shows.
        let half = half + spread.unwrap_or(0.0);
        let (low, high) = ((centre - half).exp(), (centre + half).exp());
        if !low.is_finite() || !high.is_finite() {
            "the rounds give no interval".clone_into(&mut found.why);
            return;
        }
        (found.gain, found.low, found.high) = (Some(centre.exp()), Some(low), Some(high));
        found.repeat_spread = spread.map(f64::exp);
        found.verdict = verdict(low, high, self.claim.at_least, self.claim.at_most);
    }

    /// How far the same thing was from itself, as a logarithm: over repeats of either side, or else over those of the same matched axes, the
    /// largest.
    fn repeat_spread(&self, of: &Subject<'_>, over: &Subject<'_>) -> Option<f64> {
        let here = |s: &&Subject<'_>| agree(of.case, s.case, |axis| !self.names_axis(axis));
        let mut own: Option<f64> = None;
        let mut any: Option<f64> = None;
        for first in self.subjects.iter().filter(here) {
            for (axis, value) in &first.case.axes {
                for second in self.subjects.iter().filter(|s| self.repeats(axis, value, first.case, s.case)) {
                    let Some(distance) = self.gains(first, second).ok().and_then(|logs| mean(&logs)).map(f64::abs) else { continue };
                    let kept = if [&of.case.id, &over.case.id].contains(&&first.case.id) { &mut own } else { &mut any };
                    *kept = Some(kept.map_or(distance, |other| other.max(distance)));
                }
            }
        }
        own.or(any)
    }

    /// Whether `second` is `first` once more: its value of `axis` repeats `value`, all others are equal.
    fn repeats(&self, axis: &str, value: &str, first: &CaseSummary, second: &CaseSummary) -> bool {
        let Some((_, other)) = second.axes.iter().find(|(key, _)| key == axis) else { return false };
        let pair = if self.claim.repeat.is_empty() {
            other.strip_suffix(AGAIN) == Some(value)
        } else {
            self.claim.repeat.iter().any(|(key, a, b)| key == axis && a == value && b == other)
        };
        pair && agree(first, second, |key| key != axis)
    }

    /// The durability class of a case: of what its store said of itself, else of what its settings say.
    fn class(&self, subject: &Subject<'_>) -> Option<Class> {
        let tested = self.durability?;
        let seen = subject.trials.measured.iter().find_map(|r: &&Record| tested.row_of(&r.seen));
        if let Some(row) = seen {
            return Some(row.class());
        }
        let settings = settings_of_case(self.planned.iter().find(|case| case.id == subject.case.id)?)?;
        tested.rows.iter().find(|row| row.settings == settings).map(model::durability::Row::class)
    }
}

/// The two settings that decide what a crash costs, of a case that writes to SQLite without the store around it.
fn settings_of_case(case: &Case) -> Option<BTreeMap<String, String>> {
    let said = |key: &str| case.settings.get(key).map(|v| v.value.clone());
    said("contender.job").filter(|job| job.starts_with("sqlite"))?;
    let seen = BTreeMap::from([
        ("kind".to_owned(), "sqlite".to_owned()),
        ("sqlite.journal_mode".to_owned(), said("store.sqlite.journal-mode")?),
        ("sqlite.synchronous".to_owned(), said("store.sqlite.synchronous")?),
    ]);
    settings_of(&seen)
}

/// What the interval of a gain says of the bounds.
fn verdict(low: f64, high: f64, at_least: Option<f64>, at_most: Option<f64>) -> ClaimVerdict {
    let (least, most) = (at_least.unwrap_or(0.0), at_most.unwrap_or(f64::INFINITY));
    if low >= least && high <= most {
        ClaimVerdict::Holds
    } else if high < least || low > most {
        ClaimVerdict::Refuted
    } else {
        ClaimVerdict::Inconclusive
    }
}

/// Latencies and costs of unlike outcomes are those of unlike work.
fn outcomes_apart(a: &CaseSummary, b: &CaseSummary) -> Option<String> {
    let share = |case: &CaseSummary, name: &str| case.outcomes.iter().find(|o| o.outcome == name).map_or(0.0, |o| o.share);
    let names = a.outcomes.iter().chain(&b.outcomes).map(|o| o.outcome.as_str());
    let apart = names.into_iter().find(|name| (share(a, name) - share(b, name)).abs() > OUTCOME_GAP)?;
    Some(format!("outcomes differ: {:.1} % and {:.1} % {apart}", share(a, apart) * 100.0, share(b, apart) * 100.0))
}

#[cfg(test)]
mod tests;
