//! The settings to choose: of what a run measured, what nothing else beats, within a user's constraints.
//!
//! A candidate that keeps sessions is beaten by one of its own durability class only: what loses less may be slower, and is no worse for it.

mod candidates;
mod confirm;

use std::collections::BTreeMap;

use model::Plan;
use model::durability::{Class, Durability};
use model::units::show_ns;
use serde::Serialize;

use crate::Summary;
use crate::stats::quotient;

pub use candidates::contests;
pub use confirm::{Confirmation, Payload, confirmation, confirmations};

/// The values that the product has by default, of the settings that distinguish candidates.
pub const DEFAULTS: &[(&str, &str)] = &[
    ("store.kind", "files"),
    ("store.files.api", "std"),
    ("store.files.write", "rename"),
    ("store.files.sync", "file-and-dir"),
    ("store.sqlite.journal-mode", "wal"),
    ("store.sqlite.synchronous", "full"),
    ("store.sqlite.cache-size", "-2000"),
    ("store.compress", "none"),
    ("store.dictionary", "none"),
    ("compress.offer", "zstd, gzip"),
    ("compress.gzip-level", "6"),
    ("compress.zstd-level", "3"),
];

/// What is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// How sessions are saved: time first, then CPU.
    Store,
    /// How responses are compressed: CPU first, then size.
    Responses,
    /// How stored sessions are compressed: size first, then CPU.
    Rest,
}

impl Part {
    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Part::Store => "session store",
            Part::Responses => "compression of responses",
            Part::Rest => "compression of stored sessions",
        }
    }
}

/// After what no acknowledged save may be lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Survive {
    /// Nothing is asked.
    Nothing,
    /// The death of the process.
    Kill,
    /// That, and the loss of power.
    PowerLoss,
}

/// What a user asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Constraints {
    /// What has to be survived; asked of the session store only.
    pub survive: Survive,
    /// Greatest 99th percentile of an operation's time, ns.
    pub p99_ns: Option<u64>,
    /// Size of the payload that the choice is for, bytes: contests of another size are left out where one is nearer.
    pub payload_bytes: Option<u64>,
}

impl Default for Constraints {
    fn default() -> Self {
        Self { survive: Survive::PowerLoss, p99_ns: None, payload_bytes: None }
    }
}

/// What crashes were seen to cost under a candidate's settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crashes {
    /// After a kill alone.
    pub kill: Class,
    /// After the worst of all crashes.
    pub all: Class,
}

/// Settings that were measured.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Candidate {
    /// Id of the case.
    pub case: String,
    /// What to set, by dotted key.
    pub settings: BTreeMap<String, String>,
    /// Wall time of an operation, ns: of a whole request that at capacity, of a contender the median. A store has one, a codec that was seldom
    /// called may have none.
    pub time_ns: Option<f64>,
    /// Trials behind it: of a capacity those of the calibration.
    pub time_rounds: u32,
    /// 99th percentile of it at the scenario's load, ns; `None` on too few samples.
    pub p99_ns: Option<f64>,
    /// The longest of all rounds, ns, which the p99 of those that were measured cannot pass.
    pub max_ns: Option<f64>,
    /// CPU time of an operation, ns.
    pub cpu_ns: f64,
    /// Bytes in by bytes out; of codecs only.
    pub bytes_ratio: Option<f64>,
    /// Rounds behind the other figures.
    pub rounds: u32,
    /// What a crash costs; `None` for codecs and where it was not measured.
    #[serde(skip)]
    pub crashes: Option<Crashes>,
    /// The class of it, in the report's word.
    pub class: Option<&'static str>,
}

impl Candidate {
    /// What a limit on p99 is held against, ns: the p99; where too few samples carry one, of a store the longest time, which is more, and of a codec the
    /// CPU time, since it is but a part of the request that the limit is about.
    pub fn tail_ns(&self, part: Part) -> Option<f64> {
        self.p99_ns.or(if part == Part::Store { self.max_ns } else { Some(self.cpu_ns) })
    }

    /// What that is.
    fn tail_of(&self, part: Part) -> &'static str {
        match (self.p99_ns, part) {
            (Some(_), _) => "its p99 is",
            (None, Part::Store) => "too few samples carry a p99, and the longest was",
            (None, _) => "its CPU time alone is",
        }
    }

    /// What is to be small, the most important first.
    pub fn objectives(&self, part: Part) -> [f64; 2] {
        let size = 1.0 / self.bytes_ratio.unwrap_or(1.0);
        match part {
            Part::Store => [self.time_ns.unwrap_or(f64::INFINITY), self.cpu_ns],
            Part::Responses => [self.cpu_ns, size],
            Part::Rest => [size, self.cpu_ns],
        }
    }
}

/// Candidates that were measured under one load.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Contest {
    /// What is chosen.
    pub part: Part,
    /// The scenarios and their load, in words.
    pub at: String,
    /// Size of the payload, bytes.
    pub payload_bytes: u64,
    /// In plan order, no two of the same settings.
    pub candidates: Vec<Candidate>,
}

/// How a candidate stands.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Nothing of its class that is allowed beats it.
    Optimal,
    /// The one with this index is no worse in anything and better in something.
    Beaten(usize),
    /// A constraint excludes it.
    Excluded(String),
}

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
        let nearest = nearest.map_or("no p99 is known".to_owned(), |ns| format!("the nearest that can be met is {}", show_ns(ns)));
        let of = if why.is_empty() { format!("all {}", safe.len()) } else { format!("the other {}", safe.len()) };
        why.push(format!("--p99 {} excludes {of}; {nearest}", show_ns(limit as f64)));
    }
    format!("{} ({}): no settings are left of {}: {}", contest.part.name(), contest.at, all.len(), why.join("; "))
}

#[cfg(test)]
mod tests;
