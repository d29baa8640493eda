//! The file store over a disk that only its opener knows. A box per call is nothing beside a disk, but it is not in what is measured.

use super::FileStore;
use crate::{disk::Disk, error::StoreError, session::SessionId};
use std::{future::Future, pin::Pin};

type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// [`FileStore`] without the type of its disk.
pub(crate) trait AnyDisk: Send + Sync {
    fn load<'a>(&'a self, id: &'a SessionId) -> Answer<'a, Option<Vec<u8>>>;
    fn save<'a>(&'a self, id: &'a SessionId, bytes: &'a [u8]) -> Answer<'a, ()>;
    fn delete<'a>(&'a self, id: &'a SessionId) -> Answer<'a, bool>;
    fn ids(&self) -> Answer<'_, Vec<SessionId>>;
    fn set_aside<'a>(&'a self, id: &'a SessionId) -> Answer<'a, String>;
}

impl<D: Disk> AnyDisk for FileStore<D> {
    fn load<'a>(&'a self, id: &'a SessionId) -> Answer<'a, Option<Vec<u8>>> {
        Box::pin(FileStore::load(self, id))
    }

    fn save<'a>(&'a self, id: &'a SessionId, bytes: &'a [u8]) -> Answer<'a, ()> {
        Box::pin(FileStore::save(self, id, bytes))
    }

    fn delete<'a>(&'a self, id: &'a SessionId) -> Answer<'a, bool> {
        Box::pin(FileStore::delete(self, id))
    }

    fn ids(&self) -> Answer<'_, Vec<SessionId>> {
        Box::pin(FileStore::ids(self))
    }

    fn set_aside<'a>(&'a self, id: &'a SessionId) -> Answer<'a, String> {
        Box::pin(FileStore::set_aside(self, id))
    }
}
