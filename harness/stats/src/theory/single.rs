//! One server, any service time.

use super::positive;

/// The mean wait in M/G/1: `lambda E[S^2] / (2 (1 - rho))` (Pollaczek 1930, Khinchine 1932).
///
/// `mean_s` and `second_s2` are the first two moments of the service time, in s and s^2; a second moment below the square of the mean
/// belongs to no service time and gives `None`.
pub fn pollaczek_khinchine(arrivals: f64, mean_s: f64, second_s2: f64) -> Option<f64> {
    let rho = arrivals * mean_s;
    // Moments that were computed may miss the square of the mean by their rounding.
    let exists = positive(arrivals) && positive(mean_s) && second_s2.is_finite() && second_s2 >= mean_s * mean_s * (1.0 - 1e-9);
    (exists && rho < 1.0).then(|| arrivals * second_s2 / (2.0 * (1.0 - rho)))
}

/// The mean wait in M/D/1: half of that in M/M/1.
pub fn md1_wait(arrivals: f64, service_s: f64) -> Option<f64> {
    pollaczek_khinchine(arrivals, service_s, service_s * service_s)
}

/// What a set-up adds to the mean wait of M/G/1: whoever finds the server idle waits for a set-up first, such as a cold start.
///
/// `(2 E[I] + lambda E[I^2]) / (2 (1 + lambda E[I]))` with the moments of the set-up in s and s^2 (Welch 1964, On a generalized M/G/1
/// queuing process in which the first customer of each busy period receives exceptional service).
pub fn set_up_wait(arrivals: f64, mean_s: f64, second_s2: f64) -> Option<f64> {
    let exists = positive(arrivals) && mean_s >= 0.0 && second_s2 >= mean_s * mean_s * (1.0 - 1e-9);
    let added = (2.0 * mean_s + arrivals * second_s2) / (2.0 * (1.0 + arrivals * mean_s));
    (exists && added.is_finite()).then_some(added)
}

/// The mean wait in M/G/1 with a set-up: [`pollaczek_khinchine`] and [`set_up_wait`]. Each pair is (first moment, second moment).
pub fn welch(arrivals: f64, service: (f64, f64), set_up: (f64, f64)) -> Option<f64> {
    Some(pollaczek_khinchine(arrivals, service.0, service.1)? + set_up_wait(arrivals, set_up.0, set_up.1)?)
}
