//! Records -> summary, comparison, brand, headline; plan -> order of trials and estimate.
//!
//! Pure: no thread, clock, file or print. The same plan, facts and records give the same summary, byte for byte, whatever the order in
//! which the records arrived.

mod across;
mod brands;
mod case;
mod claims;
pub mod classes;
mod compare;
mod contenders;
mod expect;
mod headline;
pub mod hotspots;
mod merge;
pub mod recommend;
mod rounds;
mod run;
pub mod schedule;
mod stats;
pub mod summary;
mod sure;
mod survives;
mod tiers;
mod time;

#[cfg(test)]
mod testkit;
#[cfg(test)]
mod tests;

pub use across::{Side, across};
pub use brands::held_up;
pub use expect::FIGURES;
pub use hotspots::{Hotspot, hotspots, prune};
pub use merge::{Merged, Named, Refusal, merge};
pub use rounds::counting;
pub use run::{summarise, summarise_with};
pub use schedule::{CaseEstimate, Estimate, Trial, estimate, order, resolve_rate};
pub use summary::Summary;
