//! The settings this crate owns, and the checks a value passes before anything reads it.
//!
//! A row's type text is the single statement of what a value may be: values are checked against it here, so the
//! catalogue that others print and the parser cannot disagree. Units are canonical already (bytes as an integer).

use std::collections::BTreeMap;

/// One setting: key, type, default value, doc. Types are `bytes`, `integer MIN..=MAX`, `bool`, `choice a|b|c`, `text`.
pub type SettingRow = (&'static str, &'static str, &'static str, &'static str);

/// Every setting of the store and of compression, in the order in which they are documented.
pub const SETTINGS: &[SettingRow] = &[
    (
        "store.kind",
        "choice none|files|sqlite",
        "sqlite",
        "where sessions are kept: one SQLite file, or a JSON file each; `none` keeps nothing and is the floor to compare with",
    ),
    ("store.files.api", "choice std|tokio", "std", "`std` blocks the calling thread, `tokio` hands each call to tokio's blocking pool"),
    (
        "store.files.write",
        "choice truncate|in-place|rename",
        "rename",
        "`truncate` empties the file and writes it, `in-place` overwrites and then cuts it, `rename` writes a temporary file and renames it over the old one; only `rename` never leaves half a session",
    ),
    (
        "store.files.sync",
        "choice none|file|file-and-dir",
        "file-and-dir",
        "what is flushed before a save is acknowledged: nothing, the file's data, or that and its directory entry; only the last survives power loss",
    ),
    (
        "store.sqlite.journal-mode",
        "choice delete|truncate|persist|memory|wal|off",
        "wal",
        "SQLite's journal_mode; `wal` persists in the file, `memory` and `off` can corrupt it",
    ),
    (
        "store.sqlite.synchronous",
        "choice off|normal|full|extra",
        "full",
        "SQLite's synchronous; `wal` with `normal` and `delete` with `full` are consistent but may lose acknowledged saves on power loss",
    ),
    (
        "store.sqlite.cache-size",
        "integer -1048576..=1048576",
        "-2000",
        "SQLite's cache_size as SQLite takes it: a positive number counts pages (10000 is 40 MB of 4 KiB pages), a negative one KiB; per connection",
    ),
    (
        "store.sqlite.page-size",
        "choice 512|1024|2048|4096|8192|16384|32768|65536",
        "4096",
        "SQLite's page_size in bytes, fixed when the file is made; an existing file of another page size is refused",
    ),
    (
        "store.sqlite.mmap-size",
        "integer 0..=2147418112",
        "0",
        "SQLite's mmap_size: bytes of the file that are read through a memory map instead of read calls; 0 maps nothing",
    ),
    (
        "store.sqlite.temp-store",
        "choice default|file|memory",
        "default",
        "SQLite's temp_store: where temporary tables and indices are kept",
    ),
    (
        "store.sqlite.wal-autocheckpoint",
        "integer 0..=1000000",
        "1000",
        "SQLite's wal_autocheckpoint: pages in the log from which a commit folds it back into the file; 0 never does, and the log grows until the store is closed",
    ),
    (
        "store.sqlite.busy-timeout",
        "integer 0..=600000",
        "5000",
        "SQLite's busy_timeout: milliseconds to wait for another process that holds the file",
    ),
    (
        "store.sqlite.locking",
        "choice normal|exclusive",
        "normal",
        "SQLite's locking_mode; `exclusive` keeps the file to this process and needs no shared memory for `wal`",
    ),
    (
        "store.sqlite.group-commit",
        "integer 1..=1000",
        "64",
        "most saves that share one transaction, and so one flush; only saves that wait already are taken together, none is held back for others, and each is acknowledged after the flush; 1 gives each its own transaction",
    ),
    ("store.sqlite.prepared", "bool", "true", "keep compiled statements for the next use instead of compiling the SQL text each time"),
    (
        "store.parse",
        "choice lazy|typed|tree",
        "lazy",
        "how far a session is parsed when a request opens it: `lazy` finds where its messages begin and end, `typed` parses them, so that a damaged one is noticed, `tree` parses them into values, as a program without types does",
    ),
    (
        "store.compress",
        "choice none|zstd|zstd-small",
        "none",
        "how sessions are kept: as JSON, or in a zstd frame each; `zstd-small` searches longer and with a dictionary of 256 KiB still takes less CPU time than gzip at level 6, `zstd` is several times faster; what was kept either way is read under all",
    ),
    (
        "store.dictionary",
        "choice none|trained",
        "none",
        "`trained` makes a dictionary of what sessions have in common when a store of at least 64 sessions is opened that has none; it is a file beside the sessions, which cannot be read without it",
    ),
    ("store.dictionary-size", "bytes", "112640", "size of a dictionary that is trained, 1 KiB to 1 MiB, at most"),
    (
        "store.session-max",
        "bytes",
        "16777216",
        "largest session as JSON, 1 KiB to 512 MiB; a larger save is refused, a larger file or row counts as corrupt",
    ),
    (
        "compress.offer",
        "text",
        "zstd, gzip",
        "codecs the server offers, the preferred first, of identity, gzip and zstd; `none` offers no compression",
    ),
    (
        "compress.gzip-level",
        "integer 0..=9",
        "6",
        "gzip level; 0 stores, 1 is zlib-rs' quick mode whose ratio is well below other zlibs' level 1",
    ),
    ("compress.zstd-level", "integer -7..=19", "3", "zstd level; 0 means zstd's own default of 3"),
    ("compress.min-size", "bytes", "1024", "smaller bodies are sent as they are where the client accepts that"),
    ("compress.decompressed-max", "bytes", "67108864", "largest decompressed body, 1 KiB to 1 GiB; what would be larger is refused"),
];

