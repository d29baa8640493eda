//! Sessions as they are kept: JSON, or that in one zstd frame.
//!
//! The first bytes tell which: JSON begins with a brace, a frame with its magic number. What was kept either way is read under any
//! settings, so that they can be changed at any time.

use super::{
    Compress,
    books::{Books, Dictionary, LEVEL},
    small::Contexts,
};
use std::{
    cell::RefCell,
    io,
    path::{Path, PathBuf},
    sync::{PoisonError, RwLock},
};
use zstd::zstd_safe::{
    CCtx, DCtx, compress_bound, find_frame_compressed_size, get_dict_id_from_frame, get_error_name, get_frame_content_size,
};

/// What a zstd frame begins with (RFC 8878, 3.1.1).
pub(crate) const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Why what is kept cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum UnpackError {
    /// It is no session, as a clause.
    Broken(String),
    /// The session is sound, its dictionary is not there or damaged.
    Dictionary(u32, String),
}

/// Packs and unpacks the sessions of one store.
pub(crate) struct Packer {
    dir: PathBuf,
    compress: Compress,
    books: RwLock<Books>,
    /// For sessions without a dictionary.
    small: Contexts,
}

impl Packer {
    /// Reads the dictionaries in `dir`, if the store keeps anything there.
    pub(crate) fn open(dir: Option<&Path>, compress: Compress) -> io::Result<Self> {
        let books = dir.map_or_else(|| Ok(Books::default()), Books::read)?;
        Ok(Self { dir: dir.unwrap_or(Path::new("")).to_owned(), compress, books: RwLock::new(books), small: Contexts::default() })
    }

    /// `json` as it is to be kept. Never fails: what cannot be compressed, or does not get smaller, stays as it is.
    pub(crate) fn pack(&self, json: Vec<u8>) -> Vec<u8> {
        let dictionary = || self.books().current.clone();
        let packed = match self.compress {
            Compress::None => None,
            Compress::Zstd => fast(dictionary().as_deref(), &json),
            Compress::ZstdSmall => match dictionary() {
                Some(dictionary) => dictionary.small.pack(Some(&dictionary.bytes), &json),
                None => self.small.pack(None, &json),
            },
        };
        packed.filter(|packed| packed.len() < json.len()).unwrap_or(json)
    }

    /// The JSON in `kept`, of at most `max` bytes, and never a buffer beyond that.
    pub(crate) fn unpack(&self, kept: Vec<u8>, max: usize) -> Result<Vec<u8>, UnpackError> {
        thread_local!(static CONTEXT: RefCell<Option<DCtx<'static>>> = const { RefCell::new(None) });
        let broken = |why: &str| UnpackError::Broken(format!("not a zstd frame of ours ({why})"));
        let large = || UnpackError::Broken(format!("larger than store.session-max, {max} bytes"));
        if !kept.starts_with(&MAGIC) {
            return if kept.len() > max { Err(large()) } else { Ok(kept) };
        }
        let size = get_frame_content_size(&kept).ok().flatten().ok_or_else(|| broken("it states no size"))?;
        let size = usize::try_from(size).ok().filter(|size| *size <= max).ok_or_else(large)?;
        if find_frame_compressed_size(&kept) != Ok(kept.len()) {
            return Err(broken("cut short, or something follows it"));
        }
        let dictionary = get_dict_id_from_frame(&kept).map(|id| self.dictionary(id.get())).transpose()?;
        CONTEXT.with_borrow_mut(|idle| {
            let mut context = idle.take().or_else(DCtx::try_create).ok_or_else(|| broken("no memory for a context"))?;
            let mut out = Vec::with_capacity(size.max(1));
            let done = match &dictionary {
                Some(dictionary) => context.decompress_using_ddict(&mut out, &kept, &dictionary.decoder),
                None => context.decompress(&mut out, &kept),
            };
            done.map_err(|code| broken(get_error_name(code)))?;
            *idle = Some(context);
            Ok(out)
        })
    }

    /// Adds a dictionary, for all saves from now on; its version.
    pub(crate) fn add(&self, bytes: &[u8]) -> io::Result<u32> {
        self.books.write().unwrap_or_else(PoisonError::into_inner).add(&self.dir, bytes)
    }

    /// Whether saves use a dictionary.
    pub(crate) fn has_dictionary(&self) -> bool {
        self.books().current.is_some()
    }

    /// What is in force.
    pub(crate) fn describe(&self) -> String {
        self.books().describe(self.compress)
    }

    fn dictionary(&self, id: u32) -> Result<std::sync::Arc<Dictionary>, UnpackError> {
        match self.books().known.get(&id) {
            Some(Ok(dictionary)) => Ok(std::sync::Arc::clone(dictionary)),
            Some(Err(why)) => Err(UnpackError::Dictionary(id, why.clone())),
            None => Err(UnpackError::Dictionary(id, "missing".to_owned())),
        }
    }

    fn books(&self) -> std::sync::RwLockReadGuard<'_, Books> {
        self.books.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `json` as one frame at [`LEVEL`]; nothing if zstd cannot.
fn fast(dictionary: Option<&Dictionary>, json: &[u8]) -> Option<Vec<u8>> {
    thread_local!(static CONTEXT: RefCell<Option<CCtx<'static>>> = const { RefCell::new(None) });
    CONTEXT.with_borrow_mut(|kept| {
        let mut context = kept.take().or_else(CCtx::try_create)?;
        let mut out = Vec::with_capacity(compress_bound(json.len()));
        let done = match dictionary {
            Some(dictionary) => context.compress_using_cdict(&mut out, json, &dictionary.encoder),
            None => context.compress(&mut out, json, LEVEL),
        };
        done.ok()?;
        *kept = Some(context);
        Some(out)
    })
}
