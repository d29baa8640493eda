//! Records -> summary, comparison, brand, headline; plan -> order of trials and estimate.
//!
//! Pure: no thread, clock, file or print. The same plan, facts and records give the same summary, byte for byte, whatever the order in
//! which the records arrived.

pub mod summary;

pub use summary::Summary;
