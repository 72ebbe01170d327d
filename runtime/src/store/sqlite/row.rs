//! The rows of SQLite as records.

use rusqlite::Row;
use rusqlite::types::FromSql;

use crate::clock::Timestamp;
use crate::store::record::{RealmRecord, Session, TokenRecord};
use crate::store::shared::columns::{self, Columns};
use crate::store::shared::operation::Cause;
use crate::store::shared::{realm, row};

/// Reads a session from the columns of `session_columns!`.
pub(super) fn session(row: &Row<'_>) -> Result<Session, Cause> {
    row::session(&mut SqliteColumns { row, next: 0 })
}

/// Reads a row of the registry from the columns of `token_columns!`.
pub(super) fn token(row: &Row<'_>) -> Result<TokenRecord, Cause> {
    row::token(&mut SqliteColumns { row, next: 0 })
}

/// Reads a realm from the columns of `realm_columns!`.
pub(super) fn realm(row: &Row<'_>) -> Result<RealmRecord, Cause> {
    realm::realm(&mut SqliteColumns { row, next: 0 })
}

/// Reads a time.
pub(super) fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<Timestamp> {
    natural(row, column).map(Timestamp::from_millis)
}

/// Reads a number that is never negative.
pub(super) fn natural(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get(column).map(columns::natural)
}

struct SqliteColumns<'r, 's> {
    row: &'r Row<'s>,
    next: usize,
}

impl SqliteColumns<'_, '_> {
    fn take<T: FromSql>(&mut self) -> Result<T, Cause> {
        let value = self.row.get(self.next)?;
        self.next += 1;
        Ok(value)
    }
}

impl Columns for SqliteColumns<'_, '_> {
    fn number(&mut self) -> Result<Option<u64>, Cause> {
        Ok(self.take::<Option<i64>>()?.map(columns::natural))
    }

    fn text(&mut self) -> Result<Option<String>, Cause> {
        self.take()
    }

    fn bytes(&mut self) -> Result<Option<Vec<u8>>, Cause> {
        self.take()
    }

    fn fixed<const N: usize>(&mut self) -> Result<Option<[u8; N]>, Cause> {
        self.take()
    }

    fn flag(&mut self) -> Result<bool, Cause> {
        self.take()
    }
}
