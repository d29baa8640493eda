//! The worker pool: pure core, tokio runtime, worker kinds, frames.
