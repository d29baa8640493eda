//! One case: from its trials to its [`CaseSummary`], brands and checks excepted.

use std::collections::BTreeMap;

use model::Record;
use model::plan::Case;
use model::record::{Answers, Counts, Deaths, JournalCheck, SessionsCheck, Status};

use crate::rounds::{self, Trials, figure, merged, percentiles, sum, sum_by_name};
use crate::stats::{mean, median, quotient, share};
use crate::summary::{
    AffinitySummary, BytesSummary, CaseSummary, ErrorRow, Figure, HostSummary, OutcomeRow, PacerSummary, ResidualSummary, StatusRow,
    TwinRow, TwinSummary,
};
use crate::{tiers, time};

/// Everything about a case but its brands and checks.
pub(crate) fn summarise(case: &Case, trials: &Trials<'_>) -> CaseSummary {
    let measured = trials.measured.as_slice();
    let capacity = capacity_figure(trials);
    let offered = figure(measured.iter().map(|r| r.offered_per_s.ok_or_else(|| "a closed loop offers no rate".to_owned())));
    CaseSummary {
        id: case.id.clone(),
        axes: case.axes.clone(),
        rounds_planned: case.rounds,
        rounds_measured: measured.len() as u32,
        rounds_failed: trials.unfinished.iter().filter(|r| r.kind == model::record::TrialKind::Measured).count() as u32,
        statuses: trials.unfinished.iter().map(|r| status_row(r)).collect(),
        open_loop: measured.first().map(|r| r.open_loop),
        timing_class: one_or_mixed(measured.iter().map(|r| r.timing_class.as_str())),
        offered_share_of_capacity: offered.value.zip(capacity.value).and_then(|(o, c)| quotient(o, c)),
        capacity_per_s: capacity,
        offered_per_s: offered,
        goodput_per_s: figure(measured.iter().map(|r| rounds::goodput(r))),
        cpu_per_request_ns: figure(measured.iter().map(|r| rounds::cpu_per_request(r))),
        response: percentiles(measured, "response"),
        since_sent: percentiles(measured, "since-sent"),
        spectrum: time::spectrum(&merged(measured, "response")),
        counts: counts(measured),
        outcomes: outcomes(measured),
        errors: errors(measured),
        affinity: affinity(measured),
        tiers: tiers::tiers(measured),
        confusion: tiers::confusion(measured),
        guessing: tiers::guessing(measured),
        phases: time::phases(measured),
        bands: time::bands(measured),
        unexplained_share: mean(&finite(measured.iter().map(|r| r.unexplained_share))),
        deaths: deaths(measured),
        faults: sum_by_name(measured, |r| &r.faults),
        journal: journal(measured),
        bytes: bytes(measured),
        answers: answers(measured),
        sessions: sessions(measured),
        pacer: pacer(measured),
        host: host(measured),
        twin: twin(measured),
        intervals: crate::sure::intervals(measured),
        memory_peak_bytes: measured.iter().map(|r| r.memory_peak_bytes).max().unwrap_or(0),
        seen: measured.first().map(|r| r.seen.clone()).unwrap_or_default(),
        brands: Vec::new(),
        checks: Vec::new(),
    }
}

fn finite(values: impl Iterator<Item = f64>) -> Vec<f64> {
    values.filter(|v| v.is_finite()).collect()
}

fn largest(values: impl Iterator<Item = f64>) -> Option<f64> {
    finite(values).into_iter().reduce(f64::max)
}

/// The one value of all, `mixed`, or `none` of nothing.
pub(crate) fn one_or_mixed<'a>(mut values: impl Iterator<Item = &'a str>) -> String {
    let Some(first) = values.next() else { return "none".to_owned() };
    if values.all(|v| v == first) { first.to_owned() } else { "mixed".to_owned() }
}

fn capacity_figure(trials: &Trials<'_>) -> Figure {
    let mut capacity = figure(trials.calibration.iter().map(|r| rounds::capacity(r)));
    if trials.calibration.is_empty() {
        capacity.why_blank = Some("not calibrated: no case of the scenario has a rate of capacity".to_owned());
        if trials.unfinished.iter().any(|r| r.kind == model::record::TrialKind::Calibration) {
            capacity.why_blank = Some("the calibration trial did not run to its end".to_owned());
        }
    }
    capacity
}

/// Why a trial did not run to its end.
fn why_unfinished(record: &Record) -> String {
    match &record.status {
        Status::Measured => "ran to its end".to_owned(),
        Status::Failed { why } => why.clone(),
        Status::TimedOut { after_ns } => format!("timed out after {}", model::units::show_ns(*after_ns as f64)),
    }
}

