//! Criterion micro-benchmarks of the hot paths.
