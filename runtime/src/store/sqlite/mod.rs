//! The embedded store.

/// Sessions in an SQLite file.
#[derive(Clone, Debug)]
pub struct SqliteStore(());
