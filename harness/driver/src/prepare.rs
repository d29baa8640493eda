//! Every knob of a case parsed by its owner, before the first run.

use std::collections::BTreeMap;
use std::fmt;

use coordinator::Config;
use model::KnownKinds;
use model::plan::{Case, Mix, Plan};
use model::settings::{Located, SettingRow};
use model::units;
use pool::ServiceTime;
use pool::config::{AffinityMode, Dispatch, Predict};
use pool::core::{Outcome, Partition, Tier};
use pool::times::Phase;
use rand_distr::Zipf;

use crate::arrivals::{ARRIVALS, Arrivals, RATES};
use crate::contender::{self, Chosen};
use crate::faults::{FAULTS, Fault};
use crate::launch::Lengths;
use crate::payload::{self, SHAPES};
use crate::schedule::{Popularity, Sort};
use crate::target::{CONTENDER, TARGETS};

/// Requests that one slice may hold: its rows are kept in memory until the record is made.
pub(crate) const REQUESTS_MAX: f64 = 2e6;

/// Something wrong with a case, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Problem {
    /// File, or `-s`.
    pub file: String,
    /// Line, from 1; 0 for none.
    pub line: u32,
    /// What is wrong and what was expected.
    pub what: String,
    /// What to do, if more is to be said.
    pub help: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.file, self.what),
            line => write!(f, "{}:{line}: {}", self.file, self.what),
        }
    }
}

impl Problem {
    pub(crate) fn at(place: &Located, what: impl Into<String>) -> Self {
        Self { file: place.file.clone(), line: place.line, what: what.into(), help: None }
    }

    /// An unknown word, with the nearest valid one.
    pub(crate) fn unknown<'a>(place: &Located, what: &str, word: &str, valid: impl Iterator<Item = &'a str>) -> Self {
        let valid: Vec<&str> = valid.collect();
        let near = valid.iter().max_by(|a, b| strsim::jaro_winkler(word, a).total_cmp(&strsim::jaro_winkler(word, b)));
        let near = near.map(|n| format!(" (did you mean '{n}'?)")).unwrap_or_default();
        let mut problem = Self::at(place, format!("unknown {what} '{word}'{near}"));
        problem.help = Some(format!("valid: {}", valid.join(", ")));
        problem
    }
}

/// The setting of the workers' journal.
pub(crate) const WORKER_JOURNAL: &str = "worker.journal";
/// The setting of the CPUs that a trial may use.
pub(crate) const TRIAL_CPUS: &str = "trial.cpus";
/// Longest time that virtual time is told a step takes: an hour.
const COST_MAX_NS: u64 = 3_600_000_000_000;
const OWN_SETTINGS: &[(&str, &str, &str, &str)] = &[
    (
        WORKER_JOURNAL,
        "bool",
        "false",
        "whether our own `process` workers note each execution in a file, so that executions are compared with outcomes; costs a write of 24 bytes per request, 1 to 3 us",
    ),
    (
        TRIAL_CPUS,
        "integer 0..=1024",
        "0",
        "CPUs that a trial and its workers may use, the first ones of those allowed; 0 for all. 1 takes the scheduler's placing of wake-ups out of a comparison",
    ),
    ("virtual.start", "duration", "1ms", "in virtual time: from the start of a worker until it is ready"),
    ("virtual.dispatch", "duration", "0ns", "in virtual time: from the choice of a worker until it begins to serve"),
    ("virtual.return", "duration", "0ns", "in virtual time: from the end of a service until the reply is read and the slot is free"),
    (
        "virtual.policy",
        "choice core|sjf",
        "core",
        "in virtual time: what dispatches, the pool's own core, or clairvoyant shortest job first over all slots as a bound (sjf)",
    ),
];

/// What dispatches in virtual time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// The pool's own core.
    Core,
    /// Clairvoyant shortest job first over all slots, without preemption.
    ShortestFirst,
}

/// What virtual time is told of the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Costs {
    /// From a worker's spawn until it is ready, ns.
    pub start_ns: u64,
    /// From the choice of a worker until it begins, ns.
    pub dispatch_ns: u64,
    /// From the end of a service until its reply is read, ns.
    pub return_ns: u64,
    /// What dispatches.
    pub policy: Policy,
}

