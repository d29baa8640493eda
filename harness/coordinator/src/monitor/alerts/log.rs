//! What is known of every delivery, as JSON lines: noted before it is tried, so that what a crash interrupts is delivered later.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::state::Turn;

/// A log longer than this is moved aside (to its name with `.1`) and begun anew.
const LOG_MAX: u64 = 8 << 20;
/// Longest line read back.
const LINE_MAX: u64 = 16 << 10;
/// Most undelivered alerts that are remembered; the oldest beyond them are left out.
pub(super) const OPEN_MAX: usize = 256;

/// What a hook is told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// The same for every try and every hook of one change, and never again.
    pub id: String,
    /// The rule's name.
    pub alert: String,
    /// What became of it.
    pub state: Turn,
    /// The rule's severity.
    pub severity: String,
    /// The rule's condition, such as `shed-share > 0.05`.
    pub condition: String,
    /// The value that caused the change; `null` where there was none any more.
    pub value: Option<f64>,
    /// When, milliseconds since 1970.
    pub at_unix_ms: u64,
}

/// What happened to a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Did {
    /// It is to be made.
    Pending,
    /// The hook took it.
    Delivered,
    /// One try did not succeed.
    Failed,
    /// All tries failed; it is tried again when the program starts again.
    GaveUp,
    /// It will not be made, for a reason.
    LeftOut,
    /// No delivery: the rule's last change, repeated in a new file.
    State,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) at_unix_ms: u64,
    pub(super) did: Did,
    pub(super) id: String,
    pub(super) hook: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) attempt: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) why: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) alert: Option<Alert>,
}

/// Where the log goes.
pub enum LogTo {
    /// A file, which is read first: what it says is undelivered is delivered.
    File(PathBuf),
    /// A stream, which forgets.
    Writer(Box<dyn Write + Send>),
}

enum Out {
    File { file: File, path: PathBuf, bytes: u64 },
    Writer(Box<dyn Write + Send>),
}

/// The open log.
pub(super) struct Log {
    out: Out,
    /// Undelivered ones by id and hook.
    open: BTreeMap<(String, String), Alert>,
    /// The last change of each rule.
    last: BTreeMap<String, Alert>,
}

/// Milliseconds since 1970: the date of an alert.
pub(super) fn unix_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as u64)
}

impl Log {
    /// Opens the log for this process alone.
    pub(super) fn open(to: LogTo) -> std::io::Result<Log> {
        let path = match to {
            LogTo::Writer(writer) => return Ok(Log { out: Out::Writer(writer), open: BTreeMap::new(), last: BTreeMap::new() }),
            LogTo::File(path) => path,
        };
        let file = OpenOptions::new().read(true).append(true).create(true).open(&path)?;
        if file.try_lock().is_err() {
            return Err(std::io::Error::other("another process writes to it; give each its own"));
        }
        let (open, last) = read_back(&file)?;
        let bytes = file.metadata()?.len();
        let mut log = Log { out: Out::File { file, path, bytes }, open, last };
        log.close_torn_line()?;
        log.rotate_if_long()?;
        Ok(log)
    }

    /// Undelivered alerts by hook, oldest first.
    pub(super) fn undelivered(&self) -> Vec<(String, Alert)> {
        let mut open: Vec<_> = self.open.iter().map(|((_, hook), alert)| (hook.clone(), alert.clone())).collect();
        open.sort_by(|a, b| (a.1.at_unix_ms, &a.1.id).cmp(&(b.1.at_unix_ms, &b.1.id)));
        open
    }

    /// Whether the last that is known of the rule is that it fires.
    pub(super) fn was_firing(&self, rule: &str) -> bool {
        self.last.get(rule).is_some_and(|alert| alert.state == Turn::Firing)
    }

    /// Notes what happened to the delivery of `alert` by `hook`.
    pub(super) fn note(&mut self, did: Did, hook: &str, alert: &Alert, attempt: Option<u32>, why: Option<String>) -> std::io::Result<()> {
        let whole = matches!(did, Did::Pending | Did::State).then(|| alert.clone());
        let entry = Entry { at_unix_ms: unix_ms(), did, id: alert.id.clone(), hook: hook.to_owned(), attempt, why, alert: whole };
        keep(&mut self.open, &mut self.last, &entry);
        self.write(&entry)?;
        self.rotate_if_long()
    }

