//! The store in Redis: the conformance suite, what is refused at the start, faults, and what
//! becomes of a loss.

#[macro_use]
#[path = "stores/clock.rs"]
mod clock;
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
#[macro_use]
#[path = "stores/registry.rs"]
mod registry;
#[path = "redis/start.rs"]
mod start;
#[path = "redis/tls.rs"]
mod tls;

registry_on!(registry_in_redis, async {
    Some(((), tollgate_tests::support::redis::store().await?))
});
clocks_on!(clocks_and_redis, async {
    Some(((), tollgate_tests::support::redis::store().await?))
});
