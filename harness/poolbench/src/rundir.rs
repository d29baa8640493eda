//! The run directory on disk: made once, never overwritten, every trial flushed.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::Result;
use model::durability::{BYTES_MAX, Durability};
use model::facts::Facts;
use model::plan::SCHEMA;
use model::rundir::{DURABILITY, FACTS, PLAN, PROFILES, RECORDS, file_stem};
use model::{Plan, Record};
use serde_json::to_vec_pretty;

use crate::exit::{Complaint, shell_word};

/// Longest line of records that is read, bytes.
const LINE_MAX: u64 = 256 << 20;

/// A directory being written.
pub(crate) struct RunDir {
    path: PathBuf,
    records: File,
}

/// A directory as read.
pub(crate) struct Kept {
    pub(crate) plan: Plan,
    pub(crate) facts: Facts,
    pub(crate) records: Vec<Record>,
    /// Bytes of whole records; a torn last line lies behind.
    pub(crate) whole_bytes: u64,
}

fn cannot(what: &str, path: &Path, why: impl std::fmt::Display) -> anyhow::Error {
    Complaint::system(
        format!("cannot {what} '{}': {why}", path.display()),
        "choose another directory with --out, or free space and check its permissions",
    )
}

/// Makes the directory `path`, which must be new or empty, for `what`; `help` is the remedy where it is neither.
pub(crate) fn fresh(path: &Path, what: &str, help: &str) -> Result<()> {
    std::fs::create_dir_all(path).map_err(|e| cannot("make the directory", path, e))?;
    let mut entries = std::fs::read_dir(path).map_err(|e| cannot("read the directory", path, e))?;
    if entries.next().is_some() {
        let line = format!("'{}' is not empty (expected a new or empty directory; {what} is never overwritten)", path.display());
        return Err(Complaint::usage(line, help));
    }
    Ok(())
}

impl RunDir {
    /// Makes `path`, which must be new or empty.
    pub(crate) fn create(path: &Path) -> Result<RunDir> {
        let resumed = format!("choose another --out, or resume it with `poolbench run --continue {}`", shell_word(path));
        fresh(path, "a run", &resumed)?;
        let file = path.join(RECORDS);
        Self::lock(path, OpenOptions::new().create(true).append(true).open(&file).map_err(|e| cannot("write", &file, e))?)
    }

    /// Opens `path`, which a run has begun, to add records.
    pub(crate) fn reopen(path: &Path) -> Result<RunDir> {
        let file = path.join(RECORDS);
        let missing = |e: &std::io::Error| matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory);
        match OpenOptions::new().append(true).open(&file) {
            Ok(records) => Self::lock(path, records),
            Err(e) if missing(&e) => Err(not_a_run(path, &format!("{RECORDS}: {e}"))),
            Err(e) => Err(cannot("write", &file, e)),
        }
    }

    /// Removes what lies behind the whole records.
    pub(crate) fn cut(&self, whole_bytes: u64) -> Result<()> {
        self.records.set_len(whole_bytes).map_err(|e| cannot("cut the torn last record of", &self.path.join(RECORDS), e))
    }

    /// Two programs that add to one run would spoil it. Where the filesystem knows no locks, nobody is kept out.
    fn lock(path: &Path, records: File) -> Result<RunDir> {
        if let Err(TryLockError::WouldBlock) = records.try_lock() {
            return Err(Complaint::usage(
                format!("another poolbench is writing to '{}'", path.display()),
                "wait until it has ended, or give another directory",
            ));
        }
        Ok(RunDir { path: path.to_owned(), records })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes plan and facts.
    pub(crate) fn begin(&self, plan: &Plan, facts: &Facts) -> Result<()> {
        self.put(PLAN, &to_vec_pretty(plan)?)?;
        self.put(FACTS, &to_vec_pretty(facts)?)
    }

    /// Adds a record and flushes it; a profile's stacks go into a file of their own first.
    pub(crate) fn add(&mut self, record: &mut Record, folded: Option<&str>) -> Result<()> {
        if let (Some(profile), Some(folded)) = (&mut record.profile, folded) {
            profile.folded = format!("{PROFILES}/{}.folded", file_stem(&record.case));
            self.put(&profile.folded, folded.as_bytes())?;
        }
        let mut line = serde_json::to_vec(record)?;
        line.push(b'\n');
        let file = self.path.join(RECORDS);
        self.records.write_all(&line).and_then(|()| self.records.sync_data()).map_err(|e| {
            Complaint::system(
                format!("cannot write a record to '{}': {e}", file.display()),
                format!("the records before it are kept: free space, then `poolbench run --continue {}`", shell_word(&self.path)),
            )
        })
    }

    /// Adds the text of a record; [`RunDir::flush`] makes it last.
    pub(crate) fn add_line(&mut self, line: &str) -> Result<()> {
        self.records.write_all(line.as_bytes()).and_then(|()| self.records.write_all(b"\n")).map_err(|e| self.cannot_add(e))
    }

    /// Flushes what was added as text.
    pub(crate) fn flush(&self) -> Result<()> {
        self.records.sync_data().map_err(|e| self.cannot_add(e))
    }

    #[expect(clippy::needless_pass_by_value, reason = "so that it fits map_err")]
    fn cannot_add(&self, why: std::io::Error) -> anyhow::Error {
        Complaint::system(
            format!("cannot write a record to '{}': {why}", self.path.join(RECORDS).display()),
            format!("nothing else was touched: free space, remove {}, then merge again", shell_word(&self.path)),
        )
    }

    /// Writes one file below the directory.
    pub(crate) fn put(&self, name: &str, bytes: &[u8]) -> Result<()> {
        put(&self.path, name, bytes)
    }

    /// An empty directory for the files of one trial's store.
    pub(crate) fn work(&self) -> Result<PathBuf> {
        let work = self.path.join("work");
        self.clear_work();
        std::fs::create_dir_all(&work).map_err(|e| cannot("make the directory", &work, e))?;
        Ok(work)
    }

    /// Removes what a trial's store has left.
    pub(crate) fn clear_work(&self) {
        // What cannot be removed now is in nobody's way but the user's, who sees it.
        let _ = std::fs::remove_dir_all(self.path.join("work"));
    }
}

