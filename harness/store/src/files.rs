//! Sessions as one JSON file each, `<id>.json`, in one directory.
//!
//! Names in the directory: `<id>.json` a session, `<id>.tmp-N` a save under way, `<id>.corrupt-N` what was set aside.
//! An id has no dot, so none of these can be taken for another.

use crate::{
    config::{FilesConfig, Sync, Write},
    disk::{Disk, Open},
    error::StoreError,
    session::SessionId,
};
use std::{
    io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

mod any;

pub(crate) use any::AnyDisk;

const SESSION: &str = ".json";
const TEMPORARY: &str = ".tmp-";
const ASIDE: &str = ".corrupt-";

/// A directory of session files. Holds no lock: see `Store` for who may open it.
pub(crate) struct FileStore<D> {
    disk: D,
    dir: PathBuf,
    config: FilesConfig,
    max: usize,
    temporaries: AtomicU64,
}

impl<D: Disk> FileStore<D> {
    /// Opens the directory, which exists, and removes what saves that never finished left there.
    pub(crate) async fn open(disk: D, dir: &Path, config: FilesConfig, max: usize) -> Result<Self, StoreError> {
        for name in disk.list(dir).await.map_err(StoreError::disk("list", dir))? {
            if owner(&name, TEMPORARY).is_some() {
                let path = dir.join(name);
                disk.unlink(&path).await.map_err(StoreError::disk("remove the unfinished save", path))?;
            }
        }
        Ok(Self { disk, dir: dir.to_owned(), config, max, temporaries: AtomicU64::new(0) })
    }

    /// The bytes of a session's file, at most one more than the limit.
    pub(crate) async fn load(&self, id: &SessionId) -> Result<Option<Vec<u8>>, StoreError> {
        let path = self.path(id);
        match self.disk.read(&path, self.max).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(why) => Err(StoreError::disk("read", path)(why)),
        }
    }

    /// Puts `bytes` under `id`, as durably as the settings say.
    pub(crate) async fn save(&self, id: &SessionId, bytes: &[u8]) -> Result<(), StoreError> {
        let path = self.path(id);
        match self.config.write {
            Write::Truncate => self.put(&path, Open::Truncate, bytes).await?,
            Write::InPlace => self.put(&path, Open::Keep, bytes).await?,
            Write::Rename => self.replace(id, &path, bytes).await?,
        }
        self.sync_dir().await
    }

    /// Removes a session; whether there was one.
    pub(crate) async fn delete(&self, id: &SessionId) -> Result<bool, StoreError> {
        let path = self.path(id);
        match self.disk.unlink(&path).await {
            Ok(()) => self.sync_dir().await.map(|()| true),
            Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(why) => Err(StoreError::disk("remove", path)(why)),
        }
    }

    /// The ids of all session files, sorted.
    pub(crate) async fn ids(&self) -> Result<Vec<SessionId>, StoreError> {
        let names = self.disk.list(&self.dir).await.map_err(StoreError::disk("list", &self.dir))?;
        let mut ids: Vec<SessionId> = names.iter().filter_map(|name| session_of(name)).collect();
        ids.sort_unstable();
        Ok(ids)
    }

    /// Moves a session's file out of the way; its new name.
    pub(crate) async fn set_aside(&self, id: &SessionId) -> Result<String, StoreError> {
        let names = self.disk.list(&self.dir).await.map_err(StoreError::disk("list", &self.dir))?;
        let taken = names.iter().filter_map(|name| owner(name, ASIDE).filter(|(owner, _)| owner == id)).map(|(_, number)| number).max();
        let name = format!("{id}{ASIDE}{}", taken.unwrap_or(0).saturating_add(1));
        let path = self.path(id);
        self.disk.rename(&path, &self.dir.join(&name)).await.map_err(StoreError::disk("set aside", path))?;
        self.sync_dir().await?;
        Ok(name)
    }

    async fn replace(&self, id: &SessionId, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
        let number = self.temporaries.fetch_add(1, Ordering::Relaxed);
        let temporary = self.dir.join(format!("{id}{TEMPORARY}{number}"));
        let done = match self.put(&temporary, Open::New, bytes).await {
            Ok(()) => self.disk.rename(&temporary, path).await.map_err(StoreError::disk("rename a finished save to", path)),
            refused => refused,
        };
        if done.is_err() {
            // Best effort: what stays is removed at the next open, and the first error is the one to report.
            let _ = self.disk.unlink(&temporary).await;
        }
        done
    }

    async fn put(&self, path: &Path, how: Open, bytes: &[u8]) -> Result<(), StoreError> {
        let mut file = self.disk.open(path, how).await.map_err(StoreError::disk("create", path))?;
        self.write_all(&mut file, bytes).await.map_err(StoreError::disk("write", path))?;
        if how == Open::Keep {
            self.disk.truncate(&mut file, bytes.len() as u64).await.map_err(StoreError::disk("cut", path))?;
        }
        if self.config.sync != Sync::None {
            self.disk.sync(&mut file).await.map_err(StoreError::disk("flush", path))?;
        }
        Ok(())
    }

    async fn write_all(&self, file: &mut D::File, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.disk.write(file, bytes).await {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
                Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
                Err(why) => return Err(why),
            }
        }
        Ok(())
    }

    /// Flushes the directory where the settings ask for it: at every save, because an earlier save that failed here
    /// may have left a name that is not on disk yet.
    async fn sync_dir(&self) -> Result<(), StoreError> {
        if self.config.sync != Sync::FileAndDir {
            return Ok(());
        }
        self.disk.sync_dir(&self.dir).await.map_err(StoreError::disk("flush the directory", &self.dir))
    }

    fn path(&self, id: &SessionId) -> PathBuf {
        self.dir.join(format!("{id}{SESSION}"))
    }
}

/// The session whose file has this name.
pub(crate) fn session_of(name: &str) -> Option<SessionId> {
    SessionId::try_from(name.strip_suffix(SESSION)?).ok()
}

/// The session and the number in a name such as `<id>.tmp-3`.
fn owner(name: &str, mark: &str) -> Option<(SessionId, u64)> {
    let (id, number) = name.split_once(mark)?;
    Some((SessionId::try_from(id).ok()?, number.parse().ok()?))
}

#[cfg(test)]
mod tests;
