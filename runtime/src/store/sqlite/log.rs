//! The revocation log, and the lasting facts whose present value it repeats.

use rusqlite::{Connection, OptionalExtension as _};

use super::super::{Fact, LogCursor, LogEntry, LogPage};
use super::Outcome;
use super::row::{integer, millis, natural, time};
use crate::clock::Timestamp;
use crate::id::{SessionId, TokenId};

/// Writes an entry. A lasting fact goes into `tg_epoch` as well, and its entry takes the place of
/// its predecessor at the log's end: whoever read the older one reads on to it, and whoever did not
/// needs only it.
pub(super) fn write(db: &Connection, fact: Fact, until: Timestamp) -> rusqlite::Result<LogEntry> {
    let (kind, key, value) = columns(&fact);
    let until = if is_lasting(kind) {
        let name = std::str::from_utf8(key).unwrap_or_default();
        db.prepare_cached("INSERT OR REPLACE INTO tg_epoch(kind, key, value) VALUES (?, ?, ?)")?
            .execute((kind, name, integer(value)))?;
        // Lasting entries are the only ones with this `until`, so the index finds the few of them.
        db.prepare_cached("DELETE FROM tg_revocation WHERE until = ?1 AND kind = ?2 AND key = ?3")?
            .execute((millis(Timestamp::MAX), kind, key))?;
        Timestamp::MAX
    } else {
        until.min(Timestamp::from_millis(Timestamp::MAX.as_millis() - 1))
    };
    db.prepare_cached("INSERT INTO tg_revocation(kind, key, value, until) VALUES (?, ?, ?, ?)")?
        .execute((kind, key, integer(value), millis(until)))?;
    Ok(LogEntry { fact, until })
}

/// The entries after a cursor, which is the id of the last one read.
///
/// That suffices here: SQLite has one write lock a file, a transaction takes it before it takes an
/// id and keeps it until its commit, so ids become visible in their order, whichever process
/// writes. `AUTOINCREMENT` never gives an id twice.
///
/// A cursor that this file cannot have given, for instance because an older copy was put in its
/// place, starts over: an entry too many does no harm, one too few does.
pub(super) fn since(db: &Connection, cursor: &LogCursor, now: Timestamp) -> Outcome<LogPage> {
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
        let fact = fact(row.get_ref(0)?.as_str()?, row.get(1)?, natural(row, 2)?)?;
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

/// Whether the log holds something that a cursor has not seen.
pub(super) fn is_behind(db: &Connection, cursor: &LogCursor) -> rusqlite::Result<bool> {
    Ok(cursor.0.parse() != Ok(last(db)?))
}

/// The number of the entry that was written last.
fn last(db: &Connection) -> rusqlite::Result<i64> {
    let sql = "SELECT seq FROM sqlite_sequence WHERE name = 'tg_revocation'";
    Ok(db
        .prepare_cached(sql)?
        .query_row([], |row| row.get(0))
        .optional()?
        .unwrap_or(0))
}

/// From the start, what lasts is read where its present value is kept, whatever has become of its
/// entry.
fn add_lasting(db: &Connection, entries: &mut Vec<LogEntry>) -> Outcome<()> {
    let mut statement = db.prepare_cached("SELECT kind, key, value FROM tg_epoch")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let fact = fact(
            row.get_ref(0)?.as_str()?,
            row.get::<_, String>(1)?.into_bytes(),
            natural(row, 2)?,
        )?;
        let entry = LogEntry {
            fact,
            until: Timestamp::MAX,
        };
        if !entries.contains(&entry) {
            entries.push(entry);
        }
    }
    Ok(())
}

pub(super) fn set_paused(db: &Connection, paused: bool) -> Outcome<()> {
    let version = lasting(db, PAUSE, "")? / 2 + 1;
    write(db, Fact::Paused(paused, version), Timestamp::MAX)?;
    Ok(())
}

/// The present value of a lasting fact, 0 where there is none.
pub(super) fn lasting(db: &Connection, kind: &str, key: &str) -> rusqlite::Result<u64> {
    let mut statement =
        db.prepare_cached("SELECT value FROM tg_epoch WHERE kind = ? AND key = ?")?;
    Ok(statement
        .query_row((kind, key), |row| natural(row, 0))
        .optional()?
        .unwrap_or(0))
}

fn columns(fact: &Fact) -> (&'static str, &[u8], u64) {
    match fact {
        Fact::Session(sid) => (SESSION, sid.as_bytes(), 0),
        Fact::Generation(sid, generation) => (GENERATION, sid.as_bytes(), u64::from(*generation)),
        Fact::Subject(subject, epoch) => (SUBJECT, subject.as_bytes(), *epoch),
        Fact::Token(jti) => (TOKEN, jti.as_bytes(), 0),
        Fact::Client(client, epoch) => (CLIENT, client.as_bytes(), *epoch),
        Fact::Key(key) => (KEY, key.as_bytes(), 1),
        Fact::Everything(epoch) => (GLOBAL, b"", *epoch),
        Fact::Paused(paused, version) => {
            (PAUSE, b"", version.saturating_mul(2) + u64::from(*paused))
        }
    }
}

fn fact(kind: &str, key: Vec<u8>, value: u64) -> Outcome<Fact> {
    let id = |key: Vec<u8>| {
        <[u8; 16]>::try_from(key).map_err(|_| "an id of the log is not sixteen bytes")
    };
    Ok(match kind {
        SESSION => Fact::Session(SessionId::from_bytes(id(key)?)),
        GENERATION => Fact::Generation(SessionId::from_bytes(id(key)?), u32::try_from(value)?),
        SUBJECT => Fact::Subject(String::from_utf8(key)?, value),
        TOKEN => Fact::Token(TokenId::from_bytes(id(key)?)),
        CLIENT => Fact::Client(String::from_utf8(key)?, value),
        KEY => Fact::Key(String::from_utf8(key)?),
        GLOBAL => Fact::Everything(value),
        PAUSE => Fact::Paused(value % 2 == 1, value / 2),
        other => {
            return Err(format!("the log says `{other}`, which this version does not know").into());
        }
    })
}

fn is_lasting(kind: &str) -> bool {
    [CLIENT, KEY, GLOBAL, PAUSE].contains(&kind)
}

const SESSION: &str = "session";
const GENERATION: &str = "generation";
const SUBJECT: &str = "subject";
const TOKEN: &str = "token";
pub(super) const CLIENT: &str = "client";
const KEY: &str = "key";
pub(super) const GLOBAL: &str = "global";
const PAUSE: &str = "pause";
