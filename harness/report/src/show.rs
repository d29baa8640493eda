//! Figures as text: each with its unit, blank ones with the mark of their reason.

use analysis::summary::{Figure, Metric};
use model::units::{show_ns, show_rate};

use crate::markdown::{BLANK, Notes};

/// A share as a percentage; what would round to 0 % or 100 % without being it says so.
pub(crate) fn percent(share: f64) -> String {
    let text = format!("{:.1}", share * 100.0);
    match text.as_str() {
        _ if !share.is_finite() => BLANK.to_owned(),
        "0.0" if share > 0.0 => "< 0.1 %".to_owned(),
        "100.0" if share < 1.0 => "> 99.9 %".to_owned(),
        "0.0" | "-0.0" => "0 %".to_owned(),
        "100.0" => "100 %".to_owned(),
        _ => format!("{text} %"),
    }
}

/// A share that may be missing.
pub(crate) fn percent_or_blank(share: Option<f64>) -> String {
    share.map_or(BLANK.to_owned(), percent)
}

/// Nanoseconds that may be missing.
pub(crate) fn ns_or_blank(ns: Option<f64>) -> String {
    ns.map_or(BLANK.to_owned(), show_ns)
}

/// A count with its thousands apart: `12,345`.
pub(crate) fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// A noun in its number: `1 case`, `2 cases`.
pub(crate) fn plural(value: u64, noun: &str) -> String {
    format!("{} {noun}{}", count(value), if value == 1 { "" } else { "s" })
}

/// A ratio: `0.52×`, `12.3×`, `140×`.
pub(crate) fn ratio(value: f64) -> String {
    format!("{}×", bare_ratio(value))
}

fn bare_ratio(value: f64) -> String {
    match value.abs() {
        v if v >= 99.95 => format!("{value:.0}"),
        v if v >= 9.995 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// A ratio with its interval: `0.52× [0.49, 0.55]`.
pub(crate) fn ratio_within(value: f64, low: Option<f64>, high: Option<f64>) -> String {
    match (low, high) {
        (Some(low), Some(high)) => format!("{} [{}, {}]", ratio(value), bare_ratio(low), bare_ratio(high)),
        _ => ratio(value),
    }
}

/// A value of a metric with its unit.
pub(crate) fn metric(metric: Metric, value: f64) -> String {
    if metric.is_rate() { show_rate(value) } else { show_ns(value) }
}

/// A time, or blank with its reason.
pub(crate) fn time(figure: &Figure, notes: &mut Notes) -> String {
    figure.value.map_or_else(|| notes.blank(figure.why_blank.as_deref()), show_ns)
}

/// A rate, or blank with its reason.
pub(crate) fn rate(figure: &Figure, notes: &mut Notes) -> String {
    figure.value.map_or_else(|| notes.blank(figure.why_blank.as_deref()), show_rate)
}

/// The range over rounds, where there is more than one.
pub(crate) fn range(figure: &Figure, show: fn(f64) -> String) -> String {
    match (figure.low, figure.high) {
        (Some(low), Some(high)) if figure.rounds > 1 => format!("{} to {}", show(low), show(high)),
        _ => BLANK.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_never_rounds_to_all_or_nothing() {
        let shown = [0.0, 0.0001, 0.123, 0.99999, 1.0, f64::NAN].map(percent);
        assert_eq!(shown.each_ref().map(String::as_str), ["0 %", "< 0.1 %", "12.3 %", "> 99.9 %", "100 %", "–"]);
    }

    #[test]
    fn counts_have_their_thousands_apart() {
        assert_eq!([0, 999, 1000, 1_234_567].map(count).each_ref().map(String::as_str), ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn ratios_have_three_digits() {
        assert_eq!(ratio_within(0.519, Some(0.49), Some(0.551)), "0.52× [0.49, 0.55]");
        assert_eq!(ratio_within(140.2, None, None), "140×");
    }
}
