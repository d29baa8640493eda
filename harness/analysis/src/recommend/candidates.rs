//! Which cases of a run stand for settings of the product, and which of them may be compared.

use std::cmp::Reverse;

use model::durability::{Durability, Row};
use model::plan::Case;
use model::units::show_bytes;

use super::measure::{ByRound, by_round};
use super::ways::{GROUP, Settings, settings};
use super::{Candidate, Constraints, Contest, Crashes, Evidence, Part};
use crate::rounds::by_case;
use crate::summary::{CaseSummary, ContenderRow, Grade};

/// The contests of a run, whole requests before contenders, and of each part those whose payload is nearest to the one asked for. Settings that
/// a run holds under one load alone are compared with nothing and left out.
pub fn contests(evidence: &Evidence<'_>, constraints: &Constraints) -> Vec<Contest> {
    let trials = by_case(evidence.records);
    let mut found: Vec<Found> = Vec::new();
    for scenario in &evidence.summary.scenarios {
        let rows = || scenario.contenders.iter().flat_map(|table| &table.rows);
        for case in &scenario.cases {
            let row = rows().find(|row| row.case == case.id);
            let planned = evidence.plan.cases.iter().find(|planned| planned.id == case.id).filter(|planned| sound(planned, case));
            let rounds = trials.get(case.id.as_str()).map(|own| by_round(&own.measured));
            let Some((planned, by_round)) = planned.zip(rounds) else { continue };
            let measured = Measured { planned, case, row, by_round: &by_round, durability: evidence.durability };
            settings(planned, row).into_iter().for_each(|(part, settings)| measured.add_to(&mut found, part, settings));
        }
    }
    found.retain(|one| one.contest.candidates.len() > 1);
    Part::ALL.into_iter().filter_map(|part| nearest(&found, part, constraints.payload_bytes)).collect()
}

struct Found {
    alike: String,
    whole: bool,
    /// The scenarios that its candidates are of, each once.
    scenarios: Vec<String>,
    contest: Contest,
}

/// One contest per part, since its settings could not be pasted together with those of another: the nearest in size, of those the one with most to
/// choose from.
fn nearest(found: &[Found], part: Part, bytes: Option<u64>) -> Option<Contest> {
    let own = || found.iter().filter(|one| one.contest.part == part);
    let whole = own().any(|one| one.whole);
    let far = |one: &Found| bytes.map_or(0, |bytes| (distance(bytes, one.contest.payload_bytes) * 1e6) as u64);
    let rank = |one: &&Found| (far(one), Reverse(one.contest.candidates.len()));
    own().filter(|one| one.whole == whole).min_by_key(rank).map(|one| {
        let mut contest = one.contest.clone();
        contest.at = format!("{}, {}", contest.at, one.scenarios.join(", "));
        contest
    })
}

/// How far two sizes are apart, as a factor's logarithm.
fn distance(a: u64, b: u64) -> f64 {
    (a.max(1) as f64 / b.max(1) as f64).ln().abs()
}

/// Whether its figures may be used: measured, undisturbed, nothing broken on purpose, no repeat.
fn sound(planned: &Case, case: &CaseSummary) -> bool {
    let again = case.axes.iter().any(|(_, value)| value.ends_with(model::claim::AGAIN));
    let invalid = case.brands.iter().any(|brand| brand.grade == Grade::Invalid);
    planned.faults.is_empty() && !again && !invalid && case.rounds_measured > 0 && case.rounds_failed == 0
}

/// What has to be equal for two cases to be compared: everything but the settings that are chosen, and the rate, which follows the capacity.
fn alike(planned: &Case, part: Part) -> String {
    let load = &planned.load;
    let mix: Vec<String> = (load.mix.iter())
        .map(|m| format!("{} {} {} {} {} {:?}", m.share, m.shape.value, m.payload_bytes, m.service.value, m.work.value, m.deadline_ns))
        .collect();
    // Groups are compared in one store, everything else with any.
    let chosen = |key: &str| match part {
        Part::Group => [GROUP, "contender.way"].contains(&key),
        _ => key.starts_with("store.") || ["contender.way", "contender.sync"].contains(&key),
    };
    let others: Vec<String> =
        planned.settings.iter().filter(|(key, _)| !chosen(key)).map(|(key, value)| format!("{key}={}", value.value)).collect();
    format!(
        "{part:?} {} {} {} {} {} {mix:?} {others:?}",
        planned.target.value, load.clients, load.sessions, load.popularity.value, load.accept
    )
}