/// A setting whose value cannot be used. The caller knows file and line of the key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("setting {key}: {why}")]
pub struct ConfigError {
    /// The key as it was given.
    pub key: String,
    /// What is wrong and what was expected.
    pub why: String,
}

impl ConfigError {
    pub(crate) fn new(key: &str, why: impl Into<String>) -> Self {
        Self { key: key.to_owned(), why: why.into() }
    }
}

/// Settings whose values all passed the check of their row.
pub(crate) struct Checked<'a>(&'a BTreeMap<String, String>);

impl<'a> Checked<'a> {
    /// Checks every key of ours in `settings`; keys that do not begin with `store.` or `compress.` are ignored.
    ///
    /// # Errors
    /// The first key (in order) that is unknown or whose value is outside its type.
    pub(crate) fn new(settings: &'a BTreeMap<String, String>) -> Result<Self, ConfigError> {
        for (key, value) in settings {
            if !key.starts_with("store.") && !key.starts_with("compress.") {
                continue;
            }
            let Some(row) = SETTINGS.iter().find(|row| row.0 == key) else {
                return Err(ConfigError::new(key, "no such setting; the store's catalogue lists those that exist"));
            };
            check(row.1, value).map_err(|why| ConfigError::new(key, why))?;
        }
        Ok(Self(settings))
    }

    /// The text given for `key`, or `None` where the default holds.
    pub(crate) fn text(&self, key: &str) -> Option<&'a str> {
        self.0.get(key).map(String::as_str)
    }

    /// The value given for `key` in its own type, else `default`.
    pub(crate) fn get<T: std::str::FromStr>(&self, key: &str, default: T) -> Result<T, ConfigError>
    where
        T::Err: std::fmt::Display,
    {
        self.text(key).map_or(Ok(default), |text| text.parse().map_err(|why: T::Err| ConfigError::new(key, format!("`{text}`: {why}"))))
    }

    /// A size in bytes within `range`, else `default`.
    pub(crate) fn bytes(&self, key: &str, range: std::ops::RangeInclusive<usize>, default: usize) -> Result<usize, ConfigError> {
        let value = self.get(key, default)?;
        if range.contains(&value) {
            return Ok(value);
        }
        Err(ConfigError::new(key, format!("{value} bytes is outside {}..={} bytes", range.start(), range.end())))
    }
}

/// Checks `value` against a row's type text.
fn check(kind: &str, value: &str) -> Result<(), String> {
    let refused = || format!("`{value}` is not what is expected here ({kind})");
    let (name, rest) = kind.split_once(' ').unwrap_or((kind, ""));
    let fits = match name {
        "bool" => matches!(value, "true" | "false"),
        "bytes" => value.bytes().all(|b| b.is_ascii_digit()) && value.parse::<u64>().is_ok(),
        "choice" => rest.split('|').any(|word| word == value),
        "integer" => range(rest).zip(value.parse::<i64>().ok()).is_some_and(|((low, high), number)| (low..=high).contains(&number)),
        _ => true,
    };
    if fits { Ok(()) } else { Err(refused()) }
}

fn range(text: &str) -> Option<(i64, i64)> {
    let (low, high) = text.split_once("..=")?;
    Some((low.parse().ok()?, high.parse().ok()?))
}

/// A choice of a setting as a plain enum with one table of its words.
macro_rules! choice {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[$doc])* $variant,)+ }

        impl $name {
            /// The word that settings and reports use.
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, String> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(format!("expected one of {}", [$($word),+].join(", "))),
                }
            }
        }
    };
}
pub(crate) use choice;

#[cfg(test)]
mod tests;
