//! The worker pool: pure core, tokio runtime, worker kinds, frames.
pub mod clock;
pub mod config;
pub mod core;
pub mod service;
pub mod times;

pub use config::{AffinityMode, Config, ConfigError, SETTINGS, SettingRow, TierConfig, ToolConfig};
pub use service::{SERVICE_TIMES, ServiceTime, ServiceTimeRow};
