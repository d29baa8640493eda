//! One store per directory: an advisory lock that ends with the process, however it ends.

use crate::error::StoreError;
use std::{
    fs::{File, OpenOptions, TryLockError},
    path::Path,
};

/// Name of the lock file. It stays behind, empty: to remove it would let two stores lock two files of one name.
const FILE: &str = "store.lock";

/// A held lock; dropping it lets go.
pub(crate) struct Lock(File);

impl Lock {
    /// Locks `dir`, which exists.
    pub(crate) fn acquire(dir: &Path) -> Result<Self, StoreError> {
        let path = dir.join(FILE);
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(&path).map_err(StoreError::disk("create", &path))?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(StoreError::InUse { dir: dir.to_owned() }),
            Err(TryLockError::Error(why)) => Err(StoreError::disk("lock", path)(why)),
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing the file would not do while a child that is being spawned still shares it. If this fails, closing it does.
        let _ = self.0.unlock();
    }
}
