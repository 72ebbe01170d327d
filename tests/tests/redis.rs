//! The store in Redis: the conformance suite, what is refused at the start, faults, and what becomes of a loss.

#[path = "redis/conformance.rs"]
mod conformance;
