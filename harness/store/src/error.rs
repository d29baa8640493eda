//! What can go wrong with a store, each with its remedy.

use crate::session::SessionId;
use std::{io, path::PathBuf};

/// An error of a store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The operating system refused an operation.
    #[error("cannot {action} {}: {source}; {}", .path.display(), remedy(.source))]
    Disk {
        /// What was tried, as a verb.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// What is stored under an id is not a session. It was set aside, so the next load of that id finds nothing.
    #[error("session {id} is corrupt: {why}; it was set aside as {aside}, mend it and put it back, or let the session begin anew")]
    Corrupt {
        /// Whose document.
        id: SessionId,
        /// What is wrong with it.
        why: String,
        /// Where it is now.
        aside: String,
    },
    /// A session is sound, and the dictionary that it was compressed with is not at hand. It stays where it is.
    #[error("session {id} was compressed with the dictionary {dictionary:08x}, which is {why}; put its file (dictionary-*-{dictionary:08x}-*.zdict) back into {} from a copy of the store and open it again; nothing was changed", .dir.display())]
    Dictionary {
        /// Whose document.
        id: SessionId,
        /// The dictionary's id.
        dictionary: u32,
        /// `missing`, or how it is damaged.
        why: String,
        /// Where it is looked for.
        dir: PathBuf,
    },
    /// No dictionary was made.
    #[error(transparent)]
    Train(#[from] crate::dictionary::TrainError),
    /// A session that must not be saved because it could not be loaded again.
    #[error("session {id} is {bytes} bytes of JSON, over the limit of {max}; keep fewer messages or raise store.session-max")]
    TooLarge {
        /// Whose document.
        id: SessionId,
        /// Its size, bytes.
        bytes: usize,
        /// The limit, bytes.
        max: usize,
    },
    /// A session that JSON cannot hold.
    #[error("session {id} cannot be written as JSON: {why}; report this as a defect")]
    Encode {
        /// Whose document.
        id: SessionId,
        /// The serialiser's words.
        why: String,
    },
    /// SQLite refused an operation.
    #[error("sqlite cannot {action} {}: {source}; {}", .path.display(), sqlite_remedy(.source))]
    Sqlite {
        /// What was tried, as a verb.
        action: &'static str,
        /// The database file.
        path: PathBuf,
        /// Why it failed.
        source: rusqlite::Error,
    },
    /// SQLite kept another value than the one asked for.
    #[error("sqlite did not take {pragma} = {asked}, it reports {got}; choose a value that this filesystem and file support")]
    Pragma {
        /// The PRAGMA.
        pragma: &'static str,
        /// The value asked for.
        asked: String,
        /// The value in force.
        got: String,
    },
    /// The database was made by another version of this program.
    #[error("{} has layout {found}, and this build knows {known}; use the build that made it or another directory", .path.display())]
    Layout {
        /// The database file.
        path: PathBuf,
        /// Its layout.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// Another store is open on the directory; two would lose each other's updates.
    #[error("{} is in use by another store; stop that one or choose another directory", .dir.display())]
    InUse {
        /// The directory.
        dir: PathBuf,
    },
    /// Sessions are there, of another kind than was asked for: as it stands nobody would find them.
    #[error("the sessions in {} are kept as {kept}, and store.kind is {asked}; set store.kind = {kept}, or choose another directory", .dir.display())]
    OtherKind {
        /// The directory.
        dir: PathBuf,
        /// Value of `store.kind` that they were kept with.
        kept: &'static str,
        /// Value of `store.kind` that is asked for.
        asked: &'static str,
    },
    /// The store was closed.
    #[error("the store is closed; open it again")]
    Closed,
}

impl StoreError {
    pub(crate) fn disk(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Disk { action, path, source }
    }
}

fn remedy(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::NotFound => "create the directory that holds it, or choose another one",
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "make it writable for this user, or choose another directory"
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::WriteZero => "free space on its filesystem",
        io::ErrorKind::FileTooLarge => "raise the limit on the size of files (ulimit -f), or keep fewer messages per session",
        io::ErrorKind::IsADirectory | io::ErrorKind::NotADirectory => "move what stands in its place away",
        io::ErrorKind::AlreadyExists => "another program writes to this directory; give the store one of its own",
        _ => "check the filesystem and the system's log",
    }
}

fn sqlite_remedy(source: &rusqlite::Error) -> &'static str {
    use rusqlite::ErrorCode;
    match source.sqlite_error_code() {
        Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
            "make the file and its directory writable for this user"
        }
        Some(ErrorCode::DiskFull) => "free space on its filesystem",
        Some(ErrorCode::SystemIoFailure) => {
            "look for a full disk, a limit on the size of files (ulimit -f) or a failing device, and into the system's log"
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => "another program holds the database; stop it",
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            "move the file away, recover it with the sqlite3 shell's .recover, or restore a copy"
        }
        _ => "check the file, the filesystem and the system's log",
    }
}
