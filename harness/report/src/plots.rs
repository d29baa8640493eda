//! The plots of a scenario: percentile spectrum and phase bars. They draw numbers that others computed.

pub(crate) mod bars;
mod scale;
pub(crate) mod spectrum;
