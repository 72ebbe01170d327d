//! PostgreSQL: the conformance suite on it, and what is particular to it.

#[path = "postgres/conformance.rs"]
mod conformance;
#[path = "stores/record.rs"]
mod record;
