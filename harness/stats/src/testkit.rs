//! Queues and series for tests.

use rand::SeedableRng as _;
use rand_distr::{Distribution as _, Exp1};
use rand_pcg::Pcg64Mcg;

use crate::recursion::{Served, Servers};

/// Standard exponentials.
pub(crate) fn exponentials(seed: u64) -> impl Iterator<Item = f64> {
    let mut random = Pcg64Mcg::seed_from_u64(seed);
    std::iter::repeat_with(move || Exp1.sample(&mut random))
}

/// Arrival, service and response in ns of `count` customers of an M/M/c queue that starts empty, with a mean service of 1 s.
pub(crate) fn queue(servers: usize, utilisation: f64, count: usize, seed: u64) -> impl Iterator<Item = (u64, Served, u64)> {
    let mut line = Servers::new(servers).unwrap();
    let mut random = exponentials(seed);
    let mut arrival = 0.0;
    std::iter::from_fn(move || {
        arrival += random.next()? * 1e9 / (utilisation * servers as f64);
        let served = line.serve(arrival as u64, (random.next()? * 1e9) as u64);
        Some((arrival as u64, served, served.end_ns - arrival as u64))
    })
    .take(count)
}
