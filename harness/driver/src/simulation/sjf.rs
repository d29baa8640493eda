//! A bound, not a pool: every slot one server, one queue, and whoever is free takes the shortest request that waits.
//!
//! Clairvoyant shortest job first without preemption: it knows each service time before it is over. No policy that has to predict them
//! can count on a lower mean; what it does to heavy requests is another matter.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use model::record::Memory;
use pool::clock::Nanos;
use pool::core::{Affinity, Outcome as Fate, Tier};
use pool::times::{Phase, RequestTimes};

use super::world::Ended;
use super::{Load, Outcome};
use crate::prepare::PreparedCase;
use crate::rows::Row;
use crate::slice::{Edge, Ran};

/// When the load begins. Not 0, which a stamp takes for "did not happen".
const ORIGIN: Nanos = 1_000_000_000;

/// Runs the load through as many servers as the pool has slots.
///
/// # Errors
/// A closed loop, sessions, deadlines or faults: the bound knows none of them.
pub(super) fn run(load: &Load<'_>, prepared: &PreparedCase) -> Result<Outcome, String> {
    let plain = load.clients.is_none() && prepared.sessions() == 0 && prepared.faults.is_empty();
    if !plain || load.sorts.iter().any(|s| s.deadline_ns.is_some()) {
        return Err(
            "virtual.policy = sjf takes planned arrivals without sessions, deadlines and faults; use virtual.policy = core".to_owned()
        );
    }
    let slots = prepared.slots().max(1) as usize;
    let hold = |service: Nanos| service + prepared.costs.dispatch_ns + prepared.costs.return_ns;
    let intents = &load.schedule.intents;
    let mut free: BinaryHeap<Reverse<Nanos>> = (0..slots).map(|_| Reverse(ORIGIN)).collect();
    let mut waiting: BinaryHeap<Reverse<(Nanos, usize)>> = BinaryHeap::new();
    let mut taken: Vec<Nanos> = vec![0; intents.len()];
    let mut next = 0;
    while next < intents.len() || !waiting.is_empty() {
        let Some(Reverse(server)) = free.pop() else { break };
        // All that have come by the time the server is free compete; if none has, it waits for the next one.
        let mut at = server;
        if waiting.is_empty() {
            at = at.max(intents.get(next).map_or(at, |intent| ORIGIN + intent.at_ns));
        }
        while let Some(intent) = intents.get(next).filter(|intent| ORIGIN + intent.at_ns <= at) {
            waiting.push(Reverse((intent.service_ns, next)));
            next += 1;
        }
        if let Some(Reverse((service, index))) = waiting.pop() {
            taken[index] = at;
            at += hold(service);
        }
        free.push(Reverse(at));
    }
    let rows: Vec<Row> = taken.iter().enumerate().map(|(index, at)| row(load, prepared, index, *at)).collect();
    let window = (ORIGIN + load.warmup_ns, ORIGIN + load.warmup_ns + load.length_ns);
    let last = rows.iter().map(Row::done).max().unwrap_or(window.1);
    let edge = |at| Edge { at, ..Edge::default() };
    let ran = Ran {
        paced: None,
        window,
        begin: edge(window.0),
        end: edge(window.1),
        drained: edge(last.max(window.1)),
        memory: Memory::default(),
    };
    Ok(Outcome { rows, ran, ended: Ended::default() })
}

fn row(load: &Load<'_>, prepared: &PreparedCase, index: usize, taken: Nanos) -> Row {
    let intent = load.schedule.intents[index];
    let (at, begin) = (ORIGIN + intent.at_ns, taken + prepared.costs.dispatch_ns);
    let (end, done) = (begin + intent.service_ns, begin + intent.service_ns + prepared.costs.return_ns);
    let mut times = RequestTimes::default();
    times.begin(Phase::Lag, at);
    times.turn(Phase::Lag, Phase::Admit, at);
    times.turn(Phase::Admit, Phase::Queue, at);
    times.turn(Phase::Queue, Phase::Dispatch, taken);
    times.turn(Phase::Dispatch, Phase::Service, begin);
    times.turn(Phase::Service, Phase::Return, end);
    times.turn(Phase::Return, Phase::Reply, done);
    times.end(Phase::Reply, done);
    let tier: Tier = prepared.config.pool.tier_of_cost(intent.service_ns);
    Row {
        intent,
        measured: intent.at_ns >= load.warmup_ns,
        in_deadline: true,
        times,
        request: None,
        outcome: Fate::Ok,
        predicted: Some(tier),
        served: Some(tier),
        attempts: 1,
        affinity: Affinity::Free,
        encoded: 0,
        sent_bytes: 0,
        saved: 0,
    }
}
