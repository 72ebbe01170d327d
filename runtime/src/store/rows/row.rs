//! The traits of an engine: rows under keys, each with the time at which it ends.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::clock::Timestamp;
use crate::store::shared::operation::Cause;

/// The rows of a store, as one transaction sees them.
pub trait ReadRows {
    /// Reads a row, and the time at which it ends.
    ///
    /// # Errors
    /// The engine failed, or the row is not of this type.
    fn get<R: RowValue>(&self, key: &str) -> Result<Option<(Timestamp, R)>, Cause>;

    /// Visits the rows whose keys begin with `prefix`, starting at the key `from`, in the order of
    /// the bytes of their keys.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    fn scan<R: RowValue>(
        &self,
        prefix: &str,
        from: &str,
        visit: impl FnMut(&str, &R),
    ) -> Result<(), Cause>;

    /// Reads the keys, beginning with `prefix`, of the rows that ended before a time.
    ///
    /// # Errors
    /// The engine failed.
    fn ended(&self, prefix: &str, before: Timestamp) -> Result<Vec<String>, Cause>;
}

/// The rows of a store, as one transaction changes them.
pub trait Rows: ReadRows {
    /// Writes a row, and replaces the one that is there.
    ///
    /// # Errors
    /// The engine failed.
    fn put<R: RowValue>(&mut self, key: &str, end: Timestamp, row: R) -> Result<(), Cause>;

    /// Deletes a row, if there is one.
    ///
    /// # Errors
    /// The engine failed.
    fn remove(&mut self, key: &str) -> Result<(), Cause>;
}

/// The content of a row: a record, or a few values. It can be serialised, in any format that the
/// engine uses.
pub trait RowValue: Clone + DeserializeOwned + Serialize + Send + Sync + 'static {}

impl<R: Clone + DeserializeOwned + Serialize + Send + Sync + 'static> RowValue for R {}
