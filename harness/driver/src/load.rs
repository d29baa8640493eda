//! The load of a trial, made whole before it runs.

use model::plan::Case;
use model::record::TrialKind;
use model::units::Rate;

use crate::arrivals::Arrivals;
use crate::launch::Lengths;
use crate::prepare::{PreparedCase, check_size, prepare_case};
use crate::schedule::{Ingredients, Schedule, Sort};

/// Which trial of a case.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Occasion {
    /// What the trial is for: calibration is a closed loop without faults, whatever the case's own load is.
    pub kind: TrialKind,
    /// The reference rate per second; `None` where the load has none.
    pub rate_per_s: Option<f64>,
    /// How long.
    pub lengths: Lengths,
    /// Of the trial.
    pub seed: u64,
}

/// Makes the schedule with its faults.
///
/// # Errors
/// A load without a request, or a fault that no request carries.
pub(crate) fn schedule(prepared: &PreparedCase, sorts: &[Sort], on: Occasion) -> Result<Schedule, String> {
    let calibrates = on.kind == TrialKind::Calibration;
    let arrivals = if calibrates { &Arrivals::CLOSED } else { &prepared.arrivals };
    let ingredients = Ingredients {
        arrivals,
        per_s: on.rate_per_s.unwrap_or(1.0),
        lengths: on.lengths,
        sessions: prepared.sessions(),
        popularity: prepared.popularity,
        sorts,
    };
    let mut schedule = Schedule::make(&ingredients, on.seed);
    if !calibrates {
        schedule.mark(&prepared.faults, on.lengths.warmup_ns, on.seed)?;
    }
    if schedule.intents.is_empty() {
        return Err("the schedule is empty: raise the rate or lengthen load.length".to_owned());
    }
    if let (Arrivals::Trace { .. }, 0) = (arrivals, schedule.in_window(on.lengths.warmup_ns)) {
        return Err("the trace ends before the window begins: shorten load.warmup or lower load.arrivals.speed".to_owned());
    }
    Ok(schedule)
}

/// The load that a measured trial of a case is meant to get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intended {
    /// Intended starts, warm-up included, ns from the slice's begin; all 0 in a closed loop.
    pub offsets: Vec<u64>,
    /// As in the record of the trial.
    pub fingerprint: String,
}

/// Makes the load of a measured trial without running it. `rate_per_s` is the reference rate, resolved.
///
/// # Errors
/// What would also keep the trial from running.
pub fn intended(case: &Case, rate_per_s: Option<f64>, seed: u64) -> Result<Intended, String> {
    let prepared = prepare_case(case).map_err(|problem| problem.to_string())?;
    if let Some(rate) = rate_per_s {
        check_size(case, &prepared.arrivals, rate).map_err(|problem| problem.to_string())?;
    }
    if prepared.contender.is_some() {
        let fingerprint = crate::contender::fingerprint(&crate::contender::documents(&prepared, seed)?);
        return Ok(Intended { offsets: Vec::new(), fingerprint });
    }
    let sorts = prepared.sorts(seed);
    let on = Occasion { kind: TrialKind::Measured, rate_per_s, lengths: Lengths::of(&case.load), seed };
    let schedule = schedule(&prepared, &sorts, on)?;
    let offsets = schedule.intents.iter().map(|intent| intent.at_ns).collect();
    Ok(Intended { offsets, fingerprint: format!("{:016x}", schedule.fingerprint(&sorts)) })
}

/// The rate of a case where a capacity of `capacity_per_s` stands in for one that only a calibration could tell.
pub fn stand_in_rate(case: &Case, capacity_per_s: f64) -> Option<f64> {
    case.load.rate.map(|rate| match rate {
        Rate::PerSecond(rate) => rate,
        Rate::OfCapacity(share) => share * capacity_per_s,
    })
}
