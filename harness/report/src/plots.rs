//! The plots: percentile spectrum, phase bars and lag over time of a scenario, and queueing theory. They draw numbers that others computed.

pub(crate) mod bars;
pub(crate) mod lag;
mod scale;
pub(crate) mod spectrum;
pub(crate) mod theory;
