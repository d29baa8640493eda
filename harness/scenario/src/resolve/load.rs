//! `[load]`: rates, lengths, sessions and the mix of requests.

use std::ops::RangeInclusive;

use model::Located;
use model::plan::{Kind, Load, Mix, Size};
use model::settings::matches;
use model::trace::Trace;
use model::units::{Rate, parse_bytes, parse_duration, parse_share};

use super::{HOUR, SECOND, Wanted};
use crate::problem::Problems;
use crate::traces::beside;
use crate::wire::{Known, Sizes, Wire, WireMix};
use crate::words;

/// Largest payload in bytes.
const LARGEST_PAYLOAD: u64 = 64 << 20;
/// Most requests of one trial: schedule and results are held in memory.
const MOST_REQUESTS: f64 = 2e6;
/// How far from 1 the shares of a mix may sum.
const SHARE_TOLERANCE: f64 = 1e-6;
/// Clients of a calibration where the number of slots is not known.
const CLIENTS: u32 = 8;
/// The one partition of a pool that is not divided by tier, and the dispatch that has it.
const SHARED: &str = "shared";
const WORK: [&str; 2] = ["sleep", "spin"];

/// Makes the load; `None` after reporting.
pub(super) fn load(wire: &Wire, known: &Known<'_>, wanted: &Wanted, problems: &mut Problems) -> Option<Load> {
    let given = &wire.load;
    let before = problems.count();
    let warmup_ns = match of_size(&given.warmup, wanted.size) {
        Some(text) => duration(text, "load.warmup", 0, HOUR, problems),
        None => Some(if wanted.size == Size::Smoke { SECOND / 10 } else { SECOND / 2 }),
    };
    let length_ns = match of_size(&given.length, wanted.size) {
        Some(text) => duration(text, "load.length", 1, HOUR, problems),
        None => missing(given.line, "load.length", "such as { smoke = \"0.5s\", full = \"5s\" }", problems),
    };
    let arrivals = arrivals(wire, known, problems);
    let rate = rate(wire, known, problems);
    let trace = trace(wire, known, problems);
    let clients = clients(wire, known, problems);
    let sessions = given.session_count.as_ref().map_or(Some(0), |n| integer(n, "load.sessions.count", 0..=1_000_000, problems));
    let popularity = popularity(wire, problems);
    let mix = mix(wire, known, problems);
    let (warmup_ns, length_ns) = (warmup_ns?, length_ns?);
    if let (Some(Rate::PerSecond(rate)), Some(place)) = (rate, given.arrivals.with.get("rate")) {
        let requests = rate * (warmup_ns + length_ns) as f64 / SECOND as f64;
        if requests > MOST_REQUESTS {
            problems.with(
                place,
                format!("{requests:.0} requests in a trial (expected at most {MOST_REQUESTS:.0}: lower the rate or the length)"),
            );
        }
    }
    let accept = given.accept.as_ref().map_or_else(|| "identity".to_owned(), |a| a.value.clone());
    let (arrivals, clients, sessions) = (arrivals?, clients?, sessions?);
    (problems.count() == before).then_some(Load {
        arrivals,
        rate,
        trace,
        clients,
        warmup_ns,
        length_ns,
        sessions,
        popularity,
        accept,
        mix,
        time_scale: None,
    })
}

fn of_size(sizes: &Sizes, size: Size) -> Option<&Located> {
    match size {
        Size::Smoke => sizes.smoke.as_ref(),
        Size::Full => sizes.full.as_ref(),
    }
}

fn missing<T>(line: u32, key: &str, expected: &str, problems: &mut Problems) -> Option<T> {
    problems.at(line, format!("'{key}' is missing (expected {expected})"));
    None
}

/// The kind and the parameters that are its own: `rate` and `clients` have fields of the load.
fn arrivals(wire: &Wire, known: &Known<'_>, problems: &mut Problems) -> Option<Kind> {
    let given = &wire.load.arrivals;
    let line = if given.line == 0 { wire.load.line } else { given.line };
    let Some(kind) = given.kind.clone() else {
        return missing(line, "load.arrivals", "such as { kind = \"poisson\", rate = \"800/s\" }", problems);
    };
    let Some((_, parameters)) = known.kinds.arrivals.iter().find(|(name, _)| *name == kind.value) else {
        let names: Vec<&String> = known.kinds.arrivals.iter().map(|(name, _)| name).collect();
        problems.one_of("arrival process", &kind, &names);
        return None;
    };
    super::parameters(&kind.value, &given.with, parameters, problems);
    let with = given.with.iter().filter(|(key, _)| !["rate", "clients"].contains(&key.as_str()));
    Some(Kind { kind, with: with.map(|(key, value)| (key.clone(), value.clone())).collect() })
}

