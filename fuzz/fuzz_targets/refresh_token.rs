//! Feeds refresh tokens.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tollgate_fuzz::refresh_token(data));
