//! The handle that users hold.

/// Any store.
#[derive(Clone, Debug)]
pub struct Store(());
