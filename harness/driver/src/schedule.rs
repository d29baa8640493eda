//! The load as data: what is sent when, in which session, with what service time; all from one seed.

use bytes::Bytes;
use pool::ServiceTime;
use pool::core::ToolId;
use rand::{Rng, RngExt, SeedableRng};
use rand_distr::{Distribution, Zipf};
use rand_pcg::Pcg64Mcg;
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use crate::arrivals::Arrivals;
use crate::payload::{self, VARIANTS};

/// How sessions are chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Popularity {
    /// Each equally often.
    Uniform,
    /// The k-th with weight k^-exponent.
    Zipf(f64),
}

/// One sort of request, ready to be sent.
#[derive(Clone, Debug)]
pub struct Sort {
    /// The tool.
    pub tool: ToolId,
    /// Share of all requests up to and with this sort; the last is 1.
    pub share_up_to: f64,
    /// Distribution of service times.
    pub service: ServiceTime,
    /// Whether a worker sleeps or spins.
    pub how: pool::How,
    /// Payloads with their digests; at most [`VARIANTS`].
    pub payloads: Vec<(Bytes, u64)>,
    /// From intended start to deadline, ns.
    pub deadline_ns: Option<u64>,
}

impl Sort {
    /// Builds the payloads of this sort. `None` for an unknown shape.
    pub(crate) fn payloads(shape: &str, bytes: usize, seed: u64) -> Option<Vec<(Bytes, u64)>> {
        let mut rng = stream(seed, "payload");
        (0..VARIANTS)
            .map(|_| {
                let payload = payload::make(shape, bytes, &mut rng)?;
                let digest = xxh3_64(&payload);
                Some((payload, digest))
            })
            .collect()
    }
}

/// One request of the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intent {
    /// Intended start, ns from the origin; 0 in a closed loop.
    pub at_ns: u64,
    /// Index of the sort.
    pub sort: u16,
    /// Index of its payload.
    pub payload: u16,
    /// Index of the session; `u32::MAX` for none.
    pub session: u32,
    /// Service time, ns.
    pub service_ns: u64,
}

/// No session.
pub const NO_SESSION: u32 = u32::MAX;
/// Intents of a closed loop, used in turn.
const CLOSED_INTENTS: usize = 1 << 16;

/// All requests of a slice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// The requests by intended start.
    pub intents: Vec<Intent>,
}

/// What a schedule is made from.
#[derive(Clone, Copy, Debug)]
pub struct Ingredients<'a> {
    /// Arrival process.
    pub arrivals: Arrivals,
    /// Rate per second; unused in a closed loop.
    pub per_s: f64,
    /// Warm-up and window, ns.
    pub span_ns: u64,
    /// Number of sessions; 0 for none.
    pub sessions: u32,
    /// How they are chosen.
    pub popularity: Popularity,
    /// The sorts of request.
    pub sorts: &'a [Sort],
}

/// A random stream for one purpose, so that a change in one place does not shift the others.
fn stream(seed: u64, purpose: &str) -> Pcg64Mcg {
    Pcg64Mcg::seed_from_u64(seed ^ xxh3_64(purpose.as_bytes()))
}

impl Schedule {
    /// Makes the schedule; the same ingredients and seed give the same one on any host.
    pub fn make(from: &Ingredients, seed: u64) -> Schedule {
        let offsets = match from.arrivals {
            Arrivals::Closed => vec![0; CLOSED_INTENTS],
            open => open.offsets(from.per_s, from.span_ns, &mut stream(seed, "arrivals")),
        };
        let (mut pick, mut service, mut sessions) = (stream(seed, "mix"), stream(seed, "service"), stream(seed, "sessions"));
        let chooser = Chooser::new(from.sessions, from.popularity);
        let intents = offsets
            .into_iter()
            .map(|at_ns| {
                let x: f64 = pick.random();
                let sort = from.sorts.iter().position(|s| x < s.share_up_to).unwrap_or(from.sorts.len().saturating_sub(1));
                let kind = &from.sorts[sort];
                Intent {
                    at_ns,
                    sort: sort as u16,
                    payload: pick.random_range(0..kind.payloads.len().max(1)) as u16,
                    session: chooser.choose(&mut sessions),
                    service_ns: kind.service.sample(&mut service),
                }
            })
            .collect();
        Schedule { intents }
    }

    /// Digest of the whole load: times, sorts, sessions, service times and payload bytes.
    pub fn fingerprint(&self, sorts: &[Sort]) -> u64 {
        let mut hash = Xxh3::new();
        for i in &self.intents {
            hash.update(&i.at_ns.to_le_bytes());
            hash.update(&i.sort.to_le_bytes());
            hash.update(&i.payload.to_le_bytes());
            hash.update(&i.session.to_le_bytes());
            hash.update(&i.service_ns.to_le_bytes());
        }
        sorts.iter().flat_map(|s| &s.payloads).for_each(|(_, digest)| hash.update(&digest.to_le_bytes()));
        hash.digest()
    }
}

/// Chooses sessions.
enum Chooser {
    Nobody,
    Uniform(u32),
    Zipf(Zipf<f64>),
}

impl Chooser {
    fn new(sessions: u32, popularity: Popularity) -> Self {
        match (sessions, popularity) {
            (0, _) => Chooser::Nobody,
            (n, Popularity::Uniform) => Chooser::Uniform(n),
            // The exponent was checked when the case was prepared; a uniform choice is what exponent 0 means.
            (n, Popularity::Zipf(s)) => Zipf::new(f64::from(n), s).map_or(Chooser::Uniform(n), Chooser::Zipf),
        }
    }

    fn choose(&self, rng: &mut impl Rng) -> u32 {
        match self {
            Chooser::Nobody => NO_SESSION,
            Chooser::Uniform(n) => rng.random_range(0..*n),
            Chooser::Zipf(zipf) => zipf.sample(rng) as u32 - 1,
        }
    }
}

#[cfg(test)]
mod tests;
