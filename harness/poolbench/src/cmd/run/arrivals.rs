//! `run --record-arrivals FILE`: the intended starts of a case as a trace.

use std::path::Path;

use anyhow::{Context, Result};
use model::Record;
use model::plan::{Case, Plan};
use model::record::{Status, TrialKind};
use model::trace::{ENDING, Trace};

use crate::exit::Complaint;
use crate::progress::count;

/// Where the arrivals of a run's one case go.
pub(super) struct Recorder<'a> {
    to: Option<(&'a Path, &'a Case)>,
    plan: &'a Plan,
}

impl<'a> Recorder<'a> {
    /// Refuses what cannot be recorded before anything runs.
    pub(super) fn new(file: Option<&'a Path>, plan: &'a Plan) -> Result<Self> {
        let Some(file) = file else { return Ok(Self { to: None, plan }) };
        let [case] = plan.cases.as_slice() else {
            let what = format!("--record-arrivals records one case, and {} are selected", count(plan.cases.len(), "case"));
            return Err(Complaint::usage(what, "select one with -f; `poolbench list --cases` prints their ids"));
        };
        if case.load.rate.is_none() && case.load.trace.is_none() {
            let what = format!("{}: a closed loop has no intended starts to record", case.id);
            return Err(Complaint::usage(what, "select a case with planned arrivals"));
        }
        // Told now, not when the trial is over.
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
        if folder.is_some_and(|folder| !folder.is_dir()) || file.is_dir() {
            let what = format!("--record-arrivals: no file can be written at '{}'", file.display());
            return Err(Complaint::usage(what, "name a file in a directory that exists"));
        }
        Ok(Self { to: Some((file, case)), plan })
    }

    /// Writes the trace if `record` is of the first round; `before` are the records before it, of which calibrations set the rate.
    pub(super) fn take(&self, record: &Record, before: &[Record]) -> Result<()> {
        let Some((file, case)) = self.to else { return Ok(()) };
        if record.kind != TrialKind::Measured || record.round != 0 || record.status != Status::Measured {
            return Ok(());
        }
        let rate = analysis::resolve_rate(self.plan, case, before);
        let load = driver::intended(case, rate, record.seed).map_err(anyhow::Error::msg)?;
        anyhow::ensure!(load.fingerprint == record.fingerprint, "the load made anew is not the one that ran (poolbench's own mistake)");
        let text = Trace::text(&load.offsets, &comment(case, record.seed));
        std::fs::write(file, text).with_context(|| format!("writing '{}'", file.display()))
    }
}

fn comment(case: &Case, seed: u64) -> String {
    format!(
        "Intended starts in ns from the begin of the warm-up ({} ns), which the window ({} ns) follows.\nOf {}, seed {seed}. Replayed by \
         load.arrivals = {{ kind = \"trace\", file = \"NAME{ENDING}\" }} beside the file.",
        case.load.warmup_ns, case.load.length_ns, case.id
    )
}
