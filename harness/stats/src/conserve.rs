//! What every run must conserve, whatever its arrivals and services were.

use crate::student;

/// Batches for the interval of [`pasta`].
const BATCHES: usize = 20;

/// Little's identity over a run that begins and ends empty: the integral of the number in the system is the sum of all responses.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Little {
    /// The integral of the number in the system over time, in ns, from the stamps of arrival and departure alone.
    pub integral_ns: u128,
    /// The sum of the responses, in ns, as each request reported its own.
    pub responses_ns: u128,
    /// `|integral - responses| / integral`; 0 where both are 0.
    pub relative_gap: f64,
}

/// Why stamps are no run that begins and ends empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// So many more arrivals than departures (negative: fewer).
    NotEmpty(i64),
    /// At some time more had left than had come.
    Negative,
}

/// Little's identity (Little 1961; in the form without averages: Stidham 1974).
///
/// Stamps may be in any order and need not be paired: the k-th earliest departure less the k-th earliest arrival is what the step of height one
/// between them adds to the integral. Responses come from another place, such as the rows of requests, so that a lost row shows.
pub fn little(arrivals_ns: &[u64], departures_ns: &[u64], responses_ns: &[u64]) -> Result<Little, Broken> {
    if arrivals_ns.len() != departures_ns.len() {
        return Err(Broken::NotEmpty(arrivals_ns.len() as i64 - departures_ns.len() as i64));
    }
    let (arrivals, departures) = (sorted(arrivals_ns), sorted(departures_ns));
    let mut integral_ns = 0u128;
    for (arrival, departure) in arrivals.iter().zip(&departures) {
        integral_ns += u128::from(departure.checked_sub(*arrival).ok_or(Broken::Negative)?);
    }
    let sum: u128 = responses_ns.iter().map(|r| u128::from(*r)).sum();
    let relative_gap = match integral_ns.abs_diff(sum) {
        0 => 0.0,
        gap => gap as f64 / integral_ns as f64,
    };
    Ok(Little { integral_ns, responses_ns: sum, relative_gap })
}

fn sorted(stamps: &[u64]) -> Vec<u64> {
    let mut all = stamps.to_vec();
    all.sort_unstable();
    all
}

/// The utilisation law over a window: measured busy time against throughput times mean hold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Utilisation {
    /// The share of the servers' time that was busy, holds cut at the window's ends.
    pub measured: f64,
    /// `X S / c`: completions in the window per second, times their mean hold, per server (Denning & Buzen 1978).
    pub law: f64,
}

impl Utilisation {
    /// How far the two are apart. At most the holds that the window's two ends cut, so it shrinks with the window's length.
    pub fn gap(&self) -> f64 {
        (self.measured - self.law).abs()
    }
}

/// The utilisation of `servers` servers in `from_ns..to_ns`, from the holds `(start, end)` in ns.
///
/// `None` for an empty window, no server, or a hold that ends before it starts.
pub fn utilisation(holds_ns: &[(u64, u64)], servers: usize, from_ns: u64, to_ns: u64) -> Option<Utilisation> {
    let length = to_ns.checked_sub(from_ns).filter(|l| *l > 0 && servers > 0)?;
    let (mut busy, mut completed) = (0u128, 0u128);
    for &(start, end) in holds_ns {
        let hold = end.checked_sub(start)?;
        busy += u128::from(end.clamp(from_ns, to_ns) - start.clamp(from_ns, to_ns));
        completed += if end > from_ns && end <= to_ns { u128::from(hold) } else { 0 };
    }
    let capacity = length as f64 * servers as f64;
    Some(Utilisation { measured: busy as f64 / capacity, law: completed as f64 / capacity })
}

/// Poisson arrivals see time averages: how often arrivals find a full house, against how long it is full.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pasta {
    /// The share of arrivals that find at least as many in the system as there are servers.
    pub arrivals_share: f64,
    /// The share of time with as many in the system.
    pub time_share: f64,
    /// Half the width of the 95 % interval of the difference, by Student's t over 20 batches of as many arrivals each.
    pub half_width: f64,
}

impl Pasta {
    /// The share of arrivals less the share of time.
    pub fn gap(&self) -> f64 {
        self.arrivals_share - self.time_share
    }

    /// Whether the difference is what Poisson arrivals show. Of runs that have them one in 20 is outside.
    pub fn holds(&self) -> bool {
        self.gap().abs() <= self.half_width
    }
}

/// PASTA (Wolff 1982) between the first and the last arrival, for `servers` servers. Stamps in ns and in any order; departures may be fewer.
///
/// It says nothing of arrivals that are not Poisson. `None` with fewer than 20 arrivals per batch or no server.
pub fn pasta(arrivals_ns: &[u64], departures_ns: &[u64], servers: usize) -> Option<Pasta> {
    let (arrivals, departures) = (sorted(arrivals_ns), sorted(departures_ns));
    let size = arrivals.len() / BATCHES;
    if size < BATCHES || servers == 0 {
        return None;
    }
    let mut batches = Vec::with_capacity(BATCHES);
    let (mut left, mut found, mut full_ns, mut begin) = (0usize, 0u64, 0u64, *arrivals.first()?);
    let used = size * BATCHES;
    for (came, window) in arrivals.get(..used)?.windows(2).enumerate() {
        let [mut now, next] = *window else { continue };
        // What leaves at the moment of an arrival has left before it.
        while departures.get(left).is_some_and(|d| *d <= now) {
            left += 1;
        }
        found += u64::from(came.saturating_sub(left) >= servers);
        while now < next {
            let until = departures.get(left).map_or(next, |d| next.min(*d));
            full_ns += if (came + 1).saturating_sub(left) >= servers { until - now } else { 0 };
            left += usize::from(until < next);
            now = until;
        }
        if (came + 1) % size == 0 {
            batches.push((found as f64 / size as f64, full_ns as f64 / (next - begin).max(1) as f64));
            (found, full_ns, begin) = (0, 0, next);
        }
    }
    shares(&batches)
}

