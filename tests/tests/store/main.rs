//! The stores: the conformance suite and the registry of tokens on each, and what is particular to
//! SQLite, PostgreSQL and Redis.

#[macro_use]
mod clock;
mod columns;
mod conformance;
mod everywhere;
mod lasting;
mod record;
mod tasks;
#[macro_use]
mod registry;

mod postgres;
mod redis;
mod sqlite;

registry_on!(registry_in_memory, async {
    Some(((), tollgate::store::MemoryStore::new()))
});
