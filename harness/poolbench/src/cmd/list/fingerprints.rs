//! `list --fingerprints`: the load of every scenario as a digest, without running any.

use std::collections::BTreeMap;
use std::fmt::Write;

use anyhow::Result;
use model::plan::Size;
use model::record::TrialKind;
use scenario::{Options, Selection, Source};

use crate::sources;

/// The capacity that stands in for one that only a calibration could tell, requests per second.
const CAPACITY_PER_S: f64 = 1000.0;
/// The seed of a run that names none.
const SEED: u64 = 1;

/// Id and fingerprint of each case, by scenario.
type Prints = BTreeMap<String, Vec<(String, String)>>;

/// One line per scenario, or per case where the cases of one differ in their load.
///
/// # Errors
/// A bad scenario, or a load that cannot be made.
pub(super) fn text(sources: &[Source]) -> Result<String> {
    let mut prints = Prints::new();
    // Cases that exist only in virtual time have a load too.
    for virtual_time in [false, true] {
        add(sources, virtual_time, &mut prints)?;
    }
    let mut out = head();
    for (scenario, prints) in prints {
        let one = prints.iter().all(|(_, print)| Some(print) == prints.first().map(|(_, first)| first));
        let rows = prints.iter().map(|(case, print)| (if one { &scenario } else { case }, print));
        for (name, print) in rows.take(if one { 1 } else { usize::MAX }) {
            let _ = writeln!(out, "{print} {name}");
        }
    }
    Ok(out)
}

fn add(sources: &[Source], virtual_time: bool, prints: &mut Prints) -> Result<()> {
    let options = Options { size: Size::Smoke, seed: SEED, rounds: Some(1), max_cases: usize::MAX, virtual_time };
    let plan =
        scenario::expand(sources, &driver::catalogue(), &driver::kinds(), &Selection::default(), &options).map_err(sources::refuse)?;
    let trials = analysis::order(&plan).into_iter().filter(|trial| trial.kind == TrialKind::Measured);
    let seeds: BTreeMap<usize, u64> = trials.map(|trial| (trial.case, trial.seed)).collect();
    // Ways of one job have the same documents, which take a while to make.
    let mut documents: BTreeMap<(String, u64, u64), String> = BTreeMap::new();
    for (index, case) in plan.cases.iter().enumerate() {
        let known = prints.entry(case.scenario.clone()).or_default();
        if known.iter().any(|(id, _)| *id == case.id) {
            continue;
        }
        let rate = driver::stand_in_rate(case, CAPACITY_PER_S);
        let seed = seeds.get(&index).copied().unwrap_or_default();
        let mix = case.load.mix.first().filter(|_| case.target.value == "contender");
        let key = mix.map(|mix| (mix.shape.value.clone(), mix.payload_bytes, seed));
        let made = key.as_ref().and_then(|key| documents.get(key)).cloned();
        let print = match made {
            Some(print) => print,
            None => driver::intended(case, rate, seed).map_err(|why| anyhow::anyhow!("{}: {why}", case.id))?.fingerprint,
        };
        documents.extend(key.map(|key| (key, print.clone())));
        known.push((case.id.clone(), print));
    }
    Ok(())
}

fn head() -> String {
    format!(
        "# The load of every scenario: a digest of times, sorts, sessions, service times, payload bytes and faults of the first round at smoke\n\
         # size, seed {SEED}; one line per case where the cases of a scenario differ. A rate that is a share of capacity is taken as that share of\n\
         # {CAPACITY_PER_S}/s, since nothing is measured here. Made by `poolbench list --fingerprints`.\n"
    )
}
