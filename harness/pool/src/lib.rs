//! The worker pool: pure core, tokio runtime, worker kinds, frames.
pub mod clock;
pub mod config;
pub mod core;
pub mod frames;
pub mod runtime;
pub mod service;
pub mod times;
pub mod workers;

pub use config::{
    AffinityMode, Config, ConfigError, Dispatch, Fallback, Health, Predict, Recycle, SCALED_SETTINGS, SETTINGS, SettingRow, SpareControl,
    TierConfig, ToolConfig,
};
pub use runtime::{
    Death, DeathCause, DeathCounts, Deps, DisturbTarget, EventLog, Job, Pool, Reply, Snapshot, StartError, Timers, backoff_limit,
};
pub use service::{SERVICE_TIMES, ServiceTime, ServiceTimeRow};
pub use workers::{
    Disturbance, Echo, Execution, FaultError, Handler, How, Moment, Progress, ProgressSink, RequestFault, Spawner, WORKERS, Work,
    WorkerCommand, WorkerError, WorkerFault, WorkerKind, WorkerOptions, read_journal, worker_kind, worker_main,
};
