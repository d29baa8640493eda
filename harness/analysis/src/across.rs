//! Two runs compared, case by case: what the same cases gave in each, and whether that agrees.
//!
//! Only like is compared with like: a case must have one id, target, load and settings in both runs. Timing classes may differ, since whoever
//! names two runs asks for just that; the report says which they were.

use std::collections::BTreeSet;

use model::facts::Facts;
use model::plan::{Case, Load, Plan};
use model::{Record, plan::SCHEMA};

use crate::case::one_or_mixed;
use crate::classes::{self, interval};
use crate::rounds::{RoundValue, Trials, by_case, goodput, merged, percentile};
use crate::stats::t95;
use crate::summary::{Across, AcrossRow, Interval, MatchedCase, RunFacts};

/// A run as its directory holds it.
#[derive(Clone, Copy, Debug)]
pub struct Side<'a> {
    /// What was to run.
    pub plan: &'a Plan,
    /// On what it ran.
    pub facts: &'a Facts,
    /// What its trials left.
    pub records: &'a [Record],
}

/// Settings that only tell virtual time of the world.
const VIRTUAL_SETTINGS: &str = "virtual.";
/// Phases, in the order of a request's life.
const PHASES: [&str; 12] =
    ["lag", "admit", "session-wait", "load", "queue", "dispatch", "service", "return", "encode", "compress", "persist", "reply"];
