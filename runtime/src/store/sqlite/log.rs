//! The revocation log, and the lasting facts whose present value it repeats.

use rusqlite::OptionalExtension as _;

use super::realm::Connection;
use super::row::{natural, time};
use crate::clock::Timestamp;
use crate::store::record::{Fact, LogCursor, LogEntry, LogPage};
use crate::store::shared::columns::{integer, millis};
use crate::store::shared::fact;
use crate::store::shared::operation::Cause;

/// Writes an entry. A lasting fact goes into `tg_epoch` as well, and its entry replaces its
/// predecessor and moves to the end of the log: a reader of the older one reads on to it, and
/// another reader needs only this one.
pub(super) fn write(
    db: &Connection<'_>,
    fact: Fact,
    until: Timestamp,
) -> rusqlite::Result<LogEntry> {
    let entry = LogEntry::new(fact, until);
    let (kind, key, value) = entry.fact.to_columns();
    if entry.fact.is_lasting() {
        let name = std::str::from_utf8(key).unwrap_or_default();
        db.prepare_cached("INSERT OR REPLACE INTO tg_epoch(kind, key, value) VALUES (?, ?, ?)")?
            .execute((kind, name, integer(value)))?;
        // Lasting entries are the only ones with this `until`, so the index finds the few of them.
        db.prepare_cached("DELETE FROM tg_revocation WHERE until = ?1 AND kind = ?2 AND key = ?3")?
            .execute((millis(entry.until), kind, key))?;
    }
    db.prepare_cached("INSERT INTO tg_revocation(kind, key, value, until) VALUES (?, ?, ?, ?)")?
        .execute((kind, key, integer(value), millis(entry.until)))?;
    Ok(entry)
}

/// Writes the end of a session or a token, unless it needs no entry any more or there is one that
/// lasts as long. An entry with an earlier time is replaced. Returns the entry that is valid.
pub(super) fn write_end(
    db: &Connection<'_>,
    fact: Fact,
    until: Timestamp,
    now: Timestamp,
) -> rusqlite::Result<Option<LogEntry>> {
    let entry = LogEntry::new(fact, until);
    if entry.until <= now {
        return Ok(None);
    }
    let (kind, key, _) = entry.fact.to_columns();
    let sql =
        "SELECT EXISTS (SELECT 1 FROM tg_revocation WHERE kind = ? AND key = ? AND until >= ?)";
    let values = (kind, key, millis(entry.until));
    if db
        .prepare_cached(sql)?
        .query_row(values, |row| row.get(0))?
    {
        return Ok(Some(entry));
    }
    db.prepare_cached("DELETE FROM tg_revocation WHERE kind = ? AND key = ? AND until < ?")?
        .execute(values)?;
    write(db, entry.fact, entry.until).map(Some)
}

/// Reads the entries after a cursor, which is the id of the last one read.
///
/// An id is enough here: SQLite has one write lock a file, and a transaction takes it before it
/// takes an id and keeps it until its commit. So ids become visible in their order, whichever
/// process writes. `AUTOINCREMENT` never assigns an id twice.
///
/// A cursor that this file cannot have given, for instance because it was replaced by an older
/// copy, starts over: an extra entry does no harm, a missing one does.
pub(super) fn since(
    db: &Connection<'_>,
    cursor: &LogCursor,
    now: Timestamp,
) -> Result<LogPage, Cause> {
    let last = last(db)?;
    let seen = cursor
        .0
        .parse()
        .ok()
        .filter(|seen| (0..=last).contains(seen))
        .unwrap_or(0);

    let sql =
        "SELECT kind, key, value, until FROM tg_revocation WHERE id > ? AND until > ? ORDER BY id";
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query((seen, millis(now)))?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        let kind = row.get_ref(0)?.as_str()?;
        let fact = Fact::from_columns(kind, row.get(1)?, natural(row, 2)?)?;
        entries.push(LogEntry {
            fact,
            until: time(row, 3)?,
        });
    }
    if seen == 0 {
        add_lasting(db, &mut entries)?;
    }
    Ok(LogPage {
        entries,
        cursor: LogCursor(last.to_string()),
    })
}

/// Returns whether the log has an entry that a cursor has not seen.
pub(super) fn is_behind(db: &Connection<'_>, cursor: &LogCursor) -> rusqlite::Result<bool> {
    Ok(cursor.0.parse() != Ok(last(db)?))
}

/// Returns the number of the entry that was written last.
fn last(db: &Connection<'_>) -> rusqlite::Result<i64> {
    let sql = "SELECT seq FROM sqlite_sequence WHERE name = 'tg_revocation'";
    Ok(db
        .prepare_cached(sql)?
        .query_row([], |row| row.get(0))
        .optional()?
        .unwrap_or(0))
}

/// Adds the lasting facts from the table of their present values, whether or not their entries
/// still exist.
fn add_lasting(db: &Connection<'_>, entries: &mut Vec<LogEntry>) -> Result<(), Cause> {
    let mut statement = db.prepare_cached("SELECT kind, key, value FROM tg_epoch")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (kind, key) = (row.get_ref(0)?.as_str()?, row.get::<_, String>(1)?);
        let fact = Fact::from_columns(kind, key.into_bytes(), natural(row, 2)?)?;
        let entry = LogEntry::new(fact, Timestamp::MAX);
        if !entries.contains(&entry) {
            entries.push(entry);
        }
    }
    Ok(())
}

pub(super) fn set_paused(db: &Connection<'_>, paused: bool) -> Result<(), Cause> {
    let version = lasting(db, fact::PAUSE, "")? / 2 + 1;
    write(db, Fact::Paused(paused, version), Timestamp::MAX)?;
    Ok(())
}

/// Returns the keys that are no longer valid.
pub(super) fn ended_keys(db: &Connection<'_>) -> rusqlite::Result<Vec<String>> {
    let mut statement = db.prepare_cached("SELECT key FROM tg_epoch WHERE kind = ?")?;
    let keys = statement.query_map([fact::KEY], |row| row.get(0))?;
    keys.collect()
}

/// Returns the present value of a lasting fact, 0 if it was never written.
pub(super) fn lasting(db: &Connection<'_>, kind: &str, key: &str) -> rusqlite::Result<u64> {
    let mut statement =
        db.prepare_cached("SELECT value FROM tg_epoch WHERE kind = ? AND key = ?")?;
    Ok(statement
        .query_row((kind, key), |row| natural(row, 0))
        .optional()?
        .unwrap_or(0))
}