fn status_row(record: &Record) -> StatusRow {
    StatusRow { kind: record.kind, round: record.round, why: why_unfinished(record) }
}

fn counts(all: &[&Record]) -> Counts {
    Counts {
        intended: sum(all, |r| r.counts.intended),
        sent: sum(all, |r| r.counts.sent),
        finished: sum(all, |r| r.counts.finished),
        ok_in_deadline: sum(all, |r| r.counts.ok_in_deadline),
        ok_arrived_in_window: sum(all, |r| r.counts.ok_arrived_in_window),
        warmup: sum(all, |r| r.counts.warmup),
        redispatched: sum(all, |r| r.counts.redispatched),
        fallbacks: sum(all, |r| r.counts.fallbacks),
    }
}

fn outcomes(all: &[&Record]) -> Vec<OutcomeRow> {
    let by_name = sum_by_name(all, |r| &r.outcomes);
    let total = by_name.values().fold(0u64, |t, c| t.saturating_add(*c));
    let row = |(name, count): (String, u64)| OutcomeRow { outcome: name, count, share: share(count, total).unwrap_or(0.0) };
    let mut rows: Vec<OutcomeRow> = by_name.into_iter().map(row).collect();
    rows.sort_by(|a, b| (a.outcome != "ok", &a.outcome).cmp(&(b.outcome != "ok", &b.outcome)));
    rows
}

fn errors(all: &[&Record]) -> Vec<ErrorRow> {
    let mut rows: Vec<ErrorRow> = sum_by_name(all, |r| &r.errors).into_iter().map(|(text, count)| ErrorRow { text, count }).collect();
    rows.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.text.cmp(&b.text)));
    rows
}

fn affinity(all: &[&Record]) -> Option<AffinitySummary> {
    let by_name = sum_by_name(all, |r| &r.affinity);
    let of = |name: &str| by_name.get(name).copied().unwrap_or(0);
    let (bound, hits, missed, forced_misses) = (of("bound"), of("hit"), of("missed"), of("forced-miss"));
    let later = hits.saturating_add(missed).saturating_add(forced_misses);
    if bound == 0 && later == 0 {
        return None;
    }
    Some(AffinitySummary { free: of("free"), bound, hits, missed, forced_misses, hit_share: share(hits, later) })
}

fn deaths(all: &[&Record]) -> Deaths {
    Deaths {
        unexpected: sum(all, |r| r.deaths.unexpected),
        while_busy: sum(all, |r| r.deaths.while_busy),
        closed: sum(all, |r| r.deaths.closed),
        spawns: sum(all, |r| r.deaths.spawns),
        by_status: sum_by_name(all, |r| &r.deaths.by_status),
        children_left: sum(all, |r| r.deaths.children_left),
    }
}

fn journal(all: &[&Record]) -> Option<JournalCheck> {
    let kept: Vec<JournalCheck> = all.iter().filter_map(|r| r.journal).collect();
    let add = |a: JournalCheck, b: JournalCheck| JournalCheck {
        executions: a.executions.saturating_add(b.executions),
        twice: a.twice.saturating_add(b.twice),
        replayed: a.replayed.saturating_add(b.replayed),
        unsaid: a.unsaid.saturating_add(b.unsaid),
        never: a.never.saturating_add(b.never),
    };
    kept.into_iter().reduce(add)
}

fn bytes(all: &[&Record]) -> Option<BytesSummary> {
    let total = |count: fn(&model::record::ByteFigures) -> u64| sum(all, |r| count(&r.bytes));
    let (encoded, sent, saved) = (total(|b| b.encoded), total(|b| b.sent), total(|b| b.saved));
    if encoded == 0 && sent == 0 && saved == 0 {
        return None;
    }
    let ok = sum(all, |r| r.outcomes.get("ok").copied().unwrap_or(0));
    Some(BytesSummary {
        ratio: share(encoded, sent),
        encoded_mean_bytes: share(encoded, ok),
        sent_mean_bytes: share(sent, ok),
        saved_mean_bytes: share(saved, ok),
    })
}

fn answers(all: &[&Record]) -> Answers {
    Answers {
        digests: sum(all, |r| r.answers.digests),
        bodies: sum(all, |r| r.answers.bodies),
        wrong: sum(all, |r| r.answers.wrong),
        first_wrong: all.iter().map(|r| r.answers.first_wrong.clone()).find(|w| !w.is_empty()).unwrap_or_default(),
    }
}

