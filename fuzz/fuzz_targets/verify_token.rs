//! Feeds access tokens: the two decoders of ours and jsonwebtoken.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tollgate_fuzz::verify_token(data));