/// The two shares and the interval of their difference from `(arrivals, time)` of batches.
fn shares(batches: &[(f64, f64)]) -> Option<Pasta> {
    let count = batches.len() as f64;
    let arrivals_share = batches.iter().map(|b| b.0).sum::<f64>() / count;
    let time_share = batches.iter().map(|b| b.1).sum::<f64>() / count;
    let gap = arrivals_share - time_share;
    let squares: f64 = batches.iter().map(|b| (b.0 - b.1 - gap).powi(2)).sum();
    let degrees = batches.len().checked_sub(1)?;
    let half_width = student::two_sided(0.95, degrees)? * (squares / degrees as f64 / count).sqrt();
    Some(Pasta { arrivals_share, time_share, half_width })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recursion::fcfs;
    use crate::testkit::queue;
    use crate::theory::Mmc;

    type Run = (Vec<u64>, Vec<u64>, Vec<u64>, Vec<(u64, u64)>);

    fn run(utilisation: f64, count: usize, seed: u64) -> Run {
        let all: Vec<_> = queue(2, utilisation, count, seed).collect();
        let holds = all.iter().map(|(_, s, _)| (s.start_ns, s.end_ns)).collect();
        (all.iter().map(|a| a.0).collect(), all.iter().map(|a| a.1.end_ns).collect(), all.iter().map(|a| a.2).collect(), holds)
    }

    #[test]
    fn little_holds_to_the_last_nanosecond_and_a_lost_row_shows() {
        let (arrivals, departures, mut responses, _) = run(0.9, 20_000, 1);
        let whole = little(&arrivals, &departures, &responses).unwrap();
        assert_eq!((whole.integral_ns, whole.relative_gap), (whole.responses_ns, 0.0));
        let lost = responses.pop().unwrap();
        let gap = little(&arrivals, &departures, &responses).unwrap().relative_gap;
        assert!((gap * whole.integral_ns as f64 / lost as f64 - 1.0).abs() < 1e-6);
    }

    #[test]
    fn what_does_not_begin_and_end_empty_is_said() {
        assert_eq!(little(&[1, 2], &[5], &[4]), Err(Broken::NotEmpty(1)));
        assert_eq!(little(&[1, 6], &[2, 5], &[1, 1]), Err(Broken::Negative));
        assert_eq!(little(&[], &[], &[]).unwrap().relative_gap, 0.0);
        assert!(little(&[1], &[1], &[3]).unwrap().relative_gap.is_infinite());
    }

    #[test]
    fn busy_time_is_throughput_times_hold() {
        let (arrivals, departures, _, holds) = run(0.7, 50_000, 2);
        let end = *departures.iter().max().unwrap();
        let whole = utilisation(&holds, 2, 0, end).unwrap();
        assert!(whole.gap() < 1e-12, "{whole:?}");
        assert!((whole.measured - 0.7).abs() < 0.02);
        let middle = utilisation(&holds, 2, arrivals[10_000], arrivals[40_000]).unwrap();
        assert!(middle.gap() > 0.0 && middle.gap() < 1e-3, "{middle:?}");
        // A hold that nobody recorded is missing from neither side: the law is an identity of the rows, and rows are counted elsewhere.
        assert_eq!(utilisation(&holds, 0, 0, end), None);
        assert_eq!(utilisation(&holds, 2, 9, 9), None);
        assert_eq!(utilisation(&[(4, 3)], 1, 0, 9), None);
    }

    #[test]
    fn a_small_house_is_counted_as_by_hand() {
        // One server; arrivals every 10 ns stay 5: nobody finds it full, and it is full half the time.
        let arrivals: Vec<u64> = (0..400).map(|i| i * 10).collect();
        let departures: Vec<u64> = arrivals.iter().map(|a| a + 5).collect();
        let seen = pasta(&arrivals, &departures, 1).unwrap();
        assert_eq!(seen.arrivals_share, 0.0);
        assert!((seen.time_share - 0.5).abs() < 1e-9, "{seen:?}");
        assert!(!seen.holds(), "arrivals that avoid each other do not see time averages");
        assert_eq!(pasta(&arrivals[..300], &departures, 1), None);
        assert_eq!(pasta(&arrivals, &departures, 0), None);
    }

    #[test]
    fn poisson_arrivals_see_time_averages() {
        let law = Mmc::new(1.6, 1.0, 2).unwrap().wait_probability();
        let mut held = 0;
        for seed in 0..100 {
            let (arrivals, departures, ..) = run(0.8, 10_000, seed);
            let seen = pasta(&arrivals, &departures, 2).unwrap();
            assert!((seen.time_share / law - 1.0).abs() < 0.25, "{seen:?} {law}");
            held += u32::from(seen.holds());
        }
        assert!((88..=100).contains(&held), "{held}");
    }

    #[test]
    fn regular_arrivals_do_not() {
        // Every 1 s with exponential services of 0.6 s on one server: arrivals find it busy less often than it is.
        let mut random = crate::testkit::exponentials(4);
        let customers: Vec<(u64, u64)> = (0..20_000).map(|i| (i * 1_000_000_000, (random.next().unwrap() * 6e8) as u64)).collect();
        let departures: Vec<u64> = fcfs(1, &customers).unwrap().iter().map(|s| s.end_ns).collect();
        let arrivals: Vec<u64> = customers.iter().map(|c| c.0).collect();
        let seen = pasta(&arrivals, &departures, 1).unwrap();
        assert!(!seen.holds() && seen.gap() < -0.1, "{seen:?}");
    }
}
