//! One row per metric: adding one is a row here and a line in docs/MONITORING.md.

use pool::core::{Outcome, Tier};
use pool::times::Phase;

use super::{MetricKind, MetricRow, MetricUnit, Series};
use crate::monitor::alerts::DELIVERIES;
use crate::monitor::counters::AFFINITIES;
use crate::monitor::health::REASONS;
use crate::monitor::sample::{RESIDENCIES, partition_name};
use crate::monitor::scrape::Scrape;

type Labels = &'static [&'static str];
type Read = fn(&Scrape, &mut Series<'_>);

const NONE: MetricUnit = MetricUnit::None;
const SECONDS: MetricUnit = MetricUnit::Seconds;
const BYTES: MetricUnit = MetricUnit::Bytes;

const fn counter(stem: &'static str, unit: MetricUnit, labels: Labels, help: &'static str, read: Read) -> MetricRow {
    MetricRow { stem, kind: MetricKind::Counter, unit, labels, help, read }
}

const fn gauge(stem: &'static str, unit: MetricUnit, labels: Labels, help: &'static str, read: Read) -> MetricRow {
    MetricRow { stem, kind: MetricKind::Gauge, unit, labels, help, read }
}

const fn times(stem: &'static str, labels: Labels, help: &'static str, read: Read) -> MetricRow {
    MetricRow { stem, kind: MetricKind::Histogram, unit: SECONDS, labels, help, read }
}

/// Every metric, in the order of the text.
pub const METRICS: &[MetricRow] = &[
    counter("poolbench_requests_received", NONE, &[], "Requests that arrived.", |s, out| out.put(&[], s.mark.received as f64)),
    counter(
        "poolbench_requests",
        NONE,
        &["tier", "outcome"],
        "Requests that ended, by predicted tier (none for those that ended before the pool) and outcome.",
        outcomes,
    ),
    gauge("poolbench_requests_in_flight", NONE, &[], "Requests that arrived and have not ended.", |s, out| {
        out.put(&[], s.in_flight() as f64);
    }),
    counter(
        "poolbench_served",
        NONE,
        &["tier", "served"],
        "Requests that reached a worker, by predicted tier and by the tier that served them.",
        served,
    ),
    counter("poolbench_fallbacks", NONE, &[], "Dispatches to another tier than the predicted one.", |s, out| {
        out.put(&[], s.mark.fallbacks as f64);
    }),
    counter("poolbench_affinity", NONE, &["result"], "Requests by how the affinity of their session was served.", affinity),
    counter(
        "poolbench_predictions",
        NONE,
        &["predicted", "real"],
        "Answered requests by predicted tier and by the tier that their service time belongs to.",
        predictions,
    ),
    times("poolbench_request", &["tier"], "Time of ok requests from admission to the answer, by predicted tier.", request_times),
    times("poolbench_phase", &["phase", "tier"], "Time of one phase of ok requests, by predicted tier.", phase_times),
    gauge("poolbench_queue_requests", NONE, &["tier"], "Requests that wait for a worker.", |s, out| {
        by_tier(out, |t| f64::from(s.pool.core.tiers[t].queued));
    }),
    gauge("poolbench_queue", BYTES, &["tier"], "Payload that waits for a worker.", |s, out| {
        by_tier(out, |t| s.pool.core.tiers[t].queued_bytes as f64);
    }),
    gauge("poolbench_queue_limit_requests", NONE, &[], "Requests that may wait in one tier.", |s, out| {
        out.put(&[], f64::from(s.config.queue_len));
    }),
    gauge("poolbench_queue_limit", BYTES, &[], "Payload that may wait in one tier.", |s, out| out.put(&[], s.config.queue_bytes as f64)),
    gauge("poolbench_slots", NONE, &["partition", "state"], "Slots by what fills them.", slots),
    gauge("poolbench_workers_busy", NONE, &["partition"], "Workers on a request.", |s, out| {
        by_partition(s, out, |p| f64::from(s.slots[p].busy));
    }),
    gauge("poolbench_workers_zombie", NONE, &["partition"], "Workers on a request whose caller has its outcome already.", |s, out| {
        by_partition(s, out, |p| f64::from(s.slots[p].zombies));
    }),
    gauge("poolbench_sessions_bound", NONE, &["partition"], "Sessions bound to a worker.", |s, out| {
        by_partition(s, out, |p| f64::from(s.slots[p].bound));
    }),
    counter("poolbench_worker_busy", SECONDS, &["partition"], "Time that workers spent on requests.", |s, out| {
        by_partition(s, out, |p| s.mark.busy_ns[p] as f64 / 1e9);
    }),
    counter("poolbench_worker_existing", SECONDS, &["partition"], "Time that workers existed, from spawn to exit.", |s, out| {
        by_partition(s, out, |p| s.mark.existing_ns[p] as f64 / 1e9);
    }),
    counter("poolbench_spawns", NONE, &[], "Workers spawned.", |s, out| out.put(&[], s.mark.spawns as f64)),
    counter("poolbench_deaths", NONE, &["cause"], "Workers that ended, by cause; closed: the pool asked for it.", deaths),
    counter("poolbench_redispatches", NONE, &[], "Dispatches that repeat one that a crash undid.", |s, out| {
        out.put(&[], s.mark.redispatches as f64);
    }),
    counter("poolbench_late_replies", NONE, &[], "Replies that nobody waited for any more.", |s, out| {
        out.put(&[], s.pool.core.totals.late_replies as f64);
    }),
    counter("poolbench_ejections", NONE, &[], "Workers taken out of service because they were sick.", |s, out| {
        out.put(&[], s.pool.core.totals.ejections as f64);
    }),
    counter("poolbench_probes", NONE, &[], "Probes sent to workers.", |s, out| out.put(&[], s.pool.core.totals.probes as f64)),
    counter("poolbench_probes_failed", NONE, &[], "Probes that were not answered in time.", |s, out| {
        out.put(&[], s.pool.core.totals.probes_failed as f64);
    }),
    counter("poolbench_resets", NONE, &[], "Stateful workers that were asked to forget a session.", |s, out| {
        out.put(&[], s.pool.core.totals.resets as f64);
    }),
    counter("poolbench_reloads", NONE, &[], "Reloads that have ended.", |s, out| out.put(&[], s.pool.core.totals.reloads as f64)),
    gauge("poolbench_ready", NONE, &[], "1 while the pool can serve, else 0.", |s, out| out.put(&[], truth(s.health.ready))),
    gauge("poolbench_degraded", NONE, &["reason"], "1 while the pool is degraded for this reason, else 0.", |s, out| {
        for reason in REASONS {
            out.put(&[reason], truth(s.health.has(reason)));
        }
    }),
    gauge("poolbench_alert_firing", NONE, &["alert"], "1 while the alert fires, else 0.", |s, out| {
        for (name, firing) in &s.alerts {
            out.put(&[name], truth(*firing));
        }
    }),
    counter("poolbench_alert_deliveries", NONE, &["result"], "Ends of deliveries of alerts.", |s, out| {
        for (name, count) in DELIVERIES.iter().zip(s.deliveries) {
            out.put(&[name], count as f64);
        }
    }),
    gauge("process_resident_memory", BYTES, &[], "Resident memory of this process, without its workers.", |s, out| {
        s.process.resident_bytes.into_iter().for_each(|bytes| out.put(&[], bytes as f64));
    }),
    gauge("process_open_fds", NONE, &[], "Open file descriptors of this process.", |s, out| {
        s.process.open_fds.into_iter().for_each(|count| out.put(&[], count as f64));
    }),
];

fn truth(yes: bool) -> f64 {
    f64::from(u8::from(yes))
}

fn by_tier(out: &mut Series<'_>, value: impl Fn(usize) -> f64) {
    for tier in Tier::ALL {
        out.put(&[tier.name()], value(tier as usize));
    }
}

/// Parts of the pool that have no slot are left out.
fn by_partition(scrape: &Scrape, out: &mut Series<'_>, value: impl Fn(usize) -> f64) {
    for part in scrape.parts() {
        out.put(&[partition_name(part)], value(part));
    }
}

fn outcomes(scrape: &Scrape, out: &mut Series<'_>) {
    for (row, tier) in scrape.mark.outcomes.iter().zip(Tier::ALL.map(Tier::name).into_iter().chain(["none"])) {
        for outcome in Outcome::ALL {
            out.put(&[tier, outcome.name()], row[outcome as usize] as f64);
        }
    }
}

fn served(scrape: &Scrape, out: &mut Series<'_>) {
    let served = scrape.counters.served();
    for tier in Tier::ALL {
        for by in Tier::ALL {
            out.put(&[tier.name(), by.name()], served[tier as usize][by as usize] as f64);
        }
    }
}

fn affinity(scrape: &Scrape, out: &mut Series<'_>) {
    for ((_, name), count) in AFFINITIES.iter().zip(scrape.mark.affinity) {
        out.put(&[name], count as f64);
    }
}

fn predictions(scrape: &Scrape, out: &mut Series<'_>) {
    for predicted in Tier::ALL {
        for real in Tier::ALL {
            out.put(&[predicted.name(), real.name()], scrape.mark.predictions[predicted as usize][real as usize] as f64);
        }
    }
}

fn request_times(scrape: &Scrape, out: &mut Series<'_>) {
    for tier in Tier::ALL {
        out.put_times(&[tier.name()], scrape.counters.requests(tier));
    }
}

fn phase_times(scrape: &Scrape, out: &mut Series<'_>) {
    for phase in Phase::ALL {
        for tier in Tier::ALL {
            out.put_times(&[phase.name(), tier.name()], scrape.counters.phase(tier, phase));
        }
    }
}

fn slots(scrape: &Scrape, out: &mut Series<'_>) {
    for part in scrape.parts() {
        for residency in RESIDENCIES {
            out.put(&[partition_name(part), residency.name()], f64::from(scrape.slots[part].of(residency)));
        }
    }
}

fn deaths(scrape: &Scrape, out: &mut Series<'_>) {
    for (cause, count) in pool::DeathCause::ALL.iter().zip(scrape.pool.deaths_by) {
        out.put(&[cause.name()], count as f64);
    }
}
