//! The store as callers see it: one type over every kind, cheap to clone.

use crate::{
    config::{Compress, Config, Kind, Source},
    dictionary::{self, Packer, Trained, UnpackError},
    disk::{Disk, StdDisk},
    error::StoreError,
    files::FileStore,
    json,
    lock::Lock,
    opened::OpenSession,
    session::{Session, SessionId},
};
use std::{
    collections::BTreeMap,
    future::Future,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

mod backend;

use backend::{Backend, filesystem_of, refuse_other_kind};
pub use backend::{STORES, StoreRow};

/// What a save wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Saved {
    /// Size of the session as JSON; 0 where nothing is kept.
    pub bytes: usize,
    /// Bytes that were kept of it; fewer where sessions are compressed.
    pub kept: usize,
}

struct Inner {
    backend: Backend,
    packer: Packer,
    dir: PathBuf,
    config: Config,
    filesystem: String,
    /// Held while the store is open; `None` for kinds that keep nothing, and after closing.
    lock: Mutex<Option<Lock>>,
}

/// An open store. Clones share it; the last one dropped closes it, [`Store::close`] closes it and says how that went.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

impl Store {
    /// Opens the store in `dir`, which is created if its parent is there, and locks it against a second store.
    ///
    /// # Errors
    /// Where the directory cannot be used, is in use or holds sessions of another kind only, and where SQLite does not take a setting.
    pub async fn open(config: &Config, dir: &Path) -> Result<Self, StoreError> {
        Self::open_with(config, dir, (STORES[config.kind as usize].open)(config.clone(), dir.to_owned())).await
    }

