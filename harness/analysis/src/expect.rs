//! Expectations: what a scenario says must hold, and what must hold always, judged on each trial.

use model::Record;
use model::plan::{Case, Expectation};
use model::record::{JournalCheck, VIRTUAL};

use crate::rounds::Trials;
use crate::stats::quotient;
use crate::summary::Check;

/// Figures that an expectation may name; `*` stands for the name of an outcome, a tier or a fault.
pub const FIGURES: [&str; 19] = [
    "outcomes.*",
    "served.*",
    "recall.*",
    "deaths",
    "children-left",
    "accuracy",
    "over-predicted",
    "regret",
    "affinity-hits",
    "digest",
    "sessions",
    "faults",
    "faults.*",
    "executed-twice",
    "executed-unsaid",
    "executed-never",
    "descriptors-left",
    "sessions-left",
    "memory-growth",
];

/// A count in one trial, and what it is a share of.
struct Measured {
    count: u64,
    whole: u64,
}

fn total<'a>(counts: impl IntoIterator<Item = &'a u64>) -> u64 {
    counts.into_iter().fold(0, |t, c| t.saturating_add(*c))
}

/// The figure `name` of a trial, or why there is none.
fn measure(record: &Record, name: &str) -> Result<Measured, String> {
    let requests = total(record.outcomes.values());
    let of_requests = |count: u64| Ok(Measured { count, whole: requests });
    match name.split_once('.').unwrap_or((name, "")) {
        ("outcomes", outcome) => of_requests(record.outcomes.get(outcome).copied().unwrap_or(0)),
        ("served", tier) => Ok(Measured {
            count: record.tiers.get(tier).map_or(0, |t| t.served),
            whole: record.tiers.values().fold(0, |t, tier| t.saturating_add(tier.served)),
        }),
        ("deaths", "") => of_requests(record.deaths.unexpected),
        ("children-left", "") => of_requests(record.deaths.children_left),
        ("recall", tier) => recall(record, tier),
        ("over-predicted", "") => over_predicted(record),
        ("regret", "") => regret(record),
        ("descriptors-left", "") => of_requests(record.left.descriptors),
        ("sessions-left", "") => of_requests(record.left.sessions),
        ("faults", "") => of_requests(total(record.faults.values())),
        ("faults", kind) => of_requests(record.faults.get(kind).copied().unwrap_or(0)),
        ("executed-twice", "") => executed(record, |j| j.twice),
        ("executed-unsaid", "") => executed(record, |j| j.unsaid),
        ("executed-never", "") => executed(record, |j| j.never),
        ("memory-growth", "") => memory_growth(record),
        ("accuracy", "") => accuracy(record),
        ("affinity-hits", "") => affinity(record),
        ("digest", "") => digest(record),
        ("sessions", "") => sessions(record),
        _ => Err(format!("no such figure (known: {})", FIGURES.join(", "))),
    }
}

fn accuracy(record: &Record) -> Result<Measured, String> {
    let right = record.confusion.iter().filter_map(|(predicted, row)| row.get(predicted));
    let whole = total(record.confusion.values().flat_map(|row| row.values()));
    if whole == 0 { Err("no tier was predicted".to_owned()) } else { Ok(Measured { count: total(right), whole }) }
}

/// Requests that really belong to `tier`, and those of them that were predicted so.
fn recall(record: &Record, tier: &str) -> Result<Measured, String> {
    let of = |row: &std::collections::BTreeMap<String, u64>| row.get(tier).copied().unwrap_or(0);
    let whole = record.confusion.values().fold(0u64, |t, row| t.saturating_add(of(row)));
    let count = record.confusion.get(tier).map_or(0, of);
    if whole == 0 { Err(format!("no request belongs to the tier {tier}")) } else { Ok(Measured { count, whole }) }
}

/// Requests that really are hot, and those of them that were predicted heavier.
fn over_predicted(record: &Record) -> Result<Measured, String> {
    let Measured { count, whole } = recall(record, "hot")?;
    Ok(Measured { count: whole - count, whole })
}

/// Response time beyond the oracle's, by the oracle's, ns.
fn regret(record: &Record) -> Result<Measured, String> {
    let r = record.regret.as_ref().ok_or("no oracle was simulated: it takes the target 'pool' and planned arrivals")?;
    Ok(Measured { count: r.response_ns.saturating_sub(r.oracle_ns), whole: r.oracle_ns })
}

fn affinity(record: &Record) -> Result<Measured, String> {
    let of = |key: &str| record.affinity.get(key).copied().unwrap_or(0);
    let (count, whole) = (of("hit"), total(&[of("hit"), of("missed"), of("forced-miss")]));
    if whole == 0 { Err("no session came back to a worker".to_owned()) } else { Ok(Measured { count, whole }) }
}

/// Wrong answers; that none was compared is not the same as none being wrong.
fn digest(record: &Record) -> Result<Measured, String> {
    let whole = record.answers.digests.saturating_add(record.answers.bodies);
    if whole == 0 { Err("no answer was compared".to_owned()) } else { Ok(Measured { count: record.answers.wrong, whole }) }
}

