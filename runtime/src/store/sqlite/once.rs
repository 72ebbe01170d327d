//! Single-use values, budgets and the key ring.

use rusqlite::OptionalExtension as _;

use super::realm::Connection;
use super::row::{natural, time};
use crate::clock::Timestamp;
use crate::store::budget::BudgetState;
use crate::store::record::{BoundMark, Limit, OnceKey, OnceValue, Spent, StoredKeys};
use crate::store::shared::columns::{integer, is_takable, millis};
use crate::store::shared::operation::Cause;

pub(super) fn consume(
    db: &Connection<'_>,
    key: [u8; 32],
    until: Timestamp,
    now: Timestamp,
) -> Result<bool, Cause> {
    insert(db, (CONSUMED, key), (None, None), until, now)
}

pub(super) fn put(db: &Connection<'_>, value: &OnceValue, now: Timestamp) -> Result<bool, Cause> {
    insert(
        db,
        (&stored_kind(&value.kind), value.hash),
        (Some(&value.payload), value.bound.as_ref()),
        value.until,
        now,
    )
}

/// Writes a row unless a valid one is there. A row that would not be valid itself is not written,
/// so the question can run on a reader too.
fn insert(
    db: &Connection<'_>,
    (kind, hash): (&str, [u8; 32]),
    (payload, bound): (Option<&[u8]>, Option<&BoundMark>),
    until: Timestamp,
    now: Timestamp,
) -> Result<bool, Cause> {
    if until <= now {
        let sql = "SELECT count(*) = 0 FROM tg_once WHERE kind = ? AND hash = ? AND until > ?";
        let values = (kind, hash, millis(now));
        return Ok(db
            .prepare_cached(sql)?
            .query_row(values, |row| row.get(0))?);
    }
    let sql = "INSERT INTO tg_once(kind, hash, payload, until, mark, mark_uid, mark_client)
               VALUES (?1, ?2, ?3, ?4, ?6, ?7, ?8) ON CONFLICT(kind, hash)
               DO UPDATE SET payload = excluded.payload, until = excluded.until, mark = \
               excluded.mark, mark_uid = excluded.mark_uid, mark_client = excluded.mark_client
               WHERE until <= ?5";
    let written = db.prepare_cached(sql)?.execute((
        kind,
        hash,
        payload,
        millis(until),
        millis(now),
        bound.map(|bound| integer(bound.mark)),
        bound.map(|bound| &bound.subject),
        bound.map(|bound| &bound.client_id),
    ))?;
    Ok(written == 1)
}

pub(super) fn take(
    db: &Connection<'_>,
    kind: &str,
    hash: [u8; 32],
    now: Timestamp,
) -> Result<Option<Vec<u8>>, Cause> {
    let sql = concat!(
        "DELETE FROM tg_once AS o WHERE o.kind = ?1 AND o.hash = ?2 AND ",
        is_takable!("?3"),
        " RETURNING payload"
    );
    payload(db, sql, kind, hash, now)
}

pub(super) fn read(
    db: &Connection<'_>,
    kind: &str,
    hash: [u8; 32],
    now: Timestamp,
) -> Result<Option<Vec<u8>>, Cause> {
    let sql = concat!(
        "SELECT o.payload FROM tg_once AS o WHERE o.kind = ?1 AND o.hash = ?2 AND ",
        is_takable!("?3")
    );
    payload(db, sql, kind, hash, now)
}

fn payload(
    db: &Connection<'_>,
    sql: &str,
    kind: &str,
    hash: [u8; 32],
    now: Timestamp,
) -> Result<Option<Vec<u8>>, Cause> {
    let values = (stored_kind(kind), hash, millis(now));
    let found = db
        .prepare_cached(sql)?
        .query_row(values, |row| row.get(0))
        .optional();
    Ok(found?)
}

/// Takes the value that an operation requires; returns whether it was there, or no value is
/// required.
pub(super) fn take_for(
    db: &Connection<'_>,
    takes: Option<&OnceKey>,
    now: Timestamp,
) -> Result<bool, Cause> {
    let Some(key) = takes else { return Ok(true) };
    Ok(take(db, &key.kind, key.hash, now)?.is_some())
}

/// Spends from a budget. Reading and writing are one step: the transaction holds the file's only
/// write lock.
pub(super) fn spend(
    db: &Connection<'_>,
    key: &str,
    cost: u32,
    limits: &[Limit],
    now: Timestamp,
) -> Result<Spent, Cause> {
    let mut read = db.prepare_cached(
        "SELECT full_at, fraction FROM tg_spend WHERE key = ? AND burst = ? AND period = ?",
    )?;
    let (answer, spent) = BudgetState::spend(limits, cost, now, |rate| {
        let budget = read.query_row((key, rate.burst, integer(rate.period)), |row| {
            Ok(BudgetState {
                full_at: time(row, 0)?,
                fraction: row.get(1)?,
            })
        });
        budget.optional()
    })?;
    let mut write = db.prepare_cached("INSERT OR REPLACE INTO tg_spend VALUES (?, ?, ?, ?, ?)")?;
    for (rate, budget) in spent {
        write.execute((
            key,
            rate.burst,
            integer(rate.period),
            millis(budget.full_at),
            budget.fraction,
        ))?;
    }
    Ok(answer)
}

pub(super) fn keys(db: &Connection<'_>) -> Result<StoredKeys, Cause> {
    let mut statement = db.prepare_cached("SELECT version, ring FROM tg_key WHERE id = 1")?;
    let stored = statement.query_row([], |row| {
        Ok(StoredKeys {
            version: natural(row, 0)?,
            ring: row.get(1)?,
        })
    });
    Ok(stored.optional()?.unwrap_or(StoredKeys {
        version: 0,
        ring: Vec::new(),
    }))
}

pub(super) fn swap_keys(db: &Connection<'_>, expected: u64, ring: &[u8]) -> Result<bool, Cause> {
    let written = if expected == 0 {
        let sql =
            "INSERT INTO tg_key(id, version, ring) VALUES (1, 1, ?) ON CONFLICT(id) DO NOTHING";
        db.prepare_cached(sql)?.execute([ring])?
    } else {
        let sql = "UPDATE tg_key SET version = version + 1, ring = ? WHERE id = 1 AND version = ?";
        db.prepare_cached(sql)?.execute((ring, integer(expected)))?
    };
    Ok(written == 1)
}

/// The kind of consumed keys, which no value can have.
const CONSUMED: &str = "";

fn stored_kind(kind: &str) -> String {
    format!(":{kind}")
}
