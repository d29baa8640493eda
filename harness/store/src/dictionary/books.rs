//! The dictionaries of one store: files beside its sessions, the newest for saves, all of them for loads.
//!
//! A file is called `dictionary-<version>-<id>-<hash>.zdict`: the version counts up, the id is what zstd writes into each frame, the hash
//! (xxh3 of the content, 16 hexadecimal digits) tells a damaged file. Nothing ever removes or replaces one, because sessions need it.

use super::{Compress, small::Contexts};
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};
use xxhash_rust::xxh3::xxh3_64;
use zstd::zstd_safe::{CDict, DDict, get_dict_id_from_dict};

/// Level of `zstd`: its default, and with a dictionary the best of its levels that take less CPU time than gzip at level 6 on small sessions.
pub(super) const LEVEL: i32 = 3;
/// Largest file that is taken for a dictionary, bytes.
const FILE_MAX: u64 = 4 << 20;
/// Files of dictionaries in one store, at most: each is kept in memory.
const FILES_MAX: usize = 256;

/// A dictionary, prepared for both ways.
pub(super) struct Dictionary {
    pub(super) id: u32,
    pub(super) encoder: CDict<'static>,
    pub(super) decoder: DDict<'static>,
    /// For contexts that digest it with parameters of their own.
    pub(super) bytes: Box<[u8]>,
    pub(super) small: Contexts,
}

impl Dictionary {
    fn prepare(bytes: &[u8]) -> Result<Self, &'static str> {
        let id = get_dict_id_from_dict(bytes).map_or(0, u32::from);
        if id == 0 {
            return Err("it is no zstd dictionary");
        }
        let encoder = CDict::try_create(bytes, LEVEL).ok_or("zstd does not take it")?;
        let decoder = DDict::try_create(bytes).ok_or("zstd does not take it")?;
        Ok(Self { id, encoder, decoder, bytes: bytes.into(), small: Contexts::default() })
    }
}

/// What is known of a dictionary's file: it is sound, or what is wrong with it.
pub(super) type Known = Result<Arc<Dictionary>, String>;

/// All dictionaries of a store.
#[derive(Clone, Default)]
pub(super) struct Books {
    /// By id.
    pub(super) known: BTreeMap<u32, Known>,
    /// For saves: the newest one that is sound.
    pub(super) current: Option<Arc<Dictionary>>,
    version: u32,
}

impl Books {
    /// Reads the dictionaries in `dir`. A damaged one is no error until a session needs it.
    pub(super) fn read(dir: &Path) -> io::Result<Self> {
        let mut files = BTreeMap::new();
        for entry in fs::read_dir(dir)? {
            if let Some(file) = entry?.file_name().to_str().and_then(File::named) {
                files.insert(file.version, file);
            }
        }
        if files.len() > FILES_MAX {
            return Err(io::Error::other(format!("{} dictionaries, and {FILES_MAX} are the most", files.len())));
        }
        let mut books = Self::default();
        for (version, file) in files {
            let known = file.load(dir).map(Arc::new);
            if let Ok(dictionary) = &known {
                books.current = Some(Arc::clone(dictionary));
            }
            books.known.insert(file.id, known);
            books.version = version;
        }
        Ok(books)
    }

    /// Puts one more into `dir`, durably, before anything can be saved with it. Its version.
    pub(super) fn add(&mut self, dir: &Path, bytes: &[u8]) -> io::Result<u32> {
        let dictionary = Dictionary::prepare(bytes).map_err(io::Error::other)?;
        if self.known.contains_key(&dictionary.id) {
            return Err(io::Error::other(format!("a dictionary with the id {:08x} is there already", dictionary.id)));
        }
        let file = File { version: self.version + 1, id: dictionary.id, hash: xxh3_64(bytes) };
        let path = dir.join(file.name());
        write_durably(dir, &path, bytes)?;
        let dictionary = Arc::new(dictionary);
        self.known.insert(file.id, Ok(Arc::clone(&dictionary)));
        (self.current, self.version) = (Some(dictionary), file.version);
        Ok(file.version)
    }

    /// What is in force: how many there are, and which one is used.
    pub(super) fn describe(&self, compress: Compress) -> String {
        match &self.current {
            _ if compress == Compress::None => "none".to_owned(),
            Some(dictionary) => format!("version {} id {:08x}", self.version, dictionary.id),
            None => "none yet".to_owned(),
        }
    }
}

/// The name of a dictionary's file, taken apart.
struct File {
    version: u32,
    id: u32,
    hash: u64,
}

impl File {
    fn named(name: &str) -> Option<Self> {
        let mut parts = name.strip_prefix("dictionary-")?.strip_suffix(".zdict")?.split('-');
        let (version, id, hash) = (parts.next()?, parts.next()?, parts.next()?);
        let file =
            Self { version: version.parse().ok()?, id: u32::from_str_radix(id, 16).ok()?, hash: u64::from_str_radix(hash, 16).ok()? };
        (file.name() == name).then_some(file)
    }

    fn name(&self) -> String {
        format!("dictionary-{}-{:08x}-{:016x}.zdict", self.version, self.id, self.hash)
    }

    fn load(&self, dir: &Path) -> Result<Dictionary, String> {
        let path = dir.join(self.name());
        let damaged = |why: String| format!("damaged: {why} ({})", self.name());
        if fs::metadata(&path).map_err(|why| damaged(why.to_string()))?.len() > FILE_MAX {
            return Err(damaged(format!("larger than {FILE_MAX} bytes")));
        }
        let bytes = fs::read(&path).map_err(|why| damaged(why.to_string()))?;
        if xxh3_64(&bytes) != self.hash {
            return Err(damaged("its content does not have the hash of its name".to_owned()));
        }
        let dictionary = Dictionary::prepare(&bytes).map_err(|why| damaged(why.to_owned()))?;
        if dictionary.id == self.id { Ok(dictionary) } else { Err(damaged("its id is not that of its name".to_owned())) }
    }
}

fn write_durably(dir: &Path, path: &PathBuf, bytes: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension("unfinished");
    let done = fs::write(&temporary, bytes)
        .and_then(|()| fs::File::open(&temporary)?.sync_all())
        .and_then(|()| fs::rename(&temporary, path))
        .and_then(|()| fs::File::open(dir)?.sync_all());
    if done.is_err() {
        // Best effort: the first error is the one to report, and nobody takes such a name for a dictionary.
        let _ = fs::remove_file(&temporary);
    }
    done
}
