//! Sessions that the load opens and ends, one after the other.

use std::sync::atomic::{AtomicU32, Ordering};

use coordinator::session_key;

use crate::answers::session_id;
use crate::target::Target;

/// Sessions that take turns: each is ended when it has had its requests.
pub(crate) struct Turns {
    each: u32,
    finished: Vec<AtomicU32>,
}

impl Turns {
    pub(crate) fn new(each: u32, sessions: u32) -> Turns {
        Turns { each, finished: (0..sessions).map(|_| AtomicU32::new(0)).collect() }
    }

    /// Counts a finished request; ends its session with the last one.
    pub(crate) fn finished(&self, session: u32, target: &dyn Target) {
        let Some(finished) = self.finished.get(session as usize) else { return };
        let whole = (finished.fetch_add(1, Ordering::Relaxed) + 1).is_multiple_of(self.each);
        if let (true, Ok(id), Some(pool)) = (whole, session_id(session), target.pool()) {
            pool.end_session(session_key(&id));
        }
    }
}
