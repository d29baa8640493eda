//! Criterion micro-benchmarks of the hot paths, each beside its floor: the cheapest code that moves the same bytes.
//!
//! ```text
//! cargo bench -p benches                             all of them, about a minute
//! cargo bench -p benches -- round-trip               those whose name holds `round-trip`
//! cargo bench -p benches -- --profile-time 5 core    no figures, but a flamegraph of each
//! cargo test  -p benches --benches                   each once, to see that it works
//! ```
//!
//! Groups: `core` (the pure state machine), `frames` (the wire codec), `histogram`, `monitor` (what counting adds to a request),
//! `session` (JSON and compression) and `round-trip` (one request in flight). Figures, and the change since the run before, stand in
//! `criterion/` under the target directory; profiles as `criterion/NAME/profile/profile.folded` and `profile.svg`.
//!
//! These are for whoever works on one of these paths. They do not gate: a change is judged by `poolbench gate`, which interleaves
//! two builds. A worker process is not in the profile of its round trips, only the pool's side is.

mod core;
mod flame;
mod frames;
mod histogram;
mod monitor;
mod prose;
mod round_trip;
mod session;

use std::error::Error;
use std::time::Duration;

use criterion::Criterion;

/// Why benchmarks could not run, or a profile was refused.
pub type Failure = Box<dyn Error + Send + Sync>;

/// The first argument that makes the executable a worker of the pool under test.
pub const WORKER: &str = "--poolbench-worker";

/// Runs what the program's arguments ask for.
///
/// # Errors
/// Where a benchmark's subject cannot be made, and at the end where profiles could not be taken or were refused.
pub fn run() -> Result<(), Failure> {
    let flame = flame::Flame::default();
    let problems = flame.problems();
    // Narrow enough for paths of nanoseconds, short enough to be run often.
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .sample_size(50)
        .nresamples(10_000)
        .without_plots()
        .with_profiler(flame)
        .configure_from_args();
    core::bench(&mut criterion)?;
    frames::bench(&mut criterion);
    histogram::bench(&mut criterion);
    monitor::bench(&mut criterion)?;
    session::bench(&mut criterion)?;
    round_trip::bench(&mut criterion);
    criterion.final_summary();
    let problems = problems.borrow();
    if problems.is_empty() { Ok(()) } else { Err(problems.join("; ").into()) }
}