/// Percentiles of all requests.
const PERCENTILES: [(&str, f64); 4] = [("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99)];

/// Compares two runs.
///
/// # Errors
/// Why nothing of them can be compared: another schema, no case in common, or none with the same load and settings.
pub fn across(a: Side<'_>, b: Side<'_>) -> Result<Across, String> {
    if a.plan.schema != b.plan.schema {
        return Err(format!(
            "the runs have different schemas, {} and {} (this program writes {SCHEMA}): measure the older one again",
            a.plan.schema, b.plan.schema
        ));
    }
    let (of_a, of_b) = (by_case(a.records), by_case(b.records));
    let none = Trials::default();
    let (mut cases, mut refused) = (Vec::new(), Vec::new());
    for case in &a.plan.cases {
        let Some(other) = b.plan.cases.iter().find(|c| c.id == case.id) else { continue };
        let trials = (of_a.get(case.id.as_str()).unwrap_or(&none), of_b.get(case.id.as_str()).unwrap_or(&none));
        match difference(case, other).or_else(|| unmeasured(trials)) {
            Some(why) => refused.push((case.id.clone(), why)),
            None => cases.push(matched(case, trials)),
        }
    }
    let only = |own: &Plan, other: &Plan| -> Vec<String> {
        let ids: BTreeSet<&str> = other.cases.iter().map(|c| c.id.as_str()).collect();
        own.cases.iter().filter(|c| !ids.contains(c.id.as_str())).map(|c| c.id.clone()).collect()
    };
    if cases.is_empty() {
        let first = refused.first().map(|(case, why)| format!("{case}: {why}"));
        return Err(first.unwrap_or_else(|| "the runs have no case in common: select the same cases in both with -f".to_owned()));
    }
    let (only_a, only_b) = (only(a.plan, b.plan), only(b.plan, a.plan));
    Ok(Across { a: run_facts(a), b: run_facts(b), cases, refused, only_a, only_b })
}

fn run_facts(side: Side<'_>) -> RunFacts {
    let measured = crate::counting(side.records);
    RunFacts {
        facts: side.facts.clone(),
        virtual_time: side.plan.virtual_time,
        timing_class: one_or_mixed(measured.iter().map(|r| r.timing_class.as_str())),
        seed: side.plan.seed,
    }
}

fn unmeasured(trials: (&Trials<'_>, &Trials<'_>)) -> Option<String> {
    let side = match (trials.0.measured.is_empty(), trials.1.measured.is_empty()) {
        (false, false) => return None,
        (true, _) => "A",
        (false, true) => "B",
    };
    Some(format!("no round of run {side} ran to its end"))
}

/// What differs between two cases of one id, but for lengths, rounds and what is expected.
fn difference(a: &Case, b: &Case) -> Option<String> {
    if a.target.value != b.target.value {
        return Some(format!("the targets differ: {} and {}", a.target.value, b.target.value));
    }
    if let Some(what) = load_difference(&a.load, &b.load) {
        return Some(format!("the loads differ in {what}: the requests are not the same"));
    }
    let keys: BTreeSet<&String> = a.settings.keys().chain(b.settings.keys()).filter(|k| !k.starts_with(VIRTUAL_SETTINGS)).collect();
    let text = |case: &Case, key: &String| case.settings.get(key).map_or_else(|| "the default".to_owned(), |v| v.value.clone());
    let key = keys.into_iter().find(|key| text(a, key) != text(b, key))?;
    Some(format!("setting {key} differs: {} and {}", text(a, key), text(b, key)))
}

fn load_difference(a: &Load, b: &Load) -> Option<&'static str> {
    type Part = (&'static str, fn(&Load) -> String);
    let parts: [Part; 7] = [
        ("arrivals", |l| format!("{} {:?}", l.arrivals.kind.value, l.arrivals.with.iter().map(|(k, v)| (k, &v.value)).collect::<Vec<_>>())),
        ("rate", |l| format!("{:?}", l.rate)),
        ("trace", |l| format!("{:?}", l.trace)),
        ("clients", |l| if l.rate.is_none() && l.trace.is_none() { l.clients.to_string() } else { String::new() }),
        ("sessions", |l| format!("{} {}", l.sessions, l.popularity.value)),
        ("accept", |l| l.accept.clone()),
        ("mix", |l| {
            let sort = |m: &model::plan::Mix| {
                let texts = [&m.tool, &m.shape, &m.service, &m.work].map(|t| t.value.as_str()).join(" ");
                format!("{texts} {} {} {:?}", m.share, m.payload_bytes, m.deadline_ns)
            };
            l.mix.iter().map(sort).collect::<Vec<_>>().join("; ")
        }),
    ];
    parts.into_iter().find(|(_, of)| of(a) != of(b)).map(|(name, _)| name)
}

fn matched(case: &Case, trials: (&Trials<'_>, &Trials<'_>)) -> MatchedCase {
    let (a, b) = (trials.0.measured.as_slice(), trials.1.measured.as_slice());
    // The same seed and length give the same requests; only then is a round of A a pair with a round of B.
    let twin = |r: &&&Record| b.iter().any(|o| o.round == r.round && o.fingerprint == r.fingerprint);
    let paired = a.iter().filter(twin).count();
    let all_paired = paired == a.len().min(b.len());
    let row = |name: &str, is_rate: bool, of: &dyn Fn(&Record) -> RoundValue| {
        let side = |rounds: &[&Record]| interval(rounds.iter().map(|r| of(r)));
        let (in_a, in_b) = (side(a), side(b));
        let ratio = if all_paired { classes::paired(b, a, of) } else { apart(a, b, of) };
        AcrossRow { figure: name.to_owned(), is_rate, agree: overlap(&in_a, &in_b), a: in_a, b: in_b, ratio }
    };
    let mut rows = vec![row("goodput", true, &goodput)];
    rows.extend(PERCENTILES.map(|(name, q)| row(name, false, &|r: &Record| percentile(r.histograms.get("response"), q))));
    rows.extend(classes::FIGURES.map(|figure| row(figure.0, false, &|r: &Record| classes::value(figure, r))));
    rows.retain(|row| row.a.value.is_some() || row.b.value.is_some());
    let mean = |rounds: &[&Record], name: &str| merged(rounds, name).mean();
    let mut phases: Vec<_> = PHASES
        .iter()
        .map(|phase| ((*phase).to_owned(), mean(a, &format!("phase.{phase}")), mean(b, &format!("phase.{phase}"))))
        .filter(|(_, in_a, in_b)| in_a.is_some() || in_b.is_some())
        .collect();
    phases.push(("response".to_owned(), mean(a, "response"), mean(b, "response")));
    MatchedCase {
        id: case.id.clone(),
        rounds: (a.len() as u32, b.len() as u32),
        paired: if all_paired { paired as u32 } else { 0 },
        rows,
        phases,
    }
}

fn overlap(a: &Interval, b: &Interval) -> Option<bool> {
    Some(a.low? <= b.high? && b.low? <= a.high?)
}

/// B by A where their rounds are independent: Welch's interval on logarithms, with the degrees of the smaller side.
fn apart(a: &[&Record], b: &[&Record], of: &dyn Fn(&Record) -> RoundValue) -> Interval {
    let logs = |rounds: &[&Record]| -> Vec<f64> {
        rounds.iter().filter_map(|r| of(r).ok()).filter(|v| *v > 0.0 && v.is_finite()).map(f64::ln).collect()
    };
    let (in_a, in_b) = (logs(a), logs(b));
    let centre = |logs: &[f64]| logs.iter().sum::<f64>() / logs.len() as f64;
    let error = |logs: &[f64]| {
        let mean = centre(logs);
        logs.iter().map(|l| (l - mean).powi(2)).sum::<f64>() / (logs.len() as f64 - 1.0) / logs.len() as f64
    };
    let rounds = in_a.len().min(in_b.len());
    if rounds == 0 {
        return Interval { why_blank: Some("one of the runs lacks the figure".to_owned()), ..Interval::default() };
    }
    let ratio = centre(&in_b) - centre(&in_a);
    let half = t95(rounds - 1).map(|t| t * (error(&in_a) + error(&in_b)).sqrt());
    Interval {
        value: Some(ratio.exp()),
        low: half.map(|h| (ratio - h).exp()),
        high: half.map(|h| (ratio + h).exp()),
        rounds: rounds as u32,
        why_blank: None,
    }
}

#[cfg(test)]
mod tests;