/// What the workers' journal says; that there was none is not the same as nothing wrong.
fn executed(record: &Record, of: fn(&JournalCheck) -> u64) -> Result<Measured, String> {
    let journal = record.journal.as_ref().ok_or("the workers kept no journal (set worker.journal = true)")?;
    Ok(Measured { count: of(journal), whole: journal.executions })
}

/// Bytes by which the trial's process grew between a third of the window and its end.
fn memory_growth(record: &Record) -> Result<Measured, String> {
    let memory = record.memory;
    if memory.early_bytes == 0 {
        return Err("memory was not measured".to_owned());
    }
    Ok(Measured { count: memory.late_bytes.saturating_sub(memory.early_bytes), whole: memory.early_bytes })
}

/// Sessions that could not be read, and turns that they lost.
fn sessions(record: &Record) -> Result<Measured, String> {
    let s = record.sessions.as_ref().ok_or("no session was read back")?;
    Ok(Measured { count: s.lost.saturating_add(s.corrupt), whole: s.turns_acknowledged })
}

/// The figure as text, and by how much it misses its bounds (0 or less: it holds).
fn judge(e: &Expectation, record: &Record) -> (String, f64) {
    // A simulated worker answers nothing that could be wrong.
    if record.timing_class == VIRTUAL && e.figure == "digest" {
        return ("not compared: virtual time has no answers".to_owned(), f64::NEG_INFINITY);
    }
    // Nor is there anything to expect of what this host cannot do; the report says so in its row.
    if let Some(why) = record.contender.as_ref().and_then(|c| c.not_here.as_ref()) {
        return (format!("not available here: {why}"), f64::NEG_INFINITY);
    }
    let measured = match measure(record, &e.figure) {
        Ok(m) => m,
        Err(why) => return (why, f64::INFINITY),
    };
    let (value, text) = if e.share {
        match quotient(measured.count as f64, measured.whole as f64) {
            Some(share) => (share, format!("{:.2} % ({} of {})", share * 100.0, measured.count, measured.whole)),
            None => return ("there were no requests".to_owned(), f64::INFINITY),
        }
    } else {
        (measured.count as f64, measured.count.to_string())
    };
    // What has no bound of its own (`digest`, `sessions`) is a count of things gone wrong.
    let unbounded = e.at_least.is_none() && e.at_most.is_none();
    let text = if unbounded { format!("{} wrong of {}", measured.count, measured.whole) } else { text };
    let at_most = if unbounded { Some(0.0) } else { e.at_most };
    let under = e.at_least.map_or(f64::NEG_INFINITY, |b| b - value);
    let over = at_most.map_or(f64::NEG_INFINITY, |b| value - b);
    (text, under.max(over))
}

/// The check of one expectation over all measured rounds: it reports the worst of them.
fn check(e: &Expectation, measured: &[&Record]) -> Check {
    let judged = measured.iter().map(|r| (r.round, judge(e, r)));
    let worst = judged.reduce(|a, b| if b.1.1 > a.1.1 { b } else { a });
    let (text, ok) = match worst {
        None => ("no trial ran to its end".to_owned(), false),
        Some((_, (text, miss))) if miss <= 0.0 => (text, true),
        Some((round, (text, _))) => (format!("{text} in round {round}"), false),
    };
    Check { figure: e.figure.clone(), says: e.says.value.clone(), place: e.says.place(), measured: text, ok }
}

/// A count that must always be 0, by name.
type Never = (&'static str, fn(&Record) -> u64);

/// What must hold in every trial of every case.
fn always(trials: &Trials<'_>) -> Vec<Check> {
    let rows: [Never; 4] = [
        ("answers.wrong", |r| r.answers.wrong),
        ("sessions.lost", |r| r.sessions.map_or(0, |s| s.lost)),
        ("sessions.corrupt", |r| r.sessions.map_or(0, |s| s.corrupt)),
        ("children-left", |r| r.deaths.children_left),
    ];
    let broken = |(figure, of): Never| {
        let worst = trials.finished().filter(|r| of(r) > 0).max_by_key(|r| of(r))?;
        let detail = if figure == "answers.wrong" && !worst.answers.first_wrong.is_empty() {
            format!("; the first: {}", worst.answers.first_wrong)
        } else {
            String::new()
        };
        let measured = format!("{} in round {} ({}){detail}", of(worst), worst.round, kind_name(worst));
        Some(Check { figure: figure.to_owned(), says: "always 0".to_owned(), place: String::new(), measured, ok: false })
    };
    rows.into_iter().filter_map(broken).collect()
}

fn kind_name(record: &Record) -> &'static str {
    match record.kind {
        model::record::TrialKind::Calibration => "calibration",
        model::record::TrialKind::Measured => "measured",
        model::record::TrialKind::Profiled => "profiled",
    }
}

/// All checks of a case: its expectations in file order, then whatever must always hold and did not.
pub(crate) fn checks(case: &Case, trials: &Trials<'_>) -> Vec<Check> {
    let mut checks: Vec<Check> = case.expect.iter().map(|e| check(e, &trials.measured)).collect();
    checks.extend(always(trials));
    checks
}

#[cfg(test)]
mod tests;
