//! Why an experiment could not be made. What a crash does to a store is no error but a finding.

use store::StoreError;

/// An experiment that failed.
#[derive(Debug, thiserror::Error)]
pub enum CrashError {
    /// The system refused something.
    #[error("cannot {action}: {source}; check the space and permissions of the directory for temporary files")]
    System {
        /// What was tried, as a verb and its object.
        action: &'static str,
        /// Why it failed.
        source: std::io::Error,
    },
    /// The store refused to work although nothing had crashed yet.
    #[error("the store failed before any crash: {0}")]
    Store(#[from] StoreError),
    /// SQLite did not take the recording layer.
    #[error("sqlite refused the recording layer with code {0}; report this as a defect")]
    Vfs(i32),
    /// The recording and the directory disagree.
    #[error("the recording missed something: {0}; report this as a defect")]
    Recording(String),
    /// The process that was to be killed failed by itself.
    #[error("the writer failed before it was killed: {0}")]
    Writer(String),
}

impl CrashError {
    pub(crate) fn system(action: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::System { action, source }
    }
}
