//! Draws the pictures and exports of a run and remembers where they are, so that the document can show them.

use std::collections::{BTreeMap, BTreeSet};

use analysis::Summary;
use analysis::summary::{CaseSummary, ContenderRow, ContenderTable, Interval, ProfileSummary, ScenarioSummary};
use model::Record;
use model::record::TrialKind;
use model::rundir::{HLOGS, PROFILES, file_stem};

use crate::doc::axes_of as axes;
use crate::plots::bars::{self, Row};
use crate::plots::lag;
use crate::plots::ratios::{self, Row as Ratio};
use crate::plots::spectrum::{self, Line};
use crate::show::{self, plural};
use crate::{ReportError, flame, hlog};

/// Folder of the plots.
const PLOTS: &str = "plots";
/// Rows of the hotspots table.
const HOTSPOTS: usize = 12;

/// What was drawn for one scenario: paths relative to the run directory.
#[derive(Clone, Debug, Default)]
pub(crate) struct ScenarioPictures {
    /// Percentile spectrum.
    pub(crate) spectrum: Option<String>,
    /// Phase bars.
    pub(crate) phases: Option<String>,
    /// Ratios of ways, one per table of them.
    pub(crate) ratios: Vec<Option<String>>,
    /// Lag over time.
    pub(crate) lag: Option<String>,
    /// Flamegraph, or why there is none; `None` where nothing was profiled.
    pub(crate) flame: Option<Flame>,
}

/// A profile's picture and its hottest functions, or why it was refused.
#[derive(Clone, Debug)]
pub(crate) enum Flame {
    /// Drawn.
    Drawn {
        /// Path of the picture.
        path: String,
        /// Functions by their own samples.
        hotspots: Vec<analysis::Hotspot>,
    },
    /// Not drawn.
    Refused(String),
}

/// Draws everything into `files`; one entry per scenario of the summary, in its order.
///
/// # Errors
/// [`ReportError`] of a flamegraph or a log.
pub(crate) fn draw(
    summary: &Summary,
    records: &[&Record],
    folded: &BTreeMap<String, String>,
    files: &mut BTreeMap<String, Vec<u8>>,
) -> Result<Vec<ScenarioPictures>, ReportError> {
    let (mut names, mut log_names) = (Names::default(), Names::default());
    let mut out = Vec::new();
    for scenario in &summary.scenarios {
        let mut lines: BTreeMap<&str, Line> = BTreeMap::new();
        for case in &scenario.cases {
            let response = hlog::response(&case.id, records);
            let stem = log_names.take(&case.id);
            if response.merged.count() == 0 {
                continue;
            }
            files.insert(format!("{HLOGS}/{stem}.hlog"), hlog::log(&case.id, &response)?);
            let line = Line { label: label(scenario, case), count: response.merged.count(), points: response.merged.spectrum() };
            lines.insert(&case.id, line);
        }
        let stem = names.take(&scenario.name);
        let mut pictures = plots(summary, scenario, &lines, &stem, files);
        pictures.ratios = scenario.contenders.iter().map(|table| ratios_of(summary, scenario, table, &mut names, files)).collect();
        pictures.lag = lag_over_time(summary, scenario, records, &stem, files);
        if let Some(profile) = &scenario.profile {
            pictures.flame = Some(flamegraph(summary, scenario, profile, &stem, folded, files)?);
        }
        out.push(pictures);
    }
    Ok(out)
}

fn plots(
    summary: &Summary,
    scenario: &ScenarioSummary,
    lines: &BTreeMap<&str, Line>,
    stem: &str,
    files: &mut BTreeMap<String, Vec<u8>>,
) -> ScenarioPictures {
    let mut pictures = ScenarioPictures::default();
    // Of ways at several sizes the spectrum would be one of unlike things; their own picture says more.
    let alike = scenario.contenders.len() < 2;
    let shown = if alike { choose(scenario, spectrum::MOST_LINES) } else { Vec::new() };
    let drawn: Vec<Line> = shown.iter().filter_map(|case| lines.get(case.id.as_str()).cloned()).collect();
    if let Some(svg) = spectrum::draw(&format!("{}: response latency", scenario.name), &basis(summary, &shown, scenario, OK), &drawn) {
        pictures.spectrum = Some(put(files, format!("{PLOTS}/{stem}-spectrum.svg"), svg));
    }
    let shown = choose(scenario, bars::MOST_ROWS);
    let rows: Vec<Row> = shown.iter().map(|case| row(scenario, case)).collect();
    if let Some(svg) = bars::draw(&format!("{}: where the time goes", scenario.name), &basis(summary, &shown, scenario, OK), &rows) {
        pictures.phases = Some(put(files, format!("{PLOTS}/{stem}-phases.svg"), svg));
    }
    pictures
}

