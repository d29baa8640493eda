//! The plots: percentile spectrum, phase bars, lag over time and ratios of ways of a scenario, and queueing theory. They draw numbers that others
//! computed.

pub(crate) mod bars;
pub(crate) mod lag;
pub(crate) mod ratios;
mod scale;
pub(crate) mod spectrum;
pub(crate) mod theory;
