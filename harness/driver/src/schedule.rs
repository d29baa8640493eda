//! The load as data: what is sent when, in which session, with what service time; all from one seed.

use bytes::Bytes;
use pool::core::ToolId;
use pool::{RequestFault, ServiceTime};
use rand::{Rng, RngExt, SeedableRng};
use rand_distr::{Distribution, Zipf};
use rand_pcg::Pcg64Mcg;
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use crate::arrivals::Arrivals;
use crate::faults::{Fault, What, When};
use crate::launch::Lengths;
use crate::payload::{self, VARIANTS};

/// How sessions are chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Popularity {
    /// Each equally often.
    Uniform,
    /// The k-th with weight k^-exponent.
    Zipf(f64),
    /// One after the other, each for so many requests in a row; after the last of them the session is ended.
    InTurn(u32),
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
    /// Index of the fault that it carries, in the case's list; [`NO_FAULT`] for none.
    pub fault: u16,
}

/// No session.
pub const NO_SESSION: u32 = u32::MAX;
/// No fault.
pub const NO_FAULT: u16 = u16::MAX;
/// A request that is to carry two faults leaves one to the next that has none, looking so far.
const NEXT_FREE: usize = 100;
/// Intents of a closed loop, used in turn.
const CLOSED_INTENTS: usize = 1 << 16;

/// All requests of a slice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schedule {
    /// The requests by intended start.
    pub intents: Vec<Intent>,
    /// In a closed loop, how long a client thinks before it sends the request of the same index, ns; empty where it does not.
    pub think: Vec<u64>,
    /// What a request can carry, by the case's list of faults; `None` for those that no request carries.
    pub faults: Vec<Option<RequestFault>>,
    /// Digest of the faults that the pool makes at set times; 0 for none.
    pub struck: u64,
}

/// What a schedule is made from.
#[derive(Clone, Copy, Debug)]
pub struct Ingredients<'a> {
    /// Arrival process.
    pub arrivals: &'a Arrivals,
    /// Reference rate per second; unused by arrivals that have no rate.
    pub per_s: f64,
    /// Warm-up and window.
    pub lengths: Lengths,
    /// Number of sessions; 0 for none.
    pub sessions: u32,
    /// How they are chosen.
    pub popularity: Popularity,
    /// The sorts of request.
    pub sorts: &'a [Sort],
}

/// A random stream for one purpose, so that a change in one place does not shift the others.
pub(crate) fn stream(seed: u64, purpose: &str) -> Pcg64Mcg {
    Pcg64Mcg::seed_from_u64(seed ^ xxh3_64(purpose.as_bytes()))
}

