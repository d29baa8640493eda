//! What is experimented on: the pairs of store settings that decide what a crash costs.

use store::Config;
use store::config::{JournalMode, Kind, Sync, Synchronous, Write};

/// A way to write and a way to flush.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Sessions in files.
    Files(Write, Sync),
    /// Sessions in SQLite.
    Sqlite(JournalMode, Synchronous),
}

/// All of them: every combination of either kind's two settings.
pub const SUBJECTS: &[Subject] = &{
    use JournalMode as J;
    use Synchronous as S;
    [
        Subject::Files(Write::Truncate, Sync::None),
        Subject::Files(Write::Truncate, Sync::File),
        Subject::Files(Write::Truncate, Sync::FileAndDir),
        Subject::Files(Write::InPlace, Sync::None),
        Subject::Files(Write::InPlace, Sync::File),
        Subject::Files(Write::InPlace, Sync::FileAndDir),
        Subject::Files(Write::Rename, Sync::None),
        Subject::Files(Write::Rename, Sync::File),
        Subject::Files(Write::Rename, Sync::FileAndDir),
        Subject::Sqlite(J::Delete, S::Off),
        Subject::Sqlite(J::Delete, S::Normal),
        Subject::Sqlite(J::Delete, S::Full),
        Subject::Sqlite(J::Delete, S::Extra),
        Subject::Sqlite(J::Truncate, S::Off),
        Subject::Sqlite(J::Truncate, S::Normal),
        Subject::Sqlite(J::Truncate, S::Full),
        Subject::Sqlite(J::Truncate, S::Extra),
        Subject::Sqlite(J::Persist, S::Off),
        Subject::Sqlite(J::Persist, S::Normal),
        Subject::Sqlite(J::Persist, S::Full),
        Subject::Sqlite(J::Persist, S::Extra),
        Subject::Sqlite(J::Wal, S::Off),
        Subject::Sqlite(J::Wal, S::Normal),
        Subject::Sqlite(J::Wal, S::Full),
        Subject::Sqlite(J::Wal, S::Extra),
        Subject::Sqlite(J::Memory, S::Off),
        Subject::Sqlite(J::Memory, S::Normal),
        Subject::Sqlite(J::Memory, S::Full),
        Subject::Sqlite(J::Memory, S::Extra),
        Subject::Sqlite(J::Off, S::Off),
        Subject::Sqlite(J::Off, S::Normal),
        Subject::Sqlite(J::Off, S::Full),
        Subject::Sqlite(J::Off, S::Extra),
    ]
};

impl Subject {
    /// Its settings as scenario files name them.
    pub fn settings(self) -> [(&'static str, &'static str); 2] {
        match self {
            Self::Files(write, sync) => [("store.files.write", write.word()), ("store.files.sync", sync.word())],
            Self::Sqlite(mode, level) => [("store.sqlite.journal-mode", mode.word()), ("store.sqlite.synchronous", level.word())],
        }
    }

    /// Its id, such as `durability/files?write=rename&sync=none`.
    pub fn id(self) -> String {
        let short = |key: &'static str| key.rsplit('.').next().unwrap_or(key);
        let [(a, x), (b, y)] = self.settings();
        format!("durability/{}?{}={x}&{}={y}", self.kind().word(), short(a), short(b))
    }

    /// The one of that [`Subject::id`].
    pub fn named(id: &str) -> Option<Self> {
        SUBJECTS.iter().copied().find(|subject| subject.id() == id)
    }

    /// A store with these settings and the others at their defaults.
    pub fn config(self) -> Config {
        let (mut config, kind) = (Config::default(), self.kind());
        config.kind = kind;
        match self {
            Self::Files(write, sync) => (config.files.write, config.files.sync) = (write, sync),
            Self::Sqlite(mode, level) => (config.sqlite.journal_mode, config.sqlite.synchronous) = (mode, level),
        }
        config
    }

    /// The store's kind.
    pub fn kind(self) -> Kind {
        match self {
            Self::Files(..) => Kind::Files,
            Self::Sqlite(..) => Kind::Sqlite,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_combination_is_there_once_and_is_found_by_its_id() {
        let ids: std::collections::BTreeSet<String> = SUBJECTS.iter().map(|subject| subject.id()).collect();
        assert_eq!((ids.len(), SUBJECTS.len()), (3 * 3 + 6 * 4, 3 * 3 + 6 * 4));
        for subject in SUBJECTS {
            assert_eq!(Subject::named(&subject.id()), Some(*subject));
        }
        assert!(ids.contains("durability/sqlite?journal-mode=wal&synchronous=full"), "{ids:?}");
    }
}
