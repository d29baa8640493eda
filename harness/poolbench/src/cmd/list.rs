//! `poolbench list`.

mod fingerprints;

use std::io::Write;

use anyhow::Result;

use crate::args::ListArgs;
use crate::exit::Exit;
use crate::sources;

/// Prints scenarios, cases, settings or jobs.
pub(super) fn list(args: &ListArgs) -> Result<Exit> {
    let mut out = std::io::stdout().lock();
    if args.settings {
        for row in driver::catalogue() {
            writeln!(out, "{:<32} {:<40} {:<14} {}", row.key, row.kind, row.default, row.doc)?;
        }
        return Ok(Exit::Done);
    }
    if args.jobs {
        return jobs(&mut out);
    }
    let sources = sources::read(args.scenarios.as_deref())?;
    if args.fingerprints {
        out.write_all(fingerprints::text(&sources)?.as_bytes())?;
        return Ok(Exit::Done);
    }
    let listing = scenario::list(&sources, &driver::catalogue(), &driver::kinds()).map_err(sources::refuse)?;
    let width = listing.iter().map(|l| l.name.len()).max().unwrap_or(0);
    for one in listing {
        if args.cases {
            one.cases.iter().try_for_each(|case| writeln!(out, "{case}"))?;
            continue;
        }
        let mark = if one.suite { ' ' } else { '*' };
        let cases = one.cases.len();
        writeln!(out, "{:<width$}{mark} {cases:>3} {}  {}", one.name, if cases == 1 { "case " } else { "cases" }, one.what)?;
    }
    if !args.cases {
        writeln!(out, "\n* runs only when selected with -f")?;
    }
    Ok(Exit::Done)
}

/// Jobs with their ways; a trap stands below its way.
fn jobs(out: &mut impl Write) -> Result<Exit> {
    for job in driver::JOBS {
        writeln!(out, "{}: {}; judged on {} time", job.name, job.doc, if job.cpu_bound { "CPU" } else { "wall" })?;
        let width = job.ways.iter().map(|way| way.name.len()).max().unwrap_or(0);
        for way in job.ways {
            writeln!(out, "  {:<width$}  {}", way.name, way.doc)?;
            if !way.trap.is_empty() {
                writeln!(out, "  {:<width$}  trap: {}", "", way.trap)?;
            }
        }
    }
    Ok(Exit::Done)
}