/// The rate that is given, or the highest of several, to which the others are then relative.
fn rate(wire: &Wire, known: &Known<'_>, problems: &mut Problems) -> Option<Rate> {
    let given = &wire.load.arrivals;
    let parameters = known.kinds.parameters(&given.kind.as_ref()?.value);
    let first = parameters.iter().find(|name| known.kinds.is_rate(name))?;
    let has = |key: &str| known.kinds.is_rate(key) && parameters.iter().any(|name| matches(name, key));
    let rates: Vec<(&String, &Located)> = given.with.iter().filter(|(key, _)| has(key)).collect();
    if let (Some(rate), Some((other, _))) = (given.with.get("rate"), rates.iter().find(|(key, _)| *key != "rate")) {
        problems.with(rate, format!("load.arrivals has both 'rate' and '{other}' (expected one of them)"));
        return None;
    }
    if rates.is_empty() {
        let key = format!("load.arrivals.{}", first.replace(".*.", ".0."));
        return missing(given.line, &key, "such as '800/s' or '60% of capacity'", problems);
    }
    let parsed = |(key, text): &(&String, &Located)| {
        let rate = Rate::parse(&text.value).map_err(|why| format!("load.arrivals.{key}: {why}"));
        problems.ok(text, rate)
    };
    let parsed: Vec<Rate> = rates.iter().filter_map(parsed).collect();
    let number = |rate: &Rate| match rate {
        Rate::PerSecond(n) | Rate::OfCapacity(n) => *n,
    };
    parsed.into_iter().max_by(|a, b| number(a).total_cmp(&number(b)))
}

/// The trace that the arrivals name, where they may.
fn trace(wire: &Wire, known: &Known<'_>, problems: &mut Problems) -> Option<Trace> {
    let given = &wire.load.arrivals;
    if !known.kinds.parameters(&given.kind.as_ref()?.value).iter().any(|name| name == "file") {
        return None;
    }
    let Some(name) = given.with.get("file") else {
        return missing(given.line, "load.arrivals.file", "a trace beside the scenario's file, such as 'peak.trace'", problems);
    };
    match known.traces.get(&beside(&wire.file, &name.value)) {
        // One that cannot be read is a problem of its own.
        Some(trace) => trace.clone(),
        None => {
            let names: Vec<String> = known.traces.keys().filter_map(|file| Some(file.rsplit_once('/')?.1.to_owned())).collect();
            let near = words::nearest(&name.value, &names).map(|near| format!("did you mean '{near}'? ")).unwrap_or_default();
            problems.with(name, format!("there is no trace '{}' beside this file ({near}expected NAME.trace in its folder)", name.value));
            None
        }
    }
}

/// As given, else twice the slots of the pool, so that a calibration never starves a worker.
fn clients(wire: &Wire, known: &Known<'_>, problems: &mut Problems) -> Option<u32> {
    if let Some(text) = wire.load.arrivals.with.get("clients").or(wire.load.clients.as_ref()) {
        return integer(text, "load.clients", 1..=10_000, problems);
    }
    let setting = |key: &str| {
        let own = wire.settings.get(key).map(|value| value.value.as_str());
        own.or_else(|| known.catalogue.iter().find(|row| row.declares(key)).map(|row| row.default)).map(str::trim)
    };
    let partitions =
        if setting("pool.dispatch") == Some(SHARED) { vec![SHARED] } else { known.kinds.tiers.iter().map(String::as_str).collect() };
    let slots: Option<u32> = partitions.iter().map(|name| setting(&format!("pool.{name}.max"))?.parse::<u32>().ok()).sum();
    Some(slots.filter(|n| *n > 0).map_or(CLIENTS, |n| n.saturating_mul(2).min(10_000)))
}

fn popularity(wire: &Wire, problems: &mut Problems) -> Located {
    let Some(given) = &wire.load.popularity else { return Located::new("uniform", wire.file.clone(), wire.load.line) };
    let exponent = given.value.strip_prefix("zipf ").and_then(|e| e.trim().parse::<f64>().ok());
    let in_turn = given.value.strip_prefix("in-turn ").and_then(|n| n.trim().parse::<u32>().ok());
    if given.value != "uniform" && !exponent.is_some_and(|e| e > 0.0 && e <= 10.0) && in_turn.is_none_or(|n| n == 0) {
        let expected = "(expected 'uniform', 'zipf EXPONENT' such as 'zipf 1.1', or 'in-turn REQUESTS' such as 'in-turn 3')";
        problems.with(given, format!("unknown popularity '{}' {expected}", given.value));
    }
    given.clone()
}

