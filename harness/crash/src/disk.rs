//! The file store's disk, recorded: each operation is done by `std::fs` and then noted.

use std::io;
use std::path::Path;
use std::sync::Arc;

use store::disk::{Disk, Open, StdDisk};

use crate::log::Node;
use crate::recorder::{Recorder, name_of};

/// [`StdDisk`] with a recorder behind it.
#[derive(Clone, Debug)]
pub struct RecordingDisk(pub Arc<Recorder>);

/// A file open for writing.
pub struct RecordedFile {
    file: <StdDisk as Disk>::File,
    node: Node,
    /// Where the next write goes: every way of opening begins at 0, and only writes move it.
    position: u64,
    recorder: Arc<Recorder>,
}

impl Drop for RecordedFile {
    fn drop(&mut self) {
        self.recorder.closed(self.node);
    }
}

impl Disk for RecordingDisk {
    type File = RecordedFile;

    async fn create_dir(&self, path: &Path) -> io::Result<()> {
        StdDisk.create_dir(path).await
    }

    async fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        StdDisk.list(dir).await
    }

    async fn read(&self, path: &Path, max: usize) -> io::Result<Vec<u8>> {
        StdDisk.read(path, max).await
    }

    async fn open(&self, path: &Path, how: Open) -> io::Result<RecordedFile> {
        let file = StdDisk.open(path, how).await?;
        let node = self.0.opened(&name_of(path), how == Open::Truncate);
        Ok(RecordedFile { file, node, position: 0, recorder: Arc::clone(&self.0) })
    }

    async fn write(&self, file: &mut RecordedFile, bytes: &[u8]) -> io::Result<usize> {
        let written = StdDisk.write(&mut file.file, bytes).await?;
        self.0.wrote(file.node, file.position, bytes.get(..written).unwrap_or_default());
        file.position += written as u64;
        Ok(written)
    }

    async fn truncate(&self, file: &mut RecordedFile, len: u64) -> io::Result<()> {
        StdDisk.truncate(&mut file.file, len).await?;
        self.0.truncated(file.node, len);
        Ok(())
    }

    async fn sync(&self, file: &mut RecordedFile) -> io::Result<()> {
        StdDisk.sync(&mut file.file).await?;
        self.0.synced(file.node);
        Ok(())
    }

    async fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        StdDisk.sync_dir(dir).await?;
        self.0.synced_dir();
        Ok(())
    }

    async fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        StdDisk.rename(from, to).await?;
        self.0.renamed(&name_of(from), &name_of(to));
        Ok(())
    }

    async fn unlink(&self, path: &Path) -> io::Result<()> {
        StdDisk.unlink(path).await?;
        self.0.unlinked(&name_of(path));
        Ok(())
    }
}