/// A case with all that is known of it.
struct Measured<'a> {
    planned: &'a Case,
    case: &'a CaseSummary,
    row: Option<&'a ContenderRow>,
    by_round: &'a ByRound,
    durability: Option<&'a Durability>,
}

impl Measured<'_> {
    fn add_to(&self, found: &mut Vec<Found>, part: Part, settings: Settings) {
        let Some(candidate) = self.candidate(part, settings) else { return };
        let (alike, scenario) = (alike(self.planned, part), &self.planned.scenario);
        let Some(one) = found.iter_mut().find(|one| one.alike == alike) else {
            let (shape, payload_bytes) = self.planned.load.mix.first().map_or(("", 0), |m| (m.shape.value.as_str(), m.payload_bytes));
            let at = format!("{} of {shape}", show_bytes(payload_bytes as f64));
            let contest = Contest { part, at, payload_bytes, candidates: vec![candidate] };
            return found.push(Found { alike, whole: self.row.is_none(), scenarios: vec![scenario.clone()], contest });
        };
        // Of the same settings measured twice the first counts, and a scenario that adds nothing is not named.
        if one.contest.candidates.iter().all(|known| known.settings != candidate.settings) {
            one.contest.candidates.push(candidate);
            if !one.scenarios.contains(scenario) {
                one.scenarios.push(scenario.clone());
            }
        }
    }

    fn candidate(&self, part: Part, settings: Settings) -> Option<Candidate> {
        let (case, usable) = (self.case, |ns: &f64| ns.is_finite() && *ns > 0.0);
        let time_ns = case.response.p50_ns.value.filter(usable);
        let bytes_ratio = self.row.and_then(|row| row.bytes_ratio).filter(|_| !part.keeps());
        let main = if part.keeps() { time_ns } else { bytes_ratio };
        main.filter(usable)?;
        let crashes = self.durability.filter(|_| part.keeps()).and_then(|all| self.tested(all, &settings));
        Some(Candidate {
            case: self.planned.id.clone(),
            time_ns,
            p99_ns: case.response.p99_ns.value,
            max_ns: case.response.max_ns.high,
            cpu_ns: case.cpu_per_request_ns.value.filter(usable)?,
            bytes_ratio,
            per_s: case.offered_per_s.value,
            rounds: case.rounds_measured,
            by_round: self.by_round.clone(),
            class: crashes.map(|c| c.all.word()),
            crashes,
            settings,
        })
    }

    /// What crashes cost under the settings: as the store said of itself, else as they are set.
    fn tested(&self, all: &Durability, settings: &Settings) -> Option<Crashes> {
        let pair: [&str; 2] = match settings.get("store.kind").map(String::as_str) {
            Some("sqlite") => ["store.sqlite.journal-mode", "store.sqlite.synchronous"],
            _ => ["store.files.write", "store.files.sync"],
        };
        let said = |key: &str| {
            let default = || super::DEFAULTS.iter().find(|(of, _)| *of == key).map(|(_, value)| (*value).to_owned());
            settings.get(key).cloned().or_else(default).map(|value| (key.to_owned(), value))
        };
        let set: Settings = pair.into_iter().filter_map(said).collect();
        let own = all.row_of(&self.case.seen).or_else(|| all.row_of(&self.row?.facts));
        let row: &Row = own.or_else(|| all.rows.iter().find(|row| row.settings == set && settings.contains_key("store.kind")))?;
        Some(Crashes { kill: row.kill.class(), all: row.class() })
    }
}
