//! What a store is opened with: always valid, made from settings or by default.

pub use crate::dictionary::{Compress, Source};
use crate::settings::{Checked, ConfigError, choice};
use std::collections::BTreeMap;

choice!(
    /// Where sessions are kept.
    Kind {
        /// Nowhere: loads find nothing, saves are dropped.
        None = "none",
        /// One JSON file per session.
        Files = "files",
        /// One row per session in one SQLite file.
        Sqlite = "sqlite",
    }
);
choice!(
    /// The file API that the file store calls.
    Api {
        /// Blocking calls on the calling thread.
        Std = "std",
        /// One hop to tokio's blocking pool per call.
        Tokio = "tokio",
    }
);
choice!(
    /// How a session file is replaced.
    Write {
        /// Empty the file, then write.
        Truncate = "truncate",
        /// Overwrite from the start, then cut to the new length.
        InPlace = "in-place",
        /// Write a temporary file and rename it over the old one.
        Rename = "rename",
    }
);
choice!(
    /// What is flushed before a save is acknowledged.
    Sync {
        /// Nothing.
        None = "none",
        /// The file's data (fdatasync).
        File = "file",
        /// The file's data, and the directory after the name is in place.
        FileAndDir = "file-and-dir",
    }
);
choice!(
    /// How far a session is parsed when it is opened.
    Parse {
        /// Not at all: where its messages begin and end is found.
        Lazy = "lazy",
        /// Into types, so that damage inside of a message is noticed.
        Typed = "typed",
        /// Into a tree of values.
        Tree = "tree",
    }
);
choice!(
    /// SQLite's `journal_mode`.
    JournalMode {
        /// Rollback journal, deleted at commit.
        Delete = "delete",
        /// Rollback journal, truncated at commit.
        Truncate = "truncate",
        /// Rollback journal, its header zeroed at commit.
        Persist = "persist",
        /// Rollback journal in memory: a crash of the process can corrupt the file.
        Memory = "memory",
        /// Write-ahead log.
        Wal = "wal",
        /// No journal: no rollback.
        Off = "off",
    }
);
choice!(
    /// SQLite's `synchronous`.
    Synchronous {
        /// Never flush.
        Off = "off",
        /// Flush at the critical moments only.
        Normal = "normal",
        /// Flush at every commit.
        Full = "full",
        /// `full`, and the directory after the journal is unlinked.
        Extra = "extra",
    }
);
choice!(
    /// SQLite's `temp_store`.
    TempStore {
        /// As SQLite was compiled: in files.
        Default = "default",
        /// In files.
        File = "file",
        /// In memory.
        Memory = "memory",
    }
);
choice!(
    /// SQLite's `locking_mode`.
    Locking {
        /// The file is locked for each transaction.
        Normal = "normal",
        /// The file stays locked.
        Exclusive = "exclusive",
    }
);
choice!(
    /// What power loss can do under a set of settings, as measured by `crash`.
    Durability {
        /// No acknowledged save is lost.
        Durable = "durable",
        /// Never corrupt; the latest acknowledged saves may be lost.
        Consistent = "consistent",
        /// Sessions may be lost or corrupted.
        Unsafe = "unsafe",
    }
);

/// Settings of the file store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FilesConfig {
    /// `store.files.api`.
    pub api: Api,
    /// `store.files.write`.
    pub write: Write,
    /// `store.files.sync`.
    pub sync: Sync,
}

/// Settings of the SQLite store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SqliteConfig {
    /// `store.sqlite.journal-mode`.
    pub journal_mode: JournalMode,
    /// `store.sqlite.synchronous`.
    pub synchronous: Synchronous,
    /// `store.sqlite.cache-size`: pages if positive, KiB if negative.
    pub cache_size: i64,
    /// `store.sqlite.page-size`, bytes.
    pub page_size: u32,
    /// `store.sqlite.mmap-size`, bytes.
    pub mmap_size: i64,
    /// `store.sqlite.temp-store`.
    pub temp_store: TempStore,
    /// `store.sqlite.wal-autocheckpoint`, pages; 0 never.
    pub wal_autocheckpoint: u32,
    /// `store.sqlite.busy-timeout`, milliseconds.
    pub busy_timeout: u32,
    /// `store.sqlite.locking`.
    pub locking: Locking,
    /// `store.sqlite.group-commit`: saves in one transaction, at least 1.
    pub group_commit: u32,
    /// `store.sqlite.prepared`.
    pub prepared: bool,
    /// Name of a registered VFS that the file is opened with; for crash experiments, no setting reaches it.
    pub vfs: Option<&'static str>,
}

