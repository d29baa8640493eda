//! The numbers behind the trust: what theory says a queue does, and what a series of measurements can say.
//!
//! Pure functions over slices: no file, clock, thread or print, and nothing of ours is imported. Randomness is seeded, and only `coverage`
//! and the tests have any.

pub mod arrivals;
pub mod backlog;
pub mod conserve;
pub mod coverage;
pub mod interval;
pub mod recursion;
pub mod steady;
pub mod student;
pub mod theory;

#[cfg(test)]
mod testkit;
