//! A trial in simulated time: the pool's own core, driven by the same schedule, with workers that are numbers.
//!
//! Nothing is spawned, written or waited for; an hour of load takes seconds and the same seed gives the same record on any host. What is
//! left out, and so has to be measured live, is in docs/METHODOLOGY.md.

mod act;
mod engine;
mod faults;
mod meter;
mod oracle;
mod record;
mod sjf;
#[cfg(test)]
mod tests;
mod world;

use model::record::{Record, Status};
use pool::clock::{Clock, MonotonicClock, Nanos};

use crate::launch::Lengths;
use crate::load::Occasion;
use crate::prepare::{Policy, PreparedCase, Problem, check_size, prepare_case};
use crate::rows::Row;
use crate::schedule::{Schedule, Sort};
use crate::slice::Ran;
use crate::target::TARGETS;
use crate::trial::Order;
use engine::Engine;
pub(crate) use oracle::regret;
use world::Ended;

/// A simulated trial.
pub struct Simulated {
    /// What it leaves, as a live trial does.
    pub record: Record,
    /// Requests simulated, warm-up included.
    pub requests: u64,
    /// Wall time of the simulation alone, ns.
    pub engine_ns: Nanos,
    /// Wall time of the whole trial: payloads, schedule, simulation, figures; ns.
    pub whole_ns: Nanos,
}

/// What a simulation leaves, before its figures are made.
struct Outcome {
    rows: Vec<Row>,
    ran: Ran,
    ended: Ended,
}

/// Why a case cannot be simulated.
///
/// # Errors
/// The problem, at its place.
pub(crate) fn check(prepared: &PreparedCase) -> Result<(), Problem> {
    let target = TARGETS[prepared.target].name;
    if target == "pool" {
        return Ok(());
    }
    let why = match target {
        "channel" | "pipe" => "a floor is nothing but what virtual time leaves out",
        _ => "what its disk and codecs cost is known only from a live run",
    };
    let what = format!("target '{target}' cannot be run in virtual time: {why} (expected the target 'pool')");
    let mut problem = Problem::at(&prepared.case.target, what);
    problem.help = Some("leave it out with -F, or run it without --virtual".to_owned());
    Err(problem)
}

/// Runs one trial in simulated time. A trial that cannot be run is a record too.
pub fn simulate(order: &Order, lengths: Lengths) -> Simulated {
    let begun = MonotonicClock.now();
    match attempt(order, lengths) {
        Ok(simulated) => Simulated { whole_ns: MonotonicClock.now() - begun, ..simulated },
        Err(why) => {
            let record = Record::without_figures(&order.case.id, order.round, order.kind, order.seed, Status::Failed { why });
            Simulated { record, requests: 0, engine_ns: 0, whole_ns: MonotonicClock.now() - begun }
        }
    }
}

fn attempt(order: &Order, lengths: Lengths) -> Result<Simulated, String> {
    let prepared = prepare_case(&order.case).map_err(|p| p.to_string())?;
    check(&prepared).map_err(|p| p.to_string())?;
    if let Some(rate) = order.rate_per_s {
        check_size(&order.case, &prepared.arrivals, rate).map_err(|p| p.to_string())?;
    }
    let sorts = prepared.sorts(order.seed);
    let load = Load::make(order, lengths, &prepared, &sorts)?;
    let begun = MonotonicClock.now();
    let outcome = run(&load, &prepared)?;
    let engine_ns = MonotonicClock.now() - begun;
    let requests = outcome.rows.len() as u64;
    let record = record::make(order, &load, &prepared, outcome);
    Ok(Simulated { record, requests, engine_ns, whole_ns: 0 })
}

fn run(load: &Load<'_>, prepared: &PreparedCase) -> Result<Outcome, String> {
    match prepared.costs.policy {
        Policy::Core => Engine::new(load, prepared, &prepared.config.pool, prepared.costs).run(),
        Policy::ShortestFirst => sjf::run(load, prepared),
    }
}

/// What is sent, when, and by how many.
struct Load<'a> {
    schedule: Schedule,
    sorts: &'a [Sort],
    warmup_ns: u64,
    length_ns: u64,
    /// Clients of a closed loop; `None` for an open one.
    clients: Option<u32>,
    /// Whether the scenario's faults strike: not while capacity is measured.
    faults: bool,
    seed: u64,
}

impl<'a> Load<'a> {
    fn make(order: &Order, lengths: Lengths, prepared: &PreparedCase, sorts: &'a [Sort]) -> Result<Load<'a>, String> {
        let Lengths { warmup_ns, length_ns } = lengths;
        let calibrates = order.kind == model::record::TrialKind::Calibration;
        let open = !calibrates && prepared.arrivals.is_open();
        let on = Occasion { kind: order.kind, rate_per_s: order.rate_per_s, lengths, seed: order.seed };
        let schedule = crate::load::schedule(prepared, sorts, on)?;
        let clients = (!open).then_some(prepared.case.load.clients);
        Ok(Load { schedule, sorts, warmup_ns, length_ns, clients, faults: !calibrates, seed: order.seed })
    }
}
