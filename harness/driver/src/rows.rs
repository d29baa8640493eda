//! One row per request, kept in memory until the record is made: recording costs a short lock, never a computation.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use coordinator::Response;
use model::record::OTHER_ERRORS;
use pool::clock::Nanos;
use pool::core::{Affinity, Outcome, RequestId, Tier};
use pool::times::{Phase, RequestTimes};

use crate::answers::Bodies;
use crate::faults::Fault;
use crate::schedule::Intent;

/// Different error texts kept.
const ERRORS_MAX: usize = 8;

/// Bytes kept of either end of an error text.
const ERROR_END: usize = 160;

/// What is kept of one request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    /// What was planned.
    pub intent: Intent,
    /// Whether its intended start lies in the window.
    pub measured: bool,
    /// Whether the answer came before its deadline (true where there is none).
    pub in_deadline: bool,
    /// All stamps, `reply` ended.
    pub times: RequestTimes,
    /// Its outcome.
    pub outcome: Outcome,
    /// Its id in the pool, if it reached it.
    pub request: Option<RequestId>,
    /// Predicted tier, if it reached the pool.
    pub predicted: Option<Tier>,
    /// Tier that served it.
    pub served: Option<Tier>,
    /// Dispatches.
    pub attempts: u8,
    /// How affinity was served.
    pub affinity: Affinity,
    /// Response before compression, bytes.
    pub encoded: u32,
    /// Response as sent, bytes.
    pub sent_bytes: u32,
    /// Session document saved, bytes.
    pub saved: u32,
}

impl Row {
    /// Intended start (open loop) or start (closed loop), ns.
    pub(crate) fn intended(&self) -> Nanos {
        self.times.span(Phase::Lag).map_or(0, |(begin, _)| begin)
    }

    /// When it was handed over, ns.
    pub(crate) fn sent(&self) -> Nanos {
        self.times.span(Phase::Lag).map_or(0, |(_, end)| end)
    }

    /// When the caller had the response, ns; 0 if it was not `ok`.
    pub(crate) fn done(&self) -> Nanos {
        self.times.span(Phase::Reply).map_or(0, |(_, end)| end)
    }
}

/// Where finished requests go.
#[derive(Default)]
pub(crate) struct Sink {
    rows: Mutex<Vec<Row>>,
    errors: Mutex<BTreeMap<String, u64>>,
    /// Bodies to be compared after the load.
    pub bodies: Bodies,
    /// Requests sent and not yet finished.
    pub outstanding: AtomicU64,
    /// Digests that differ from the payload's.
    pub wrong_digests: AtomicU64,
    /// Faults made by the pool, by kind.
    struck: Mutex<BTreeMap<&'static str, u64>>,
}

impl Sink {
    /// A sink with room for `rows` rows.
    pub(crate) fn with_capacity(rows: usize) -> Self {
        Self { rows: Mutex::new(Vec::with_capacity(rows)), ..Self::default() }
    }

    /// Takes one finished request. `expected` is the payload's digest.
    pub(crate) fn take(&self, mut row: Row, response: Response, expected: u64) {
        if response.outcome == Outcome::Ok && response.digest != Some(expected) {
            self.wrong_digests.fetch_add(1, Ordering::Relaxed);
        }
        row.outcome = response.outcome;
        row.request = response.request;
        row.predicted = response.placement.map(|p| p.predicted);
        row.served = response.placement.and_then(|p| p.served);
        row.attempts = response.placement.map_or(0, |p| p.attempts);
        row.affinity = response.placement.map_or(Affinity::Free, |p| p.affinity);
        row.encoded = response.encoded_bytes as u32;
        row.sent_bytes = response.body.len() as u32;
        row.saved = response.saved_bytes as u32;
        if let Some(error) = response.error.filter(|_| row.measured) {
            self.count_error(error);
        }
        if response.outcome == Outcome::Ok && row.measured {
            self.bodies.keep(row.intent, response.codec, response.body);
        }
        self.rows.lock().unwrap_or_else(PoisonError::into_inner).push(row);
        self.outstanding.fetch_sub(1, Ordering::Release);
    }

    /// Counts a fault that struck.
    pub(crate) fn struck(&self, kind: &'static str) {
        *self.struck.lock().unwrap_or_else(PoisonError::into_inner).entry(kind).or_default() += 1;
    }

    /// The faults that struck so far: those of the pool, and those of requests that reached a worker.
    pub(crate) fn faults(&self, rows: &[Row], faults: &[Fault]) -> BTreeMap<String, u64> {
        let struck = self.struck.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all: BTreeMap<String, u64> = struck.iter().map(|(kind, count)| ((*kind).to_owned(), *count)).collect();
        drop(struck);
        for fault in rows.iter().filter(|row| row.attempts > 0).filter_map(|row| faults.get(usize::from(row.intent.fault))) {
            *all.entry(fault.kind.to_owned()).or_default() += 1;
        }
        all
    }

    /// Memory that is kept for rows and bodies, bytes.
    pub(crate) fn kept_bytes(&self) -> u64 {
        let rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner).len() * size_of::<Row>();
        rows as u64 + self.bodies.kept_bytes()
    }

    fn count_error(&self, error: String) {
        let error = shortened(error);
        let mut errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
        let key = if errors.contains_key(&error) || errors.len() < ERRORS_MAX { error } else { OTHER_ERRORS.to_owned() };
        *errors.entry(key).or_default() += 1;
    }

    /// Requests finished so far, and how many ended `ok` within `window`.
    pub(crate) fn tally(&self, window: (Nanos, Nanos)) -> (u64, u64) {
        let rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let ok = rows.iter().filter(|r| r.outcome == Outcome::Ok && (window.0..window.1).contains(&r.done())).count();
        (rows.len() as u64, ok as u64)
    }

    /// All rows so far, by intended start, and the errors.
    pub(crate) fn finish(&self) -> (Vec<Row>, BTreeMap<String, u64>) {
        let mut rows = std::mem::take(&mut *self.rows.lock().unwrap_or_else(PoisonError::into_inner));
        rows.sort_by_key(|r| (r.intended(), r.sent()));
        (rows, std::mem::take(&mut *self.errors.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// The beginning and the end of a text, which may hold a worker's last words.
fn shortened(text: String) -> String {
    if text.len() <= 2 * ERROR_END + 8 {
        return text;
    }
    let (head, tail) = (text.floor_char_boundary(ERROR_END), text.ceil_char_boundary(text.len() - ERROR_END));
    format!("{} … {}", &text[..head], &text[tail..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_error_keeps_its_beginning_and_its_end() {
        assert_eq!(shortened("short".to_owned()), "short");
        let long = format!("begin {} end", "\u{e9}".repeat(4000));
        let short = shortened(long);
        assert!(short.starts_with("begin ") && short.ends_with(" end") && short.len() < 400, "{short}");
    }
}
