//! The store in Redis: the conformance suite, what is refused at the start, faults, and what becomes of a loss.

#[path = "redis/conformance.rs"]
mod conformance;
#[path = "redis/fault.rs"]
mod fault;
#[path = "redis/gate.rs"]
mod gate;
#[path = "redis/keys.rs"]
mod keys;
#[path = "redis/loss.rs"]
mod loss;
#[path = "redis/node.rs"]
mod node;
#[path = "stores/record.rs"]
mod record;
#[path = "redis/start.rs"]
mod start;
#[path = "redis/tls.rs"]
mod tls;