impl Schedule {
    /// Makes the schedule; the same ingredients and seed give the same one on any host.
    pub fn make(from: &Ingredients, seed: u64) -> Schedule {
        let offsets = match from.arrivals {
            Arrivals::Closed { .. } => vec![0; CLOSED_INTENTS],
            open => open.offsets(from.per_s, from.lengths, &mut stream(seed, "arrivals")),
        };
        let think = match from.arrivals {
            Arrivals::Closed { think: Some(time) } => {
                let mut random = stream(seed, "think");
                offsets.iter().map(|_| time.sample(&mut random)).collect()
            }
            _ => Vec::new(),
        };
        let (mut pick, mut service, mut sessions) = (stream(seed, "mix"), stream(seed, "service"), stream(seed, "sessions"));
        let mut chooser = Chooser::new(from.sessions, from.popularity);
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
                    fault: NO_FAULT,
                }
            })
            .collect();
        Schedule { intents, think, faults: Vec::new(), struck: 0 }
    }

    /// Gives requests of the window the faults that they carry, all from one seed. In a closed loop every request is of the window.
    ///
    /// # Errors
    /// The first fault that no request can carry because there are too few.
    pub fn mark(&mut self, faults: &[Fault], warmup_ns: u64, seed: u64) -> Result<(), String> {
        let first = self.intents.partition_point(|i| i.at_ns < warmup_ns);
        let first = if first == self.intents.len() { 0 } else { first };
        let mut random = stream(seed, "faults");
        self.faults = faults.iter().map(Fault::carried).collect();
        self.struck = struck(faults);
        for (index, fault) in faults.iter().enumerate().filter(|(_, fault)| fault.carried().is_some()) {
            let wanted: Vec<usize> = match &fault.when {
                When::Times(times) => times.iter().map(|t| self.intents.partition_point(|i| i.at_ns < warmup_ns + t)).collect(),
                When::Request(n) => vec![first.saturating_add(*n as usize - 1)],
                When::EveryRequest(n) => (first..self.intents.len()).skip(*n as usize - 1).step_by(*n as usize).collect(),
                When::Chance(share) => (first..self.intents.len()).filter(|_| random.random::<f64>() < *share).collect(),
            };
            let carried = wanted.into_iter().filter(|at| self.mark_one(*at, index as u16)).count();
            if carried == 0 && !matches!(fault.when, When::Chance(_)) {
                let count = self.intents.len() - first;
                let why = "no request carries it: the window holds";
                return Err(format!(
                    "{}: the fault '{}' never strikes, {why} {count} (lengthen the load, or strike earlier)",
                    fault.place, fault.kind
                ));
            }
        }
        Ok(())
    }

    fn mark_one(&mut self, at: usize, fault: u16) -> bool {
        let free = self.intents.iter_mut().skip(at).take(NEXT_FREE).find(|intent| intent.fault == NO_FAULT);
        free.map(|intent| intent.fault = fault).is_some()
    }

    /// Requests whose intended start is not before the window's begin.
    pub fn in_window(&self, warmup_ns: u64) -> u64 {
        self.intents.iter().filter(|intent| intent.at_ns >= warmup_ns).count() as u64
    }

    /// What this request carries.
    pub fn fault_of(&self, intent: &Intent) -> Option<RequestFault> {
        self.faults.get(usize::from(intent.fault)).copied().flatten()
    }

    /// How long a client of a closed loop thinks before it sends the request of this index (in turn), ns.
    pub fn think_ns(&self, index: usize) -> u64 {
        if self.think.is_empty() { 0 } else { self.think[index % self.think.len()] }
    }

    /// Digest of the whole load: times, sorts, sessions, service and think times, payload bytes, and faults.
    pub fn fingerprint(&self, sorts: &[Sort]) -> u64 {
        let mut hash = Xxh3::new();
        for i in &self.intents {
            hash.update(&i.at_ns.to_le_bytes());
            hash.update(&i.sort.to_le_bytes());
            hash.update(&i.payload.to_le_bytes());
            hash.update(&i.session.to_le_bytes());
            hash.update(&i.service_ns.to_le_bytes());
        }
        // A load without them keeps the name that it had before they existed.
        self.think.iter().for_each(|ns| hash.update(&ns.to_le_bytes()));
        if self.struck != 0 {
            hash.update(&self.struck.to_le_bytes());
        }
        sorts.iter().flat_map(|s| &s.payloads).for_each(|(_, digest)| hash.update(&digest.to_le_bytes()));
        for (index, fault) in self.intents.iter().enumerate().filter_map(|(index, i)| Some((index, self.fault_of(i)?))) {
            let (code, parameter) = fault.code();
            hash.update(&(index as u64).to_le_bytes());
            hash.update(&[code]);
            hash.update(&parameter.to_le_bytes());
        }
        hash.digest()
    }
}

/// Digest of what the pool makes go wrong at set times: which kind, how long, when.
fn struck(faults: &[Fault]) -> u64 {
    let mut hash = Xxh3::new();
    let mut any = false;
    for fault in faults.iter().filter(|fault| fault.carried().is_none()) {
        let When::Times(times) = &fault.when else { continue };
        let ns = match fault.what {
            What::SlowStart(ns) | What::Disturb(_, pool::Disturbance::Stall(ns)) => ns,
            _ => 0,
        };
        hash.update(fault.kind.as_bytes());
        std::iter::once(&ns).chain(times).for_each(|ns| hash.update(&ns.to_le_bytes()));
        any = true;
    }
    if any { hash.digest() } else { 0 }
}

/// Chooses sessions.
enum Chooser {
    Nobody,
    Uniform(u32),
    Zipf(Zipf<f64>),
    InTurn { sessions: u32, each: u32, made: u64 },
}

impl Chooser {
    fn new(sessions: u32, popularity: Popularity) -> Self {
        match (sessions, popularity) {
            (0, _) => Chooser::Nobody,
            (n, Popularity::Uniform) => Chooser::Uniform(n),
            (sessions, Popularity::InTurn(each)) => Chooser::InTurn { sessions, each: each.max(1), made: 0 },
            // The exponent was checked when the case was prepared; a uniform choice is what exponent 0 means.
            (n, Popularity::Zipf(s)) => Zipf::new(f64::from(n), s).map_or(Chooser::Uniform(n), Chooser::Zipf),
        }
    }

    fn choose(&mut self, rng: &mut impl Rng) -> u32 {
        match self {
            Chooser::Nobody => NO_SESSION,
            Chooser::Uniform(n) => rng.random_range(0..*n),
            Chooser::Zipf(zipf) => zipf.sample(rng) as u32 - 1,
            Chooser::InTurn { sessions, each, made } => {
                let turn = *made / u64::from(*each);
                *made += 1;
                (turn % u64::from(*sessions)) as u32
            }
        }
    }
}

#[cfg(test)]
mod tests;
