//! What survives of a gain: the same settings measured alone and end to end, in one run.

use std::collections::BTreeMap;

use model::Plan;
use model::claim::{Choice, Claim, Durability as Rule};
use model::durability::Durability;
use model::survives::{Pick, Sides, Survives};

use crate::claims;
use crate::compare::Subject;
use crate::rounds::Trials;
use crate::summary::{ClaimPair, Gain, ScenarioSummary, Share, Survival};

/// All pairs of the plan, in its order; `judged` are the summaries of its scenarios.
pub(crate) fn survivals(
    plan: &Plan,
    judged: &[ScenarioSummary],
    by_case: &BTreeMap<&str, Trials<'_>>,
    durability: Option<&Durability>,
) -> Vec<Survival> {
    let run = Run { plan, judged, by_case, durability };
    plan.scenarios.iter().flat_map(|scenario| &scenario.survives).map(|asked| run.survival(asked)).collect()
}

struct Run<'a> {
    plan: &'a Plan,
    judged: &'a [ScenarioSummary],
    by_case: &'a BTreeMap<&'a str, Trials<'a>>,
    durability: Option<&'a Durability>,
}

impl Run<'_> {
    fn survival(&self, asked: &Survives) -> Survival {
        let lacks = self.lacks(asked);
        let gain = |sides: &Sides, metric: &str| self.pair(asked, sides, metric).ok_or_else(|| lacks.clone());
        let told = |pair: &Result<ClaimPair, String>| match pair {
            Ok(pair) => Gain::from(pair),
            Err(why) => Gain { why: why.clone(), ..Gain::default() },
        };
        let isolated = told(&gain(&asked.isolated, "time-per-operation"));
        let whole = gain(&asked.whole, "response.p50");
        let (p50, p99) = (told(&whole), told(&gain(&asked.whole, "response.p99")));
        let beside = |pair: &ClaimPair| pair.beside.iter().filter(|b| *b == "at lower durability").cloned().collect();
        Survival {
            says: asked.says.value.clone(),
            place: asked.says.place(),
            phase: asked.phase.clone(),
            scenario: asked.whole.scenario.clone(),
            isolated_scenario: asked.isolated.scenario.clone(),
            isolated_of: differing(&asked.isolated.of, &asked.isolated.over),
            isolated_over: differing(&asked.isolated.over, &asked.isolated.of),
            phase_p50: told(&gain(&asked.whole, &format!("phase.{}.p50", asked.phase))),
            p50_share: share(&isolated, &p50),
            p99_share: share(&isolated, &p99),
            durability: whole.as_ref().ok().and_then(|pair| pair.durability.clone()),
            beside: whole.as_ref().map(beside).unwrap_or_default(),
            isolated,
            p50,
            p99,
        }
    }

    /// The two cases held against each other as a claim of any gain would be; `None` where the run has not both.
    fn pair(&self, asked: &Survives, sides: &Sides, metric: &str) -> Option<ClaimPair> {
        let claim = Claim {
            says: asked.says.clone(),
            metric: metric.to_owned(),
            of: choice(&sides.of),
            over: choice(&sides.over),
            at_least: Some(1.0),
            at_most: None,
            repeat: Vec::new(),
            durability: Rule::Any,
        };
        let scenario = self.judged.iter().find(|s| s.name == sides.scenario)?;
        let with_trials = |case| Some(Subject { case, trials: self.by_case.get(case.id.as_str())? });
        let subjects: Vec<Subject<'_>> = scenario.cases.iter().filter_map(with_trials).collect();
        let judged = claims::judge(std::slice::from_ref(&claim), &subjects, &self.plan.cases, self.durability);
        judged.into_iter().next()?.pairs.into_iter().next()
    }

    /// What to run for a pair that is not there.
    fn lacks(&self, asked: &Survives) -> String {
        let name = |sides: &Sides| format!("-f '^{}'", sides.scenario);
        format!("the run lacks these cases: `poolbench run {} {} --rounds 8` has them", name(&asked.isolated), name(&asked.whole))
    }
}

fn choice(pick: &Pick) -> Choice {
    pick.iter().map(|(axis, value)| (axis.clone(), vec![value.clone()])).collect()
}

/// The values that the other side does not have.
fn differing(pick: &Pick, other: &Pick) -> String {
    let parts: Vec<String> = pick.iter().filter(|pair| !other.contains(pair)).map(|(axis, value)| format!("{axis}={value}")).collect();
    parts.join(" ")
}

/// `ln(gain end to end) / ln(gain in isolation)`, and what any two gains within both intervals would give: wider than an interval of the
/// quotient would be, and right whether or not the two are independent.
fn share(isolated: &Gain, whole: &Gain) -> Share {
    let blank = |why: &str| Share { why: why.to_owned(), ..Share::default() };
    let (Some(alone), Some(alone_low), Some(alone_high)) = (isolated.gain, isolated.low, isolated.high) else {
        return blank("no gain in isolation was measured");
    };
    if !isolated.is_there() {
        return blank("the interval in isolation holds no gain");
    }
    let (Some(gain), Some(low), Some(high)) = (whole.gain, whole.low, whole.high) else {
        return blank("no gain end to end was measured");
    };
    let ends = [low, high].map(|end| [alone_low, alone_high].map(|by| end.ln() / by.ln()));
    let ends = ends.as_flattened();
    Share {
        share: Some(gain.ln() / alone.ln()),
        low: Some(ends.iter().copied().fold(f64::INFINITY, f64::min)),
        high: Some(ends.iter().copied().fold(f64::NEG_INFINITY, f64::max)),
        inconclusive: !whole.is_there(),
        why: String::new(),
    }
}

#[cfg(test)]
mod tests;
