//! The session store alone: a session is loaded, changed and saved, one request of a session at a time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use coordinator::{Request, Response};
use pool::clock::Clock;
use pool::core::Outcome;
use pool::times::Phase;
use store::{Message, Role, SessionId, Store};
use xxhash_rust::xxh3::xxh3_64;

use super::{Boxed, Opening, Target, blank, failed};

struct StoreTarget {
    store: Store,
    clock: Arc<dyn Clock>,
    keep: usize,
    /// One lock per session of the load: their number is the load's `sessions`.
    locks: Mutex<HashMap<SessionId, Arc<tokio::sync::Mutex<()>>>>,
}

pub(super) async fn open(opening: Opening) -> Result<Box<dyn Target>, String> {
    let store = Store::open(&opening.config.store, &opening.dir).await.map_err(|e| e.to_string())?;
    Ok(Box::new(StoreTarget { store, clock: opening.deps.clock, keep: opening.config.keep, locks: Mutex::default() }))
}

impl Target for StoreTarget {
    fn call(&self, mut call: Request) -> Boxed<Response> {
        let (store, clock, keep) = (self.store.clone(), Arc::clone(&self.clock), self.keep);
        let Some(id) = call.session.take() else {
            return Box::pin(async move { failed(call.times, "the target 'store' needs sessions (set load.sessions.count)") });
        };
        let lock = Arc::clone(self.locks.lock().unwrap_or_else(PoisonError::into_inner).entry(id.clone()).or_default());
        Box::pin(async move {
            call.times.turn(Phase::Admit, Phase::SessionWait, clock.now());
            let _turn = lock.lock().await;
            call.times.turn(Phase::SessionWait, Phase::Load, clock.now());
            let opened = store.open_session(&id).await;
            call.times.turn(Phase::Load, Phase::Encode, clock.now());
            let mut session = match opened {
                Ok(session) => session,
                Err(why) => return failed(call.times, format!("session not loaded: {why}")),
            };
            let digest = xxh3_64(&call.payload);
            let text = String::from_utf8_lossy(&call.payload).into_owned();
            let message = Message { role: Role::Tool, tool: "store".to_owned(), digest, text };
            if let Err(why) = session.record_turn(message, keep) {
                return failed(call.times, format!("the turn cannot be written as JSON: {why}"));
            }
            call.times.turn(Phase::Encode, Phase::Persist, clock.now());
            let saved = store.save_opened(&session).await;
            call.times.turn(Phase::Persist, Phase::Reply, clock.now());
            match saved {
                Ok(saved) => Response { outcome: Outcome::Ok, digest: Some(digest), saved_bytes: saved.bytes, ..blank(call.times) },
                Err(why) => failed(call.times, format!("session not saved: {why}")),
            }
        })
    }

    fn is_right(&self, _payload: &[u8], plain: &[u8]) -> bool {
        plain.is_empty()
    }

    fn store(&self) -> Option<&Store> {
        Some(&self.store)
    }

    fn close(&self) -> Boxed<Result<(), String>> {
        let store = self.store.clone();
        Box::pin(async move { store.close().await.map_err(|e| e.to_string()) })
    }
}
