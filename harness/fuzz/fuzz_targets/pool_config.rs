//! The fuzzer of `pool_config`: see `scripts/fuzz`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::pool_config(data));
