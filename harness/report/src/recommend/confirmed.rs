//! What became of the predictions: each beside what was measured, with both intervals, and what follows from the two.

use std::fmt::Write as _;

use analysis::recommend::{Confirmation, Measure, Miss, Part};
use analysis::summary::Interval;
use model::units::{show_ns, show_rate};

use crate::markdown::{BLANK, Column, Table, escape};
use crate::show;

const HOW: &str = "Each ratio is the recommended settings by the baseline, paired by round, with the 95 % interval over its rounds; both ratios are of the \
                   same figure under the same kind of load. The error is predicted by measured, with the interval that the two intervals give it: \
                   the prediction `holds` where 0 lies within it. Absolute figures of two runs are no prediction of each other.";
/// What no interval of one run and one confirmation can hold.
const DISK: &str = "**What no interval of a store holds**: each has what rounds of one run, minutes apart, differ by. What the disk does from one \
                    run to the next, which below a virtual machine may be more, is in neither of them: `holds` says that this time it was not seen. \
                    Before a ratio of a store counts, run `recommend` again at another hour.";

/// What became of the predictions, as Markdown; `on` says on what payload.
pub fn confirmation(all: &[Confirmation], on: &str) -> String {
    let mut out = format!("## Confirmation\n\nMeasured anew, in interleaved rounds, on {}. {HOW}\n\n", escape(on));
    let mut table = Table::new(&[
        (Column::Left, "part"),
        (Column::Left, "figure"),
        (Column::Right, "predicted"),
        (Column::Right, "measured"),
        (Column::Right, "rounds"),
        (Column::Right, "error"),
        (Column::Left, "prediction"),
        (Column::Right, "in the run"),
        (Column::Right, "now"),
    ]);
    for one in all {
        let [before, now] = one.absolute.map(|value| value.map_or(BLANK.to_owned(), |value| absolute(one.measure, value)));
        table.row(vec![
            one.part.name().to_owned(),
            one.measure.name().to_owned(),
            within(&one.predicted),
            within(&one.measured),
            format!("{} / {}", one.predicted.rounds, one.measured.rounds),
            one.error.map_or(BLANK.to_owned(), error),
            verdict(one.error).to_owned(),
            before,
            now,
        ]);
    }
    out.push_str(&table.render());
    for part in Part::ALL {
        let own: Vec<&Confirmation> = all.iter().filter(|one| one.part == part).collect();
        out.extend(own.first().and_then(|one| paced(one)));
        out.extend(own.iter().filter(|one| is_lost(one)).map(|one| lost(one)));
        out.extend(missed(&own));
    }
    if all.iter().any(|one| one.part.keeps()) {
        let _ = writeln!(out, "{DISK}\n");
    }
    out
}

fn within(ratio: &Interval) -> String {
    let why = || ratio.why_blank.as_deref().map_or(BLANK.to_owned(), escape);
    ratio.value.map_or_else(why, |value| show::ratio_within(value, ratio.low, ratio.high))
}

/// `+15.9 % [-2.4, +28.1]`.
fn error(miss: Miss) -> String {
    let ends = miss.interval.map_or(String::new(), |[low, high]| format!(" [{:+.1}, {:+.1}]", low * 100.0, high * 100.0));
    format!("{:+.1} %{ends}", miss.value * 100.0)
}

fn verdict(miss: Option<Miss>) -> &'static str {
    match miss.and_then(|miss| miss.holds) {
        Some(true) => "holds",
        Some(false) => "**does not hold**",
        None => "too few rounds to say",
    }
}

/// At which rates: those of the run, or others for another payload.
fn paced(one: &Confirmation) -> Option<String> {
    let [run, now] = one.per_s;
    let said = |rates: [Option<f64>; 2]| match rates {
        [Some(pick), Some(base)] if (pick / base - 1.0).abs() < 1e-3 => Some(format!("{} for both", show_rate(pick))),
        [Some(pick), Some(base)] => Some(format!("{} for the recommended and {} for the baseline", show_rate(pick), show_rate(base))),
        _ => None,
    };
    let same = run.iter().zip(&now).all(|(run, now)| run.zip(*now).is_some_and(|(run, now)| (run / now - 1.0).abs() < 1e-3));
    let (run, now) = (said(run)?, said(now)?);
    let now = if same {
        "the same now".to_owned()
    } else {
        format!("now, at the same share of what the slower one can do on this payload, {now}")
    };
    Some(format!("Requests of the {} a second: in the run {run}, {now}.\n\n", one.part.name()))
}

/// Whether what was to be better is worse, beyond doubt.
fn is_lost(one: &Confirmation) -> bool {
    one.predicted.value.is_some_and(|predicted| predicted < 1.0) && one.measured.low.is_some_and(|low| low > 1.0)
}

fn lost(one: &Confirmation) -> String {
    format!(
        "**Not confirmed**: the settings recommended for the {} need more {} than the baseline, where less was predicted. Keep the baseline. If your \
         payload is of another size than the run's, choose among figures of yours: `poolbench run` with `-s load.payload.size=…`, then `recommend` on that run.\n\n",
        one.part.name(),
        one.measure.name()
    )
}

/// What a prediction that did not hold means for who follows it.
fn missed(own: &[&Confirmation]) -> Option<String> {
    let off: Vec<&&Confirmation> = own.iter().filter(|one| !is_lost(one) && one.error.is_some_and(|e| e.holds == Some(false))).collect();
    let first = off.first()?;
    let figures: Vec<String> = off.iter().map(|one| format!("{} ({})", one.measure.name(), now_is(&one.measured))).collect();
    let why = if first.part.keeps() { ", a disk among them," } else { "" };
    Some(format!(
        "**The prediction did not hold** for the {}: {}. Rounds do not explain the error, so something differs between the run and now that is in no \
         interval: the payload, or the host{why} as it was then. Do not rely on the size of the ratio.\n\n",
        first.part.name(),
        figures.join(", ")
    ))
}

fn now_is(measured: &Interval) -> &'static str {
    match (measured.low, measured.high) {
        (_, Some(high)) if high < 1.0 => "still below the baseline's",
        (Some(low), _) if low > 1.0 => "above the baseline's",
        _ => "not told apart from the baseline's",
    }
}

fn absolute(measure: Measure, value: f64) -> String {
    match measure {
        Measure::Time | Measure::Cpu => show_ns(value),
        Measure::Size => show::percent(value),
    }
}

#[cfg(test)]
mod tests;