/// The ways of one table against the first.
fn ratios_of(
    summary: &Summary,
    scenario: &ScenarioSummary,
    table: &ContenderTable,
    names: &mut Names,
    files: &mut BTreeMap<String, Vec<u8>>,
) -> Option<String> {
    let row = |row: &ContenderRow| {
        let judged = if table.cpu_bound { row.cpu_ns.value } else { row.p50_ns.value };
        let one = Interval { value: judged.map(|_| 1.0), ..Interval::default() };
        let ratio = row.ratio.as_ref().unwrap_or(&one);
        let value = ratio.value?;
        let says = format!("{}, {}", show::ratio(value), show::ns_or_blank(judged));
        Some(Ratio { label: row.value.clone(), ratio: value, ends: ratio.low.zip(ratio.high), differs: row.differs, says })
    };
    let at: Vec<String> = table.at.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let title = format!("{} {}: {} time per operation", scenario.name, at.join(", "), if table.cpu_bound { "CPU" } else { "median" });
    let rows: Vec<Ratio> = table.rows.iter().filter_map(row).collect();
    let all: Vec<&CaseSummary> = scenario.cases.iter().filter(|case| table.rows.iter().any(|row| row.case == case.id)).collect();
    let svg = ratios::draw(&title, &basis(summary, &all, scenario, BATCHES), table.noise, &rows)?;
    let stem = names.take(&format!("{} ratios {}", scenario.name, at.join(" ")));
    Some(put(files, format!("{PLOTS}/{stem}.svg"), svg))
}

/// The greatest lag of any round in each part of the window; none where no record has it.
fn lag_over_time(
    summary: &Summary,
    scenario: &ScenarioSummary,
    records: &[&Record],
    stem: &str,
    files: &mut BTreeMap<String, Vec<u8>>,
) -> Option<String> {
    let shown = choose(scenario, lag::MOST_LINES);
    let line = |case: &&CaseSummary| {
        let mut worst: BTreeMap<u64, u64> = BTreeMap::new();
        let own = records.iter().filter(|r| r.case == case.id && r.kind == TrialKind::Measured);
        for (at, ns) in own.flat_map(|r| r.lag_over_time.iter().map(|p| (share_of(p.at_ns, r.window_ns), p.max_ns))) {
            let known = worst.entry(at).or_default();
            *known = ns.max(*known);
        }
        lag::Line { label: label(scenario, case), points: worst.into_iter().map(|(at, ns)| (at as f64 / SHARES as f64, ns)).collect() }
    };
    let lines: Vec<lag::Line> = shown.iter().map(line).collect();
    let svg = lag::draw(&format!("{}: lag over time", scenario.name), &basis(summary, &shown, scenario, ALL), &lines)?;
    Some(put(files, format!("{PLOTS}/{stem}-lag.svg"), svg))
}

/// Parts of a window that points of several rounds are brought together on.
const SHARES: u64 = 1000;

fn share_of(at_ns: u64, window_ns: u64) -> u64 {
    (u128::from(at_ns) * u128::from(SHARES) / u128::from(window_ns.max(1))) as u64
}

fn put(files: &mut BTreeMap<String, Vec<u8>>, path: String, bytes: Vec<u8>) -> String {
    files.insert(path.clone(), bytes);
    path
}

/// Longest label that a plot shows whole.
const LABEL_CHARS: usize = 34;

/// A case in a plot: `journal-mode=wal`, or the values alone where a label with keys would be cut; its own id without axes.
fn label(scenario: &ScenarioSummary, case: &CaseSummary) -> String {
    if case.axes.is_empty() {
        return case.id.clone();
    }
    if keys_apart(scenario) {
        return case.axes.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>().join(" · ");
    }
    axes(case)
}

/// Whether labels with keys are too long, so that the keys are said once, above.
fn keys_apart(scenario: &ScenarioSummary) -> bool {
    scenario.cases.iter().any(|case| axes(case).chars().count() > LABEL_CHARS)
}