impl Default for SqliteConfig {
    fn default() -> Self {
        Self {
            journal_mode: JournalMode::Wal,
            synchronous: Synchronous::Full,
            cache_size: -2000,
            page_size: 4096,
            mmap_size: 0,
            temp_store: TempStore::Default,
            wal_autocheckpoint: 1000,
            busy_timeout: 5000,
            locking: Locking::Normal,
            group_commit: 64,
            prepared: true,
            vfs: None,
        }
    }
}

/// All settings of a store. The groups of other kinds are kept, so that one value describes a whole case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `store.kind`.
    pub kind: Kind,
    /// `store.files.*`.
    pub files: FilesConfig,
    /// `store.sqlite.*`.
    pub sqlite: SqliteConfig,
    /// `store.parse`.
    pub parse: Parse,
    /// `store.compress`.
    pub compress: Compress,
    /// `store.dictionary`.
    pub dictionary: Source,
    /// `store.dictionary-size`, bytes.
    pub dictionary_size: usize,
    /// `store.session-max`, bytes of JSON.
    pub session_max: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            kind: Kind::Sqlite,
            files: FilesConfig { api: Api::Std, write: Write::Rename, sync: Sync::FileAndDir },
            sqlite: SqliteConfig::default(),
            parse: Parse::Lazy,
            compress: Compress::None,
            dictionary: Source::None,
            dictionary_size: 110 << 10,
            session_max: 16 << 20,
        }
    }
}

impl Config {
    /// Reads the `store.*` keys of canonical settings; missing keys take their default, keys of others are ignored.
    ///
    /// # Errors
    /// The first key of this crate that is unknown or has a value outside its type or range.
    pub fn from_settings(settings: &BTreeMap<String, String>) -> Result<Self, ConfigError> {
        let given = Checked::new(settings)?;
        let default = Self::default();
        Ok(Self {
            kind: given.get("store.kind", default.kind)?,
            files: FilesConfig {
                api: given.get("store.files.api", default.files.api)?,
                write: given.get("store.files.write", default.files.write)?,
                sync: given.get("store.files.sync", default.files.sync)?,
            },
            sqlite: SqliteConfig::from_checked(&given)?,
            parse: given.get("store.parse", default.parse)?,
            compress: given.get("store.compress", default.compress)?,
            dictionary: given.get("store.dictionary", default.dictionary)?,
            dictionary_size: given.bytes("store.dictionary-size", 1024..=1 << 20, default.dictionary_size)?,
            session_max: given.bytes("store.session-max", 1024..=512 << 20, default.session_max)?,
        })
    }

    /// What power loss can do under these settings on a filesystem that keeps its promises.
    pub fn durability(&self) -> Durability {
        match self.kind {
            Kind::None => Durability::Unsafe,
            Kind::Files => self.files.durability(),
            Kind::Sqlite => self.sqlite.durability(),
        }
    }
}

impl FilesConfig {
    fn durability(self) -> Durability {
        match (self.write, self.sync) {
            (Write::Rename, Sync::FileAndDir) => Durability::Durable,
            (Write::Rename, Sync::File) => Durability::Consistent,
            _ => Durability::Unsafe,
        }
    }
}

impl SqliteConfig {
    /// Reads the `store.sqlite.*` keys of canonical settings, as [`Config::from_settings`].
    ///
    /// # Errors
    /// As [`Config::from_settings`].
    pub fn from_settings(settings: &BTreeMap<String, String>) -> Result<Self, ConfigError> {
        Self::from_checked(&Checked::new(settings)?)
    }