    fn write(&mut self, entry: &Entry) -> std::io::Result<()> {
        let mut line = serde_json::to_vec(entry)?;
        line.push(b'\n');
        match &mut self.out {
            Out::Writer(writer) => writer.write_all(&line).and_then(|()| writer.flush()),
            Out::File { file, bytes, .. } => {
                *bytes += line.len() as u64;
                file.write_all(&line)?;
                // A promise to deliver must survive the host; that it was kept may be forgotten, which costs a second delivery.
                if entry.did == Did::Pending { file.sync_data() } else { Ok(()) }
            }
        }
    }

    /// Ends a line that a crash has left without its end.
    fn close_torn_line(&mut self) -> std::io::Result<()> {
        use std::os::unix::fs::FileExt;
        let Out::File { file, bytes, .. } = &mut self.out else { return Ok(()) };
        let mut last = [b'\n'];
        if *bytes > 0 {
            file.read_exact_at(&mut last, *bytes - 1)?;
        }
        if last != [b'\n'] {
            *bytes += 1;
            file.write_all(b"\n")?;
        }
        Ok(())
    }

    fn rotate_if_long(&mut self) -> std::io::Result<()> {
        let Out::File { file, path, bytes } = &mut self.out else { return Ok(()) };
        if *bytes <= LOG_MAX {
            return Ok(());
        }
        std::fs::rename(&*path, aside(path))?;
        *file = OpenOptions::new().read(true).append(true).create(true).open(&*path)?;
        *bytes = 0;
        // Nobody else knows the new file yet but by its name, which they are free to try.
        let _ = file.try_lock();
        let at_unix_ms = unix_ms();
        let carried = |did, id: &str, hook: &str, alert: &Alert| Entry {
            at_unix_ms,
            did,
            id: id.to_owned(),
            hook: hook.to_owned(),
            attempt: None,
            why: None,
            alert: Some(alert.clone()),
        };
        let states = self.last.values().map(|alert| carried(Did::State, &alert.id, "", alert));
        let open = self.open.iter().map(|((id, hook), alert)| carried(Did::Pending, id, hook, alert));
        let entries: Vec<Entry> = states.chain(open).collect();
        entries.iter().try_for_each(|entry| self.write(entry))
    }
}

fn aside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".1");
    PathBuf::from(name)
}

type Open = BTreeMap<(String, String), Alert>;
type Last = BTreeMap<String, Alert>;

fn keep(open: &mut Open, last: &mut Last, entry: &Entry) {
    let key = (entry.id.clone(), entry.hook.clone());
    match (entry.did, &entry.alert) {
        (Did::Pending, Some(alert)) => {
            last.insert(alert.alert.clone(), alert.clone());
            open.insert(key, alert.clone());
            if open.len() > OPEN_MAX {
                let oldest = open.iter().min_by_key(|(_, alert)| alert.at_unix_ms).map(|(key, _)| key.clone());
                oldest.map(|key| open.remove(&key));
            }
        }
        (Did::State, Some(alert)) => {
            last.insert(alert.alert.clone(), alert.clone());
        }
        (Did::Delivered | Did::LeftOut, _) => {
            open.remove(&key);
        }
        _ => {}
    }
}

/// Reads what an earlier process has left. Lines that are torn or not ours are skipped.
fn read_back(file: &File) -> std::io::Result<(Open, Last)> {
    let (mut open, mut last) = (Open::new(), Last::new());
    let mut reader = BufReader::new(file);
    let mut line = Vec::new();
    loop {
        line.clear();
        // A longer line is read as several, none of which is an entry.
        if reader.by_ref().take(LINE_MAX).read_until(b'\n', &mut line)? == 0 {
            return Ok((open, last));
        }
        if let Ok(entry) = serde_json::from_slice::<Entry>(&line) {
            keep(&mut open, &mut last, &entry);
        }
    }
}

#[cfg(test)]
mod tests;
