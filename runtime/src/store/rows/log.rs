//! The revocation log.
//!
//! Entries are numbered in the order of writing. In the same order they become visible, because one
//! transaction writes at a time. So a cursor is the number of the last entry.

use super::row::{ReadRows, Rows};
use crate::clock::Timestamp;
use crate::store::record::{Fact, LogCursor, LogEntry, LogPage};
use crate::store::shared::fact::PAUSE;
use crate::store::shared::hex::hex;
use crate::store::shared::operation::Cause;

/// Reads the entries that were logged since a cursor.
///
/// A cursor that this log cannot have given starts over: an extra entry does no harm, a missing one
/// does.
///
/// # Errors
/// The engine failed.
pub fn log_since(
    rows: &impl ReadRows,
    cursor: &LogCursor,
    now: Timestamp,
) -> Result<LogPage, Cause> {
    let last = last_logged(rows)?;
    let seen = cursor.0.parse().ok().filter(|seen| *seen <= last);
    let first = key(seen.unwrap_or(0).saturating_add(1));
    let mut entries = Vec::new();
    rows.scan(LOG, &first, |_, (until, kind, key, value): &EntryRow| {
        if *until > now {
            let fact = Fact::from_columns(kind, key.clone(), *value);
            entries.push(fact.map(|fact| LogEntry {
                fact,
                until: *until,
            }));
        }
    })?;
    Ok(LogPage {
        entries: entries.into_iter().collect::<Result<_, _>>()?,
        cursor: LogCursor(last.to_string()),
    })
}

/// Pauses or resumes the deployment.
///
/// # Errors
/// The engine failed.
pub fn set_paused(rows: &mut impl Rows, paused: bool) -> Result<(), Cause> {
    let version = lasting(rows, PAUSE, "")? / 2 + 1;
    write(rows, Fact::Paused(paused, version), Timestamp::MAX)?;
    Ok(())
}

/// Writes an entry. That of a lasting fact replaces its predecessor, at the end of the log.
pub(super) fn write(rows: &mut impl Rows, fact: Fact, until: Timestamp) -> Result<LogEntry, Cause> {
    let number = last_logged(rows)?.saturating_add(1);
    let entry = LogEntry::new(fact, until);
    let (kind, name, value) = entry.fact.to_columns();
    if entry.fact.is_lasting() {
        let lasting = format!("lasting/{kind}/{}", std::str::from_utf8(name)?);
        if let Some((_, (_, before))) = rows.get::<(u64, u64)>(&lasting)? {
            rows.remove(&key(before))?;
        }
        rows.put(&lasting, Timestamp::MAX, (value, number))?;
    }
    let row: EntryRow = (entry.until, kind.to_owned(), name.to_vec(), value);
    rows.put(&key(number), entry.until, row)?;
    rows.put(LAST, Timestamp::MAX, number)?;
    Ok(entry)
}

/// Writes the end of a session or a token, unless it needs no entry any more or there is one that
/// lasts as long. An entry with an earlier time is replaced, so the log has one entry for each end.
/// Returns the entry that is valid.
pub(super) fn write_end(
    rows: &mut impl Rows,
    fact: Fact,
    until: Timestamp,
    now: Timestamp,
) -> Result<Option<LogEntry>, Cause> {
    let entry = LogEntry::new(fact, until);
    if entry.until <= now {
        return Ok(None);
    }
    let (kind, name, _) = entry.fact.to_columns();
    let end = format!("{END}{kind}/{}", hex(name));
    if let Some((standing, number)) = rows.get::<u64>(&end)? {
        if standing >= entry.until {
            return Ok(Some(entry));
        }
        rows.remove(&key(number))?;
    }
    let entry = write(rows, entry.fact, entry.until)?;
    rows.put(&end, entry.until, last_logged(rows)?)?;
    Ok(Some(entry))
}

/// Returns the present value of a lasting fact, 0 if it was never written.
pub(super) fn lasting(rows: &impl ReadRows, kind: &str, name: &str) -> Result<u64, Cause> {
    let row = rows.get::<(u64, u64)>(&format!("lasting/{kind}/{name}"))?;
    Ok(row.map_or(0, |(_, (value, _))| value))
}

/// Returns the number of the entry that was written last.
pub(in crate::store) fn last_logged(rows: &impl ReadRows) -> Result<u64, Cause> {
    Ok(rows.get(LAST)?.map_or(0, |(_, number)| number))
}

/// Returns the key of an entry, whose digits keep the order of the numbers.
fn key(number: u64) -> String {
    format!("{LOG}{number:020}")
}

/// The end of an entry, and the columns of its fact.
type EntryRow = (Timestamp, String, Vec<u8>, u64);

pub(super) const LOG: &str = "log/";
pub(super) const END: &str = "end/";
const LAST: &str = "logged";