/// Writes `name` below `dir`, making its folder.
pub(crate) fn put(dir: &Path, name: &str, bytes: &[u8]) -> Result<()> {
    let path = dir.join(name);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|e| cannot("make the directory", folder, e))?;
    }
    std::fs::write(&path, bytes).map_err(|e| cannot("write", &path, e))
}

/// Reads plan, facts and all whole records.
pub(crate) fn read(dir: &Path) -> Result<Kept> {
    let file = dir.join(RECORDS);
    let records = File::open(&file).map_err(|e| not_a_run(dir, &format!("{RECORDS}: {e}")))?;
    let mut kept = Kept { plan: read_json(dir, PLAN)?, facts: read_json(dir, FACTS)?, records: Vec::new(), whole_bytes: 0 };
    let mut reader = BufReader::new(records);
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let bounded = &mut reader.by_ref().take(LINE_MAX);
        let read = bounded.read_until(b'\n', &mut line).map_err(|e| not_a_run(dir, &format!("{RECORDS}: {e}")))? as u64;
        if read == LINE_MAX {
            return Err(not_a_run(dir, &format!("{RECORDS}:{number}: the line is longer than {LINE_MAX} bytes")));
        }
        // A line without its end was being written when the run was cut off.
        if line.last() != Some(&b'\n') {
            break;
        }
        let record = versioned(&line).map_err(|e| not_a_run(dir, &format!("{RECORDS}:{number}: {e}")))?;
        kept.records.push(record);
        kept.whole_bytes += read;
    }
    Ok(kept)
}

/// The records' own text, without what lies behind `whole_bytes`.
pub(crate) fn lines(dir: &Path, whole_bytes: u64) -> Result<Vec<String>> {
    let unreadable = |e: std::io::Error| not_a_run(dir, &format!("{RECORDS}: {e}"));
    let file = File::open(dir.join(RECORDS)).map_err(unreadable)?;
    BufReader::new(file.take(whole_bytes)).lines().collect::<std::io::Result<_>>().map_err(unreadable)
}

fn read_json<T: serde::de::DeserializeOwned>(dir: &Path, name: &str) -> Result<T> {
    let text = std::fs::read(dir.join(name)).map_err(|e| not_a_run(dir, &format!("{name}: {e}")))?;
    versioned(&text).map_err(|e| not_a_run(dir, &format!("{name}: {e}")))
}

/// The schema is looked at first: what another one holds would only look damaged.
fn versioned<T: serde::de::DeserializeOwned>(text: &[u8]) -> Result<T, String> {
    #[derive(serde::Deserialize)]
    struct Version {
        schema: u32,
    }
    let Version { schema } = serde_json::from_slice(text).map_err(|e| e.to_string())?;
    if schema != SCHEMA {
        return Err(format!("it has schema {schema} (expected schema {SCHEMA}, which this build reads)"));
    }
    serde_json::from_slice(text).map_err(|e| e.to_string())
}

fn not_a_run(dir: &Path, why: &str) -> anyhow::Error {
    Complaint::usage(format!("'{}' is not a run that can be read: {why}", dir.display()), "give the directory that `poolbench run` printed")
}

/// What a crash costs, if that was added to the run.
pub(crate) fn durability(dir: &Path) -> Result<Option<Durability>> {
    let file = match File::open(dir.join(DURABILITY)) {
        Ok(file) => file,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(not_a_run(dir, &format!("{DURABILITY}: {e}"))),
    };
    let mut text = Vec::new();
    // One byte more than is allowed tells a file that is too long.
    file.take(BYTES_MAX as u64 + 1).read_to_end(&mut text).map_err(|e| not_a_run(dir, &format!("{DURABILITY}: {e}")))?;
    Durability::parse(&text).map(Some).map_err(|e| not_a_run(dir, &format!("{DURABILITY}: {e}")))
}

/// The folded stacks that the records name.
pub(crate) fn folded(dir: &Path, records: &[Record]) -> Result<BTreeMap<String, String>> {
    let names = records.iter().filter_map(|r| r.profile.as_ref()).map(|p| p.folded.clone()).filter(|name| !name.is_empty());
    // A name from a record may not lead out of the directory.
    let inside = |name: &String| !name.starts_with('/') && name.split('/').all(|part| part != "..");
    names
        .filter(inside)
        .map(|name| {
            let text = std::fs::read_to_string(dir.join(&name)).map_err(|e| not_a_run(dir, &format!("{name}: {e}")))?;
            Ok((name, text))
        })
        .collect()
}
