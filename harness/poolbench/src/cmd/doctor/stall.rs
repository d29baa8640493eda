//! The stall tests: a worker that stops for a second must cost every request it delayed, as a recursion over the same requests says.

use std::path::Path;

use anyhow::{Context, Result, anyhow};
use model::plan::Size;
use model::record::{Record, Status, TrialKind};
use model::units::show_ns;
use scenario::Options;

use super::Check;
use crate::args::SelectionArgs;
use crate::cmd::run::{self, Trials};

const NAMES: [&str; 4] = ["p50", "p90", "p95", "p99"];
/// How far p90, p95 and p99 may be from the recursion.
const WITHIN: f64 = 0.01;

/// Runs the scenario's cases at full size, one round each, in trials of their own.
pub(super) fn records(filter: &str, dir: &Path) -> Result<Vec<Record>> {
    let options = Options { size: Size::Full, seed: 1, rounds: Some(1), max_cases: 100, virtual_time: false };
    let plan = run::plan(&SelectionArgs::only(filter), &options, false)?;
    let trials = Trials::new(&plan, Vec::new(), false)?;
    let mut records = Vec::new();
    for trial in analysis::order(&plan).into_iter().filter(|t| t.kind == TrialKind::Measured) {
        let own = dir.join(format!("trial-{}", records.len()));
        std::fs::create_dir(&own).context("making a directory for a trial")?;
        let finished = trials.run(&trial, own)?.ok_or_else(|| anyhow!("interrupted"))?;
        if let Status::Failed { why } = &finished.record.status {
            return Err(anyhow!("{}: {why}", finished.record.case));
        }
        records.push(finished.record);
    }
    Ok(records)
}

/// The check.
pub(super) fn stall(dir: &Path) -> Result<Check> {
    let (mut rows, mut worst) = (Vec::new(), 0.0f64);
    for record in records("^pool/stall", dir)? {
        let twin = record.twin.ok_or_else(|| anyhow!("{} has no twin: a request was lost or served twice", record.case))?;
        let kind = record.case.rsplit('=').next().unwrap_or_default();
        for (i, name) in NAMES.iter().enumerate() {
            let (measured, recursion, stamp) = (twin.measured[i], twin.lindley[i], twin.dispatch_stamp[i]);
            let off = measured / recursion - 1.0;
            // The median is that of undelayed requests: some microseconds of hand-over beside a fifth of a millisecond of service.
            worst = if i == 0 { worst } else { worst.max(off.abs()) };
            let percent = format!("{:+.2} %", 100.0 * off);
            rows.push(vec![format!("{kind}, {name}"), show_ns(measured), show_ns(recursion), percent, show_ns(stamp)]);
        }
    }
    Ok(Check {
        name: "stall",
        holds: Some(worst <= WITHIN),
        says: format!(
            "1,000 requests a second, the only worker (within the process; then a child, by SIGSTOP) stops for a second. p90, p95 and p99 are within \
             {:.2} % of Lindley's recursion over the recorded arrivals and slot-hold times. A closed-loop stamp, at dispatch, would have said what the \
             last column says.",
            100.0 * worst
        ),
        head: vec!["worker", "measured", "recursion", "off", "closed-loop stamp"],
        rows,
        picture: None,
    })
}
