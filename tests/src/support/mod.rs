//! Servers that the tests start for themselves, and what a test does where it cannot have one.

pub mod browser;
pub mod postgres;
pub mod redis;

/// Says that a test was skipped, and why; under `REQUIRE_STORES=1` that is a failure.
pub fn skipped(why: &str) {
    assert!(std::env::var_os("REQUIRE_STORES").is_none(), "{why}, and REQUIRE_STORES is set");
    println!("skipped: {why}");
}
