//! What a slice ran into a record: figures of rows, counters between the window's edges, deaths, the profile's own figures.

use model::record::{Cpu, Deaths, Pacer, ProfileFigures, Record};
use pool::Pool;
use pool::core::Partition;

use crate::figures::{figures, tiers};
use crate::prepare::PreparedCase;
use crate::rows::Row;
use crate::slice::Ran;
use crate::trust::{Asked, trust};
use crate::twin::twin;

/// Puts in what rows and counters say of the load that was `asked` for.
pub(crate) fn put_load(record: &mut Record, rows: &[Row], ran: &Ran, prepared: &PreparedCase, asked: Asked<'_>) {
    let f = figures(rows, record.counts.intended, ran.window, |cost| prepared.config.pool.tier_of_cost(cost));
    record.timing_class = match ran.paced {
        None => "none",
        Some(paced) if paced.fifo => "fifo",
        Some(_) => "other",
    }
    .to_owned();
    record.window_ns = ran.window.1 - ran.window.0;
    record.until_last_ns = f.last_done.saturating_sub(ran.window.0);
    (record.counts, record.outcomes, record.histograms, record.bands) = (f.counts, f.outcomes, f.histograms, f.bands);
    (record.unexplained_share, record.confusion, record.affinity, record.bytes) = (f.unexplained_share, f.confusion, f.affinity, f.bytes);
    if let (Some(begin), Some(end)) = (&ran.begin.pool, &ran.end.pool) {
        let slots = Partition::ALL.map(|partition| prepared.config.pool.slots(partition));
        record.tiers = tiers(begin, end, slots, f.served);
    }
    if record.open_loop && prepared.is_fcfs() {
        record.twin = twin(rows, prepared.slots());
    }
    if record.open_loop {
        record.trust = Some(trust(rows, ran.window, asked, ran.drained.pool.as_ref()));
    }
    record.cpu = cpu(ran);
    record.memory = ran.memory;
    record.left.sessions = ran.drained.pool.as_ref().map_or(0, |pool| pool.core.sessions.into());
    if ran.paced.is_some() {
        record.lag_over_time = crate::lag::over_time(rows, ran.window);
    }
    record.pacer = ran.paced.map(|p| Pacer {
        cpu_ns: p.cpu_ns,
        wall_ns: p.wall_ns,
        tail_ns: p.tail_ns,
        run_queue_ns: p.run_queue_ns,
        stood_in: p.stood_in,
    });
    let own_ns = record.cpu.process_ns + record.cpu.pacer_ns + record.cpu.workers_ns;
    record.host = ran.begin.host.since(&ran.drained.host, ran.drained.at - ran.begin.at, own_ns);
}

/// CPU from the window's begin to the last outcome. The pacer's part within it is its share of the time it ran.
fn cpu(ran: &Ran) -> Cpu {
    let process = ran.drained.process_cpu_ns.saturating_sub(ran.begin.process_cpu_ns);
    let window = (ran.window.1 - ran.window.0) as f64;
    let pacer_ns = ran.paced.map_or(0, |p| (p.cpu_ns as f64 * (window / p.wall_ns.max(1) as f64).min(1.0)) as u64);
    Cpu {
        process_ns: process.saturating_sub(pacer_ns),
        workers_ns: ran.drained.workers_cpu_ns.saturating_sub(ran.begin.workers_cpu_ns),
        pacer_ns,
    }
}

/// All deaths of a drained pool.
pub(crate) fn deaths(pool: &Pool) -> Deaths {
    let counts = pool.death_counts();
    Deaths {
        unexpected: counts.unexpected,
        while_busy: counts.while_busy,
        closed: counts.closed,
        spawns: pool.snapshot().core.totals.spawns,
        by_status: counts.by_status,
        children_left: 0,
    }
}

/// The profile's own figures, beside CPU time that it did not see; its file is named by whoever writes it.
pub(crate) fn profile(profile: &profiler::Profile, outside_ns: u64) -> ProfileFigures {
    ProfileFigures {
        sampler: profile.sampler.to_owned(),
        hz: profile.hz,
        samples: profile.samples,
        expected: profile.expected,
        unnamed: profile.unnamed,
        folded: String::new(),
        outside_ns,
    }
}
