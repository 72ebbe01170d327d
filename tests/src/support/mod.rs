//! Servers that the tests start for themselves, and what a test does where it cannot have one.

pub mod browser;
pub mod interop;
pub mod line;
pub mod redis;

pub use tollgate_servers::{left_out, postgres, skipped};
