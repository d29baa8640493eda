//! What theory says of a queue: waits, responses, blocking.
//!
//! Times are in seconds, rates per second. Arrivals are Poisson and the queue is in steady state, first come, first served. Nothing is given
//! for a queue that has no steady state (utilisation of 1 or more), nor for a rate or time that is not positive and finite.

mod finite;
mod single;

pub use finite::{Mmck, erlang_b};
pub use single::{md1_wait, pollaczek_khinchine, set_up_wait, welch};

/// Whether a rate or a time is one.
fn positive(value: f64) -> bool {
    value > 0.0 && value.is_finite()
}

/// The M/M/c queue: exponential services on `c` servers, unlimited waiting room.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mmc {
    arrivals: f64,
    service_s: f64,
    servers: u32,
    waiting: f64,
}

impl Mmc {
    /// The queue of `arrivals` per second with a mean service of `service_s` on `servers` servers; `None` where it has no steady state.
    pub fn new(arrivals: f64, service_s: f64, servers: u32) -> Option<Self> {
        let waiting = erlang_c(servers, arrivals * service_s)?;
        (positive(arrivals) && positive(service_s)).then_some(Self { arrivals, service_s, servers, waiting })
    }

    /// The share of time that a server is busy.
    pub fn utilisation(&self) -> f64 {
        self.arrivals * self.service_s / f64::from(self.servers)
    }

    /// P(wait > 0): Erlang's C.
    pub fn wait_probability(&self) -> f64 {
        self.waiting
    }

    /// At which rate the line drains while all servers are busy, beyond what arrives: `c / S - lambda`, per second.
    fn drain(&self) -> f64 {
        f64::from(self.servers) / self.service_s - self.arrivals
    }

    /// The mean wait of all, also of those who do not wait: `C S / (c (1 - rho))` (Erlang 1917; Kleinrock 1975, 3.5).
    pub fn mean_wait(&self) -> f64 {
        self.waiting / self.drain()
    }

    /// The mean response: wait and service.
    pub fn mean_response(&self) -> f64 {
        self.mean_wait() + self.service_s
    }

    /// P(wait > t): `C exp(-(c / S - lambda) t)`; 1 before 0.
    pub fn wait_beyond(&self, t_s: f64) -> f64 {
        if t_s < 0.0 { 1.0 } else { self.waiting * (-self.drain() * t_s).exp() }
    }

    /// The wait that a share `p` of all do not exceed; 0 where that many do not wait. `None` for `p` outside [0, 1).
    pub fn wait_quantile(&self, p: f64) -> Option<f64> {
        (0.0..1.0).contains(&p).then(|| ((self.waiting / (1.0 - p)).ln() / self.drain()).max(0.0))
    }

    /// P(response > t); 1 before 0.
    ///
    /// A response is a service, and with probability C before it an independent exponential wait of rate `b = c / S - lambda`. With
    /// `a = 1 / S`: `(1 - C) exp(-a t) + C (b exp(-a t) - a exp(-b t)) / (b - a)`, and `C (1 + a t) exp(-a t)` where a = b.
    pub fn response_beyond(&self, t_s: f64) -> f64 {
        if t_s < 0.0 {
            return 1.0;
        }
        let (a, b) = (1.0 / self.service_s, self.drain());
        (1.0 - self.waiting) * (-a * t_s).exp() + self.waiting * sum_beyond(a, b, t_s)
    }

    /// The response that a share `p` of all do not exceed, to 1e-12 relative, by bisection. `None` for `p` outside [0, 1).
    pub fn response_quantile(&self, p: f64) -> Option<f64> {
        if !(0.0..1.0).contains(&p) {
            return None;
        }
        let (mut low, mut high) = (0.0, self.service_s);
        while self.response_beyond(high) > 1.0 - p && high.is_finite() {
            (low, high) = (high, high * 2.0);
        }
        while high - low > 1e-12 * high {
            let middle = low + (high - low) / 2.0;
            if self.response_beyond(middle) > 1.0 - p { low = middle } else { high = middle }
        }
        Some(high)
    }
}

