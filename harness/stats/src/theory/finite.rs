//! Queues that turn customers away.

use super::positive;

/// Erlang's B: the share of customers that M/M/c without waiting room turns away, at `offered` erlangs.
///
/// The recursion `B(n) = a B(n - 1) / (n + a B(n - 1))` (Erlang 1917; Jagerman 1974). `None` for a load that is negative or not finite.
pub fn erlang_b(servers: u32, offered: f64) -> Option<f64> {
    let load = offered >= 0.0 && offered.is_finite();
    load.then(|| (1..=servers).fold(1.0, |blocked, n| offered * blocked / (f64::from(n) + offered * blocked)))
}

/// The M/M/c/K queue: `places` customers at most, in service and waiting together. It has a steady state at any load.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mmck {
    arrivals: f64,
    blocked: f64,
    waiting: f64,
}

impl Mmck {
    /// The queue of `arrivals` per second with a mean service of `service_s` on `servers` servers; `None` with fewer places than servers.
    ///
    /// Birth and death: with `r(n) = lambda S / min(n, c)`, `B(n) = r B(n - 1) / (1 + r B(n - 1))` is the probability of n among 0..=n
    /// (Kleinrock 1975, 3.6), and the mean line among 0..=n follows from it: `L(n) = (1 - B) L(n - 1) + B max(n - c, 0)`.
    pub fn new(arrivals: f64, service_s: f64, servers: u32, places: u32) -> Option<Self> {
        if !positive(arrivals) || !positive(service_s) || !(arrivals * service_s).is_finite() || servers == 0 || places < servers {
            return None;
        }
        let (mut blocked, mut waiting) = (1.0, 0.0);
        for n in 1..=places {
            let ratio = arrivals * service_s / f64::from(n.min(servers)) * blocked;
            blocked = ratio / (1.0 + ratio);
            waiting = (1.0 - blocked) * waiting + blocked * f64::from(n.saturating_sub(servers));
        }
        Some(Self { arrivals, blocked, waiting })
    }

    /// The share of customers that are turned away.
    pub fn blocking(&self) -> f64 {
        self.blocked
    }

    /// The rate of those that are admitted, per second.
    pub fn admitted(&self) -> f64 {
        self.arrivals * (1.0 - self.blocked)
    }

    /// The mean number of those that wait.
    pub fn mean_line(&self) -> f64 {
        self.waiting
    }

    /// The mean wait of those that are admitted, in s, by Little's law.
    pub fn mean_wait(&self) -> f64 {
        self.waiting / self.admitted()
    }
}
