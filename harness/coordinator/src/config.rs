//! One configuration for a server and for a measured case.

use std::collections::BTreeMap;

use pool::WorkerCommand;

use crate::monitor::Bounds;

/// Key, type, default, doc: as the pool and the store declare theirs.
pub(crate) type SettingRow = pool::SettingRow;

const KEEP: usize = 8;
const IN_FLIGHT: usize = 4096;
const SESSION_QUEUE: usize = 64;
const WINDOW_NS: u64 = 10_000_000_000;
/// A window that is shorter says nothing, one that is longer nothing of now.
const WINDOW_RANGE_NS: std::ops::RangeInclusive<u64> = 100_000_000..=3_600_000_000_000;

/// The settings that the request path itself owns.
pub const SETTINGS: &[SettingRow] = &[
    ("session.keep", "integer 1..=1000", "8", "messages kept per session; the oldest beyond it is dropped at each turn"),
    ("session.queue-len", "integer 1..=100000", "64", "requests of one session that may wait for each other; one more is shed"),
    ("coordinator.in-flight", "integer 1..=1000000", "4096", "requests admitted at once; one more is shed"),
    (WORKER_COMMAND, "text", "self", "program and arguments of `process` workers, split at spaces; `self` is this program's own worker"),
    ("monitor.window", "duration", "10s", "time over which the monitor takes rates and shares"),
    ("monitor.degraded-queue", "integer 1..=100", "80", "percent of a queue's bound in use above which the pool counts as degraded"),
    ("monitor.degraded-shed", "integer 0..=100", "1", "percent of a window's requests shed above which the pool counts as degraded"),
    (
        "monitor.degraded-failed",
        "integer 0..=100",
        "1",
        "percent of a window's requests failed or lost above which the pool counts as degraded",
    ),
];

/// The setting of the command that `process` workers run.
pub const WORKER_COMMAND: &str = "worker.command";

/// Every setting of the path and of what it is made of, as their owners declare them.
pub fn settings() -> impl Iterator<Item = &'static SettingRow> {
    [pool::SETTINGS, store::SETTINGS, SETTINGS].into_iter().flatten()
}

/// A setting that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("setting '{key}': {why}")]
pub struct ConfigError {
    /// The key at fault.
    pub key: String,
    /// What is wrong, what was expected.
    pub why: String,
}

/// Settings of pool, store, compression and request path.
#[derive(Clone, Debug)]
pub struct Config {
    /// The pool's.
    pub pool: pool::Config,
    /// The session store's.
    pub store: store::Config,
    /// The codecs'.
    pub compress: store::compress::Config,
    /// Messages kept per session.
    pub keep: usize,
    /// Requests admitted at once.
    pub in_flight: usize,
    /// Requests of one session, the one being served included.
    pub session_queue: usize,
    /// Program and arguments of `process` workers; `None` for this program's own worker.
    pub worker_command: Option<WorkerCommand>,
    /// When the monitor calls the pool degraded.
    pub monitor: Bounds,
}

impl Config {
    /// Reads canonical settings (durations in ns, sizes in bytes); what is missing has its default.
    ///
    /// # Errors
    /// The first key with a value out of range or at odds with others.
    pub fn from_settings(settings: &BTreeMap<String, String>) -> Result<Self, ConfigError> {
        Ok(Self {
            pool: pool::Config::from_settings(settings).map_err(|e| ConfigError { key: e.key, why: e.why })?,
            store: store::Config::from_settings(settings).map_err(|e| ConfigError { key: e.key, why: e.why })?,
            compress: store::compress::Config::from_settings(settings).map_err(|e| ConfigError { key: e.key, why: e.why })?,
            keep: count(settings, "session.keep", KEEP)?,
            in_flight: count(settings, "coordinator.in-flight", IN_FLIGHT)?,
            session_queue: count(settings, "session.queue-len", SESSION_QUEUE)?,
            worker_command: worker_command(settings)?,
            monitor: bounds(settings)?,
        })
    }
}

fn bounds(settings: &BTreeMap<String, String>) -> Result<Bounds, ConfigError> {
    let (key, text) = ("monitor.window", settings.get("monitor.window"));
    let window_ns = text.map_or(Some(WINDOW_NS), |text| text.parse().ok()).filter(|ns| WINDOW_RANGE_NS.contains(ns));
    let window_ns = window_ns.ok_or_else(|| ConfigError { key: key.to_owned(), why: "must be from 100ms to 1h".to_owned() })?;
    Ok(Bounds {
        window_ns,
        queue: share(settings, "monitor.degraded-queue", 80)?,
        shed: share(settings, "monitor.degraded-shed", 1)?,
        failed: share(settings, "monitor.degraded-failed", 1)?,
    })
}

fn share(settings: &BTreeMap<String, String>, key: &str, default: u8) -> Result<f64, ConfigError> {
    let percent = settings.get(key).map_or(Some(default), |text| text.parse().ok()).filter(|percent| *percent <= 100);
    percent.map(|percent| f64::from(percent) / 100.0).ok_or_else(|| ConfigError {
        key: key.to_owned(),
        why: format!("'{}' is no percentage (expected 0 to 100)", settings.get(key).map_or("", String::as_str)),
    })
}

fn count(settings: &BTreeMap<String, String>, key: &str, default: usize) -> Result<usize, ConfigError> {
    let Some(text) = settings.get(key) else { return Ok(default) };
    match text.parse::<usize>() {
        Ok(n) if n > 0 => Ok(n),
        _ => Err(ConfigError { key: key.to_owned(), why: format!("'{text}' is not a count (expected a whole number above zero)") }),
    }
}

fn worker_command(settings: &BTreeMap<String, String>) -> Result<Option<WorkerCommand>, ConfigError> {
    let Some(text) = settings.get(WORKER_COMMAND).filter(|text| *text != "self") else { return Ok(None) };
    let mut words = text.split_whitespace();
    let program = words.next().ok_or_else(|| ConfigError {
        key: WORKER_COMMAND.to_owned(),
        why: "the command is empty (expected a program and its arguments, or 'self')".to_owned(),
    })?;
    Ok(Some(WorkerCommand { program: program.into(), args: words.map(Into::into).collect() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_says_the_real_defaults() {
        let tool = BTreeMap::from([("pool.tools.echo.tier".to_owned(), "hot".to_owned())]);
        let config = Config::from_settings(&tool).unwrap();
        let row = |key: &str| SETTINGS.iter().find(|r| r.0 == key).unwrap().2.parse::<usize>().unwrap();
        assert_eq!(
            (config.keep, config.in_flight, config.session_queue),
            (row("session.keep"), row("coordinator.in-flight"), row("session.queue-len"))
        );
    }

    #[test]
    fn a_worker_command_is_split_into_words() {
        let read = |command: &str| worker_command(&BTreeMap::from([(WORKER_COMMAND.to_owned(), command.to_owned())]));
        let command = read("python3  my_worker.py").unwrap().unwrap();
        assert_eq!((command.program.to_str(), command.args.len()), (Some("python3"), 1));
        assert!(read("self").unwrap().is_none() && worker_command(&BTreeMap::new()).unwrap().is_none());
        assert_eq!(read(" ").unwrap_err().key, WORKER_COMMAND);
    }

    #[test]
    fn a_wrong_value_names_its_key() {
        let settings = BTreeMap::from([("pool.tools.echo.tier".to_owned(), "hot".to_owned()), ("session.keep".to_owned(), "0".to_owned())]);
        assert_eq!(Config::from_settings(&settings).unwrap_err().key, "session.keep");
    }
}
