//! Feeds settings, in a file and in the environment.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tollgate_fuzz::settings_toml(data));
