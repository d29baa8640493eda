//! The recording: the real store, over a disk or a VFS that notes what it does.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use store::Store;
use store::config::Kind;
use tokio::runtime::Runtime;

use crate::choose::Fixed;
use crate::disk::RecordingDisk;
use crate::error::CrashError;
use crate::log::Log;
use crate::recorder::Recorder;
use crate::subject::Subject;
use crate::survive::{Filesystem, Image, survivors};
use crate::vfs::{self, Watch};
use crate::writer::Writer;

/// Pages of a write-ahead log that make a checkpoint: SQLite's own 1000 would need a long recording to have several.
const CHECKPOINT_PAGES: u32 = 30;

/// What one subject did to its directory while it wrote.
#[derive(Clone, Debug)]
pub struct Recording {
    /// The subject.
    pub subject: Subject,
    /// Seed of what was written.
    pub seed: u64,
    /// The operations.
    pub log: Log,
}

/// Opens the store of `subject` in a fresh directory below `scratch`, makes `writes` writes, closes it, and gives what was recorded.
///
/// # Errors
/// Where the store fails, or the recording replayed in full is not what is in the directory.
pub fn record(runtime: &Runtime, subject: Subject, scratch: &Path, writes: u64, seed: u64) -> Result<Recording, CrashError> {
    let dir = tempfile::Builder::new().prefix("record-").tempdir_in(scratch).map_err(CrashError::system("make a directory"))?;
    let recorder = Arc::new(Recorder::new(dir.path()));
    let mut config = subject.config();
    let watch = match subject.kind() {
        Kind::Sqlite => {
            config.sqlite.vfs = Some(vfs::NAME);
            config.sqlite.wal_autocheckpoint = CHECKPOINT_PAGES;
            Some(Watch::begin(&recorder)?)
        }
        _ => None,
    };
    runtime.block_on(async {
        let store = match subject.kind() {
            Kind::Sqlite => Store::open(&config, dir.path()).await?,
            _ => Store::open_on(&config, dir.path(), RecordingDisk(Arc::clone(&recorder))).await?,
        };
        let mut writer = Writer::new(seed)?;
        for number in 1..=writes {
            recorder.begin(number);
            let written = writer.write(&store).await?;
            recorder.acknowledge(written);
        }
        store.close().await
    })?;
    drop(watch);
    let log = recorder.log();
    complete(&log, dir.path())?;
    Ok(Recording { subject, seed, log })
}

/// The recording is complete if all of it, replayed, is what lies in the directory.
fn complete(log: &Log, dir: &Path) -> Result<(), CrashError> {
    let mut all = Fixed { names: true, sizes: true, data: true };
    let replayed = survivors(&log.ops, log.ops.len(), Filesystem::Posix, &mut all);
    let lies = image_of(dir).map_err(CrashError::system("read the recorded directory"))?;
    let names: std::collections::BTreeSet<&String> = replayed.keys().chain(lies.keys()).collect();
    let wrong: Vec<&str> = names.into_iter().filter(|name| replayed.get(*name) != lies.get(*name)).map(String::as_str).collect();
    if wrong.is_empty() { Ok(()) } else { Err(CrashError::Recording(format!("{} differ from their recording", wrong.join(", ")))) }
}

/// What lies in a directory, without what no recording holds: the lock, and the index that is shared memory.
fn image_of(dir: &Path) -> std::io::Result<Image> {
    let mut image = BTreeMap::new();
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name != "store.lock" && !name.ends_with("-shm") {
            image.insert(name, std::fs::read(entry.path())?);
        }
    }
    Ok(image)
}
