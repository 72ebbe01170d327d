//! The store in memory.

/// Sessions in memory.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore(());
