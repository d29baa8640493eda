//! A benchmark is a test: answers are compared with what they must be, after the load, off the clock.

use std::sync::Mutex;
use std::sync::PoisonError;

use bytes::Bytes;
use model::record::{Answers, SessionsCheck};
use pool::core::Outcome;
use store::compress::{Codec, decode};
use store::{SessionId, Store};

use crate::rows::Row;
use crate::schedule::{Intent, NO_SESSION, Sort};
use crate::target::Target;

/// Bytes of bodies kept for comparison; beyond it every further one counts by its digest alone.
const KEPT_BYTES: usize = 32 << 20;
/// Bodies kept, so that many empty ones are bounded too.
const KEPT_BODIES: usize = 100_000;

/// Largest body that is kept as a copy, bytes.
const COPIED: usize = 4096;
/// What the allocator adds to a small copy, about, bytes.
const COPY_OVERHEAD: usize = 16;

/// Bodies kept for comparison.
#[derive(Default)]
pub(crate) struct Bodies(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    bodies: Vec<(Intent, Codec, Bytes)>,
    bytes: usize,
}

impl Bodies {
    /// Memory that is kept, bytes.
    pub(crate) fn kept_bytes(&self) -> u64 {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (kept.bytes + kept.bodies.len() * (size_of::<(Intent, Codec, Bytes)>() + COPY_OVERHEAD)) as u64
    }

    /// Keeps a body while there is room.
    pub(crate) fn keep(&self, intent: Intent, codec: Codec, body: Bytes) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.bytes + body.len() <= KEPT_BYTES && kept.bodies.len() < KEPT_BODIES {
            kept.bytes += body.len();
            // A small body is a slice of the buffer it was read into, all of which would be kept with it.
            let body = if body.len() <= COPIED { Bytes::copy_from_slice(&body) } else { body };
            kept.bodies.push((intent, codec, body));
        }
    }

    /// Compares all bodies kept with the payloads they answer, and empties itself.
    pub(crate) fn check(&self, target: &dyn Target, sorts: &[Sort], max: usize, answers: &mut Answers) {
        let kept = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        for (intent, codec, body) in kept.bodies {
            answers.bodies += 1;
            let payload = &sorts[usize::from(intent.sort)].payloads[usize::from(intent.payload)].0;
            let why = match decode(codec, &body, max) {
                Ok(plain) if target.is_right(payload, &plain) => continue,
                Ok(_) => format!("the {} response to a payload of {} bytes differs from it", codec.name(), payload.len()),
                Err(why) => format!("a {} response cannot be decoded: {why}", codec.name()),
            };
            answers.wrong += 1;
            if answers.first_wrong.is_empty() {
                answers.first_wrong = why;
            }
        }
    }
}

/// The name of the load's n-th session.
///
/// # Errors
/// Never for a number; the type asks.
pub(crate) fn session_id(index: u32) -> Result<SessionId, store::IdError> {
    SessionId::try_from(format!("session-{index:06}").as_str())
}

/// Reads every session back and compares its turns with the acknowledged requests that made them.
pub(crate) async fn check_sessions(store: &Store, rows: &[Row], sessions: u32) -> SessionsCheck {
    let mut acknowledged = vec![0u64; sessions as usize];
    for row in rows.iter().filter(|r| r.outcome == Outcome::Ok && r.intent.session != NO_SESSION) {
        acknowledged[row.intent.session as usize] += 1;
    }
    let mut check = SessionsCheck::default();
    for (index, expected) in acknowledged.iter().enumerate() {
        check.turns_acknowledged += expected;
        let Ok(id) = session_id(index as u32) else { continue };
        match store.load(&id).await {
            Ok(None) => check.lost += expected,
            Ok(Some(session)) => {
                check.read += 1;
                check.turns_found += session.turns();
                check.lost += expected.saturating_sub(session.turns());
                check.unacknowledged += session.turns().saturating_sub(*expected);
            }
            Err(_) => check.corrupt += 1,
        }
    }
    check
}
