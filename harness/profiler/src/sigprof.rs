//! SIGPROF sampling through pprof, with the framehop unwinder, no blocklist, primed before use.

use std::sync::Once;

use crate::{Folded, Profile, ProfileError, Sampler, Session, process_cpu_ns, tick_hz};

/// `pprof`: works without any privilege, sees user stacks of this process only, at most at the kernel's tick rate.
pub struct Sigprof;

const NAME: &str = "pprof";
/// Long enough for at least ten samples at 99 Hz: the unwinder allocates on its first one, and if that lands inside
/// the allocator the process hangs (seen in 3 of 6 runs without priming, 0 of 6 with).
const PRIMING_NS: u64 = 120_000_000;

static PRIMED: Once = Once::new();

impl Sampler for Sigprof {
    fn name(&self) -> &'static str {
        NAME
    }

    fn doc(&self) -> &'static str {
        "SIGPROF sampling in process (pprof, framehop unwinder): user stacks, at most the kernel's tick rate"
    }

    fn start(&self, hz: u32) -> Result<Box<dyn Session>, ProfileError> {
        let tick = tick_hz();
        if hz > tick {
            return Err(ProfileError::TooFast { asked: hz, tick });
        }
        let failed = |e: pprof::Error| ProfileError::Sampler { sampler: NAME, why: e.to_string() };
        let mut primed = Ok(());
        PRIMED.call_once(|| {
            primed = guard(hz).map(|running| {
                prime();
                drop(running);
            });
        });
        primed.map_err(failed)?;
        let guard = guard(hz).map_err(failed)?;
        Ok(Box::new(Running { guard, hz, cpu_ns: process_cpu_ns() }))
    }
}

fn guard(hz: u32) -> pprof::Result<pprof::ProfilerGuard<'static>> {
    pprof::ProfilerGuardBuilder::default().frequency(hz.min(i32::MAX as u32) as i32).build()
}

/// Burns CPU without touching the allocator, so that the unwinder's first sample finds it unlocked.
#[inline(never)]
fn prime() {
    let begin = process_cpu_ns();
    let mut x = begin | 1;
    while process_cpu_ns() - begin < PRIMING_NS {
        for _ in 0..10_000 {
            x = std::hint::black_box(x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
        }
    }
}

struct Running {
    guard: pprof::ProfilerGuard<'static>,
    hz: u32,
    cpu_ns: u64,
}

impl Session for Running {
    fn stop(self: Box<Self>) -> Result<Profile, ProfileError> {
        let expected = (process_cpu_ns() - self.cpu_ns) as f64 / 1e9 * f64::from(self.hz);
        let report = self.guard.report().build().map_err(|e| ProfileError::Sampler { sampler: NAME, why: e.to_string() })?;
        let (mut stacks, mut unnamed, mut samples) = (Folded::default(), 0, 0);
        for (frames, count) in &report.data {
            let count = u64::try_from(*count).unwrap_or(0);
            samples += count;
            // Frames come innermost first, and within a frame the inlined functions innermost first.
            let names: Vec<String> = frames.frames.iter().flatten().map(pprof::Symbol::name).collect();
            if names.first().is_none_or(|leaf| leaf == "Unknown") {
                unnamed += count;
            }
            stacks.add(names.iter().rev().map(String::as_str), count);
        }
        Ok(Profile { sampler: NAME, hz: self.hz, samples, expected, unnamed, stacks })
    }
}
