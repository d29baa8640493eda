//! False brands: the same undisturbed run again and again, of which hardly any may carry a brand that blames the host, the generator or the load.

use std::path::Path;

use anyhow::{Context, Result, anyhow};
use driver::host::Counters;
use model::plan::Size;
use model::record::{HostDuring, Status, TrialKind};
use model::units::show_ns;
use scenario::Options;

use super::Check;
use crate::args::SelectionArgs;
use crate::cmd::run::{self, Trials};
use crate::facts;

/// Undisturbed runs that are judged.
const RUNS: usize = 20;
/// Runs after which it is given up to wait for that many.
const RUNS_MAX: u64 = 40;
/// False brands that may be among them.
const FALSE_MAX: usize = 1;
/// Largest shares of CPU time that the hypervisor and others may take of an undisturbed host; as in the brands.
const STEAL_SHARE: f64 = 0.01;
const OTHERS_SHARE: f64 = 0.05;
/// What is asked of the standard scenario: half of what its four workers can do, and nothing to calibrate.
const SCENARIO: &str = "^pool/steady$";
const RATE: &str = "load.arrivals.rate=1000/s";
/// Brands that state a fact about the run and its build: they are true whenever they are there.
const FACTS: [&str; 6] = ["debug-build", "dirty-tree", "timing-class", "virtual-time", "closed", "monitored"];

/// One run: what its host did by counters read here, around the whole trial, and the brands that no fact explains.
struct Run {
    host: HostDuring,
    brands: Vec<String>,
}

impl Run {
    /// Without the allowance for the error of ticks that the brand makes: only runs beyond doubt are judged.
    fn is_undisturbed(&self) -> bool {
        let others = self.host.others.is_none_or(|others| others.share <= OTHERS_SHARE);
        others && self.host.steal_share <= STEAL_SHARE && self.host.throttled_ns == 0
    }

    fn row(&self, seed: usize) -> Vec<String> {
        let percent = |share: f64| format!("{:.1} %", 100.0 * share);
        vec![
            format!("run {}", seed + 1),
            percent(self.host.steal_share),
            show_ns(self.host.throttled_ns as f64),
            self.host.others.map_or_else(|| "-".to_owned(), |others| percent(others.share)),
            if self.is_undisturbed() { "yes" } else { "no" }.to_owned(),
            if self.brands.is_empty() { "-".to_owned() } else { self.brands.join(", ") },
        ]
    }
}

/// One run of the scenario with this seed, as `run` would do it.
fn one(seed: u64, dir: &Path) -> Result<Run> {
    let selection = SelectionArgs::only(SCENARIO).with(RATE);
    let options = Options { size: Size::Full, seed, rounds: Some(1), max_cases: 1, virtual_time: false };
    let plan = run::plan(&selection, &options, false)?;
    let trials = Trials::new(&plan, Vec::new(), false)?;
    let trial = analysis::order(&plan).into_iter().find(|t| t.kind == TrialKind::Measured).ok_or_else(|| anyhow!("nothing to run"))?;
    let own = dir.join(format!("brands-{seed}"));
    std::fs::create_dir(&own).context("making a directory for a trial")?;
    let (before, begun) = (Counters::read(), std::time::Instant::now());
    let used = driver::host::used_ns();
    let record = trials.run(&trial, own)?.ok_or_else(|| anyhow!("interrupted"))?.record;
    let own_ns = driver::host::used_ns().saturating_sub(used);
    let host = before.since(&Counters::read(), begun.elapsed().as_nanos() as u64, own_ns);
    if record.status != Status::Measured {
        return Err(anyhow!("{}: {:?}", record.case, record.status));
    }
    let summary = analysis::summarise(&plan, &facts::gather(dir), &[record]);
    let all = summary.scenarios.iter().flat_map(|s| &s.cases).flat_map(|c| &c.brands);
    let brands = all.filter(|b| !FACTS.contains(&b.name.as_str())).map(|b| b.name.clone()).collect();
    Ok(Run { host, brands })
}

/// The check.
pub(super) fn brands(dir: &Path) -> Result<Check> {
    let mut runs: Vec<Run> = Vec::new();
    for seed in 1..=RUNS_MAX {
        if runs.iter().filter(|run| run.is_undisturbed()).count() == RUNS {
            break;
        }
        runs.push(one(seed, dir)?);
    }
    let calm: Vec<&Run> = runs.iter().filter(|run| run.is_undisturbed()).collect();
    let wrong: usize = calm.iter().map(|run| run.brands.len()).sum();
    // Too few undisturbed runs prove nothing, unless there is too much to be seen in them already.
    let holds = if wrong > FALSE_MAX { Some(false) } else { (calm.len() == RUNS).then_some(true) };
    Ok(Check {
        name: "brands",
        holds,
        says: format!(
            "`pool/steady` at 1,000 requests a second with {} seeds. In {} of these runs the kernel's counters, read around the whole trial, say that \
             nothing disturbed the host; these carry {wrong} brands, which are false. Of {RUNS} such runs there may be {FALSE_MAX}.",
            runs.len(),
            calm.len()
        ),
        head: vec!["run", "steal", "throttled", "others' CPU", "undisturbed", "brands"],
        rows: runs.iter().enumerate().map(|(seed, run)| run.row(seed)).collect(),
        picture: None,
    })
}