/// All settings of the products under test, as their owners declare them.
pub fn catalogue() -> Vec<SettingRow> {
    coordinator::settings()
        .chain(contenders::SETTINGS)
        .chain(OWN_SETTINGS)
        .map(|&(key, kind, default, doc)| SettingRow { key, kind, default, doc })
        .collect()
}

/// The kinds of this build, from the tables of their owners.
pub fn kinds() -> KnownKinds {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let with = |name: &str, params: &[&str]| (name.to_owned(), owned(params));
    KnownKinds {
        targets: TARGETS.iter().map(|t| t.name.to_owned()).collect(),
        arrivals: ARRIVALS.iter().map(|a| with(a.name, a.params)).collect(),
        rates: owned(RATES),
        faults: FAULTS.iter().map(|f| with(f.name, f.params)).collect(),
        shapes: SHAPES.iter().map(|s| s.name.to_owned()).collect(),
        workers: pool::WORKERS.iter().map(|w| w.name().to_owned()).collect(),
        outcomes: owned(&Outcome::ALL.map(Outcome::name)),
        phases: owned(&Phase::ALL.map(Phase::name)),
        scaled: owned(pool::SCALED_SETTINGS),
        tiers: owned(&Tier::ALL.map(Tier::name)),
    }
}

/// A case that can be run as it is.
#[derive(Clone, Debug)]
pub struct PreparedCase {
    /// As planned.
    pub case: Case,
    /// Configuration of the products.
    pub config: Config,
    /// Index into [`TARGETS`].
    pub target: usize,
    /// Arrival process.
    pub arrivals: Arrivals,
    /// How sessions are chosen.
    pub popularity: Popularity,
    /// Sorts of request, without payloads until [`PreparedCase::sorts`] builds them.
    pub services: Vec<(ServiceTime, pool::How)>,
    /// Faults to inject.
    pub faults: Vec<Fault>,
    /// CPUs that the trial may use; 0 for all.
    pub cpus: usize,
    /// What virtual time is told of the world.
    pub costs: Costs,
    /// Whether workers note what they execute.
    pub journal: bool,
    /// The way of doing a job that is measured; `None` for every other target.
    pub contender: Option<Chosen>,
}

