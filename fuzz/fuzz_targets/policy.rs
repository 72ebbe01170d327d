//! Feeds token streams to the pipeline of one macro.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tollgate_fuzz::policy(data));
