//! Expectations: what a scenario says must hold, and what must hold always, judged on each trial.

use model::Record;
use model::plan::{Case, Expectation};
use model::units::{show_bytes, show_ns};

use crate::rounds::{self, Trials};
use crate::stats::{quotient, share};
use crate::summary::Check;

/// Figures that an expectation may name; `*` stands for a name such as that of an outcome or a tier. Counts may be taken as a share of
/// all requests of the window (affinity: of all later requests of sessions; tiers: of all served).
pub const FIGURES: [&str; 25] = [
    "outcomes.*",
    "errors",
    "deaths",
    "deaths.unexpected",
    "deaths.while-busy",
    "deaths.closed",
    "spawns",
    "children-left",
    "redispatched",
    "fallbacks",
    "affinity.hits",
    "affinity.missed",
    "affinity.forced-misses",
    "tiers.*",
    "accuracy",
    "recall.*",
    "digest",
    "sessions",
    "sessions.read",
    "sessions.lost",
    "sessions.corrupt",
    "compression-ratio",
    "goodput",
    "response.*",
    "memory",
];

/// Whether an expectation may name this figure.
pub fn knows_figure(name: &str) -> bool {
    FIGURES.iter().any(|f| match f.strip_suffix('*') {
        Some(prefix) => name.strip_prefix(prefix).is_some_and(|rest| !rest.is_empty()),
        None => *f == name,
    })
}

/// A figure of one trial: its value, what it is a share of, and its unit.
struct Measured {
    value: f64,
    whole: Option<f64>,
    unit: Unit,
}

#[derive(Clone, Copy, PartialEq)]
enum Unit {
    Count,
    /// Already a share of 0 to 1.
    Share,
    Ns,
    Bytes,
    PerSecond,
}

impl Unit {
    fn show(self, value: f64) -> String {
        match self {
            Unit::Count => format!("{}", (value * 1000.0).round() / 1000.0),
            Unit::Share => format!("{:.2} %", value * 100.0),
            Unit::Ns => show_ns(value),
            Unit::Bytes => show_bytes(value),
            Unit::PerSecond => model::units::show_rate(value),
        }
    }
}

/// The figure `name` of a trial, or why there is none.
fn measure(record: &Record, name: &str) -> Result<Measured, String> {
    if !knows_figure(name) {
        return Err(format!("no such figure (known: {})", FIGURES.join(", ")));
    }
    let requests = record.outcomes.values().fold(0u64, |t, c| t.saturating_add(*c));
    let count = |n: u64| Ok(Measured { value: n as f64, whole: Some(requests as f64), unit: Unit::Count });
    let plain = |value: f64, unit| Ok(Measured { value, whole: None, unit });
    if let Some((group, rest)) = name.split_once('.') {
        match group {
            "outcomes" => return count(record.outcomes.get(rest).copied().unwrap_or(0)),
            "affinity" => return affinity(record, rest),
            "tiers" => return served(record, rest),
            "recall" => return recall(record, Some(rest)),
            "response" => return response(record, rest),
            _ => {}
        }
    }
    let d = &record.deaths;
    match name {
        "errors" => count(record.errors.values().fold(0u64, |t, c| t.saturating_add(*c))),
        "deaths" | "deaths.unexpected" => count(d.unexpected),
        "deaths.while-busy" => count(d.while_busy),
        "deaths.closed" => count(d.closed),
        "spawns" => count(d.spawns),
        "children-left" => count(d.children_left),
        "redispatched" => count(record.counts.redispatched),
        "fallbacks" => count(record.counts.fallbacks),
        "accuracy" => recall(record, None),
        "digest" => digest(record),
        "compression-ratio" => {
            share(record.bytes.encoded, record.bytes.sent).map_or(Err("nothing was sent back".to_owned()), |v| plain(v, Unit::Count))
        }
        "goodput" => plain(rounds::goodput(record)?, Unit::PerSecond),
        "memory" => plain(record.memory_peak_bytes as f64, Unit::Bytes),
        _ => sessions(record, name),
    }
}

