//! Time is an argument: everything in this crate reads it from a [`Clock`] that was passed in.

/// Nanoseconds on `CLOCK_MONOTONIC` (or of a virtual clock): comparable between processes of one host.
pub type Nanos = u64;

/// A source of monotonic time.
pub trait Clock: Send + Sync + 'static {
    /// Nanoseconds since an arbitrary, fixed origin; never goes backwards.
    fn now(&self) -> Nanos;
}

/// `CLOCK_MONOTONIC` of this host, read through the vDSO (about 25 ns).
#[derive(Clone, Copy, Debug, Default)]
pub struct MonotonicClock;

impl Clock for MonotonicClock {
    fn now(&self) -> Nanos {
        let t = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
        (t.tv_sec as u64) * 1_000_000_000 + t.tv_nsec as u64
    }
}
