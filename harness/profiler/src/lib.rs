//! Samplers and folded stacks; used by driver and benches.