/// P(X + Y > t) of independent exponentials with rates `a` and `b`, in a form that loses no digits where they are close.
fn sum_beyond(a: f64, b: f64, t: f64) -> f64 {
    let (slow, apart) = (a.min(b), (a - b).abs());
    let ramp = if apart * t > 0.0 { -(-apart * t).exp_m1() / apart } else { t };
    (-slow * t).exp() * (1.0 + slow * ramp)
}

/// Erlang's C: P(wait > 0) in M/M/c with `offered` erlangs (arrival rate times mean service).
///
/// From Erlang's B as `B / (1 - rho (1 - B))`. `None` for a load that is negative or not below `servers`.
pub fn erlang_c(servers: u32, offered: f64) -> Option<f64> {
    let rho = offered / f64::from(servers);
    if servers == 0 || !(0.0..1.0).contains(&rho) {
        return None;
    }
    let blocked = erlang_b(servers, offered)?;
    Some(blocked / (1.0 - rho * (1.0 - blocked)))
}

/// The mean wait in M/D/c (services all of `service_s`), as Cosmetatos approximates it.
///
/// `W / 2 (1 + (1 - rho)(c - 1)(sqrt(4 + 5 c) - 2) / (16 rho c))` with the wait W of M/M/c (Cosmetatos 1975, Approximate explicit formulae for
/// the average queueing time). Exact for one server; within 0.6 % of [`crommelin`] for 2 to 8 servers from a utilisation of 0.5 on, but 3 % above it for 4
/// servers at 0.3.
pub fn cosmetatos(arrivals: f64, service_s: f64, servers: u32) -> Option<f64> {
    let exponential = Mmc::new(arrivals, service_s, servers)?;
    let (rho, c) = (exponential.utilisation(), f64::from(servers));
    let more = (1.0 - rho) * (c - 1.0) * ((4.0 + 5.0 * c).sqrt() - 2.0) / (16.0 * rho * c);
    Some(exponential.mean_wait() / 2.0 * (1.0 + more))
}

/// The mean wait in M/D/c (services all of `service_s`), exactly.
///
/// `D sum over i >= 1 of P(N(i a) >= i c) - P(N(i a) > i c) / rho` with the offered load a and N(m) Poisson of mean m (Crommelin 1932, Delay probability
/// formulae when the holding times are constant). Terms fall off geometrically; it ends when one no longer counts.
pub fn crommelin(arrivals: f64, service_s: f64, servers: u32) -> Option<f64> {
    let rho = Mmc::new(arrivals, service_s, servers)?.utilisation();
    let (mut sum, mut ln_factorial, mut upto) = (0.0, 0.0, 0.0);
    for i in 1..MOST_TERMS {
        let (mean, count) = (f64::from(i) * arrivals * service_s, f64::from(i) * f64::from(servers));
        while upto < count {
            upto += 1.0;
            ln_factorial += upto.ln();
        }
        let just = (count * mean.ln() - mean - ln_factorial).exp();
        let beyond = poisson_beyond(mean, count, just);
        let term = just + beyond - beyond / rho;
        sum += term;
        if i > 3 && term <= 1e-12 * sum {
            break;
        }
    }
    Some(service_s * sum)
}

/// Terms of Crommelin's sum, at most: at 0.95 it needs 14,000.
const MOST_TERMS: u32 = 1_000_000;

/// P(N > count) for a Poisson N, from `just` = P(N = count) with `count` at or above the mean.
fn poisson_beyond(mean: f64, count: f64, just: f64) -> f64 {
    let (mut sum, mut term, mut at) = (0.0, just, count);
    loop {
        at += 1.0;
        term *= mean / at;
        sum += term;
        if term <= 1e-17 * sum || term == 0.0 {
            return sum;
        }
    }
}

#[cfg(test)]
mod tests;
