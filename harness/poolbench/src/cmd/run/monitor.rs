//! `--monitor`: where trials serve the endpoints of their pools, made sure of before the first one.

use std::net::SocketAddr;

use anyhow::Result;
use driver::monitor::{self, BindError};
use model::plan::Plan;

use crate::exit::Complaint;
use crate::progress::eprint_line;

/// The address at which each trial will listen: the port is free now, and chosen if it was left to the system.
pub(super) fn address(asked: Option<SocketAddr>, plan: &Plan, quiet: bool) -> Result<Option<SocketAddr>> {
    let Some(asked) = asked else { return Ok(None) };
    if !plan.cases.iter().any(driver::has_pool) {
        return Err(Complaint::usage(
            "--monitor: no selected case has a pool to be watched",
            "select cases whose target is coordinator or pool",
        ));
    }
    let address = monitor::probe(asked).map_err(|e| refused(&e))?;
    // A port that nobody knows would be of no use, so quiet or not.
    if !quiet || asked.port() == 0 {
        eprint_line(&format!("monitor: http://{address}/metrics and /health, while a trial runs"));
    }
    Ok(Some(address))
}

/// The error, its remedy as the help line.
fn refused(error: &BindError) -> anyhow::Error {
    let text = error.to_string();
    let (what, remedy) = text.split_once("; ").unwrap_or((&text, ""));
    Complaint::system(format!("--monitor: {what}"), remedy)
}
