//! Ways of saving a file.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

use tokio::io::AsyncWriteExt;
use tokio::runtime::Runtime;

use super::dir::{Files, flush_dir};
use crate::Refusal;

/// What is flushed before a save counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sync {
    /// Nothing.
    None,
    /// The file's data.
    File,
    /// That, and the directory.
    FileAndDir,
}

impl Sync {
    pub(super) fn parse(word: &str) -> Result<Sync, Refusal> {
        [Sync::None, Sync::File, Sync::FileAndDir]
            .into_iter()
            .find(|sync| sync.word() == word)
            .ok_or_else(|| Refusal::Failed(format!("contender.sync = '{word}' is not known (expected none, file or file-and-dir)")))
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Sync::None => "none",
            Sync::File => "file",
            Sync::FileAndDir => "file-and-dir",
        }
    }

    fn data(self, file: &File) -> io::Result<()> {
        if self == Sync::None { Ok(()) } else { file.sync_data() }
    }

    fn entry(self, path: &Path) -> io::Result<()> {
        match path.parent() {
            Some(dir) if self == Sync::FileAndDir => flush_dir(dir),
            _ => Ok(()),
        }
    }
}

/// A way of saving a file.
pub(super) trait Writing: Send {
    /// Saves `bytes` as file `which`.
    ///
    /// # Errors
    /// When it cannot be saved.
    fn save(&mut self, files: &Files, which: usize, bytes: &[u8]) -> io::Result<()>;

    /// The product's word for this way: a value of `store.files.write`.
    fn protocol(&self) -> &'static str;
}

fn path(files: &Files, which: usize) -> io::Result<&Path> {
    files.paths.get(which).map(|p| p.as_path()).ok_or_else(|| io::ErrorKind::NotFound.into())
}

pub(super) struct Truncate(pub(super) Sync);

impl Writing for Truncate {
    fn save(&mut self, files: &Files, which: usize, bytes: &[u8]) -> io::Result<()> {
        let path = path(files, which)?;
        let mut file = File::create(path)?;
        file.write_all(bytes)?;
        self.0.data(&file)?;
        self.0.entry(path)
    }

    fn protocol(&self) -> &'static str {
        "truncate"
    }
}

pub(super) struct InPlace(pub(super) Sync);

impl Writing for InPlace {
    fn save(&mut self, files: &Files, which: usize, bytes: &[u8]) -> io::Result<()> {
        let path = path(files, which)?;
        let mut file = OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
        file.write_all(bytes)?;
        file.set_len(bytes.len() as u64)?;
        self.0.data(&file)?;
        self.0.entry(path)
    }

    fn protocol(&self) -> &'static str {
        "in-place"
    }
}

pub(super) struct InPlaceKept {
    open: Vec<(File, usize)>,
    sync: Sync,
}

impl InPlaceKept {
    pub(super) fn new(files: &Files, sync: Sync) -> Result<Self, Refusal> {
        let open = |path| Ok((OpenOptions::new().write(true).open(path)?, files.longest));
        let open = files.paths.iter().map(open).collect::<io::Result<_>>().map_err(|e| Refusal::failed("cannot open the files", e))?;
        Ok(Self { open, sync })
    }
}

impl Writing for InPlaceKept {
    fn save(&mut self, files: &Files, which: usize, bytes: &[u8]) -> io::Result<()> {
        let (file, length) = self.open.get_mut(which).ok_or(io::ErrorKind::NotFound)?;
        file.write_all_at(bytes, 0)?;
        if *length > bytes.len() {
            file.set_len(bytes.len() as u64)?;
        }
        *length = bytes.len();
        self.sync.data(file)?;
        self.sync.entry(path(files, which)?)
    }

    fn protocol(&self) -> &'static str {
        "in-place"
    }
}

pub(super) struct Rename(pub(super) Sync);

impl Writing for Rename {
    fn save(&mut self, files: &Files, which: usize, bytes: &[u8]) -> io::Result<()> {
        let path = path(files, which)?;
        let temporary = path.with_extension("tmp");
        let mut file = File::create(&temporary)?;
        file.write_all(bytes)?;
        self.0.data(&file)?;
        drop(file);
        fs::rename(&temporary, path)?;
        self.0.entry(path)
    }

    fn protocol(&self) -> &'static str {
        "rename"
    }
}

pub(super) struct TokioWrite {
    runtime: Runtime,
    sync: Sync,
}

impl TokioWrite {
    pub(super) fn new(sync: Sync) -> Result<Self, Refusal> {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().build().map_err(|e| Refusal::failed("cannot start tokio's runtime", e))?;
        Ok(Self { runtime, sync })
    }
}

impl Writing for TokioWrite {
    fn save(&mut self, files: &Files, which: usize, bytes: &[u8]) -> io::Result<()> {
        let (path, sync) = (path(files, which)?, self.sync);
        self.runtime.block_on(async {
            if sync == Sync::None {
                return tokio::fs::write(path, bytes).await;
            }
            let mut file = tokio::fs::File::create(path).await?;
            file.write_all(bytes).await?;
            file.flush().await?;
            file.sync_data().await?;
            match path.parent().map(Path::to_path_buf) {
                Some(dir) if sync == Sync::FileAndDir => {
                    tokio::task::spawn_blocking(move || flush_dir(&dir)).await.map_err(io::Error::other)?
                }
                _ => Ok(()),
            }
        })
    }

    fn protocol(&self) -> &'static str {
        "truncate"
    }
}
