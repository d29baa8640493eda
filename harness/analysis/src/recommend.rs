//! The settings to choose: of what a run measured, what nothing else beats, within a user's constraints.
//!
//! A candidate that keeps sessions is beaten by one of its own durability class only: what loses less may be slower, and is no worse for it.

mod candidates;
mod confirm;
mod impossible;
mod measure;
mod types;
mod ways;

use model::durability::Class;
use serde::Serialize;

pub use candidates::contests;
pub use confirm::{Confirmation, Miss, Payload, confirmation, confirmations};
pub use measure::{ByRound, Measure};
pub use types::{Candidate, Constraints, Contest, Crashes, DEFAULTS, Evidence, Part, Standing, Survive};

use impossible::{excluded, impossible};

/// A contest decided.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Decision {
    /// What was compared.
    pub contest: Contest,
    /// One per candidate.
    pub standings: Vec<Standing>,
    /// The recommended one.
    pub pick: usize,
    /// The one to compare it with: the defaults, else the first that is another.
    pub baseline: Option<usize>,
}

/// What is recommended of a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Advice {
    /// What was asked for.
    pub constraints: Constraints,
    /// One per part that the run has several settings of and that the constraints leave some of.
    pub decisions: Vec<Decision>,
    /// Why there is none of a part, a sentence each.
    pub impossible: Vec<String>,
    /// What was measured and is no setting, a sentence each.
    pub left_out: Vec<String>,
}

/// Decides all contests of a run.
pub fn advise(evidence: &Evidence<'_>, constraints: &Constraints) -> Advice {
    let left_out = ways::left_out(evidence.summary);
    let mut advice = Advice { constraints: *constraints, decisions: Vec::new(), impossible: Vec::new(), left_out };
    for contest in contests(evidence, constraints) {
        match decide(contest, constraints) {
            Ok(decision) => advice.decisions.push(decision),
            Err(why) => advice.impossible.push(why),
        }
    }
    advice
}

impl Decision {
    /// The recommended candidate and the one that it is compared with.
    pub fn pair(&self) -> Option<(&Candidate, &Candidate)> {
        Some((self.contest.candidates.get(self.pick)?, self.contest.candidates.get(self.baseline?)?))
    }

    /// The recommended candidate.
    pub fn picked(&self) -> Option<&Candidate> {
        self.contest.candidates.get(self.pick)
    }
}

/// Whether `a` is no worse than `b` in anything and better in something.
fn beats(a: [f64; 2], b: [f64; 2]) -> bool {
    a.iter().zip(&b).all(|(a, b)| a <= b) && a.iter().zip(&b).any(|(a, b)| a < b)
}

/// Decides a contest.
///
/// # Errors
/// Which constraint excludes how many, and the nearest value that can be met, where no candidate is left.
pub fn decide(contest: Contest, constraints: &Constraints) -> Result<Decision, String> {
    let part = contest.part;
    let mut standings: Vec<Standing> =
        contest.candidates.iter().map(|c| excluded(part, c, constraints).map_or(Standing::Optimal, Standing::Excluded)).collect();
    let allowed: Vec<(usize, [f64; 2], Option<Class>)> = (contest.candidates.iter().enumerate())
        .filter(|(at, _)| standings.get(*at) == Some(&Standing::Optimal))
        .map(|(at, c)| (at, c.objectives(part), c.crashes.map(|crashes| crashes.all)))
        .collect();
    for (at, own, class) in &allowed {
        // The best of those that beat it, which nothing beats.
        let better = allowed.iter().filter(|(_, other, of)| of == class && beats(*other, *own));
        if let (Some((by, ..)), Some(standing)) = (better.min_by(|a, b| order(a.1, b.1)), standings.get_mut(*at)) {
            *standing = Standing::Beaten(*by);
        }
    }
    let Some((pick, ..)) = allowed.iter().min_by(|a, b| order(a.1, b.1)).copied() else {
        return Err(impossible(&contest, constraints));
    };
    let baseline = baseline(&contest.candidates, pick);
    Ok(Decision { contest, standings, pick, baseline })
}

fn order(a: [f64; 2], b: [f64; 2]) -> std::cmp::Ordering {
    let [(a0, a1), (b0, b1)] = [(a[0], a[1]), (b[0], b[1])];
    a0.total_cmp(&b0).then(a1.total_cmp(&b1))
}

/// The candidate of the defaults; of another kind of store if need be; else the first.
fn baseline(all: &[Candidate], pick: usize) -> Option<usize> {
    let default = |but: &str, one: &Candidate| {
        DEFAULTS.iter().filter(|(key, _)| *key != but).all(|(key, value)| one.settings.get(*key).is_none_or(|own| own == value))
    };
    let other = || all.iter().enumerate().filter(|(at, _)| *at != pick);
    let of = |but: &str| other().find(|(_, one)| default(but, one));
    of("").or_else(|| of("store.kind")).or_else(|| other().next()).map(|(at, _)| at)
}

#[cfg(test)]
mod tests;
