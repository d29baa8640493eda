//! Headlines: sentences that the figures carry. "Faster" and "slower" are said only where an interval excludes 1.

use model::units::{show_ns, show_rate};

use crate::summary::{CaseSummary, Comparison, Difference, Failure, Grade, Headline, HeadlineData, Metric, Ran, Ratio, ScenarioSummary};

/// What is compared where the scenario guards nothing comparable, the first that has a value.
const PREFERRED: [Metric; 7] =
    [Metric::P99, Metric::P95, Metric::P90, Metric::P50, Metric::Capacity, Metric::Goodput, Metric::CpuPerRequest];
/// Sentences per scenario at most.
const AT_MOST: usize = 2;
/// Goodputs within this of each other are called equal.
const EQUAL: f64 = 0.01;

/// What the interval of a ratio permits to say.
pub(crate) fn difference(ratio: &Ratio) -> Difference {
    let more = match (ratio.low, ratio.high) {
        (Some(low), _) if low > 1.0 => true,
        (_, Some(high)) if high < 1.0 => false,
        _ => return Difference::NoneSeen,
    };
    if more == ratio.metric.is_rate() { Difference::Better } else { Difference::Worse }
}

/// The metric that a guard such as `response.p99` names.
fn guarded(guard: &str) -> Option<Metric> {
    match guard {
        "capacity" => Some(Metric::Capacity),
        "goodput" => Some(Metric::Goodput),
        "cpu-per-request" => Some(Metric::CpuPerRequest),
        "response.p50" => Some(Metric::P50),
        "response.p90" => Some(Metric::P90),
        "response.p95" => Some(Metric::P95),
        "response.p99" => Some(Metric::P99),
        "response.p99.9" => Some(Metric::P999),
        "response.max" => Some(Metric::Max),
        _ => None,
    }
}

fn row(comparison: &Comparison, metric: Metric) -> Option<&Ratio> {
    comparison.rows.iter().find(|r| r.metric == metric && r.value.is_some())
}

fn times(ratio: f64) -> String {
    format!("{ratio:.2}")
}

fn with_interval(ratio: &Ratio, value: f64) -> String {
    match (ratio.low, ratio.high) {
        (Some(low), Some(high)) => format!("{}x [{}, {}]", times(value), times(low), times(high)),
        _ => format!("{}x (too few rounds for an interval)", times(value)),
    }
}

/// At what goodput a latency was reached, since a pool that does less is easily fast.
fn at_goodput(comparison: &Comparison, metric: Metric) -> String {
    match row(comparison, Metric::Goodput).and_then(|r| r.value) {
        Some(_) if metric == Metric::Goodput => String::new(),
        Some(g) if (g - 1.0).abs() <= EQUAL => " at equal goodput".to_owned(),
        Some(g) => format!(" at {}x its goodput", times(g)),
        None => String::new(),
    }
}

/// The sentence on one comparison; `None` where nothing could be compared.
fn sentence(scenario: &str, guards: &[String], comparison: &Comparison) -> Option<Headline> {
    let wanted = guards.iter().filter_map(|g| guarded(g)).chain(PREFERRED);
    let ratio = wanted.filter_map(|m| row(comparison, m)).next()?;
    let (value, metric, seen) = (ratio.value?, ratio.metric, difference(ratio));
    let Comparison { axis, value: name, against, .. } = comparison;
    let shown = format!("{} the {} of {axis}={against}{}", with_interval(ratio, value), metric.name(), at_goodput(comparison, metric));
    let verb = match (seen, metric) {
        (Difference::NoneSeen, _) => None,
        (Difference::Better, m) if m.is_rate() => Some("does more"),
        (Difference::Worse, m) if m.is_rate() => Some("does less"),
        (Difference::Better, Metric::CpuPerRequest) => Some("uses less CPU"),
        (Difference::Worse, Metric::CpuPerRequest) => Some("uses more CPU"),
        (Difference::Better, _) => Some("is faster"),
        (Difference::Worse, _) => Some("is slower"),
    };
    let text = match verb {
        Some(verb) => format!("{scenario}: {axis}={name} {verb}: {shown}"),
        None => format!("{scenario}: no difference seen for {axis}={name}: {shown}"),
    };
    let data = HeadlineData::Comparison {
        axis: axis.clone(),
        value: name.clone(),
        against: against.clone(),
        metric,
        ratio: value,
        low: ratio.low,
        high: ratio.high,
        seen,
    };
    Some(Headline { scenario: Some(scenario.to_owned()), text, data })
}

/// How far from 1 a headline's ratio is; 0 where no difference was seen.
fn strength(headline: &Headline) -> f64 {
    match &headline.data {
        HeadlineData::Comparison { ratio, seen, .. } if *seen != Difference::NoneSeen => ratio.ln().abs(),
        _ => 0.0,
    }
}

