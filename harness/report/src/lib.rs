//! Summary -> Markdown, SVG, JSON, `.hlog`; pure.
//!
//! [`write`] turns a plan, the facts of the host, the records and the folded stacks into files, byte for byte the same each time. It
//! judges nothing (that is `analysis`), reads no file and no clock, and prints nothing.

use std::collections::BTreeMap;

use analysis::Summary;
use model::durability::Durability;
use model::facts::Facts;
use model::rundir;
use model::{Plan, Record};

mod across;
mod claims;
mod doc;
mod durability;
mod flame;
mod hlog;
mod markdown;
mod parts;
mod pictures;
mod plots;
mod recommend;
mod show;
mod survives;
mod svg;
mod terminal;

pub use across::comparison;
pub use claims::{ledger, ledger_json};
pub use durability::durability_page;
pub use markdown::{Column, Table};
pub use plots::theory::{TheoryLine, theory_plot};
pub use recommend::{confirmation, recommendation, settings_block};
pub use terminal::terminal;

/// Everything a report is made of.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// What was to run.
    pub plan: &'a Plan,
    /// On what it ran.
    pub facts: &'a Facts,
    /// What the trials left, in any order.
    pub records: &'a [Record],
    /// Folded stacks by their file's name in the run directory, as the records name them.
    pub folded: &'a BTreeMap<String, String>,
}

/// The files of a report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// Contents by path, relative to the run directory, parts joined by `/`.
    pub files: BTreeMap<String, Vec<u8>>,
}

/// Why a report could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The summary is no JSON.
    #[error("cannot write report.json: {0}; this is a fault of poolbench, please report it with the run directory")]
    Json(#[from] serde_json::Error),
    /// The stacks of a profile cannot be drawn.
    #[error("cannot draw the flamegraph of '{title}': {why}; profile the scenario again")]
    Flamegraph {
        /// The picture's title.
        title: String,
        /// inferno's reason.
        why: String,
    },
    /// A histogram cannot be exported.
    #[error("cannot write the histogram log of '{case}': {why}; this is a fault of poolbench, please report it with the run directory")]
    Hlog {
        /// Id of the case.
        case: String,
        /// The library's reason.
        why: String,
    },
}

/// Writes the whole report: `report.md`, `report.json`, plots and flamegraphs as SVG, one `.hlog` per measured case.
///
/// # Errors
/// [`ReportError`] where a summary, a profile or a histogram cannot be encoded; a profile of poor quality is no error, the report says why
/// it is not drawn.
pub fn write(input: &Input<'_>) -> Result<Output, ReportError> {
    write_with(input, None)
}

/// As [`write`], with what a crash costs beside the figures.
///
/// # Errors
/// As [`write`].
pub fn write_with(input: &Input<'_>, durability: Option<&Durability>) -> Result<Output, ReportError> {
    let summary = analysis::summarise_with(input.plan, input.facts, input.records, durability);
    let mut files = BTreeMap::new();
    let pictures = pictures::draw(&summary, &analysis::counting(input.records), input.folded, &mut files)?;
    let evidence = analysis::recommend::Evidence { plan: input.plan, summary: &summary, records: input.records, durability };
    let advice = recommend::section(&evidence);
    files.insert(rundir::REPORT.to_owned(), doc::report(&summary, &pictures, durability, &advice).into_bytes());
    files.insert(rundir::REPORT_JSON.to_owned(), json(&summary)?);
    Ok(Output { files })
}

fn json(summary: &Summary) -> Result<Vec<u8>, ReportError> {
    let mut bytes = serde_json::to_vec_pretty(summary)?;
    bytes.push(b'\n');
    Ok(bytes)
}

#[cfg(test)]
mod tests;
