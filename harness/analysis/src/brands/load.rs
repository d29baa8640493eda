//! Brands from what the stamps of a trial say of the trial itself (`record.trust`).

use model::Record;
use model::record::{Settled, Trust};

use super::{brand, percent};
use crate::summary::{Brand, Grade};

/// A statistic so many times its 1 % point is no bad luck: Lancet's own bar (load research, 2).
const FIT_TIMES: f64 = 2.0;
/// Identities hold to the nanosecond; the rest is for the division.
const IDENTITY: f64 = 1e-9;
/// Largest share of the window that may look like warm-up: MSER-5 drops as much of one in ten stationary series by chance.
const WARM_UP_SHARE: f64 = 0.1;
/// Largest share of the pacing thread's time that may be CPU time: above, one more delay cannot be caught up with.
const PACER_SHARE: f64 = 0.7;

fn trusts<'a>(measured: &[&'a Record]) -> impl Iterator<Item = (u32, &'a Trust)> {
    measured.iter().filter_map(|r| Some((r.round, r.trust.as_ref()?)))
}

/// What was sent is not the process that was asked for.
pub(super) fn arrivals_differ(measured: &[&Record]) -> Option<Brand> {
    let fits = trusts(measured).filter_map(|(round, trust)| Some((round, trust.arrivals?)));
    let (round, fit) =
        fits.max_by(|(_, a), (_, b)| a.statistic.total_cmp(&b.statistic)).filter(|(_, f)| f.statistic > FIT_TIMES * f.critical)?;
    let reason = format!(
        "round {round}: the gaps of {} sends are not those asked for (Anderson-Darling {:.1}, over twice its 1 % point of {:.2})",
        fit.gaps, fit.statistic, fit.critical
    );
    let remedy = "let the pacing thread keep its plan: allow SCHED_FIFO, free a CPU, or lower the rate";
    brand(Grade::Degraded, "arrivals-differ", reason, remedy)
}

/// Little's identity holds over any run that begins and ends empty, and so does the slots' own.
pub(super) fn identity_broken(measured: &[&Record]) -> Option<Brand> {
    let broken = |(round, trust): (u32, &Trust)| {
        let gap = |what: &'static str, gap: Option<f64>| gap.filter(|g| *g > IDENTITY).map(|g| (round, what, g));
        gap("requests in the system", trust.little_gap).or_else(|| gap("slots in use", trust.busy_gap))
    };
    let (round, what, gap) = trusts(measured).find_map(broken)?;
    let reason = format!("round {round}: the time integral of {what} is {gap:.1e} from the sum over requests; these must be equal");
    brand(Grade::Invalid, "conservation-broken", reason, "do not quote these figures; a stamp is wrong or a request was lost: report a bug")
}

/// More came than went, beyond chance: the worst round.
pub(super) fn backlog(measured: &[&Record]) -> Option<String> {
    let grown = trusts(measured).filter_map(|(_, trust)| trust.backlog).filter(|b| b.saturated);
    let worst = grown.max_by(|a, b| a.slope_per_s.total_cmp(&b.slope_per_s))?;
    Some(format!(
        "the backlog grew by {:.1} ± {:.1} requests a second: percentiles grow with run length",
        worst.slope_per_s,
        2.0 * worst.error_per_s
    ))
}

/// A warm-up within the window, or no steady state at all, in most rounds: one round may look so by chance.
pub(super) fn not_settled(measured: &[&Record]) -> Option<Brand> {
    let settled: Vec<Settled> = trusts(measured).filter_map(|(_, trust)| trust.settled).collect();
    let most = |count: usize| 2 * count > settled.len();
    let remedy = "lengthen load.warmup until the window begins steady, and load.length";
    if most(settled.iter().filter(|s| s.never).count()) {
        let reason = "responses never settled: the end of the window looks other than its middle".to_owned();
        return brand(Grade::Degraded, "not-settled", reason, remedy);
    }
    let cold: Vec<f64> = settled.iter().filter(|s| s.never || s.warm_up_share > WARM_UP_SHARE).map(|s| s.warm_up_share).collect();
    let worst = cold.iter().copied().reduce(f64::max).filter(|_| most(cold.len()))?;
    let reason = format!("the first {} of the window still look like warm-up", percent(worst));
    brand(Grade::Note, "not-settled", reason, remedy)
}

/// The pacing thread itself is near its limit.
pub(super) fn generator_busy(measured: &[&Record]) -> Option<Brand> {
    let share = |r: &&Record| r.pacer.filter(|p| p.wall_ns > 0).map(|p| p.cpu_ns as f64 / p.wall_ns as f64);
    let worst = measured.iter().filter_map(share).reduce(f64::max).filter(|share| *share > PACER_SHARE)?;
    let reason = format!("the pacing thread used {} of a CPU", percent(worst));
    brand(Grade::Degraded, "generator-busy", reason, "lower the rate: `poolbench doctor` measures the most that this host can send")
}
