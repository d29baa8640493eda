//! The quick checks: clock, pacer, ceiling, profiler, disk.

use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, anyhow};
use driver::selftest::{self, NullRun};
use model::units::show_ns;

use super::Check;

/// Rates at which the pacer is looked at, per second.
pub(super) const RATES: [f64; 4] = [1e3, 2e3, 5e3, 1e4];
/// The lag p99 from which on a generator is late on any scale, ns; as in the brand `generator-late`.
const LATE_NS: u64 = 500_000;
/// Least share of the expected samples; as in reports.
const SAMPLES_SHARE: f64 = 0.5;
/// Flushes that are timed.
const FLUSHES: usize = 50;

pub(super) fn clock(_: &Path) -> Result<Check> {
    let (cost, step) = selftest::clock();
    Ok(Check {
        name: "clock",
        // A stamp of a microsecond would be a tenth of what the shortest round trip takes.
        holds: Some(cost < 1000.0),
        says: format!("Four stamps of a request cost {}.", show_ns(4.0 * cost)),
        head: vec!["clock", "a reading", "least step"],
        rows: vec![vec!["CLOCK_MONOTONIC".to_owned(), show_ns(cost), show_ns(step as f64)]],
        picture: None,
    })
}

pub(super) fn cells(run: &NullRun) -> Vec<String> {
    let [p50, p99, p999] = run.lag_ns.map(|ns| show_ns(ns as f64));
    let fit = run.fit.map_or_else(|| "-".to_owned(), |(statistic, _)| format!("{statistic:.2}"));
    vec![format!("{:.0}/s", run.per_s), run.sent.to_string(), p50, p99, p999, fit, format!("{:.0} %", 100.0 * run.cpu_share)]
}

const HEAD: [&str; 7] = ["rate", "sent", "lag p50", "p99", "p99.9", "A²", "CPU"];

pub(super) fn pacer(_: &Path) -> Result<Check> {
    let runs = RATES.map(|per_s| selftest::pace_null(per_s, 1_000_000_000, 1));
    let runs: Vec<NullRun> = runs.into_iter().collect::<std::io::Result<_>>().context("pacing")?;
    let worst = runs.iter().map(|run| run.lag_ns[1]).max().unwrap_or(0);
    let class = if runs.iter().all(|run| run.fifo) { "under SCHED_FIFO" } else { "without SCHED_FIFO, which is not allowed here" };
    Ok(Check {
        name: "pacer",
        holds: Some(worst <= LATE_NS && runs.iter().all(|run| run.taken == run.sent)),
        says: format!(
            "Poisson arrivals to a null worker, {class}. Latencies below {} are not told from the generator's own lateness. A² is \
             Anderson-Darling's statistic of the gaps sent; one true series in 100 is above 1.957.",
            show_ns(10.0 * worst as f64)
        ),
        head: HEAD.to_vec(),
        rows: runs.iter().map(cells).collect(),
        picture: None,
    })
}

pub(super) fn ceiling(_: &Path) -> Result<Check> {
    let (mut runs, mut most) = (Vec::new(), 0.0);
    for per_s in selftest::SWEEP {
        let run = selftest::pace_null(per_s, 500_000_000, 2).context("pacing")?;
        let kept = run.is_kept();
        if kept {
            most = per_s;
        }
        runs.push(run);
        if !kept && most > 0.0 {
            break;
        }
    }
    Ok(Check {
        name: "ceiling",
        holds: None,
        says: format!("The highest rate of the sweep with a lag p99 of at most {}: {most:.0}/s.", show_ns(selftest::CEILING_LAG_NS as f64)),
        head: HEAD.to_vec(),
        rows: runs.iter().map(cells).collect(),
        picture: None,
    })
}

pub(super) fn profiler(_: &Path) -> Result<Check> {
    let (samples, expected) = selftest::profile_spin(1_000_000_000).map_err(|why| anyhow!("{why}"))?;
    let share = samples as f64 / expected.max(1.0);
    Ok(Check {
        name: "profiler",
        holds: Some(share >= SAMPLES_SHARE),
        says: "Samples of a thread that spins for a second; with fewer than half of those expected, profiles are refused.".to_owned(),
        head: vec!["sampler", "samples", "expected", "share"],
        rows: vec![vec!["SIGPROF".to_owned(), samples.to_string(), format!("{expected:.0}"), format!("{:.0} %", 100.0 * share)]],
        picture: None,
    })
}

pub(super) fn disk(dir: &Path) -> Result<Check> {
    let mut file = std::fs::File::create(dir.join("flush")).context("making a file to flush")?;
    let mut times = Vec::with_capacity(FLUSHES);
    for _ in 0..FLUSHES {
        file.seek(SeekFrom::Start(0)).context("seeking")?;
        file.write_all(&[7; 4096]).context("writing 4 KiB")?;
        let begun = Instant::now();
        file.sync_data().context("flushing")?;
        times.push(begun.elapsed().as_nanos() as f64);
    }
    times.sort_by(f64::total_cmp);
    let at = |share: f64| show_ns(times[((FLUSHES as f64 * share) as usize).min(FLUSHES - 1)]);
    Ok(Check {
        name: "disk",
        holds: None,
        says: "fdatasync after each overwrite of 4 KiB, in the directory for temporary files: no durable write can be faster.".to_owned(),
        head: vec!["filesystem", "p50", "p90", "max"],
        rows: vec![vec![driver::host::filesystem(dir), at(0.5), at(0.9), at(1.0)]],
        picture: None,
    })
}
