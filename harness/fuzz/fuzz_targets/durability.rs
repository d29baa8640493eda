//! The fuzzer of `durability`: see `scripts/fuzz`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::durability(data));
