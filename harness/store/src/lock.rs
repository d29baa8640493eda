//! One store per directory: an advisory lock that ends with the process, however it ends.

use crate::error::StoreError;
use std::{
    fs::{File, OpenOptions, TryLockError},
    path::Path,
};

/// Name of the lock file. It stays behind, empty: to remove it would let two stores lock two files of one name.
const FILE: &str = "store.lock";

/// Locks `dir` until the file is dropped.
pub(crate) fn acquire(dir: &Path) -> Result<File, StoreError> {
    let path = dir.join(FILE);
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(&path).map_err(StoreError::disk("create", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse { dir: dir.to_owned() }),
        Err(TryLockError::Error(why)) => Err(StoreError::disk("lock", path)(why)),
    }
}
