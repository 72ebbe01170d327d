//! The file: rows as JSON under text keys in one table of redb. Only this file knows the database.

use std::path::Path;

use redb::{Database, ReadOnlyTable, ReadableDatabase as _, ReadableTable, Table, TableDefinition};
use serde::de::{DeserializeOwned, IgnoredAny};
use tollgate::clock::Timestamp;
use tollgate::store::rows::{Cause, ReadRows, RowValue, Rows};

/// The open file. One process opens it at a time.
pub(crate) struct File(Database);

/// The rows as a transaction sees them.
pub(crate) struct Transaction<T>(T);

/// A transaction that reads.
pub(crate) type Reading = Transaction<ReadOnlyTable<&'static str, &'static [u8]>>;

/// A transaction that reads and writes.
pub(crate) type Writing<'t> = Transaction<Table<'t, &'static str, &'static [u8]>>;

impl File {
    pub(crate) fn open(path: &Path) -> Result<Self, Cause> {
        let file = Self(Database::create(path)?);
        // A transaction that writes makes the table if it is missing.
        file.write(|_| Ok(()))?;
        Ok(file)
    }

    /// Runs an operation on a snapshot. It waits for nobody.
    pub(crate) fn read<T>(
        &self,
        run: impl FnOnce(&Reading) -> Result<T, Cause>,
    ) -> Result<T, Cause> {
        let transaction = self.0.begin_read()?;
        run(&Transaction(transaction.open_table(ROWS)?))
    }

    /// Runs an operation that may write. redb runs one of these at a time, so what it reads still
    /// holds when it writes: of two that want the same session, the second sees what the first one
    /// did. An error drops the transaction, and nothing of it is done.
    pub(crate) fn write<T>(
        &self,
        run: impl FnOnce(&mut Writing<'_>) -> Result<T, Cause>,
    ) -> Result<T, Cause> {
        let transaction = self.0.begin_write()?;
        let answer = run(&mut Transaction(transaction.open_table(ROWS)?))?;
        // It waits for the disk. Nothing is answered before it returned.
        transaction.commit()?;
        Ok(answer)
    }
}

impl<T: ReadableTable<&'static str, &'static [u8]>> Transaction<T> {
    /// Visits the rows whose keys begin with `prefix`, from the key `from` on: its key, the time at
    /// which it ends, and what it holds.
    fn visit<V: DeserializeOwned>(
        &self,
        prefix: &str,
        from: &str,
        mut visit: impl FnMut(&str, Timestamp, V),
    ) -> Result<(), Cause> {
        for row in self.0.range(from..)? {
            let (key, row) = row?;
            if !key.value().starts_with(prefix) {
                break;
            }
            let (end, row) = serde_json::from_slice(row.value())?;
            visit(key.value(), end, row);
        }
        Ok(())
    }
}

impl<T: ReadableTable<&'static str, &'static [u8]>> ReadRows for Transaction<T> {
    fn get<R: RowValue>(&self, key: &str) -> Result<Option<(Timestamp, R)>, Cause> {
        let row = self.0.get(key)?;
        let row = row.map(|row| serde_json::from_slice(row.value()));
        Ok(row.transpose()?)
    }

    fn scan<R: RowValue>(
        &self,
        prefix: &str,
        from: &str,
        mut visit: impl FnMut(&str, &R),
    ) -> Result<(), Cause> {
        self.visit(prefix, from, |key, _, row| visit(key, &row))
    }

    fn ended(&self, prefix: &str, before: Timestamp) -> Result<Vec<String>, Cause> {
        let mut keys = Vec::new();
        self.visit(prefix, prefix, |key, end, _: IgnoredAny| {
            if end < before {
                keys.push(key.to_owned());
            }
        })?;
        Ok(keys)
    }
}

impl Rows for Writing<'_> {
    fn put<R: RowValue>(&mut self, key: &str, end: Timestamp, row: R) -> Result<(), Cause> {
        let row = serde_json::to_vec(&(end, row))?;
        self.0.insert(key, row.as_slice())?;
        Ok(())
    }

    fn remove(&mut self, key: &str) -> Result<(), Cause> {
        self.0.remove(key)?;
        Ok(())
    }
}

const ROWS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("tollgate");
