//! The stores: the conformance suite on each, and what is particular to SQLite.

#[path = "stores/conformance.rs"]
mod conformance;
#[path = "stores/durability.rs"]
mod durability;
#[path = "stores/fault.rs"]
mod fault;
#[path = "stores/opening.rs"]
mod opening;
#[path = "stores/processes.rs"]
mod processes;
#[path = "stores/record.rs"]
mod record;
