//! The rows of PostgreSQL as records.

use std::borrow::Cow;

use sqlx::postgres::{PgRow, Postgres};
use sqlx::{Decode, Row as _, Type};

use super::fault::Fault;
use crate::clock::Timestamp;
use crate::store::record::{RealmRecord, Session, TokenRecord};
use crate::store::shared::columns::{self, Columns};
use crate::store::shared::operation::Cause;
use crate::store::shared::{realm, row};

/// Reads a session from the columns of `session_columns!`.
pub(super) fn session(row: &PgRow) -> Result<Session, Fault> {
    Ok(row::session(&mut PostgresColumns { row, next: 0 })?)
}

/// Reads a row of the registry from the columns of `token_columns!`.
pub(super) fn token(row: &PgRow) -> Result<TokenRecord, Fault> {
    Ok(row::token(&mut PostgresColumns { row, next: 0 })?)
}

/// Reads a realm from the columns of `realm_columns!`.
pub(super) fn realm(row: &PgRow) -> Result<RealmRecord, Fault> {
    Ok(realm::realm(&mut PostgresColumns { row, next: 0 })?)
}

/// Reads a time.
pub(super) fn time(row: &PgRow, column: usize) -> Result<Timestamp, Fault> {
    natural(row, column).map(Timestamp::from_millis)
}

/// Reads a number that is never negative.
pub(super) fn natural(row: &PgRow, column: usize) -> Result<u64, Fault> {
    Ok(columns::natural(row.try_get(column)?))
}

/// Reads a number of 32 bits, which PostgreSQL keeps in 64 because it has no unsigned integers.
pub(super) fn small(row: &PgRow, column: usize) -> Result<u32, Fault> {
    u32::try_from(row.try_get::<i64, _>(column)?)
        .map_err(|_| "a number of the store is out of its range".into())
}

struct PostgresColumns<'r> {
    row: &'r PgRow,
    next: usize,
}

impl<'r> PostgresColumns<'r> {
    fn take<T: Decode<'r, Postgres> + Type<Postgres>>(&mut self) -> Result<T, Cause> {
        let value = self.row.try_get(self.next)?;
        self.next += 1;
        Ok(value)
    }
}

impl Columns for PostgresColumns<'_> {
    fn number(&mut self) -> Result<Option<u64>, Cause> {
        Ok(self.take::<Option<i64>>()?.map(columns::natural))
    }

    fn text(&mut self) -> Result<Option<String>, Cause> {
        Ok(self.take::<Option<String>>()?.map(unescaped))
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

/// Escapes a text. PostgreSQL's text cannot contain the character number 0, so that one is written
/// as two others, the first of them being [`ESCAPE`]; [`ESCAPE`] itself is written as two
/// characters, too.
pub(super) fn escaped(text: &str) -> Cow<'_, str> {
    if text.contains(['\0', ESCAPE]) {
        Cow::Owned(text.replace(ESCAPE, "\u{1a}1").replace('\0', "\u{1a}0"))
    } else {
        Cow::Borrowed(text)
    }
}

/// Escapes a text that may be missing.
pub(super) fn escaped_or_none(text: &Option<String>) -> Option<Cow<'_, str>> {
    text.as_deref().map(escaped)
}

/// Returns a text as it was before [`escaped`].
pub(super) fn unescaped(text: String) -> String {
    if text.contains(ESCAPE) {
        text.replace("\u{1a}0", "\0").replace("\u{1a}1", "\u{1a}")
    } else {
        text
    }
}

/// The character "substitute", which no name has.
const ESCAPE: char = '\u{1a}';

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_reads_back_and_no_two_are_stored_alike() {
        let texts = [
            "",
            "ada",
            "\0",
            "\u{1a}",
            "\u{1a}0",
            "\0\u{1a}1",
            "a\0b",
            "\u{1a}\0",
            "\u{1a}10",
            "\u{1a}\u{1a}0",
        ];
        let mut seen = std::collections::HashSet::new();
        for text in texts {
            let escaped = escaped(text).into_owned();
            assert!(!escaped.contains('\0'));
            assert_eq!(unescaped(escaped.clone()), text);
            assert!(seen.insert(escaped), "{text:?}");
        }
    }
}
