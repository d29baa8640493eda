//! The plots of a scenario: percentile spectrum, phase bars and lag over time. They draw numbers that others computed.

pub(crate) mod bars;
pub(crate) mod lag;
mod scale;
pub(crate) mod spectrum;
