//! PostgreSQL and Redis for tests and examples: private servers that end with the process that
//! started them.
#![allow(clippy::missing_panics_doc, clippy::unwrap_used, clippy::expect_used)]

pub mod postgres;
pub mod redis;

/// Says that a test was skipped, and why; under `REQUIRE_STORES=1` that is a failure.
pub fn skipped(why: &str) {
    assert!(
        std::env::var_os("REQUIRE_STORES").is_none(),
        "{why}, and REQUIRE_STORES is set"
    );
    println!("skipped: {why}");
}