fn sessions(all: &[&Record]) -> Option<SessionsCheck> {
    let total = |count: fn(&SessionsCheck) -> u64| sum(all, |r| r.sessions.as_ref().map_or(0, count));
    all.iter().any(|r| r.sessions.is_some()).then(|| SessionsCheck {
        read: total(|s| s.read),
        turns_acknowledged: total(|s| s.turns_acknowledged),
        turns_found: total(|s| s.turns_found),
        lost: total(|s| s.lost),
        unacknowledged: total(|s| s.unacknowledged),
        corrupt: total(|s| s.corrupt),
    })
}

fn pacer(all: &[&Record]) -> Option<PacerSummary> {
    let paced: Vec<&Record> = all.iter().copied().filter(|r| r.pacer.is_some()).collect();
    if paced.is_empty() {
        return None;
    }
    let lag = percentiles(&paced, "lag");
    let shares = |of: fn(&Record) -> Option<f64>| paced.iter().filter_map(|r| of(r)).collect::<Vec<f64>>();
    let pacers = || paced.iter().filter_map(|r| r.pacer);
    Some(PacerSummary {
        lag_p50_ns: lag.p50_ns,
        lag_p99_ns: lag.p99_ns,
        lag_max_ns: lag.max_ns,
        sent_share: shares(|r| share(r.counts.sent, r.counts.intended)).into_iter().reduce(f64::min),
        until_last_share: shares(|r| share(r.until_last_ns, r.window_ns)).into_iter().reduce(f64::max),
        cpu_share: pacers().filter_map(|p| share(p.cpu_ns, p.wall_ns)).reduce(f64::max),
        tail_ns: pacers().map(|p| p.tail_ns).max().unwrap_or(0),
        stood_in: pacers().fold(0, |sum, p| sum.saturating_add(p.stood_in)),
    })
}

fn host(all: &[&Record]) -> HostSummary {
    HostSummary {
        steal_share: largest(all.iter().map(|r| r.host.steal_share)).unwrap_or(0.0),
        cpu_pressure_share: largest(all.iter().map(|r| r.host.cpu_pressure)).unwrap_or(0.0),
        load_1m: largest(all.iter().map(|r| r.host.load_1m)).unwrap_or(0.0),
        throttled_ns: all.iter().map(|r| r.host.throttled_ns).max().unwrap_or(0),
    }
}

fn twin(all: &[&Record]) -> Option<TwinSummary> {
    let twins: Vec<_> = all.iter().filter_map(|r| r.twin).collect();
    if twins.is_empty() {
        return None;
    }
    let over = |of: &dyn Fn(&model::record::Twin) -> f64| median(&finite(twins.iter().map(of))).unwrap_or(0.0);
    let row = |(i, name): (usize, &str)| {
        let at = |values: &[f64; 4]| values.get(i).copied().unwrap_or(0.0);
        let (measured_ns, lindley_ns) = (over(&|t| at(&t.measured)), over(&|t| at(&t.lindley)));
        TwinRow {
            percentile: name.to_owned(),
            measured_ns,
            lindley_ns,
            dispatch_stamp_ns: over(&|t| at(&t.dispatch_stamp)),
            error_share: quotient(measured_ns - lindley_ns, lindley_ns),
        }
    };
    Some(TwinSummary {
        requests: twins.iter().fold(0, |t, w| t.saturating_add(w.requests)),
        rows: ["p50", "p90", "p95", "p99"].into_iter().enumerate().map(row).collect(),
        slots: twins.iter().map(|t| t.slots).max().filter(|slots| *slots > 1),
        residual: residual(&twins),
    })
}

fn residual(twins: &[model::record::Twin]) -> Option<ResidualSummary> {
    let of = |at: fn([f64; 4]) -> f64| median(&finite(twins.iter().filter_map(|t| t.residual).map(at)));
    Some(ResidualSummary { p50_ns: of(|[p50, ..]| p50)?, p99_ns: of(|[.., p99]| p99)? })
}

/// Values of a setting as the system reported them that differ between rounds, by key.
pub(crate) fn seen_differs(all: &[&Record]) -> Vec<String> {
    let mut by_key: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (key, value) in all.iter().flat_map(|r| &r.seen) {
        by_key.entry(key).or_default().push(value);
    }
    let same = |values: &[&str]| values.windows(2).all(|w| w.first() == w.last());
    by_key.into_iter().filter(|(_, v)| !same(v)).map(|(k, _)| k.to_owned()).collect()
}
