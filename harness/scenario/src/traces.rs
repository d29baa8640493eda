//! Traces beside scenario files: read once, whoever replays them.

use std::collections::BTreeMap;

use model::trace::{ENDING, Trace};

use crate::Source;
use crate::problem::Problem;

/// Traces by file; `None` for one that cannot be read, which is a problem already.
pub(crate) type Traces = BTreeMap<String, Option<Trace>>;

/// Takes traces and scenarios apart; what is wrong with a trace is `found`.
pub(crate) fn apart<'a>(sources: &'a [Source], found: &mut Vec<Problem>) -> (Vec<&'a Source>, Traces) {
    let (traces, scenarios): (Vec<&Source>, Vec<&Source>) = sources.iter().partition(|source| source.file.ends_with(ENDING));
    let mut read = Traces::new();
    for source in traces {
        let trace = Trace::parse(&source.text).map_err(|bad| found.push(Problem::new(&source.file, bad.line, &bad.what))).ok();
        read.insert(source.file.clone(), trace);
    }
    (scenarios, read)
}

/// The file that a scenario calls `name`: one in its own folder.
pub(crate) fn beside(scenario: &str, name: &str) -> String {
    match scenario.rsplit_once('/') {
        Some((folder, _)) => format!("{folder}/{name}"),
        None => name.to_owned(),
    }
}
