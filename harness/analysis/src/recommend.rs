//! The settings to choose: of what a run measured, what nothing else beats, within a user's constraints.
//!
//! A candidate that keeps sessions is beaten by one of its own durability class only: what loses less may be slower, and is no worse for it.

mod candidates;
mod confirm;
mod types;

use model::Plan;
use model::durability::{Class, Durability};
use model::units::show_ns;
use serde::Serialize;

use crate::Summary;
use crate::stats::quotient;

pub use candidates::contests;
pub use confirm::{Confirmation, Payload, confirmation, confirmations};
pub use types::{Candidate, Constraints, Contest, Crashes, DEFAULTS, Part, Standing, Survive};

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
}

/// Decides all contests of a run.
pub fn advise(plan: &Plan, summary: &Summary, durability: Option<&Durability>, constraints: &Constraints) -> Advice {
    let mut advice = Advice { constraints: *constraints, decisions: Vec::new(), impossible: Vec::new() };
    for contest in contests(plan, summary, durability, constraints) {
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

    /// What the run predicts: each figure of the recommended candidate by that of the baseline.
    pub fn predicted(&self) -> Vec<(Measure, f64)> {
        let Some((pick, base)) = self.pair() else { return Vec::new() };
        let of = |measure: &Measure| Some((*measure, quotient(measure.of(pick)?, measure.of(base)?)?));
        Measure::of_part(self.contest.part).iter().filter_map(of).collect()
    }
}

/// A figure that is predicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// [`Candidate::time_ns`].
    Time,
    /// [`Candidate::cpu_ns`].
    Cpu,
    /// Bytes out of the same bytes in.
    Size,
}

impl Measure {
    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Measure::Time => "time",
            Measure::Cpu => "CPU",
            Measure::Size => "size",
        }
    }

    /// The figures that a part is judged by.
    fn of_part(part: Part) -> &'static [Measure] {
        match part {
            Part::Store => &[Measure::Time, Measure::Cpu],
            Part::Responses | Part::Rest => &[Measure::Cpu, Measure::Size],
        }
    }

    fn of(self, one: &Candidate) -> Option<f64> {
        match self {
            Measure::Time => one.time_ns,
            Measure::Cpu => Some(one.cpu_ns),
            Measure::Size => one.bytes_ratio.map(|ratio| 1.0 / ratio),
        }
    }
}

/// Why `constraints` exclude a candidate; `None` where they do not.
fn excluded(part: Part, one: &Candidate, constraints: &Constraints) -> Option<String> {
    unsafe_for(part, one, constraints.survive).or_else(|| too_slow(part, one, constraints.p99_ns))
}

fn unsafe_for(part: Part, one: &Candidate, survive: Survive) -> Option<String> {
    if part != Part::Store || survive == Survive::Nothing {
        return None;
    }
    let Some(crashes) = one.crashes else { return Some("what a crash costs was not measured".to_owned()) };
    let (class, of) = if survive == Survive::Kill { (crashes.kill, "a kill") } else { (crashes.all, "power loss") };
    (class != Class::Durable).then(|| format!("{} after {of}", class.word()))
}

fn too_slow(part: Part, one: &Candidate, limit: Option<u64>) -> Option<String> {
    let limit = limit? as f64;
    match one.tail_ns(part) {
        Some(ns) if ns <= limit => None,
        Some(ns) => Some(format!("{} {}", one.tail_of(part), show_ns(ns))),
        None => Some("its p99 is not known".to_owned()),
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

/// Why nothing is left, constraint by constraint.
fn impossible(contest: &Contest, constraints: &Constraints) -> String {
    let all = &contest.candidates;
    let lost: Vec<String> = all.iter().filter_map(|c| unsafe_for(contest.part, c, constraints.survive)).collect();
    let safe: Vec<&Candidate> = all.iter().filter(|c| unsafe_for(contest.part, c, constraints.survive).is_none()).collect();
    let mut why = Vec::new();
    if let Some(first) = lost.first() {
        let asked = if constraints.survive == Survive::Kill { "kill" } else { "power-loss" };
        let best = all.iter().filter_map(|c| c.crashes).map(|c| if constraints.survive == Survive::Kill { c.kill } else { c.all }).min();
        let nearest = best.filter(|_| safe.is_empty()).map_or(String::new(), |class| format!(", and the best of them is {}", class.word()));
        why.push(format!("--durable {asked} excludes {} (such as {first}){nearest}", lost.len()));
    }
    if let (Some(limit), false) = (constraints.p99_ns, safe.is_empty()) {
        let nearest = safe.iter().filter_map(|c| c.tail_ns(contest.part)).min_by(f64::total_cmp);
        let nearest = nearest.map_or("no p99 is known".to_owned(), |ns| {
            // Exactly too: what is shown is rounded, and rounded down it could not be met.
            format!("the nearest that can be met is {}, --p99 {}ns", show_ns(ns), ns.ceil())
        });
        let of = if why.is_empty() { format!("all {}", safe.len()) } else { format!("the other {}", safe.len()) };
        why.push(format!("--p99 {} excludes {of}; {nearest}", show_ns(limit as f64)));
    }
    format!("{} ({}): no settings are left of {}: {}", contest.part.name(), contest.at, all.len(), why.join("; "))
}

#[cfg(test)]
mod tests;