    fn from_checked(given: &Checked<'_>) -> Result<Self, ConfigError> {
        let default = Self::default();
        Ok(Self {
            journal_mode: given.get("store.sqlite.journal-mode", default.journal_mode)?,
            synchronous: given.get("store.sqlite.synchronous", default.synchronous)?,
            cache_size: given.get("store.sqlite.cache-size", default.cache_size)?,
            page_size: given.get("store.sqlite.page-size", default.page_size)?,
            mmap_size: given.get("store.sqlite.mmap-size", default.mmap_size)?,
            temp_store: given.get("store.sqlite.temp-store", default.temp_store)?,
            wal_autocheckpoint: given.get("store.sqlite.wal-autocheckpoint", default.wal_autocheckpoint)?,
            busy_timeout: given.get("store.sqlite.busy-timeout", default.busy_timeout)?,
            locking: given.get("store.sqlite.locking", default.locking)?,
            group_commit: given.get("store.sqlite.group-commit", default.group_commit)?,
            prepared: given.get("store.sqlite.prepared", default.prepared)?,
            vfs: None,
        })
    }

    /// What power loss can do under these settings on a filesystem that keeps its promises.
    pub fn durability(self) -> Durability {
        match (self.journal_mode, self.synchronous) {
            (_, Synchronous::Off) | (JournalMode::Memory | JournalMode::Off, _) => Durability::Unsafe,
            (JournalMode::Wal, Synchronous::Normal) | (JournalMode::Delete, Synchronous::Full) => Durability::Consistent,
            // Rarely, a torn journal passes its checksums and damages the file; `crash` has a test that shows how.
            (_, Synchronous::Normal) => Durability::Unsafe,
            _ => Durability::Durable,
        }
    }

    /// How often a commit that changes one table flushes a file or a directory, checkpoints left out. `crash` counts it for every pair of settings.
    pub fn flushes_per_commit(self) -> u64 {
        use JournalMode::{Delete, Memory, Off, Persist, Truncate, Wal};
        use Synchronous::{Extra, Full, Normal};
        match (self.journal_mode, self.synchronous) {
            (_, Synchronous::Off) | (Wal, Normal) => 0,
            (Wal | Memory | Off, _) => 1,
            (Delete | Truncate, Normal) => 3,
            (Delete, Full) | (Persist, Normal) => 4,
            (Delete, Extra) | (Truncate | Persist, _) => 5,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The classes that were measured by replaying crash points (settings research, 1f, and `crash`).
    #[test]
    fn durability_is_as_measured() {
        let sqlite = |mode: &str, level: &str| {
            let (journal_mode, synchronous) = (mode.parse().unwrap(), level.parse().unwrap());
            let sqlite = SqliteConfig { journal_mode, synchronous, ..Config::default().sqlite };
            Config { kind: Kind::Sqlite, sqlite, ..Config::default() }.durability().word()
        };
        let files = |write: &str, sync: &str| {
            let files = FilesConfig { api: Api::Std, write: write.parse().unwrap(), sync: sync.parse().unwrap() };
            Config { kind: Kind::Files, files, ..Config::default() }.durability().word()
        };
        for (mode, level) in [("delete", "extra"), ("truncate", "full"), ("persist", "full"), ("wal", "full")] {
            assert_eq!(sqlite(mode, level), "durable", "{mode} {level}");
        }
        for (mode, level) in [("delete", "full"), ("wal", "normal")] {
            assert_eq!(sqlite(mode, level), "consistent", "{mode} {level}");
        }
        for (mode, level) in [("wal", "off"), ("delete", "off"), ("memory", "full"), ("off", "extra"), ("delete", "normal")] {
            assert_eq!(sqlite(mode, level), "unsafe", "{mode} {level}");
        }
        assert_eq!(files("rename", "file-and-dir"), "durable");
        assert_eq!(files("rename", "file"), "consistent");
        for (write, sync) in [("rename", "none"), ("truncate", "file-and-dir"), ("in-place", "file-and-dir")] {
            assert_eq!(files(write, sync), "unsafe", "{write} {sync}");
        }
    }
}