/// At most `most` cases: all, else those at the first value of every axis but the first, else the first ones.
pub(crate) fn choose(scenario: &ScenarioSummary, most: usize) -> Vec<&CaseSummary> {
    let mut fixed = scenario.axes.len();
    let mut cases: Vec<&CaseSummary> = scenario.cases.iter().collect();
    while cases.len() > most && fixed > 1 {
        fixed -= 1;
        let first = scenario.axes.get(fixed).and_then(|a| a.values.first());
        cases.retain(|case| case.axes.get(fixed).map(|a| &a.1) == first);
    }
    cases.truncate(most);
    cases
}

/// Which requests are in a plot of responses.
const OK: &str = "ok requests from their intended start";
/// Which are in one of the generator's lag.
const ALL: &str = "all requests, the latest of any round";

/// Which are in one of ways of a job.
const BATCHES: &str = "operations in batches on one thread";

/// What a plot rests on, in one line; `of_requests` says which are in it.
fn basis(summary: &Summary, shown: &[&CaseSummary], scenario: &ScenarioSummary, of_requests: &str) -> String {
    let rounds = shown.iter().map(|c| c.rounds_measured).max().unwrap_or(0);
    let of =
        if shown.len() < scenario.cases.len() { format!("{} of {} cases; ", shown.len(), scenario.cases.len()) } else { String::new() };
    let keys: Vec<&str> = scenario.axes.iter().map(|axis| axis.short.as_str()).collect();
    let keys = if keys_apart(scenario) { format!("{}: ", keys.join(" · ")) } else { String::new() };
    let dirty = if summary.facts.dirty { ", changed" } else { "" };
    let commit = short_commit(&summary.facts.commit);
    format!(
        "{keys}{of}{of_requests}, {}; size {}; timing class {}; commit {commit}{dirty}",
        plural(u64::from(rounds), "round"),
        summary.size.name(),
        summary.timing_class
    )
}

/// The first twelve digits of a hash; another text stays whole.
fn short_commit(commit: &str) -> &str {
    if commit.chars().all(|c| c.is_ascii_hexdigit()) { commit.get(..12).unwrap_or(commit) } else { commit }
}

fn row(scenario: &ScenarioSummary, case: &CaseSummary) -> Row {
    let band = |name: &str| {
        let parts = case.bands.iter().filter(|b| b.band == name).flat_map(|b| &b.parts);
        parts.map(|part| (part.phase.clone(), part.mean_ns)).collect()
    };
    Row { label: label(scenario, case), p50: band("p50"), p99: band("p99") }
}

fn flamegraph(
    summary: &Summary,
    scenario: &ScenarioSummary,
    profile: &ProfileSummary,
    stem: &str,
    folded: &BTreeMap<String, String>,
    files: &mut BTreeMap<String, Vec<u8>>,
) -> Result<Flame, ReportError> {
    if let Some(why) = flame::refusal(profile) {
        return Ok(Flame::Refused(why));
    }
    let Some(stacks) = folded.get(&profile.folded) else {
        return Ok(Flame::Refused(format!("its stacks are missing: {}", profile.folded)));
    };
    let commit = short_commit(&summary.facts.commit);
    let subtitle = format!("{} at {} Hz, {} samples of CPU time; commit {commit}", profile.sampler, profile.hz, profile.samples);
    let pruned = analysis::prune(stacks);
    let svg = flame::draw(&format!("{}: where the CPU time goes", scenario.name), &subtitle, &pruned)?;
    let path = put(files, format!("{PROFILES}/{stem}.svg"), svg);
    let hotspots = analysis::hotspots(&pruned, HOTSPOTS).into_iter().filter(|spot| spot.self_samples > 0).collect();
    Ok(Flame::Drawn { path, hotspots })
}

/// File names that were given out, so that two cases never share one.
#[derive(Debug, Default)]
struct Names(BTreeSet<String>);

impl Names {
    fn take(&mut self, of: &str) -> String {
        let stem = file_stem(of);
        let mut name = stem.clone();
        let mut next = 2u32;
        while !self.0.insert(name.to_lowercase()) {
            name = format!("{stem}-{next}");
            next = next.saturating_add(1);
        }
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_hash_is_shortened() {
        assert_eq!(short_commit("0123456789abcdef"), "0123456789ab");
        assert_eq!(short_commit("abc"), "abc");
        assert_eq!(short_commit("not a git checkout"), "not a git checkout");
    }

    #[test]
    fn no_two_cases_share_a_file() {
        let mut names = Names::default();
        let taken: BTreeSet<String> = ["a/b?c=d", "a-b-c-d", "A-b-c-d", "a/b?c=d"].iter().map(|n| names.take(n).to_lowercase()).collect();
        assert_eq!(taken.len(), 4);
    }
}
