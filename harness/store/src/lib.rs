//! Session store: files, JSON, compression, SQLite, over one disk trait.
//!
//! A [`Store`] keeps [`Session`]s under ids that cannot leave its directory. [`compress`] encodes responses. Nothing
//! here knows of pools, requests or reports, reads a clock, prints, or orders the requests of one session: whoever
//! loads, changes and saves a session holds a lock on its id meanwhile.

pub mod compress;
pub mod config;
pub mod dictionary;
pub mod disk;
mod error;
mod files;
pub mod json;
mod lazy;
mod lock;
mod opened;
mod session;
mod settings;
pub mod sqlite;
mod store;
#[cfg(test)]
mod testkit;
mod tree;
mod versions;

pub use compress::CODECS;
pub use config::Config;
pub use error::StoreError;
pub use lazy::LazySession;
pub use opened::OpenSession;
pub use session::{ID_MAX, IdError, Message, Role, Session, SessionId};
pub use settings::{ConfigError, SETTINGS, SettingRow};
pub use store::{STORES, Saved, Store, StoreRow};
pub use tree::TreeSession;
pub use versions::versions;
