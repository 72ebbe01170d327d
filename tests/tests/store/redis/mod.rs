//! The store in Redis: the conformance suite, what is refused at the start, faults, and what
//! becomes of a loss.

mod conformance;
mod fault;
mod gate;
mod keys;
mod loss;
mod node;
mod sentinel;
mod start;
mod tls;

registry_on!(registry_in_redis, async {
    Some(((), tollgate_tests::support::redis::store().await?))
});
clocks_on!(clocks_and_redis, async {
    Some(((), tollgate_tests::support::redis::store().await?))
});
