//! What the core's actions, and what comes due, do to workers and requests.

use pool::clock::Nanos;
use pool::core::{Affinity, Event, Outcome, Placement, RequestId, Submit, WorkerRef};
use pool::times::{Phase, RequestTimes};
use rand::RngExt;

use super::engine::Engine;
use super::faults::Effects;
use super::world::{Due, Worker};
use crate::rows::Row;
use crate::schedule::NO_SESSION;
use crate::slice::REFUSED;

/// What a worker's answer has beyond the payload: the digest.
const ECHO: usize = 8;

impl Engine<'_> {
    /// Sends the `index`-th intent (in turn) at `at`.
    pub(super) fn submit(&mut self, index: usize, at: Nanos, client: u32) {
        let intents = &self.load.schedule.intents;
        let intent = intents[index % intents.len()];
        let sort = &self.load.sorts[usize::from(intent.sort)];
        let mut times = RequestTimes::default();
        times.begin(Phase::Lag, at);
        times.turn(Phase::Lag, Phase::Admit, at);
        times.turn(Phase::Admit, Phase::Queue, at);
        let request = RequestId(self.rows.len() as u64);
        self.rows.push(Row {
            measured: at >= self.origin + self.load.warmup_ns,
            intent,
            in_deadline: true,
            times,
            request: Some(request),
            outcome: Outcome::Failed,
            predicted: None,
            served: None,
            attempts: 0,
            affinity: Affinity::Free,
            encoded: 0,
            sent_bytes: 0,
            saved: 0,
        });
        if self.load.clients.is_some() {
            self.clients.push(client);
        }
        self.outstanding += 1;
        let bytes = sort.payloads.get(usize::from(intent.payload)).map_or(0, |(payload, _)| payload.len());
        let session = (intent.session != NO_SESSION).then(|| self.sessions.get(intent.session as usize).copied()).flatten();
        let deadline = sort.deadline_ns.map(|after| at.saturating_add(after));
        self.step(Event::Submit(Submit {
            request,
            tool: sort.tool,
            bytes: bytes as u32,
            session,
            deadline,
            cost: Some(intent.service_ns),
        }));
    }

    /// The client of a closed loop sends its next request, until the window is over.
    pub(super) fn send_again(&mut self, client: u32) {
        if self.now < self.origin + self.load.warmup_ns + self.load.length_ns {
            self.submit(self.rows.len(), self.now, client);
        }
    }

    /// A client of a closed loop thinks from `from` on, then sends.
    pub(super) fn think(&mut self, client: u32, from: Nanos) {
        let think_ns = self.load.schedule.think_ns(self.thought);
        self.thought += 1;
        self.agenda.push(from.saturating_add(think_ns), Due::Client(client));
    }

    pub(super) fn finish(&mut self, request: RequestId, outcome: Outcome, placement: &Placement) {
        let now = self.now;
        let Some(row) = self.rows.get_mut(request.0 as usize) else { return };
        if placement.attempts == 0 {
            row.times.end(Phase::Queue, now);
        }
        row.times.begin(Phase::Reply, now);
        row.times.end(Phase::Reply, now);
        row.outcome = outcome;
        row.predicted = Some(placement.predicted);
        (row.served, row.attempts, row.affinity) = (placement.served, placement.attempts, placement.affinity);
        let sort = &self.load.sorts[usize::from(row.intent.sort)];
        row.in_deadline = sort.deadline_ns.is_none_or(|after| now <= row.intended().saturating_add(after));
        if outcome == Outcome::Ok {
            let payload = sort.payloads.get(usize::from(row.intent.payload)).map_or(0, |(payload, _)| payload.len());
            (row.encoded, row.sent_bytes) = ((payload + ECHO) as u32, (payload + ECHO) as u32);
        }
        let session = row.intent.session;
        self.outstanding -= 1;
        self.end_turn(session);
        if let Some(client) = self.clients.get(request.0 as usize) {
            let pause = if outcome == Outcome::Ok { 0 } else { REFUSED.as_nanos() as Nanos };
            let client = *client;
            self.think(client, now.saturating_add(pause));
        }
    }

    pub(super) fn spawn(&mut self, worker: WorkerRef, part: usize) {
        // As in the runtime, starts after the first of several wait a random moment.
        let crowded = self.config.spawn_jitter_ns > 0 && self.workers.iter().any(|slot| slot.lives && !slot.ready);
        let delay = if crowded { self.random.random_range(0..self.config.spawn_jitter_ns) } else { 0 };
        let Some(slot) = self.workers.get_mut(usize::from(worker.slot.0)) else { return };
        *slot = Worker { generation: worker.generation, part, lives: true, ..Worker::default() };
        self.existing.begin(part, self.now);
        let delay = delay + std::mem::take(&mut self.slow_start_ns);
        self.agenda.push(self.now.saturating_add(self.costs.start_ns).saturating_add(delay), Due::Ready(worker));
    }

    pub(super) fn ready(&mut self, worker: WorkerRef) {
        let Some(slot) = self.worker(worker) else { return };
        slot.ready = true;
        self.step(Event::Ready(worker));
    }

    /// A worker's answer to the pool itself, put off while it is stopped.
    pub(super) fn answer(&mut self, worker: WorkerRef, event: Event) {
        let now = self.now;
        let Some(slot) = self.worker(worker) else { return };
        if slot.stalled_until <= now {
            return self.step(event);
        }
        let due = if matches!(event, Event::Probed(_)) { Due::Probed(worker) } else { Due::ResetDone(worker) };
        let at = slot.stalled_until;
        self.agenda.push(at, due);
    }

    pub(super) fn worker(&mut self, worker: WorkerRef) -> Option<&mut Worker> {
        self.workers.get_mut(usize::from(worker.slot.0)).filter(|slot| slot.is(worker))
    }

    pub(super) fn dispatch(&mut self, worker: WorkerRef, request: RequestId) {
        let (now, costs) = (self.now, self.costs);
        let Some(row) = self.rows.get_mut(request.0 as usize) else { return };
        // A request that is dispatched again goes without its fault.
        let first = !row.times.begun(Phase::Dispatch);
        row.times.turn(Phase::Queue, Phase::Dispatch, now);
        let effects = if first { Effects::of(self.load.schedule.fault_of(&row.intent)) } else { Effects::default() };
        let work = row.intent.service_ns.saturating_add(effects.longer_ns);
        let Some(slot) = self.worker(worker) else { return };
        slot.busy = Some(request);
        slot.turn = slot.turn.wrapping_add(1);
        let begin = (now + costs.dispatch_ns).max(slot.stalled_until);
        slot.service = (begin, begin.saturating_add(work));
        let (part, turn, (begin, end)) = (slot.part, slot.turn, slot.service);
        self.busy.begin(part, now);
        match effects.end {
            Some(ending) => self.spoil(worker, ending, (begin, end)),
            None => self.agenda.push(end.saturating_add(costs.return_ns).saturating_add(effects.late_ns), Due::Reply(worker, turn)),
        }
    }

    pub(super) fn reply(&mut self, worker: WorkerRef, turn: u32) {
        let now = self.now;
        let Some(slot) = self.worker(worker).filter(|slot| slot.turn == turn && !slot.hangs) else { return };
        let Some(request) = slot.busy.take() else { return };
        let (part, (begin, end), ending) = (slot.part, slot.service, slot.ending);
        self.busy.end(part, now);
        // Nobody stamps a request that has its outcome.
        if let Some(row) = self.rows.get_mut(request.0 as usize).filter(|row| row.done() == 0) {
            row.times.turn(Phase::Dispatch, Phase::Service, begin);
            row.times.turn(Phase::Service, Phase::Return, end);
            row.times.end(Phase::Return, now);
        }
        self.replied(worker, request);
        if ending {
            self.agenda.push(now, Due::Exit(worker));
        }
    }

    /// Ends a worker: at once, or when it has finished what it is on.
    pub(super) fn end(&mut self, worker: WorkerRef, at_once: bool) {
        let now = self.now;
        let Some(slot) = self.worker(worker) else { return };
        slot.ending = true;
        if at_once || slot.busy.is_none() {
            self.agenda.push(now, Due::Exit(worker));
        }
    }

    /// Nobody waits for the request any more: a worker that is not stopped breaks off what it is on.
    pub(super) fn cancel(&mut self, worker: WorkerRef, request: RequestId) {
        let (now, back) = (self.now, self.costs.return_ns);
        let Some(slot) = self.worker(worker).filter(|slot| slot.busy == Some(request) && !slot.hangs) else { return };
        slot.turn = slot.turn.wrapping_add(1);
        let end = now.max(slot.service.0).max(slot.stalled_until);
        slot.service.1 = end;
        let turn = slot.turn;
        self.agenda.push(end.saturating_add(back), Due::Reply(worker, turn));
    }

    /// Sessions that take turns are ended by their caller when they have had their requests.
    fn end_turn(&mut self, session: u32) {
        let Some(each) = self.turns else { return };
        let (Some(done), Some(key)) = (self.turned.get_mut(session as usize), self.sessions.get(session as usize)) else { return };
        *done += 1;
        if done.is_multiple_of(each) {
            self.follow(Event::EndSession(*key));
        }
    }

    pub(super) fn exit(&mut self, worker: WorkerRef) {
        let now = self.now;
        let Some(slot) = self.worker(worker) else { return };
        slot.lives = false;
        let gone = *slot;
        self.existing.end(gone.part, now);
        if gone.busy.is_some() {
            self.busy.end(gone.part, now);
        }
        self.ended.died(&gone);
        self.step(Event::Exited(worker));
    }
}