fn affinity(record: &Record, name: &str) -> Result<Measured, String> {
    let of = |key: &str| record.affinity.get(key).copied().unwrap_or(0) as f64;
    let key = match name {
        "hits" => "hit",
        "missed" => "missed",
        _ => "forced-miss",
    };
    let whole = of("hit") + of("missed") + of("forced-miss");
    if whole == 0.0 {
        return Err("no session came back to a worker".to_owned());
    }
    Ok(Measured { value: of(key), whole: Some(whole), unit: Unit::Count })
}

fn served(record: &Record, tier: &str) -> Result<Measured, String> {
    let whole: f64 = record.tiers.values().map(|t| t.served as f64).sum();
    let value = record.tiers.get(tier).map_or(0.0, |t| t.served as f64);
    Ok(Measured { value, whole: Some(whole), unit: Unit::Count })
}

/// Recall of an actual tier, or the accuracy over all.
fn recall(record: &Record, tier: Option<&str>) -> Result<Measured, String> {
    let (mut right, mut all) = (0u64, 0u64);
    for (predicted, row) in &record.confusion {
        for (actual, count) in row.iter().filter(|(actual, _)| tier.is_none_or(|t| t == actual.as_str())) {
            all = all.saturating_add(*count);
            right = right.saturating_add(if predicted == actual { *count } else { 0 });
        }
    }
    let value = share(right, all).ok_or("no request of that tier was predicted")?;
    Ok(Measured { value, whole: None, unit: Unit::Share })
}

fn response(record: &Record, which: &str) -> Result<Measured, String> {
    let histogram = record.histograms.get("response");
    let value = match which.strip_prefix('p').and_then(|p| p.parse::<f64>().ok()) {
        Some(p) if (0.0..100.0).contains(&p) => rounds::percentile(histogram, p / 100.0)?,
        _ if which == "max" => rounds::largest(histogram)?,
        _ => return Err("no such percentile (expected such as response.p99 or response.max)".to_owned()),
    };
    Ok(Measured { value, whole: None, unit: Unit::Ns })
}

/// Wrong answers; that none was compared is not the same as none being wrong.
fn digest(record: &Record) -> Result<Measured, String> {
    let compared = record.answers.digests.saturating_add(record.answers.bodies);
    if compared == 0 {
        return Err("no answer was compared".to_owned());
    }
    Ok(Measured { value: record.answers.wrong as f64, whole: Some(compared as f64), unit: Unit::Count })
}

fn sessions(record: &Record, name: &str) -> Result<Measured, String> {
    let s = record.sessions.as_ref().ok_or("no session was read back")?;
    let value = match name {
        "sessions.read" => s.read,
        "sessions.lost" => s.lost,
        "sessions.corrupt" => s.corrupt,
        _ => s.lost.saturating_add(s.corrupt),
    };
    Ok(Measured { value: value as f64, whole: quotient(s.read as f64, 1.0), unit: Unit::Count })
}

/// The figure as text, and by how much it misses its bounds (0 or less: it holds).
fn judge(e: &Expectation, record: &Record) -> (String, f64) {
    let measured = match measure(record, &e.figure) {
        Ok(m) => m,
        Err(why) => return (why, f64::INFINITY),
    };
    let (value, unit) = match (e.share, measured.unit, measured.whole) {
        (true, Unit::Count, Some(whole)) => match quotient(measured.value, whole) {
            Some(share) => (share, Unit::Share),
            None => return ("there were no requests".to_owned(), f64::INFINITY),
        },
        (_, unit, _) => (measured.value, unit),
    };
    // What has no bound of its own (`digest`, `sessions`) is a count of things gone wrong.
    let at_most = if e.at_least.is_none() && e.at_most.is_none() { Some(0.0) } else { e.at_most };
    let under = e.at_least.map_or(f64::NEG_INFINITY, |b| b - value);
    let over = at_most.map_or(f64::NEG_INFINITY, |b| value - b);
    (unit.show(value), under.max(over))
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
