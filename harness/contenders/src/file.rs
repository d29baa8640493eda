//! Files: reading one, reading many, saving one, appending to a log.

mod append;
mod cold;
mod dir;
mod map;
mod read;
mod reading;
mod uring;
mod write;
mod writing;

pub(crate) use append::APPEND;
pub(crate) use read::{READ, READ_PARSE, SCAN};
pub(crate) use write::WRITE;