fn mix(wire: &Wire, known: &Known<'_>, problems: &mut Problems) -> Vec<Mix> {
    let given = &wire.load.mix;
    if given.is_empty() {
        problems.at(wire.load.line, "the mix is empty (expected at least one [[load.mix]] with tool and payload)");
    }
    let alone = given.len() == 1;
    let found: Vec<Mix> = given.iter().filter_map(|m| request(m, alone, &wire.file, known, problems)).collect();
    let sum: f64 = found.iter().map(|m| m.share).sum();
    if let Some(first) = given.first()
        && found.len() == given.len()
        && (sum - 1.0).abs() > SHARE_TOLERANCE
    {
        problems.at(first.line, format!("the shares of the mix sum to {} (expected 1)", (sum * 1e9).round() / 1e9));
    }
    found
}

fn request(given: &WireMix, alone: bool, file: &str, known: &Known<'_>, problems: &mut Problems) -> Option<Mix> {
    let own = |value: &Option<Located>, text: &str| value.clone().unwrap_or_else(|| Located::new(text, file, given.line));
    let tool = given.tool.clone().or_else(|| missing(given.line, "load.mix.tool", "the name of a tool", problems));
    let shape = given.shape.clone().or_else(|| missing(given.line, "load.mix.payload.shape", "a payload's shape", problems));
    let size = given.size.clone().or_else(|| missing(given.line, "load.mix.payload.size", "such as '4KiB'", problems));
    let share = match &given.share {
        Some(text) => share(text, problems),
        None if alone => Some(1.0),
        None => missing(given.line, "load.mix.share", "such as 0.9 or '90%'", problems),
    };
    let deadline_ns = match given.deadline.as_ref().filter(|d| d.value != "none") {
        Some(text) => Some(duration(text, "load.mix.deadline", 1, HOUR, problems)?),
        None => None,
    };
    let work = own(&given.work, "sleep");
    problems.one_of("work", &work, &WORK);
    let (tool, shape, size) = (tool?, shape?, size?);
    tool_name(&tool, problems);
    problems.one_of("payload shape", &shape, &known.kinds.shapes);
    let payload_bytes = payload(&size, problems)?;
    Some(Mix { tool, share: share?, shape, payload_bytes, service: own(&given.service, "constant 0ns"), work, deadline_ns })
}

fn tool_name(tool: &Located, problems: &mut Problems) {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    if tool.value.is_empty() || tool.value.len() > 64 || !tool.value.chars().all(plain) {
        problems.with(tool, format!("'{}' is not a tool's name (expected 1 to 64 of a-z, 0-9, - and _)", tool.value));
    }
}

fn share(text: &Located, problems: &mut Problems) -> Option<f64> {
    let parsed = parse_share(&text.value).map_err(|why| format!("load.mix.share: {why}"));
    let share = problems.ok(text, parsed)?;
    if share > 0.0 && share <= 1.0 {
        return Some(share);
    }
    problems.with(text, format!("load.mix.share: '{}' is out of range (expected above 0 and at most 1)", text.value));
    None
}

fn payload(text: &Located, problems: &mut Problems) -> Option<u64> {
    let parsed = parse_bytes(&text.value).map_err(|why| format!("load.mix.payload.size: {why}"));
    let bytes = problems.ok(text, parsed)?;
    if (1..=LARGEST_PAYLOAD).contains(&bytes) {
        return Some(bytes);
    }
    problems.with(text, format!("load.mix.payload.size: '{}' is out of range (expected 1B to 64MiB)", text.value));
    None
}

/// A duration in ns within bounds.
pub(super) fn duration(text: &Located, key: &str, low: u64, high: u64, problems: &mut Problems) -> Option<u64> {
    let ns = problems.ok(text, parse_duration(&text.value).map_err(|why| format!("{key}: {why}")))?;
    if (low..=high).contains(&ns) {
        return Some(ns);
    }
    let least = if low > 0 { "above zero and " } else { "" };
    problems.with(text, format!("{key}: '{}' is out of range (expected {least}at most {}h)", text.value, high / HOUR));
    None
}

/// An integer within bounds.
pub(super) fn integer(text: &Located, key: &str, range: RangeInclusive<u32>, problems: &mut Problems) -> Option<u32> {
    let found = text.value.trim().parse::<u32>().ok().filter(|n| range.contains(n));
    if found.is_none() {
        let why = format!("{key}: '{}' is not an integer from {} to {}", text.value, range.start(), range.end());
        problems.with(text, why);
    }
    found
}
