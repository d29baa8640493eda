//! What a crash costs under each pair of store settings: `durability.json`.
//!
//! Counts are evidence; the class of a row follows from them and is not stored.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Version of the file.
pub const SCHEMA: u32 = 1;
/// Largest file that is read, bytes.
pub const BYTES_MAX: usize = 4 << 20;
/// Most rows of a file.
pub const ROWS_MAX: usize = 1000;

/// What a crash may cost, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// No acknowledged write is lost.
    Durable,
    /// What is there is whole, but acknowledged writes may be lost.
    Consistent,
    /// What is there may be damaged.
    Unsafe,
}

impl Class {
    /// The word that reports use.
    pub fn word(self) -> &'static str {
        match self {
            Self::Durable => "durable",
            Self::Consistent => "consistent",
            Self::Unsafe => "unsafe",
        }
    }
}

/// An experiment over several pairs of settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Durability {
    /// [`SCHEMA`].
    pub schema: u32,
    /// UTC time of the begin.
    pub started: String,
    /// Version and commit of the program.
    pub build: String,
    /// SQLite.
    pub sqlite: String,
    /// Kernel name and release.
    pub kernel: String,
    /// Type of the filesystem on which writers were killed.
    pub filesystem: String,
    /// Seed of everything random.
    pub seed: u64,
    /// A row per pair of settings.
    pub rows: Vec<Row>,
}

/// One pair of settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// Its id, such as `durability/files?write=rename&sync=none`.
    pub id: String,
    /// The two settings by key.
    pub settings: BTreeMap<String, String>,
    /// Flushes of files and directories per write.
    pub flushes_per_write: f64,
    /// Kills of the writing process.
    pub kill: Costs,
    /// Acknowledged writes, over all kills.
    pub acknowledged: u64,
    /// Power loss, after what POSIX promises.
    pub power: Costs,
    /// Power loss, after what ext4 promises with its default options.
    pub power_ext4: Costs,
    /// Crash points of the recording that were looked at, and those of them whose every state was, under POSIX.
    pub points: [u64; 2],
}

/// What crashes of one sort cost, counted over them. A crash counts once in each field that it shows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Costs {
    /// Crashes looked at.
    pub crashes: u64,
    /// After which an acknowledged write was gone.
    pub losing: u64,
    /// Most acknowledged writes gone after one.
    pub lost_max: u64,
    /// Acknowledged writes gone per crash, on average.
    pub lost_mean: f64,
    /// After which a session's file was empty.
    pub empty: u64,
    /// After which a session was as it never was.
    pub torn: u64,
    /// After which the database failed its integrity check, or held what was never there together.
    pub damaged: u64,
    /// After which the store did not open.
    pub refused: u64,
    /// The first damage, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<String>,
}

impl Costs {
    /// The class that these counts permit.
    pub fn class(&self) -> Class {
        if self.empty + self.torn + self.damaged + self.refused > 0 {
            Class::Unsafe
        } else if self.losing > 0 {
            Class::Consistent
        } else {
            Class::Durable
        }
    }

    fn check(&self, what: &str) -> Result<(), String> {
        let parts = [self.losing, self.empty, self.torn, self.damaged, self.refused];
        if self.crashes == 0 || parts.into_iter().any(|part| part > self.crashes) {
            return Err(format!(
                "{what}: {} crashes do not hold their parts (expected at least one, and each part at most all)",
                self.crashes
            ));
        }
        let losses = if self.losing == 0 { self.lost_max == 0 && self.lost_mean == 0.0 } else { self.lost_max > 0 && self.lost_mean > 0.0 };
        if !self.lost_mean.is_finite() || self.lost_mean > self.lost_max as f64 || !losses {
            return Err(format!(
                "{what}: losses contradict each other (expected a mean between 0 and the maximum, both 0 where none loses)"
            ));
        }
        Ok(())
    }
}

impl Row {
    /// The worst class of all its crashes.
    pub fn class(&self) -> Class {
        // ext4 permits less than POSIX, but a sample of it may show what a sample of POSIX has missed.
        self.kill.class().max(self.power.class()).max(self.power_ext4.class())
    }

    /// Its settings as one text: `store.files.sync=none store.files.write=rename`.
    pub fn protocol(&self) -> String {
        self.settings.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(" ")
    }
}

impl Durability {
    /// Reads the file.
    ///
    /// # Errors
    /// What is wrong with it, as a clause: its size, another schema, unknown keys, counts that contradict each other, rows that are there twice.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Version {
            schema: u32,
        }
        if bytes.len() > BYTES_MAX {
            return Err(format!("it has {} bytes (expected at most {BYTES_MAX})", bytes.len()));
        }
        let Version { schema } = serde_json::from_slice(bytes).map_err(|why| why.to_string())?;
        if schema != SCHEMA {
            return Err(format!("it has schema {schema} (expected schema {SCHEMA}, which this build reads)"));
        }
        let read: Self = serde_json::from_slice(bytes).map_err(|why| why.to_string())?;
        if read.rows.is_empty() || read.rows.len() > ROWS_MAX {
            return Err(format!("it has {} rows (expected 1 to {ROWS_MAX})", read.rows.len()));
        }
        for (index, row) in read.rows.iter().enumerate() {
            let said = |why: String| format!("row {} ({}): {why}", index + 1, row.id);
            if row.settings.is_empty() || !row.flushes_per_write.is_finite() || row.flushes_per_write < 0.0 {
                return Err(said("no settings, or flushes that are no count".to_owned()));
            }
            for (costs, what) in [(&row.kill, "kill"), (&row.power, "power"), (&row.power_ext4, "power_ext4")] {
                costs.check(what).map_err(said)?;
            }
            if read.rows.iter().take(index).any(|other| other.settings == row.settings || other.id == row.id) {
                return Err(said("its settings were there before (expected each pair once)".to_owned()));
            }
        }
        Ok(read)
    }

    /// The file's text.
    ///
    /// # Errors
    /// Where a figure is no number.
    pub fn text(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
    }

    /// The row for a case, from what the store said of itself at run time: its own settings, or a `protocol` that names those it keeps to.
    pub fn row_of(&self, seen: &BTreeMap<String, String>) -> Option<&Row> {
        let settings = settings_of(seen)?;
        self.rows.iter().find(|row| row.settings == settings)
    }
}

/// The settings that decide what a crash costs, in a store's words about itself; `None` where it keeps nothing or says nothing.
pub fn settings_of(seen: &BTreeMap<String, String>) -> Option<BTreeMap<String, String>> {
    if let Some(protocol) = seen.get("protocol") {
        let pairs: Option<Vec<(&str, &str)>> = protocol.split_whitespace().map(|pair| pair.split_once('=')).collect();
        return pairs.filter(|p| !p.is_empty()).map(|p| p.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect());
    }
    let said = |key: &str| seen.get(key).map(String::as_str);
    let pairs = match said("kind")? {
        "files" => [("store.files.write", said("files.write")?), ("store.files.sync", said("files.sync")?)],
        "sqlite" => {
            // SQLite says its level as a number.
            let level = match said("sqlite.synchronous")? {
                "0" => "off",
                "1" => "normal",
                "2" => "full",
                "3" => "extra",
                other => other,
            };
            [("store.sqlite.journal-mode", said("sqlite.journal_mode")?), ("store.sqlite.synchronous", level)]
        }
        _ => return None,
    };
    Some(pairs.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect())
}

#[cfg(test)]
mod tests;
