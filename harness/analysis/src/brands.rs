//! Brands: marks on the figures of a case, each judged by one pure function.
//!
//! A brand never removes a figure; it says how far to trust it, why, and what to do about it.

mod host;
mod load;

use model::Record;
use model::facts::Facts;
use model::record::{Status, TrialKind, VIRTUAL};
use model::units::{show_ns, show_rate};

use crate::rounds::{percentile, percentiles};
use crate::summary::{Brand, CaseSummary, Grade};

/// A generator that is later than this at p99 is late on any scale, ns.
const LAG_FLOOR_NS: f64 = 500_000.0;
/// Lag by response above which the response is the generator's own.
const LAG_SHARE: f64 = 0.1;
/// Least share of the intended requests that must be sent.
const SENT_SHARE: f64 = 0.99;
/// Largest share of response time that may lie in no phase.
const UNEXPLAINED_SHARE: f64 = 0.01;
/// Share of requests shed from which on the load is above capacity.
const SHED_SHARE: f64 = 0.01;
/// Rates of two rounds of a merged run that are farther apart than this are two loads.
const RATE_GAP: f64 = 0.01;

fn brand(grade: Grade, name: &str, reason: String, remedy: &str) -> Option<Brand> {
    Some(Brand { grade, name: name.to_owned(), reason, remedy: remedy.to_owned() })
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// All brands of a case, worst first, then in the order below.
pub(crate) fn brands(facts: &Facts, case: &CaseSummary, measured: &[&Record]) -> Vec<Brand> {
    if measured.is_empty() {
        return Vec::new();
    }
    let all = [
        conservation_broken(measured).or_else(|| load::identity_broken(measured)),
        generator_late(case, measured),
        load::generator_busy(measured),
        rate_not_achieved(case, measured),
        load::arrivals_differ(measured),
        unexplained(case),
        twin_apart(case),
        host::disturbed(case, measured),
        host::shared(measured),
        host::pressure(case),
        debug_build(facts, case),
        saturated(case, measured),
        load::not_settled(measured),
        closed_loop(case),
        not_fifo(case),
        simulated(case),
        dirty_tree(facts),
        hosts_differ(facts, case),
        rates_differ(facts, case),
        incomplete(facts, case),
        settings_differ(measured),
        monitored(measured),
    ];
    let mut brands: Vec<Brand> = all.into_iter().flatten().collect();
    brands.sort_by_key(|b| std::cmp::Reverse(b.grade));
    brands
}

/// Every request that was due was sent, every one sent has exactly one outcome.
fn conservation_broken(measured: &[&Record]) -> Option<Brand> {
    let broken = |r: &&&Record| {
        let outcomes = r.outcomes.values().fold(0u64, |t, c| t.saturating_add(*c));
        let c = &r.counts;
        (r.open_loop && c.intended != c.sent) || c.sent != outcomes || c.finished != outcomes
    };
    let r = measured.iter().find(broken)?;
    let outcomes = r.outcomes.values().fold(0u64, |t, c| t.saturating_add(*c));
    let reason = format!(
        "round {}: {} requests intended, {} sent, {} finished, {outcomes} outcomes; these must be equal",
        r.round, r.counts.intended, r.counts.sent, r.counts.finished
    );
    brand(Grade::Invalid, "conservation-broken", reason, "do not quote these figures; requests were lost or counted twice: report a bug")
}

/// The rarest percentile of the lag that the windows carry, ns, with its name and the same percentile of the response.
fn lateness(case: &CaseSummary, measured: &[&Record]) -> Option<(&'static str, f64, Option<f64>)> {
    case.pacer.as_ref()?;
    let (lag, response) = (percentiles(measured, "lag"), &case.response);
    let pairs = [
        ("p99", lag.p99_ns, &response.p99_ns),
        ("p95", lag.p95_ns, &response.p95_ns),
        ("p90", lag.p90_ns, &response.p90_ns),
        ("p50", lag.p50_ns, &response.p50_ns),
    ];
    pairs.into_iter().find_map(|(name, lag, response)| Some((name, lag.value?, response.value)))
}

/// Whether the generator of this very trial was so late that its figures must not be quoted: a run may then repeat the trial. It looks at the
/// lag's share of the response alone, never at how good the response is, so that repeating favours no side.
pub fn held_up(record: &Record) -> bool {
    let at = |name: &str, q: f64| percentile(record.histograms.get(name), q).ok();
    let rarest = [0.99, 0.95, 0.9, 0.5].into_iter().find_map(|q| Some((at("lag", q)?, at("response", q)?)));
    let judged = record.kind == TrialKind::Measured && record.open_loop && record.status == Status::Measured;
    judged && rarest.is_some_and(|(lag, response)| lag > LAG_SHARE * response && lag > LAG_FLOOR_NS)
}

/// Lag is part of the response (it counts from the intended start), so a late generator shows as a slow pool.
fn generator_late(case: &CaseSummary, measured: &[&Record]) -> Option<Brand> {
    let (name, lag, response) = lateness(case, measured)?;
    let remedy = "free a CPU, lower the rate, or allow SCHED_FIFO (CAP_SYS_NICE or an rtprio limit)";
    if let Some(quoted) = response.filter(|quoted| lag > LAG_SHARE * quoted) {
        // Microseconds of lag beside responses of microseconds are no fault of the host: such figures are doubtful, not wrong.
        let grade = if lag > LAG_FLOOR_NS { Grade::Invalid } else { Grade::Degraded };
        let reason = format!("lag {name} {} is over {} of the quoted {name} {}", show_ns(lag), percent(LAG_SHARE), show_ns(quoted));
        return brand(grade, "generator-late", reason, remedy);
    }
    let limit = case.response.p50_ns.value.map_or(LAG_FLOOR_NS, |p50| (LAG_SHARE * p50).max(LAG_FLOOR_NS));
    if lag <= limit {
        return None;
    }
    let reason = format!("lag {name} {} is over {} (the larger of 0.5 ms and 10 % of the response p50)", show_ns(lag), show_ns(limit));
    brand(Grade::Degraded, "generator-late", reason, remedy)
}

/// The rate asked for was not the rate sent.
fn rate_not_achieved(case: &CaseSummary, measured: &[&Record]) -> Option<Brand> {
    let remedy = "lower the rate; the generator did not keep its schedule";
    if let Some(sent) = case.pacer.as_ref()?.sent_share.filter(|s| *s < SENT_SHARE) {
        return brand(Grade::Degraded, "rate-not-achieved", format!("only {} of the intended requests were sent", percent(sent)), remedy);
    }
    // A stream that ends late by more than 1 % of its window ran below 99 % of its rate.
    let window_ns = measured.iter().map(|r| r.window_ns).min()? as f64;
    let (_, lag, _) = lateness(case, measured)?;
    if lag <= (1.0 - SENT_SHARE) * window_ns {
        return None;
    }
    let reason = format!("the stream of sends fell {} behind in a window of {}", show_ns(lag), show_ns(window_ns));
    brand(Grade::Degraded, "rate-not-achieved", reason, remedy)
}

/// Time in no phase cannot be blamed on anything.
fn unexplained(case: &CaseSummary) -> Option<Brand> {
    let share = case.unexplained_share.filter(|s| *s > UNEXPLAINED_SHARE)?;
    let reason = format!("{} of the response time lies in no phase", percent(share));
    brand(Grade::Degraded, "unexplained-time", reason, "free a CPU; if it stays, a phase is missing: report a bug")
}

/// Requests took longer than a queue of the same arrivals and slot-hold times explains.
fn twin_apart(case: &CaseSummary) -> Option<Brand> {
    let twin = case.twin.as_ref()?;
    let (apart, p99) = (twin.residual?.p99_ns, twin.rows.last()?.measured_ns);
    if apart <= (LAG_SHARE * p99).max(LAG_FLOOR_NS) {
        return None;
    }
    let reason = format!(
        "latencies are up to {} (p99) from those of a queue with the same arrivals and services, over {} of the p99",
        show_ns(apart),
        percent(LAG_SHARE)
    );
    brand(Grade::Degraded, "twin-apart", reason, "look at the phases outside of queue and service; free a CPU, or lower the rate")
}

fn debug_build(facts: &Facts, case: &CaseSummary) -> Option<Brand> {
    if facts.profile != "debug" || case.timing_class == VIRTUAL {
        return None;
    }
    brand(Grade::Degraded, "debug-build", "built without optimisation".to_owned(), "build with --release")
}

/// Above capacity the backlog, and so every percentile, depends on how long one looks.
fn saturated(case: &CaseSummary, measured: &[&Record]) -> Option<Brand> {
    if case.open_loop != Some(true) {
        return None;
    }
    let shed = case.outcomes.iter().find(|o| o.outcome == "shed").map_or(0.0, |o| o.share);
    let over = case.offered_share_of_capacity.filter(|s| *s > 1.0);
    let expected = match over {
        Some(share) => {
            Some(format!("offered {} of capacity: percentiles grow with run length until the queue's limits cut them", percent(share)))
        }
        None if shed > SHED_SHARE => Some(format!("{} of the requests were shed: percentiles grow with run length", percent(shed))),
        None => None,
    };
    // What was seen goes before what was to be expected.
    let reason = load::backlog(measured).or(expected)?;
    brand(Grade::Note, "saturated", reason, "read goodput and the outcomes; for latency lower load.arrivals.rate")
}

fn closed_loop(case: &CaseSummary) -> Option<Brand> {
    if case.open_loop != Some(false) {
        return None;
    }
    let reason = "closed loop: a stall delays the next requests instead of being charged to them".to_owned();
    brand(Grade::Note, "closed", reason, "for latency under a given load use open-loop arrivals")
}

fn not_fifo(case: &CaseSummary) -> Option<Brand> {
    if case.open_loop != Some(true) || ["fifo", VIRTUAL].contains(&case.timing_class.as_str()) {
        return None;
    }
    let reason = format!("the pacing thread ran in timing class `{}`", case.timing_class);
    brand(Grade::Note, "timing-class", reason, "allow SCHED_FIFO (CAP_SYS_NICE or an rtprio limit); never compare across classes")
}

/// What was simulated must not be taken for measured.
fn simulated(case: &CaseSummary) -> Option<Brand> {
    if case.timing_class != VIRTUAL {
        return None;
    }
    let reason = "simulated: no process, pipe, scheduler or clock of a host took part".to_owned();
    brand(Grade::Note, "virtual-time", reason, "hold it against a live run: `poolbench compare`")
}

fn dirty_tree(facts: &Facts) -> Option<Brand> {
    if !facts.dirty {
        return None;
    }
    brand(Grade::Note, "dirty-tree", "the tree differed from its commit".to_owned(), "commit before a run that is to be kept")
}

/// A median over rounds of unlike hosts is the figure of none of them.
fn hosts_differ(facts: &Facts, case: &CaseSummary) -> Option<Brand> {
    let what = crate::merge::hosts_differ(facts);
    if what.is_empty() || case.timing_class == VIRTUAL {
        return None;
    }
    let reason = format!("rounds of {} merged runs, whose hosts or builds differ in {}", facts.parts.len(), what.join(", "));
    brand(Grade::Degraded, "hosts-differ", reason, "quote each run's own report; hold them against each other with `poolbench compare`")
}

/// Each run that measures a capacity of its own offers its share of that.
fn rates_differ(facts: &Facts, case: &CaseSummary) -> Option<Brand> {
    let (low, high) = case.offered_per_s.low.zip(case.offered_per_s.high)?;
    if facts.parts.is_empty() || high - low <= RATE_GAP * high {
        return None;
    }
    let reason = format!("the merged runs offered {} to {}", show_rate(low), show_rate(high));
    brand(Grade::Degraded, "rates-differ", reason, "give load.arrivals.rate per second instead of as a share of capacity")
}

fn incomplete(facts: &Facts, case: &CaseSummary) -> Option<Brand> {
    if case.rounds_measured >= case.rounds_planned {
        return None;
    }
    let reason = format!("{} of {} rounds were measured", case.rounds_measured, case.rounds_planned);
    let merged = "continue the runs that were merged with `run --continue DIR`, then merge them again";
    let remedy = if facts.parts.is_empty() { "continue the run with `run --continue DIR`" } else { merged };
    brand(Grade::Note, "incomplete", reason, remedy)
}

fn settings_differ(measured: &[&Record]) -> Option<Brand> {
    let keys = crate::case::seen_differs(measured);
    if keys.is_empty() {
        return None;
    }
    let reason = format!("the system reported different values between rounds: {}", keys.join(", "));
    brand(Grade::Degraded, "settings-differ", reason, "use a fresh directory on one filesystem for all rounds")
}

/// Endpoints were served: what they cost is in these figures.
fn monitored(measured: &[&Record]) -> Option<Brand> {
    let answers: u64 =
        measured.iter().map(|r| r.monitored).try_fold(None, |sum, n| Some(n.map_or(sum, |n| Some(sum.unwrap_or(0) + n))))??;
    let reason = format!("the monitor's endpoints were served and answered {answers} times");
    brand(Grade::Note, "monitored", reason, "run without --monitor for figures that are to be compared")
}

/// One seed gives one load: within a round all cases of a scenario must have run the same, unless an axis changes the load itself.
pub(crate) fn different_load(group: &[&Record]) -> Option<Brand> {
    let first = group.first()?;
    let other = group.iter().find(|r| r.round == first.round && r.seed == first.seed && r.fingerprint != first.fingerprint)?;
    let reason = format!("round {}: the same seed gave another load than in {}", first.round, other.case);
    brand(Grade::Note, "different-load", reason, "compare these cases with care; their requests were not the same")
}

#[cfg(test)]
mod tests;
