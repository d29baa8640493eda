//! Figures by the class of a request: the tier of its planned cost, whatever was predicted and whoever served it. Policies are thus
//! compared on the same requests.

use model::Record;
use model::plan::Axis;

use crate::compare::{Subject, groups};
use crate::rounds::{RoundValue, percentile};
use crate::stats::{median, quotient, ratio_interval};
use crate::summary::{ClassCell, ClassRow, ClassTable, Interval};

/// The axis whose values are compared.
const VARIANT: &str = "variant";

/// A figure of a class: its name, the class, the quantile.
pub type ClassFigure = (&'static str, Option<(&'static str, f64)>);

/// The mean of all requests, and percentiles by class; of the rarest class no p99, which would rest on a handful.
pub const FIGURES: [ClassFigure; 9] = [
    ("mean", None),
    ("hot p50", Some(("hot", 0.5))),
    ("hot p95", Some(("hot", 0.95))),
    ("hot p99", Some(("hot", 0.99))),
    ("warm p50", Some(("warm", 0.5))),
    ("warm p95", Some(("warm", 0.95))),
    ("warm p99", Some(("warm", 0.99))),
    ("cold p50", Some(("cold", 0.5))),
    ("cold p95", Some(("cold", 0.95))),
];

/// The figure in one round, ns.
pub(crate) fn value(figure: ClassFigure, record: &Record) -> RoundValue {
    match figure.1 {
        None => mean(record),
        Some((class, q)) => percentile(record.histograms.get(&format!("class.{class}.response")), q),
    }
}

/// The mean response, ns.
pub(crate) fn mean(record: &Record) -> RoundValue {
    record.histograms.get("response").and_then(model::Histogram::mean).ok_or_else(|| "no request was recorded".to_owned())
}

/// The median of values that are above 0 with the 95 % interval of their geometric mean, widened to hold the median.
pub(crate) fn interval(values: impl IntoIterator<Item = RoundValue>) -> Interval {
    let mut why = "no round ran to its end".to_owned();
    let mut present = Vec::new();
    for value in values {
        match value {
            Ok(v) if v.is_finite() && v > 0.0 => present.push(v),
            Ok(_) => "a value is zero".clone_into(&mut why),
            Err(reason) => why = reason,
        }
    }
    let value = median(&present);
    let logs: Vec<f64> = present.iter().map(|v| v.ln()).collect();
    let ends = ratio_interval(&logs).zip(value).map(|((low, high), v)| (low.min(v), high.max(v)));
    Interval {
        value,
        low: ends.map(|e| e.0),
        high: ends.map(|e| e.1),
        rounds: present.len() as u32,
        why_blank: value.is_none().then_some(why),
    }
}

/// The ratio of `a` to `b` over the rounds that both have.
pub(crate) fn paired(a: &[&Record], b: &[&Record], of: &dyn Fn(&Record) -> RoundValue) -> Interval {
    let pair = |r: &&Record| {
        let other = b.iter().find(|o| o.round == r.round)?;
        Some(of(r).and_then(|x| of(other).and_then(|y| quotient(x, y).ok_or_else(|| "a value is zero".to_owned()))))
    };
    interval(a.iter().filter_map(pair))
}

/// One table per combination of the other axes; nothing without a `variant` axis, or where all requests are of one class.
pub(crate) fn tables(axes: &[Axis], subjects: &[Subject<'_>]) -> Vec<ClassTable> {
    let Some(axis) = axes.iter().find(|axis| axis.key == VARIANT) else { return Vec::new() };
    let classes = ["hot", "warm", "cold"].map(|class| format!("class.{class}.response"));
    let met = |class: &&String| subjects.iter().flat_map(|s| &s.trials.measured).any(|r| r.histograms.contains_key(*class));
    if classes.iter().filter(met).count() < 2 {
        return Vec::new();
    }
    let table = |group: std::collections::BTreeMap<&str, &Subject<'_>>| {
        let own: Vec<(&String, &Subject<'_>)> = axis.values.iter().filter_map(|v| Some((v, *group.get(v.as_str())?))).collect();
        let (_, first) = own.first()?;
        let at = first.case.axes.iter().filter(|(key, _)| *key != axis.short).cloned().collect();
        Some(ClassTable { at, rows: own.iter().map(|(variant, subject)| row(variant, subject, first)).collect() })
    };
    groups(axis, subjects).into_iter().filter_map(table).collect()
}

fn row(variant: &str, subject: &Subject<'_>, first: &Subject<'_>) -> ClassRow {
    let (own, others) = (&subject.trials.measured, &first.trials.measured);
    let cell = |figure: ClassFigure| ClassCell {
        figure: figure.0.to_owned(),
        ns: interval(own.iter().map(|r| value(figure, r))),
        ratio: (subject.case.id != first.case.id).then(|| paired(own, others, &|r| value(figure, r))),
    };
    ClassRow { variant: variant.to_owned(), cells: FIGURES.into_iter().map(cell).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_holds_its_median_and_says_why_it_is_blank() {
        let some = interval([Ok(1.0), Ok(2.0), Err("late".to_owned()), Ok(4.0)]);
        assert_eq!((some.value, some.rounds), (Some(2.0), 3));
        assert!(some.low.unwrap() <= 2.0 && some.high.unwrap() >= 2.0);
        let none = interval([Err("late".to_owned())]);
        assert_eq!((none.value, none.low, none.why_blank.as_deref()), (None, None, Some("late")));
        assert_eq!(interval([Ok(0.0)]).why_blank.as_deref(), Some("a value is zero"));
        assert_eq!(interval([Ok(3.0)]).low, None, "one round has no interval");
    }
}
