//! The request path over pool and store: admit, wait for the session, load, serve, encode, compress, persist, reply.
//!
//! It knows nothing of scenarios, trials or reports. Every request carries its own stamps, always.

mod config;
pub mod mcp;
pub mod monitor;
mod path;
mod sessions;

pub use config::{Config, ConfigError, SETTINGS, WORKER_COMMAND, settings};
pub use path::{Coordinator, OpenError, Request, Response, session_key};
