//! Feeds tokens of another issuer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tollgate_fuzz::foreign_token(data));
