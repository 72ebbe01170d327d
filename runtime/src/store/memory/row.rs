//! The rows of the store in memory: each is a value without a format.

use std::any::Any;
use std::collections::BTreeMap;

use crate::clock::Timestamp;
use crate::store::rows::{ReadRows, RowValue, Rows};
use crate::store::shared::operation::Cause;

/// All rows, in the order of their keys.
#[derive(Default)]
pub(super) struct MemoryRows(BTreeMap<String, (Timestamp, Box<dyn Any + Send + Sync>)>);

impl MemoryRows {
    /// Returns the rows whose keys begin with `prefix`, from the key `from` on.
    fn from<'a>(
        &'a self,
        prefix: &'a str,
        from: &str,
    ) -> impl Iterator<Item = (&'a String, &'a (Timestamp, Box<dyn Any + Send + Sync>))> {
        let rows = self.0.range(from.to_owned()..);
        rows.take_while(move |(key, _)| key.starts_with(prefix))
    }
}

impl ReadRows for MemoryRows {
    fn get<R: RowValue>(&self, key: &str) -> Result<Option<(Timestamp, R)>, Cause> {
        let row = self.0.get(key);
        row.map(|(end, row)| Ok((*end, read::<R>(row.as_ref())?.clone())))
            .transpose()
    }

    fn scan<R: RowValue>(
        &self,
        prefix: &str,
        from: &str,
        mut visit: impl FnMut(&str, &R),
    ) -> Result<(), Cause> {
        for (key, (_, row)) in self.from(prefix, from) {
            visit(key, read(row.as_ref())?);
        }
        Ok(())
    }

    fn ended(&self, prefix: &str, before: Timestamp) -> Result<Vec<String>, Cause> {
        let rows = self.from(prefix, prefix);
        let ended = rows.filter(|(_, (end, _))| *end < before);
        Ok(ended.map(|(key, _)| key.clone()).collect())
    }
}

impl Rows for MemoryRows {
    fn put<R: RowValue>(&mut self, key: &str, end: Timestamp, row: R) -> Result<(), Cause> {
        self.0.insert(key.to_owned(), (end, Box::new(row)));
        Ok(())
    }

    fn remove(&mut self, key: &str) -> Result<(), Cause> {
        self.0.remove(key);
        Ok(())
    }
}

fn read<R: RowValue>(row: &(dyn Any + Send + Sync)) -> Result<&R, Cause> {
    let row = row.downcast_ref::<R>();
    row.ok_or_else(|| "a row in memory is not of the type that was asked for".into())
}
