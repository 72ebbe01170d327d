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
#[macro_use]
#[path = "stores/registry.rs"]
mod registry;

registry_on!(registry_in_memory, async {
    Some(((), tollgate::store::MemoryStore::new()))
});
registry_on!(registry_in_a_file, async {
    let folder = tempfile::tempdir().unwrap();
    let store = tollgate::store::SqliteStore::open(folder.path().join("sessions.db"))
        .await
        .unwrap();
    Some((folder, store))
});
