//! Feeds JWK sets of other issuers.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tollgate_fuzz::jwks(data));
