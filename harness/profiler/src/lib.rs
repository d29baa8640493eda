//! Samplers and folded stacks; used by driver and benches.
//!
//! A sampler says where CPU time went while it ran. It never says how long a request took: latencies come from
//! trials without a profiler.

mod folded;
mod sigprof;

pub use folded::Folded;
pub use sigprof::Sigprof;

/// What a sampler brought home.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// Name of the sampler.
    pub sampler: &'static str,
    /// Rate, samples per second of CPU time.
    pub hz: u32,
    /// Samples captured.
    pub samples: u64,
    /// Samples that the process's CPU time should have given at this rate.
    pub expected: f64,
    /// Samples whose innermost frame has no name.
    pub unnamed: u64,
    /// Stacks with their counts. Symbol names only, never a source path.
    pub stacks: Folded,
}

/// Why a profile could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// A rate above the kernel's tick would silently lose samples.
    #[error("{asked} Hz is above this kernel's tick rate of {tick} Hz, so SIGPROF would lose samples silently; ask for at most {tick}")]
    TooFast {
        /// Rate asked for, Hz.
        asked: u32,
        /// The kernel's tick rate, Hz.
        tick: u32,
    },
    /// The sampler itself failed.
    #[error("sampler '{sampler}' failed: {why}")]
    Sampler {
        /// Its name.
        sampler: &'static str,
        /// What it said.
        why: String,
    },
}

/// One way to sample stacks.
pub trait Sampler: Sync {
    /// Its name in records.
    fn name(&self) -> &'static str;
    /// What it is, in a line.
    fn doc(&self) -> &'static str;
    /// Begins to sample the whole process at `hz`; one session at a time.
    ///
    /// # Errors
    /// When the rate is above the kernel's tick, or the sampler cannot start.
    fn start(&self, hz: u32) -> Result<Box<dyn Session>, ProfileError>;
}

/// Sampling under way. Dropping it stops the sampling.
pub trait Session: Send {
    /// Stops and resolves names.
    ///
    /// # Errors
    /// When the sampler lost its data.
    fn stop(self: Box<Self>) -> Result<Profile, ProfileError>;
}

/// All samplers; the first is the default.
pub const SAMPLERS: &[&dyn Sampler] = &[&Sigprof];

/// The kernel's tick rate in Hz, from the resolution of its coarse clock.
pub fn tick_hz() -> u32 {
    let resolution = rustix::time::clock_getres(rustix::time::ClockId::MonotonicCoarse);
    if resolution.tv_sec > 0 || resolution.tv_nsec <= 0 { 1 } else { (1_000_000_000 / resolution.tv_nsec) as u32 }
}

/// CPU time of this process so far, ns.
fn process_cpu_ns() -> u64 {
    let t = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    t.tv_sec as u64 * 1_000_000_000 + t.tv_nsec as u64
}

#[cfg(test)]
mod tests;
