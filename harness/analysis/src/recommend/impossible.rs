//! What constraints exclude, and what is said where they exclude everything.

use model::durability::Class;
use model::units::show_ns;

use super::{Candidate, Constraints, Contest, Part, Survive};

/// Why `constraints` exclude a candidate; `None` where they do not.
pub(super) fn excluded(part: Part, one: &Candidate, constraints: &Constraints) -> Option<String> {
    unsafe_for(part, one, constraints.survive).or_else(|| too_slow(part, one, constraints.p99_ns))
}

fn unsafe_for(part: Part, one: &Candidate, survive: Survive) -> Option<String> {
    if !part.keeps() || survive == Survive::Nothing {
        return None;
    }
    let Some(crashes) = one.crashes else { return Some("what a crash costs was not measured".to_owned()) };
    let (class, of) = if survive == Survive::Kill { (crashes.kill, "a kill") } else { (crashes.all, "power loss") };
    (class != Class::Durable).then(|| format!("{} after {of}", class.word()))
}

fn too_slow(part: Part, one: &Candidate, limit: Option<u64>) -> Option<String> {
    // Of many saves at once a time is each one's share, and nobody waits for a share.
    let limit = limit.filter(|_| part != Part::Group)? as f64;
    match one.tail_ns(part) {
        Some(ns) if ns <= limit => None,
        Some(ns) => Some(format!("{} {}", one.tail_of(part), show_ns(ns))),
        None => Some("its p99 is not known".to_owned()),
    }
}

/// Why nothing is left, constraint by constraint.
pub(super) fn impossible(contest: &Contest, constraints: &Constraints) -> String {
    let all = &contest.candidates;
    let lost: Vec<String> = all.iter().filter_map(|c| unsafe_for(contest.part, c, constraints.survive)).collect();
    let safe: Vec<&Candidate> = all.iter().filter(|c| unsafe_for(contest.part, c, constraints.survive).is_none()).collect();
    let mut why = Vec::new();
    if let Some(first) = lost.first() {
        let asked = if constraints.survive == Survive::Kill { "kill" } else { "power-loss" };
        let best = all.iter().filter_map(|c| c.crashes).map(|c| if constraints.survive == Survive::Kill { c.kill } else { c.all }).min();
        let nearest = best.filter(|_| safe.is_empty()).map_or(String::new(), |class| format!(", and the best of them is {}", class.word()));
        why.push(format!("--durable {asked} excludes {} (such as {first}){nearest}", lost.len()));
    }
    if let (Some(limit), false) = (constraints.p99_ns, safe.is_empty()) {
        let nearest = safe.iter().filter_map(|c| c.tail_ns(contest.part)).min_by(f64::total_cmp);
        let nearest =
            nearest.map_or("no p99 is known".to_owned(), |ns| format!("the nearest that can be met is --p99 {}", limit_above(ns)));
        let of = if why.is_empty() { format!("all {}", safe.len()) } else { format!("the other {}", safe.len()) };
        why.push(format!("--p99 {} excludes {of}; {nearest}", show_ns(limit as f64)));
    }
    format!("{} ({}): no settings are left of {}: {}", contest.part.name(), contest.at, all.len(), why.join("; "))
}

/// The time as an argument, rounded up: rounded down it could not be met.
fn limit_above(ns: f64) -> String {
    let (unit_ns, unit) = [(1e9, "s"), (1e6, "ms"), (1e3, "us")].into_iter().find(|(unit_ns, _)| ns >= *unit_ns).unwrap_or((1.0, "ns"));
    let above = (ns * 100.0 / unit_ns).ceil() / 100.0;
    if unit_ns > 1.0 { format!("{above}{unit}") } else { format!("{}{unit}", above.ceil()) }
}
