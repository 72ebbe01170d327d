//! Feeds the headers of proxies.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tollgate_fuzz::forwarded(data));
