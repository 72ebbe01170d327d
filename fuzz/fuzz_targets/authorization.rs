//! Feeds the header of a bearer token.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tollgate_fuzz::authorization(data));
