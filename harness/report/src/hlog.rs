//! `.hlog` export: the response histogram of a case in the standard interval-log format.

use std::time::{Duration, SystemTime};

use hdrhistogram::serialization::interval_log::IntervalLogWriterBuilder;
use model::Histogram;
use model::record::Record;

use crate::ReportError;

mod stored;

/// The log's own maximum column is for people: ns by this are milliseconds.
const MAXIMUM_IN_MS: f64 = 1e6;

/// A case's response over all rounds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Response {
    /// Merged over rounds.
    pub(crate) merged: Histogram,
    /// When the first of its trials began, ms since 1970; 0 without one.
    pub(crate) started_unix_ms: u64,
    /// Windows of its trials, summed, ns.
    pub(crate) window_ns: u64,
    /// Trials.
    pub(crate) rounds: u32,
}

/// The response of a case merged over its measured rounds.
pub(crate) fn response(case: &str, records: &[&Record]) -> Response {
    let mut out = Response::default();
    for record in records.iter().filter(|r| r.case == case) {
        let Some(histogram) = record.histograms.get("response") else { continue };
        out.merged.merge(histogram);
        out.started_unix_ms = if out.rounds == 0 { record.started_unix_ms } else { out.started_unix_ms.min(record.started_unix_ms) };
        out.window_ns = out.window_ns.saturating_add(record.window_ns);
        out.rounds += 1;
    }
    out
}

/// The log of a case: one interval with all rounds merged.
///
/// # Errors
/// Why the library could not write it.
pub(crate) fn log(case: &str, response: &Response) -> Result<Vec<u8>, ReportError> {
    let failed = |why: String| ReportError::Hlog { case: case.to_owned(), why };
    let begin = Duration::from_millis(response.started_unix_ms);
    let mut bytes = Vec::new();
    let mut serializer = stored::Stored::default();
    let mut builder = IntervalLogWriterBuilder::new();
    builder
        .add_comment(case)
        .add_comment(&format!("response from the intended start, ok requests, ns, {} rounds merged", response.rounds))
        .with_max_value_divisor(MAXIMUM_IN_MS);
    if let Some(start) = SystemTime::UNIX_EPOCH.checked_add(begin) {
        builder.with_start_time(start);
    }
    builder
        .begin_log_with(&mut bytes, &mut serializer)
        .map_err(|e| failed(e.to_string()))?
        .write_histogram(&response.merged.hdr(), begin, Duration::from_nanos(response.window_ns), None)
        .map_err(|e| failed(format!("{e:?}")))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};

    use model::record::{Status, TrialKind};

    use super::*;

    fn record(round: u32, kind: TrialKind, started_unix_ms: u64, ns: u64) -> Record {
        let mut record = Record::without_figures("a/b?c=d", round, kind, 1, Status::Measured);
        let mut histogram = Histogram::new();
        histogram.record(ns);
        record.histograms.insert("response".to_owned(), histogram);
        (record.started_unix_ms, record.window_ns) = (started_unix_ms, 1_000_000_000);
        record
    }

    #[test]
    fn the_log_holds_all_rounds_of_the_case_and_nothing_else() {
        let records =
            [record(1, TrialKind::Measured, 5000, 7), record(0, TrialKind::Measured, 3000, 9), record(0, TrialKind::Profiled, 1000, 9)];
        let response = response("a/b?c=d", &analysis::counting(&records));
        assert_eq!((response.merged.count(), response.started_unix_ms, response.window_ns), (2, 3000, 2_000_000_000));
        let bytes = log("a/b?c=d", &response).unwrap();
        // All histograms of the encoding that other tools read begin with these letters.
        let intervals: Vec<_> = IntervalLogIterator::new(&bytes)
            .filter_map(|entry| match entry.unwrap() {
                LogEntry::Interval(i) => Some((i.start_timestamp(), i.duration(), i.encoded_histogram().starts_with("HISTF"))),
                _ => None,
            })
            .collect();
        assert_eq!(intervals, [(Duration::from_secs(3), Duration::from_secs(2), true)]);
    }
}
