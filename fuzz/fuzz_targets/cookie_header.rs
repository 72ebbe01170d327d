//! Feeds the header of cookies.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tollgate_fuzz::cookie_header(data));
