//! Requests of one session run one at a time, in the order of their arrival.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use store::SessionId;
use tokio::sync::OwnedMutexGuard;

type Gates = Mutex<HashMap<SessionId, Gate>>;

/// One lock per session in use; a session that nobody waits for costs nothing.
#[derive(Default)]
pub(crate) struct Sessions {
    gates: Arc<Gates>,
}

struct Gate {
    lock: Arc<tokio::sync::Mutex<()>>,
    /// Holders and waiters.
    users: usize,
}

/// The right to change a session, given back on drop.
pub(crate) struct Turn {
    _guard: OwnedMutexGuard<()>,
    _place: Place,
}

/// A place among the users of a gate; the last one removes the gate.
struct Place {
    gates: Arc<Gates>,
    id: SessionId,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(gate) = gates.get_mut(&self.id) {
            gate.users -= 1;
            if gate.users == 0 {
                gates.remove(&self.id);
            }
        }
    }
}

impl Sessions {
    /// Waits for the session's turn; `None` at once when `limit` requests of it are here already.
    pub(crate) async fn turn(&self, id: &SessionId, limit: usize) -> Option<Turn> {
        let (lock, place) = self.join(id, limit)?;
        let guard = match Arc::clone(&lock).try_lock_owned() {
            Ok(guard) => guard,
            Err(_) => lock.lock_owned().await,
        };
        Some(Turn { _guard: guard, _place: place })
    }

    fn join(&self, id: &SessionId, limit: usize) -> Option<(Arc<tokio::sync::Mutex<()>>, Place)> {
        let mut gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        let gate = gates.entry(id.clone()).or_insert_with(|| Gate { lock: Arc::default(), users: 0 });
        if gate.users >= limit {
            return None;
        }
        gate.users += 1;
        Some((Arc::clone(&gate.lock), Place { gates: Arc::clone(&self.gates), id: id.clone() }))
    }

    #[cfg(test)]
    fn open(&self) -> usize {
        self.gates.lock().unwrap().len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn turns_come_in_order_and_the_bound_holds() {
        let sessions = Arc::new(Sessions::default());
        let id = SessionId::try_from("a").unwrap();
        let first = sessions.turn(&id, 3).await.unwrap();
        let order = Arc::new(Mutex::new(Vec::new()));
        let waiters: Vec<_> = (0..2)
            .map(|i| {
                let (sessions, id, order) = (Arc::clone(&sessions), id.clone(), Arc::clone(&order));
                tokio::spawn(async move {
                    let _turn = sessions.turn(&id, 3).await.unwrap();
                    order.lock().unwrap().push(i);
                })
            })
            .collect();
        tokio::task::yield_now().await;
        assert!(sessions.turn(&id, 3).await.is_none(), "a fourth is refused at once");
        drop(first);
        for waiter in waiters {
            waiter.await.unwrap();
        }
        assert_eq!(*order.lock().unwrap(), [0, 1]);
        assert_eq!(sessions.open(), 0, "nothing is kept for a session nobody waits for");
    }

    #[tokio::test]
    async fn a_waiter_that_gives_up_leaves_no_trace() {
        let sessions = Sessions::default();
        let id = SessionId::try_from("a").unwrap();
        let first = sessions.turn(&id, 9).await.unwrap();
        {
            let waiting = sessions.turn(&id, 9);
            tokio::pin!(waiting);
            assert!(tokio::time::timeout(std::time::Duration::from_millis(5), &mut waiting).await.is_err());
        }
        drop(first);
        assert_eq!(sessions.open(), 0);
        assert!(sessions.turn(&id, 9).await.is_some());
    }
}