/// A guarded figure that is no metric of comparison, as text.
fn guarded_figure(guard: &str, case: &CaseSummary) -> Option<String> {
    let percent = |share: f64| format!("{:.1} %", share * 100.0);
    match guard {
        "accuracy" => Some(format!("tier predicted rightly for {}", percent(case.confusion.as_ref()?.accuracy?))),
        "affinity-hits" => Some(format!("affinity hits {}", percent(case.affinity?.hit_share?))),
        "bytes.ratio" => Some(format!("compressed {:.2}x", case.bytes?.ratio?)),
        "lag.p99" => Some(format!("lag p99 {}", show_ns(case.pacer.as_ref()?.lag_p99_ns.value?))),
        _ => None,
    }
}

/// The sentence on one case.
fn case_sentence(scenario: &str, guards: &[String], case: &CaseSummary) -> Headline {
    let r = &case.response;
    let percentiles = [("p99", &r.p99_ns), ("p95", &r.p95_ns), ("p90", &r.p90_ns), ("p50", &r.p50_ns)];
    // The rarest percentile that the window carries says most.
    let mut parts: Vec<String> =
        percentiles.into_iter().find_map(|(name, f)| Some(format!("{name} {}", show_ns(f.value?)))).into_iter().collect();
    match (case.offered_per_s.value, case.goodput_per_s.value) {
        (Some(offered), goodput) => {
            let share = case.offered_share_of_capacity.map_or(String::new(), |s| format!(", {:.0} % of capacity", s * 100.0));
            parts.push(format!("at {}{share}", show_rate(offered)));
            parts.extend(goodput.filter(|g| *g < 0.99 * offered).map(|g| format!("with a goodput of {}", show_rate(g))));
        }
        (None, Some(goodput)) => parts.push(format!("at {} in a closed loop", show_rate(goodput))),
        (None, None) => {}
    }
    let told: String = guards.iter().filter_map(|g| guarded_figure(g, case)).map(|t| format!("; {t}")).collect();
    let invalid = case.brands.iter().find(|b| b.grade == Grade::Invalid);
    let text = match (invalid, parts.is_empty()) {
        (Some(b), _) => format!("{}: figures are invalid ({}: {})", case.id, b.name, b.reason),
        (None, true) => format!("{}: nothing was measured", case.id),
        (None, false) => format!("{}: {}", if case.axes.is_empty() { scenario } else { &case.id }, parts.join(" ") + &told),
    };
    let quoted = |value: Option<f64>| if invalid.is_some() { None } else { value };
    let data = HeadlineData::Case {
        case: case.id.clone(),
        p99_ns: quoted(case.response.p99_ns.value),
        goodput_per_s: quoted(case.goodput_per_s.value),
        share_of_capacity: quoted(case.offered_share_of_capacity),
    };
    Headline { scenario: Some(scenario.to_owned()), text, data }
}

/// One or two sentences on a scenario: its strongest comparisons that were seen, else its first case.
pub(crate) fn of_scenario(name: &str, guards: &[String], comparisons: &[Comparison], cases: &[CaseSummary]) -> Vec<Headline> {
    let mut compared: Vec<Headline> = comparisons.iter().filter_map(|c| sentence(name, guards, c)).collect();
    compared.sort_by(|a, b| strength(b).total_cmp(&strength(a)));
    let seen = compared.iter().filter(|h| strength(h) > 0.0).count();
    compared.truncate(seen.clamp(1, AT_MOST));
    if compared.is_empty() {
        compared.extend(cases.first().map(|c| case_sentence(name, guards, c)));
    }
    compared
}

fn plural(count: u32, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// One or two sentences on the run: what ran and held, and the largest difference seen.
pub(crate) fn of_run(ran: Ran, failures: &[Failure], scenarios: &[ScenarioSummary]) -> Vec<Headline> {
    let ended = match failures.first() {
        None if ran.trials_measured < ran.trials_planned => "no check failed, but the run is not complete".to_owned(),
        None => "every check held".to_owned(),
        Some(f) => format!("{}, the first: {}: {}", plural(failures.len() as u32, "failure"), f.case, f.why),
    };
    let text = format!(
        "{}, {}, {} of {} ran to their end; {ended}",
        plural(ran.scenarios, "scenario"),
        plural(ran.cases, "case"),
        ran.trials_measured,
        plural(ran.trials_planned, "measured trial")
    );
    let data = HeadlineData::Run { ran, failures: failures.len() as u32 };
    let mut headlines = vec![Headline { scenario: None, text, data }];
    let strongest = scenarios.iter().flat_map(|s| &s.headlines).fold(None, |best: Option<&Headline>, h| match best {
        Some(b) if strength(b) >= strength(h) => Some(b),
        _ => Some(h),
    });
    if let Some(h) = strongest.filter(|h| strength(h) > 0.0) {
        headlines.push(Headline { scenario: None, text: format!("largest difference seen: {}", h.text), data: h.data.clone() });
    }
    headlines
}

#[cfg(test)]
mod tests;
