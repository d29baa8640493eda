//! What the experiments write: a fixed sequence of saves, each of which can be recognised afterwards.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use store::{Message, Role, Session, SessionId, Store, StoreError};

/// Sessions that are written in turn.
pub(crate) const SESSIONS: u64 = 4;

/// Ids of the sessions, in the order in which they are written.
const IDS: [&str; SESSIONS as usize] = ["ash", "birch", "cedar", "dogwood"];

/// The sessions in that order.
pub(crate) fn ids() -> Result<[SessionId; SESSIONS as usize], StoreError> {
    let mut made = Vec::with_capacity(IDS.len());
    for id in IDS {
        made.push(SessionId::try_from(id).map_err(|_| StoreError::Closed)?);
    }
    made.try_into().map_err(|_| StoreError::Closed)
}

/// Saves of the session at `index` among the first `writes`: its version then.
pub(crate) fn version_of(index: u64, writes: u64) -> u64 {
    (writes + SESSIONS - 1 - index) / SESSIONS
}

/// The number of the write that made version `version` of the session at `index`.
pub(crate) fn write_of(index: u64, version: u64) -> u64 {
    version.saturating_sub(1) * SESSIONS + index + 1
}

/// The one message that a session holds after write `number`: a few hundred bytes, or several blocks or pages, so that saves change sizes.
/// Every 64 bytes name the write, so that no mix of two versions passes for one.
pub(crate) fn message(seed: u64, number: u64) -> Message {
    let mut rng = Pcg64Mcg::seed_from_u64(seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let lines = match rng.random_range(0..4) {
        0 => rng.random_range(1..9),
        1 | 2 => rng.random_range(9..100),
        _ => rng.random_range(100..220),
    };
    let digest: u64 = rng.random();
    let text = (0..lines).map(|line| format!("line {line:06} of write {number:010}, digest {digest:016x}, seed {:05x}\n", seed & 0xf_ffff));
    Message { role: Role::Tool, tool: "echo".to_owned(), digest, text: text.collect() }
}

/// The sessions as they were last written, in memory.
pub(crate) struct Writer {
    seed: u64,
    sessions: Vec<Session>,
    written: u64,
}

impl Writer {
    /// A writer that has written nothing.
    pub(crate) fn new(seed: u64) -> Result<Self, StoreError> {
        Ok(Self { seed, sessions: ids()?.into_iter().map(Session::new).collect(), written: 0 })
    }

    /// Makes the next write and gives its number. It is acknowledged when this returns.
    pub(crate) async fn write(&mut self, store: &Store) -> Result<u64, StoreError> {
        let number = self.written + 1;
        let index = (self.written % SESSIONS) as usize;
        let session = self.sessions.get_mut(index).ok_or(StoreError::Closed)?;
        session.record_turn(message(self.seed, number), 1);
        store.save(session).await?;
        self.written = number;
        Ok(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_and_writes_are_each_others_inverse() {
        for writes in 0..40 {
            let versions: Vec<u64> = (0..SESSIONS).map(|index| version_of(index, writes)).collect();
            assert_eq!(versions.iter().sum::<u64>(), writes);
            for (index, version) in (0..SESSIONS).zip(versions).filter(|(_, version)| *version > 0) {
                assert!(write_of(index, version) <= writes && writes < write_of(index, version + 1));
            }
        }
    }

    #[test]
    fn messages_differ_by_write_and_seed_and_are_made_again() {
        assert_eq!(message(1, 7), message(1, 7));
        assert_ne!(message(1, 7), message(1, 8));
        assert_ne!(message(1, 7), message(2, 7));
    }
}
