//! The kinds of store behind one face.

use crate::{
    config::{Api, Config, Kind},
    dictionary::MAGIC,
    disk::{Disk, StdDisk, TokioDisk},
    error::StoreError,
    files::{self, AnyDisk, FileStore},
    json,
    session::SessionId,
    sqlite::{self, SqliteStore},
};
use std::{
    future::Future,
    path::{Path, PathBuf},
    pin::Pin,
};

pub(super) type Opening = Pin<Box<dyn Future<Output = Result<Backend, StoreError>> + Send>>;

/// A kind of store.
pub struct StoreRow {
    /// Which one.
    pub kind: Kind,
    /// Its name in `store.kind`.
    pub name: &'static str,
    /// One line for people.
    pub doc: &'static str,
    pub(super) open: fn(Config, PathBuf) -> Opening,
}

/// Every kind of store, in the order of [`Kind`]'s variants.
pub const STORES: &[StoreRow] = &[
    StoreRow {
        kind: Kind::None,
        name: "none",
        doc: "keeps nothing: the floor to compare with",
        open: |_, _| Box::pin(async { Ok(Backend::None) }),
    },
    StoreRow {
        kind: Kind::Files,
        name: "files",
        doc: "one JSON file per session in one directory",
        open: |config, dir| Box::pin(open_files(config, dir)),
    },
    StoreRow {
        kind: Kind::Sqlite,
        name: "sqlite",
        doc: "one row per session in one SQLite file",
        open: |config, dir| Box::pin(open_sqlite(config, dir)),
    },
];

/// An open store of some kind.
pub(super) enum Backend {
    None,
    Std(FileStore<StdDisk>),
    Tokio(FileStore<TokioDisk>),
    Any(Box<dyn AnyDisk>),
    Sqlite(SqliteStore),
}

async fn open_files(config: Config, dir: PathBuf) -> Result<Backend, StoreError> {
    let (files, max) = (config.files, config.session_max);
    Ok(match files.api {
        Api::Std => Backend::Std(FileStore::open(StdDisk, &dir, files, max).await?),
        Api::Tokio => Backend::Tokio(FileStore::open(TokioDisk, &dir, files, max).await?),
    })
}

async fn open_sqlite(config: Config, dir: PathBuf) -> Result<Backend, StoreError> {
    Ok(Backend::Sqlite(SqliteStore::open(&dir, config.sqlite, config.session_max).await?))
}

impl Backend {
    /// What is kept under `id`.
    pub(super) async fn load(&self, id: &SessionId) -> Result<Option<Vec<u8>>, StoreError> {
        match self {
            Self::None => Ok(None),
            Self::Std(files) => files.load(id).await,
            Self::Tokio(files) => files.load(id).await,
            Self::Any(files) => files.load(id).await,
            Self::Sqlite(rows) => rows.load(id).await,
        }
    }

    /// Keeps `packed` under `id`.
    pub(super) async fn save(&self, id: &SessionId, packed: Vec<u8>) -> Result<(), StoreError> {
        match self {
            Self::None => Ok(()),
            Self::Std(files) => files.save(id, &packed).await,
            Self::Tokio(files) => files.save(id, &packed).await,
            Self::Any(files) => files.save(id, &packed).await,
            Self::Sqlite(rows) => rows.save(id, packed).await,
        }
    }

    /// Removes what is kept under `id`; whether there was something.
    pub(super) async fn delete(&self, id: &SessionId) -> Result<bool, StoreError> {
        match self {
            Self::None => Ok(false),
            Self::Std(files) => files.delete(id).await,
            Self::Tokio(files) => files.delete(id).await,
            Self::Any(files) => files.delete(id).await,
            Self::Sqlite(rows) => rows.delete(id).await,
        }
    }

    /// All ids, sorted.
    pub(super) async fn ids(&self) -> Result<Vec<SessionId>, StoreError> {
        match self {
            Self::None => Ok(Vec::new()),
            Self::Std(files) => files.ids().await,
            Self::Tokio(files) => files.ids().await,
            Self::Any(files) => files.ids().await,
            Self::Sqlite(rows) => rows.ids().await,
        }
    }

    /// Moves what is kept under `id`, and is no session because of `why`, out of the way; its new name.
    pub(super) async fn set_aside(&self, id: &SessionId, why: &str) -> Result<String, StoreError> {
        match self {
            Self::None => Err(StoreError::Closed),
            Self::Std(files) => files.set_aside(id).await,
            Self::Tokio(files) => files.set_aside(id).await,
            Self::Any(files) => files.set_aside(id).await,
            Self::Sqlite(rows) => rows.set_aside(id, why).await,
        }
    }
}

/// Refuses a directory that holds sessions of another kind only: as an empty store it would lose them from sight.
pub(super) async fn refuse_other_kind(dir: &Path, asked: Kind) -> Result<(), StoreError> {
    let rows = dir.join(sqlite::FILE).exists();
    let kept = match asked {
        Kind::Sqlite if !rows && has_session_files(dir).await? => Kind::Files,
        Kind::Files if rows && !has_session_files(dir).await? => Kind::Sqlite,
        _ => return Ok(()),
    };
    Err(StoreError::OtherKind { dir: dir.to_owned(), kept: kept.word(), asked: asked.word() })
}

/// Whether a file has a session's name and begins like one: other people's JSON is no reason to refuse a directory.
async fn has_session_files(dir: &Path) -> Result<bool, StoreError> {
    let names = StdDisk.list(dir).await.map_err(StoreError::disk("list", dir))?;
    for name in names.iter().filter(|name| files::session_of(name).is_some()) {
        let begin = StdDisk.read(&dir.join(name), json::BEGIN.len()).await.unwrap_or_default();
        if begin.starts_with(json::BEGIN.as_bytes()) || begin.starts_with(&MAGIC) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The type of the filesystem under `dir`: flushing means nothing on one that is kept in memory.
pub(super) fn filesystem_of(dir: &Path) -> Result<String, StoreError> {
    let about = rustix::fs::statfs(dir).map_err(|why| StoreError::disk("ask for the filesystem of", dir)(why.into()))?;
    Ok(match about.f_type as u32 {
        0xef53 => "ext4".to_owned(),
        0x0102_1994 => "tmpfs".to_owned(),
        0x5846_5342 => "xfs".to_owned(),
        0x9123_683e => "btrfs".to_owned(),
        0x794c_7630 => "overlay".to_owned(),
        0x2fc1_2fc1 => "zfs".to_owned(),
        0xf2f5_2010 => "f2fs".to_owned(),
        0x6969 => "nfs".to_owned(),
        other => format!("magic {other:#x}"),
    })
}
