//! What a pool that knows every cost would have made of a trial's own requests.

use model::record::Regret;
use pool::clock::Nanos;
use pool::core::Outcome as Fate;
use pool::times::Phase;
use pool::{Config, Predict};

use super::Load;
use super::engine::Engine;
use crate::launch::Lengths;
use crate::prepare::{Costs, Policy, PreparedCase};
use crate::rows::Row;
use crate::schedule::Schedule;
use crate::target::TARGETS;

/// Sums the trial's responses and those of the oracle on the same arrivals; `None` unless an expectation asks for it and it can be had.
///
/// Of a live trial `costs` is `None`: the oracle then takes the trial's own mean times of dispatch and return, so that what differs is the guessing.
pub(crate) fn regret(prepared: &PreparedCase, rows: &[Row], lengths: Lengths, seed: u64, costs: Option<Costs>) -> Option<Regret> {
    let asked = prepared.case.expect.iter().any(|e| e.figure == "regret");
    if !asked || TARGETS[prepared.target].name != "pool" || !prepared.arrivals.is_open() {
        return None;
    }
    let config = Config { predict: Predict::Oracle, ..prepared.config.pool.clone() };
    let costs = costs.unwrap_or_else(|| of_rows(prepared, rows));
    let sorts = prepared.sorts(seed);
    let intents = rows.iter().map(|row| row.intent).collect();
    let Lengths { warmup_ns, length_ns } = lengths;
    let load = Load {
        schedule: Schedule { intents, faults: prepared.faults.iter().map(crate::faults::Fault::carried).collect(), ..Schedule::default() },
        sorts: &sorts,
        warmup_ns,
        length_ns,
        clients: None,
        faults: true,
        seed,
    };
    let oracle = Engine::new(&load, prepared, &config, Costs { policy: Policy::Core, ..costs }).run().ok()?;
    let ((requests, response_ns), (_, oracle_ns)) = (sum(rows), sum(&oracle.rows));
    Some(Regret { response_ns, oracle_ns, requests })
}

fn sum(rows: &[Row]) -> (u64, Nanos) {
    let ok = rows.iter().filter(|row| row.measured && row.outcome == Fate::Ok);
    ok.fold((0, 0), |(n, ns), row| (n + 1, ns + row.done().saturating_sub(row.intended())))
}

/// The trial's own mean times: what a service took longer than planned counts as dispatch, what came after the reply was read as return.
fn of_rows(prepared: &PreparedCase, rows: &[Row]) -> Costs {
    let served = || rows.iter().filter(|row| row.times.span(Phase::Return).is_some());
    let mean = |of: &dyn Fn(&Row) -> Nanos| served().map(of).sum::<Nanos>() / (served().count() as Nanos).max(1);
    let late = |row: &Row| row.times.length(Phase::Service).saturating_sub(row.intent.service_ns);
    Costs {
        dispatch_ns: mean(&|row| row.times.length(Phase::Dispatch) + late(row)),
        return_ns: mean(&|row| row.times.length(Phase::Return)),
        ..prepared.costs
    }
}