/// Parses all cases.
///
/// # Errors
/// All problems of all cases, each once.
pub fn prepare(plan: &Plan) -> Result<Vec<PreparedCase>, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut prepared = Vec::new();
    for case in &plan.cases {
        match prepare_case(case).and_then(|prepared| fits(prepared, plan.virtual_time)) {
            Ok(case) => prepared.push(case),
            Err(problem) if problems.contains(&problem) => {}
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() { Ok(prepared) } else { Err(problems) }
}

/// Refuses what exists only in the other kind of time.
fn fits(prepared: PreparedCase, virtual_time: bool) -> Result<PreparedCase, Problem> {
    if virtual_time {
        crate::simulation::check(&prepared)?;
    } else if prepared.costs.policy == Policy::ShortestFirst {
        let place = prepared.case.settings.get("virtual.policy").unwrap_or(&prepared.case.target);
        let mut problem = Problem::at(place, "virtual.policy = sjf exists only in virtual time (expected 'core')");
        problem.help = Some("run it with --virtual, or mark its variant: only = \"virtual\"".to_owned());
        return Err(problem);
    }
    Ok(prepared)
}

/// Parses one case.
///
/// # Errors
/// The first problem.
pub(crate) fn prepare_case(case: &Case) -> Result<PreparedCase, Problem> {
    let target = TARGETS
        .iter()
        .position(|t| t.name == case.target.value)
        .ok_or_else(|| Problem::unknown(&case.target, "target", &case.target.value, TARGETS.iter().map(|t| t.name)))?;
    let load = &case.load;
    let arrivals = Arrivals::parse(load)?;
    if let Some(units::Rate::PerSecond(rate)) = load.rate {
        check_size(case, &arrivals, rate)?;
    }
    let config = configure(case)?;
    for mix in &load.mix {
        if config.pool.tool(&mix.tool.value).is_none() {
            return Err(Problem::unknown(&mix.tool, "tool", &mix.tool.value, config.pool.tools.iter().map(|t| t.name.as_str())));
        }
    }
    Ok(PreparedCase {
        target,
        popularity: popularity(&load.popularity)?,
        services: load.mix.iter().map(service).collect::<Result<_, _>>()?,
        faults: faults(case, TARGETS[target].has_pool, arrivals.is_open())?,
        cpus: cpus(case)?,
        costs: costs(case)?,
        journal: journal(case, &config)?,
        contender: if TARGETS[target].name == CONTENDER { Some(contender::choose(case)?) } else { None },
        arrivals,
        config,
        case: case.clone(),
    })
}

/// A rate known only after calibration is checked again then.
pub(crate) fn check_size(case: &Case, arrivals: &Arrivals, per_s: f64) -> Result<(), Problem> {
    let lengths = Lengths::of(&case.load);
    let requests = arrivals.cumulative(per_s, lengths, lengths.span_ns()).unwrap_or(0.0);
    if requests <= REQUESTS_MAX {
        return Ok(());
    }
    let what = format!("{requests:.0} requests in one trial are too many (at most {REQUESTS_MAX:.0}, their rows are kept in memory)");
    let mut problem = Problem::at(&case.load.arrivals.kind, what);
    problem.help = Some("shorten load.length or lower the rate".to_owned());
    Err(problem)
}

fn configure(case: &Case) -> Result<Config, Problem> {
    let mut values: BTreeMap<String, String> = case.settings.iter().map(|(k, v)| (k.clone(), v.value.clone())).collect();
    // A tool of the load that the pool's settings do not name is a hot one.
    for mix in &case.load.mix {
        let prefix = format!("pool.tools.{}.", mix.tool.value);
        if !values.keys().any(|k| k.starts_with(&prefix)) {
            values.insert(format!("{prefix}tier"), "hot".to_owned());
        }
    }
    Config::from_settings(&values).map_err(|e| {
        let place = case.settings.get(&e.key).or_else(|| case.settings.iter().find(|(k, _)| k.starts_with(&e.key)).map(|(_, v)| v));
        Problem::at(place.unwrap_or(&case.target), format!("setting '{}': {}", e.key, e.why))
    })
}

fn faults(case: &Case, has_pool: bool, open: bool) -> Result<Vec<Fault>, Problem> {
    if let (Some(fault), false) = (case.faults.first(), has_pool) {
        let what = format!("the target '{}' has no pool, so no fault would strike (expected 'coordinator' or 'pool')", case.target.value);
        return Err(Problem::at(&fault.kind, what));
    }
    case.faults.iter().map(|f| Fault::parse(f, case.load.length_ns, open)).collect()
}

fn journal(case: &Case, config: &Config) -> Result<bool, Problem> {
    let Some(text) = case.settings.get(WORKER_JOURNAL).filter(|text| text.value == "true") else { return Ok(false) };
    let used = Partition::ALL.into_iter().filter(|p| config.pool.slots(*p) > 0);
    if used.into_iter().any(|p| config.pool.policy(p).worker != "process") {
        return Err(Problem::at(text, "only processes keep a journal (expected worker = \"process\" in every tier that has workers)"));
    }
    match &config.worker_command {
        Some(_) => Err(Problem::at(text, "only our own worker keeps a journal (expected worker.command = \"self\")")),
        None => Ok(true),
    }
}

fn cpus(case: &Case) -> Result<usize, Problem> {
    let Some(text) = case.settings.get(TRIAL_CPUS) else { return Ok(0) };
    text.value
        .parse()
        .map_err(|_| Problem::at(text, format!("'{}' is not a number of CPUs (expected a whole number, 0 for all)", text.value)))
}

fn costs(case: &Case) -> Result<Costs, Problem> {
    let time = |key: &str| {
        let Some(row) = OWN_SETTINGS.iter().find(|row| row.0 == key) else { return Ok(0) };
        let Some(given) = case.settings.get(key) else { return Ok(units::parse_duration(row.2).unwrap_or(0)) };
        let bad = || Problem::at(given, format!("'{}' is not a time (expected a duration, such as '50us')", given.value));
        given.value.parse::<u64>().ok().filter(|ns| *ns <= COST_MAX_NS).ok_or_else(bad)
    };
    let sjf = case.settings.get("virtual.policy").is_some_and(|policy| policy.value == "sjf");
    Ok(Costs {
        start_ns: time("virtual.start")?,
        dispatch_ns: time("virtual.dispatch")?,
        return_ns: time("virtual.return")?,
        policy: if sjf { Policy::ShortestFirst } else { Policy::Core },
    })
}

fn popularity(text: &Located) -> Result<Popularity, Problem> {
    let words: Vec<&str> = text.value.split_whitespace().collect();
    let bad = || {
        Problem::at(
            text,
            format!(
                "'{}' is not a popularity (expected 'uniform', 'zipf EXPONENT' such as 'zipf 1.1', or 'in-turn REQUESTS' such as 'in-turn 3')",
                text.value
            ),
        )
    };
    match words.as_slice() {
        ["uniform"] => Ok(Popularity::Uniform),
        ["in-turn", each] => each.parse().ok().filter(|n| *n > 0).map(Popularity::InTurn).ok_or_else(bad),
        ["zipf", exponent] => {
            let exponent: f64 = exponent.parse().map_err(|_| bad())?;
            Zipf::new(2.0, exponent).map_err(|_| bad())?;
            if exponent.is_finite() { Ok(Popularity::Zipf(exponent)) } else { Err(bad()) }
        }
        _ => Err(bad()),
    }
}

fn service(mix: &Mix) -> Result<(ServiceTime, pool::How), Problem> {
    if !payload::known(&mix.shape.value) {
        return Err(Problem::unknown(&mix.shape, "payload shape", &mix.shape.value, SHAPES.iter().map(|s| s.name)));
    }
    if let Some((why, remedy)) = payload::lacks(&mix.shape.value, mix.payload_bytes as usize) {
        let mut problem = Problem::at(&mix.shape, format!("no payload of shape '{}': {why}", mix.shape.value));
        problem.help = remedy.map(str::to_owned);
        return Err(problem);
    }
    let how = match mix.work.value.as_str() {
        "sleep" => pool::How::Sleep,
        "spin" => pool::How::Spin,
        other => return Err(Problem::unknown(&mix.work, "kind of work", other, ["sleep", "spin"].into_iter())),
    };
    let duration = |text: &str| units::parse_duration(text).ok();
    let service = ServiceTime::parse(&mix.service.value, &duration).map_err(|why| Problem::at(&mix.service, why))?;
    Ok((service, how))
}

impl PreparedCase {
    /// Whether the target knows sessions and the load names some.
    pub fn sessions(&self) -> u32 {
        self.case.load.sessions
    }

    /// Slots of the pool.
    pub fn slots(&self) -> u32 {
        Partition::ALL.into_iter().map(|p| u32::from(self.config.pool.slots(p))).sum()
    }

    /// Whether the pool serves first come, first served: one slot; or one partition whose requests all wait in one queue, none for a worker of
    /// its own.
    pub(crate) fn is_fcfs(&self) -> bool {
        let pool = &self.config.pool;
        let partitions = Partition::ALL.into_iter().filter(|p| pool.slots(*p) > 0).count();
        let hot = |tool: &Located| pool.tool(&tool.value).is_some_and(|id| pool.tools[usize::from(id.0)].tier == Tier::Hot);
        // A learned class may change, and lighter classes go first.
        let one_class =
            pool.dispatch == Dispatch::Tiered || pool.predict == Predict::Tool && self.case.load.mix.iter().all(|m| hot(&m.tool));
        let bound = self.sessions() > 0 && pool.affinity != AffinityMode::None;
        self.slots() == 1 || partitions == 1 && one_class && !bound
    }

    /// Builds the payloads of all sorts from `seed`.
    pub fn sorts(&self, seed: u64) -> Vec<Sort> {
        let mut share_up_to = 0.0;
        let last = self.case.load.mix.len().saturating_sub(1);
        (self.case.load.mix.iter().zip(&self.services).enumerate())
            .filter_map(|(i, (mix, (service, how)))| {
                share_up_to = if i == last { 1.0 } else { share_up_to + mix.share };
                Some(Sort {
                    tool: self.config.pool.tool(&mix.tool.value)?,
                    share_up_to,
                    service: *service,
                    how: *how,
                    payloads: Sort::payloads(&mix.shape.value, mix.payload_bytes as usize, seed.wrapping_add(i as u64))?,
                    deadline_ns: mix.deadline_ns,
                })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests;
