//! Slot time in use and with a worker, by tier.

use pool::clock::Nanos;

/// Sums of times of which some still run: `now * running - (sum of begins)`, without a list of them.
#[derive(Clone, Debug)]
pub(super) struct Meter {
    /// Begins subtracted and ends added, so that a finished time is what is left of it; wraps in between.
    sum: Vec<Nanos>,
    running: Vec<u64>,
}

impl Meter {
    pub(super) fn new(parts: usize) -> Meter {
        Meter { sum: vec![0; parts], running: vec![0; parts] }
    }

    pub(super) fn begin(&mut self, part: usize, now: Nanos) {
        self.sum[part] = self.sum[part].wrapping_sub(now);
        self.running[part] += 1;
    }

    pub(super) fn end(&mut self, part: usize, now: Nanos) {
        self.sum[part] = self.sum[part].wrapping_add(now);
        self.running[part] -= 1;
    }

    pub(super) fn read(&self, part: usize, now: Nanos) -> Nanos {
        self.sum[part].wrapping_add(now.wrapping_mul(self.running[part]))
    }
}
