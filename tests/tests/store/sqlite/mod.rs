//! The store in a file: what is particular to SQLite.

mod durability;
mod fault;
mod opening;
mod processes;

registry_on!(registry_in_a_file, async {
    let folder = tempfile::tempdir().unwrap();
    let store = tollgate::store::SqliteStore::open(folder.path().join("sessions.db"))
        .await
        .unwrap();
    Some((folder, store))
});