    /// As [`Store::open`] for the kind `files`, whatever `config` says, over another disk: for experiments that watch or break it.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub async fn open_on<D: Disk>(config: &Config, dir: &Path, disk: D) -> Result<Self, StoreError> {
        let config = Config { kind: Kind::Files, ..config.clone() };
        let opening = async { Ok(Backend::Any(Box::new(FileStore::open(disk, dir, config.files, config.session_max).await?))) };
        Self::open_with(&config, dir, opening).await
    }

    async fn open_with(
        config: &Config,
        dir: &Path,
        opening: impl Future<Output = Result<Backend, StoreError>>,
    ) -> Result<Self, StoreError> {
        let (mut lock, mut filesystem) = (None, "none".to_owned());
        if config.kind != Kind::None {
            StdDisk.create_dir(dir).await.map_err(StoreError::disk("create the directory", dir))?;
            lock = Some(Lock::acquire(dir)?);
            refuse_other_kind(dir, config.kind).await?;
            filesystem = filesystem_of(dir)?;
        }
        let kept = (config.kind != Kind::None).then_some(dir);
        let packer = Packer::open(kept, config.compress).map_err(StoreError::disk("read the dictionaries in", dir))?;
        let backend = opening.await?;
        let (dir, config, lock) = (dir.to_owned(), config.clone(), Mutex::new(lock));
        let store = Self(Arc::new(Inner { backend, packer, dir, config, filesystem, lock }));
        store.train_first().await?;
        Ok(store)
    }

    /// The session called `id`, or `None` if there is none.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if what is there is no session or over the limit: it was set aside, and the next load
    /// gives `None`. [`StoreError::Dictionary`] if it cannot be decompressed. Else what the disk or SQLite said.
    pub async fn load(&self, id: &SessionId) -> Result<Option<Session>, StoreError> {
        self.load_as(id, |json| json::decode(&json, id)).await
    }

    /// The session called `id`, parsed as far as `store.parse` says, which is all that a turn needs; a new one if there is none. A message that
    /// is JSON and none of ours is noticed with `typed` only.
    ///
    /// # Errors
    /// As [`Store::load`].
    pub async fn open_session(&self, id: &SessionId) -> Result<OpenSession, StoreError> {
        let parse = self.0.config.parse;
        let found = self.load_as(id, |json| OpenSession::open(json, id, parse)).await?;
        Ok(found.unwrap_or_else(|| OpenSession::new(id.clone(), parse)))
    }

    async fn load_as<T>(&self, id: &SessionId, decode: impl FnOnce(Vec<u8>) -> Result<T, String>) -> Result<Option<T>, StoreError> {
        let Some(kept) = self.backend()?.load(id).await? else { return Ok(None) };
        let why = match self.0.packer.unpack(kept, self.0.config.session_max) {
            Ok(json) => match decode(json) {
                Ok(session) => return Ok(Some(session)),
                Err(why) => why,
            },
            Err(UnpackError::Broken(why)) => why,
            Err(UnpackError::Dictionary(dictionary, why)) => {
                return Err(StoreError::Dictionary { id: id.clone(), dictionary, why, dir: self.0.dir.clone() });
            }
        };
        let aside = self.backend()?.set_aside(id, &why).await?;
        Err(StoreError::Corrupt { id: id.clone(), why, aside })
    }

    /// Saves a session under its id. Durable to the degree of [`Config::durability`] once this returns.
    ///
    /// A benchmark must change the session between saves: SQLite writes and flushes nothing where a row stays the same.
    ///
    /// Run it to its end: with `store.files.api = tokio`, a save dropped half way may still take place later, and then
    /// replace a newer one.
    ///
    /// # Errors
    /// [`StoreError::TooLarge`] before anything is written; else what the disk or SQLite said, after which the old
    /// session is still there unless files are truncated or overwritten in place.
    pub async fn save(&self, session: &Session) -> Result<Saved, StoreError> {
        self.save_json(session.id(), || json::encode(session)).await
    }

    /// As [`Store::save`], of an opened session.
    ///
    /// # Errors
    /// As [`Store::save`].
    pub async fn save_opened(&self, session: &OpenSession) -> Result<Saved, StoreError> {
        self.save_json(session.id(), || session.encode()).await
    }

    async fn save_json(&self, id: &SessionId, encode: impl FnOnce() -> serde_json::Result<Vec<u8>>) -> Result<Saved, StoreError> {
        let (backend, max) = (self.backend()?, self.0.config.session_max);
        if matches!(backend, Backend::None) {
            return Ok(Saved { bytes: 0, kept: 0 });
        }
        let json = encode().map_err(|why| StoreError::Encode { id: id.clone(), why: why.to_string() })?;
        let bytes = json.len();
        if bytes > max {
            return Err(StoreError::TooLarge { id: id.clone(), bytes, max });
        }
        let packed = self.0.packer.pack(json);
        let kept = packed.len();
        backend.save(id, packed).await?;
        Ok(Saved { bytes, kept })
    }

    /// Learns a dictionary from the sessions that are there, puts it beside them and uses it for all saves from now on. Sessions that
    /// were saved before stay as they are, and so do older dictionaries.
    ///
    /// # Errors
    /// [`StoreError::Train`] if there are too few sessions or they have nothing in common; else what the disk or SQLite said.
    pub async fn train(&self) -> Result<Trained, StoreError> {
        let (mut samples, mut bytes) = (Vec::new(), 0);
        for id in self.ids().await?.iter().take(dictionary::TRAIN_SESSIONS) {
            let Some(kept) = self.backend()?.load(id).await? else { continue };
            // One that cannot be read is left for whoever asks for it.
            let Ok(json) = self.0.packer.unpack(kept, self.0.config.session_max) else { continue };
            bytes += json.len();
            samples.push(json);
            if bytes >= dictionary::TRAIN_BYTES {
                break;
            }
        }
        let (sessions, size) = (samples.len(), self.0.config.dictionary_size);
        let trained = tokio::task::spawn_blocking(move || dictionary::train(&samples, size)).await.map_err(|_| StoreError::Closed)??;
        let version = self.0.packer.add(&trained).map_err(StoreError::disk("keep a dictionary in", &self.0.dir))?;
        Ok(Trained { version, sessions, bytes: trained.len() })
    }

    /// At opening: a dictionary if the settings ask for one, none is there, and there are sessions enough to learn from.
    async fn train_first(&self) -> Result<(), StoreError> {
        let config = &self.0.config;
        let wanted = config.dictionary == Source::Trained && config.kind != Kind::None && !self.0.packer.has_dictionary();
        if !wanted || self.ids().await?.len() < dictionary::TRAIN_FROM {
            return Ok(());
        }
        match self.train().await {
            // Sessions that have nothing in common are no reason to refuse them.
            Ok(_) | Err(StoreError::Train(_)) => Ok(()),
            Err(why) => Err(why),
        }
    }

    /// Removes a session; whether there was one.
    ///
    /// # Errors
    /// What the disk or SQLite said.
    pub async fn delete(&self, id: &SessionId) -> Result<bool, StoreError> {
        self.backend()?.delete(id).await
    }

    /// The ids of all sessions, sorted.
    ///
    /// # Errors
    /// What the disk or SQLite said.
    pub async fn ids(&self) -> Result<Vec<SessionId>, StoreError> {
        self.backend()?.ids().await
    }

    /// Closes the store for all clones. SQLite's queued saves are finished and its log is folded into its file; a file
    /// operation under way on another clone ends by itself, so finish those first.
    ///
    /// # Errors
    /// [`StoreError::Closed`] if it was closed before; else what SQLite said.
    pub async fn close(self) -> Result<(), StoreError> {
        let lock = self.lock().take();
        let kept = self.0.config.kind != Kind::None;
        if kept && lock.is_none() {
            return Err(StoreError::Closed);
        }
        match &self.0.backend {
            Backend::Sqlite(rows) => rows.close().await,
            _ => Ok(()),
        }
    }

    /// How many of SQLite's transactions took how many saves so far: the key `1` counts lone saves, `4` transactions of four to seven.
    /// Empty for other kinds.
    pub fn groups(&self) -> BTreeMap<u32, u64> {
        match &self.0.backend {
            Backend::Sqlite(rows) => rows.groups(),
            _ => BTreeMap::new(),
        }
    }

    /// What is in force, as the operating system and SQLite report it: `kind`, `durability`, `filesystem`, and by kind
    /// the file settings or SQLite's PRAGMAs as `sqlite.NAME`. No path is in it.
    pub fn describe(&self) -> BTreeMap<String, String> {
        let inner = &self.0;
        let mut all = BTreeMap::from([
            ("kind".to_owned(), inner.config.kind.word().to_owned()),
            ("durability".to_owned(), inner.config.durability().word().to_owned()),
            ("filesystem".to_owned(), inner.filesystem.clone()),
            ("parse".to_owned(), inner.config.parse.word().to_owned()),
            ("compress".to_owned(), inner.config.compress.word().to_owned()),
        ]);
        if inner.config.compress != Compress::None {
            all.insert("dictionary".to_owned(), inner.packer.describe());
        }
        let files = inner.config.files;
        match &inner.backend {
            Backend::None => {}
            Backend::Std(_) | Backend::Tokio(_) | Backend::Any(_) => all.extend([
                ("files.api".to_owned(), files.api.word().to_owned()),
                ("files.write".to_owned(), files.write.word().to_owned()),
                ("files.sync".to_owned(), files.sync.word().to_owned()),
            ]),
            Backend::Sqlite(rows) => {
                all.extend(rows.report().iter().map(|(name, value)| (format!("sqlite.{name}"), value.clone())));
                all.insert("sqlite.prepared".to_owned(), inner.config.sqlite.prepared.to_string());
                all.insert("sqlite.group-commit".to_owned(), inner.config.sqlite.group_commit.to_string());
            }
        }
        all
    }

    fn backend(&self) -> Result<&Backend, StoreError> {
        if self.0.config.kind != Kind::None && self.lock().is_none() {
            return Err(StoreError::Closed);
        }
        Ok(&self.0.backend)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Lock>> {
        self.0.lock.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
