//! Single-use values, budgets and the key ring.

use std::borrow::Cow;
use std::collections::HashMap;

use sqlx::Row as _;

use super::fault::Fault;
use super::realm::{Connection, query};
use super::row::{escaped, natural, small, time};
use super::run::Mode;
use crate::clock::Timestamp;
use crate::secret::sha256;
use crate::store::budget::{BudgetRate, BudgetState};
use crate::store::record::{BoundMark, Limit, OnceKey, OnceValue, Spent, StoredKeys};
use crate::store::shared::columns::{integer, is_takable, millis};

pub(super) async fn consume(
    db: &mut Connection<'_>,
    key: [u8; 32],
    until: Timestamp,
    now: Timestamp,
) -> Result<bool, Fault> {
    insert(db, (CONSUMED, key), (None, None), until, now).await
}

pub(super) async fn put(
    db: &mut Connection<'_>,
    value: &OnceValue,
    now: Timestamp,
) -> Result<bool, Fault> {
    insert(
        db,
        (&stored_kind(&value.kind), value.hash),
        (Some(&value.payload), value.bound.as_ref()),
        value.until,
        now,
    )
    .await
}

/// Writes a row unless a valid one is there. Of several callers at once the first locks the key;
/// the others wait for it and then find its row. A row that would not be valid itself is not
/// written.
async fn insert(
    db: &mut Connection<'_>,
    (kind, hash): (&str, [u8; 32]),
    (payload, bound): (Option<&[u8]>, Option<&BoundMark>),
    until: Timestamp,
    now: Timestamp,
) -> Result<bool, Fault> {
    if until <= now {
        let sql = "SELECT count(*) = 0 FROM tg_once WHERE kind = $1 AND hash = $2 AND until > $3";
        let query = query(sql).bind(kind).bind(hash).bind(millis(now));
        return Ok(query.fetch_one(db).await?.try_get(0)?);
    }
    let sql = "INSERT INTO tg_once(kind, hash, payload, until, mark, mark_uid, mark_client)
               VALUES ($1, $2, $3, $4, $6, $7, $8) ON CONFLICT (kind, hash)
               DO UPDATE SET payload = excluded.payload, until = excluded.until, mark = \
               excluded.mark, mark_uid = excluded.mark_uid, mark_client = excluded.mark_client
               WHERE tg_once.until <= $5";
    let query = query(sql)
        .bind(kind)
        .bind(hash)
        .bind(payload)
        .bind(millis(until))
        .bind(millis(now))
        .bind(bound.map(|bound| integer(bound.mark)))
        .bind(bound.map(|bound| escaped(&bound.subject)))
        .bind(bound.map(|bound| escaped(&bound.client_id)));
    Ok(query.execute(db).await?.rows_affected() == 1)
}

pub(super) async fn take(
    db: &mut Connection<'_>,
    kind: &str,
    hash: [u8; 32],
    now: Timestamp,
) -> Result<Option<Vec<u8>>, Fault> {
    let sql = concat!(
        "DELETE FROM tg_once AS o WHERE o.kind = $1 AND o.hash = $2 AND ",
        is_takable!("$3"),
        " RETURNING o.payload"
    );
    payload(db, sql, kind, hash, now).await
}

pub(super) async fn read(
    db: &mut Connection<'_>,
    kind: &str,
    hash: [u8; 32],
    now: Timestamp,
) -> Result<Option<Vec<u8>>, Fault> {
    let sql = concat!(
        "SELECT o.payload FROM tg_once AS o WHERE o.kind = $1 AND o.hash = $2 AND ",
        is_takable!("$3")
    );
    payload(db, sql, kind, hash, now).await
}

/// Takes the value that an operation requires; returns whether it was there, or no value is
/// required.
pub(super) async fn take_for(
    db: &mut Connection<'_>,
    takes: Option<&OnceKey>,
    now: Timestamp,
) -> Result<bool, Fault> {
    let Some(key) = takes else { return Ok(true) };
    Ok(take(db, &key.kind, key.hash, now).await?.is_some())
}

async fn payload(
    db: &mut Connection<'_>,
    sql: &'static str,
    kind: &str,
    hash: [u8; 32],
    now: Timestamp,
) -> Result<Option<Vec<u8>>, Fault> {
    let query = query(sql)
        .bind(stored_kind(kind))
        .bind(hash)
        .bind(millis(now));
    Ok(query
        .fetch_optional(db)
        .await?
        .map(|row| row.try_get(0))
        .transpose()?)
}

/// Returns the mode in which a row that is valid until then is written: one that would not be valid
/// is only asked about.
pub(super) fn keeping(until: Timestamp, now: Timestamp) -> Mode {
    if until <= now {
        Mode::Read
    } else {
        Mode::Statement
    }
}

/// Returns the mode in which a budget is spent: a transaction that has the key for itself. It locks
/// a number instead of rows, because the rows may not exist yet. The number is the key's SHA-256,
/// so it differs from those of other keys and of the program.
pub(super) fn spending(key: &str) -> Mode {
    let [a, b, c, d, e, f, g, h, ..] = sha256(key.as_bytes());
    let number = i64::from_be_bytes([a, b, c, d, e, f, g, h]);
    Mode::Transaction(Cow::Owned(format!(
        "BEGIN; SELECT pg_advisory_xact_lock({number})"
    )))
}

pub(super) async fn spend(
    db: &mut Connection<'_>,
    key: &str,
    cost: u32,
    limits: &[Limit],
    now: Timestamp,
) -> Result<Spent, Fault> {
    let key = sha256(key.as_bytes());
    let mut known = HashMap::new();
    let sql = "SELECT burst, period, full_at, fraction FROM tg_spend WHERE key = $1";
    for row in query(sql).bind(key).fetch_all(&mut *db).await? {
        let rate = BudgetRate {
            burst: small(&row, 0)?,
            period: natural(&row, 1)?,
        };
        let budget = BudgetState {
            full_at: time(&row, 2)?,
            fraction: small(&row, 3)?,
        };
        known.insert(rate, budget);
    }
    let read = |rate| -> Result<_, Fault> { Ok(known.get(&rate).copied()) };
    let (answer, spent) = BudgetState::spend(limits, cost, now, read)?;
    if spent.is_empty() {
        return Ok(answer);
    }
    let sql = "INSERT INTO tg_spend(key, burst, period, full_at, fraction) SELECT $1, * FROM \
               unnest($2, $3, $4, $5)
               ON CONFLICT (key, burst, period) DO UPDATE SET full_at = excluded.full_at, fraction \
               = excluded.fraction";
    let column =
        |value: fn(&(BudgetRate, BudgetState)) -> i64| spent.iter().map(value).collect::<Vec<_>>();
    query(sql)
        .bind(key)
        .bind(column(|(rate, _)| i64::from(rate.burst)))
        .bind(column(|(rate, _)| integer(rate.period)))
        .bind(column(|(_, budget)| millis(budget.full_at)))
        .bind(column(|(_, budget)| i64::from(budget.fraction)))
        .execute(db)
        .await?;
    Ok(answer)
}

pub(super) async fn keys(db: &mut Connection<'_>) -> Result<StoredKeys, Fault> {
    let stored = query("SELECT version, ring FROM tg_key WHERE id = 1")
        .fetch_optional(db)
        .await?;
    let Some(row) = stored else {
        return Ok(StoredKeys {
            version: 0,
            ring: Vec::new(),
        });
    };
    Ok(StoredKeys {
        version: natural(&row, 0)?,
        ring: row.try_get(1)?,
    })
}

pub(super) async fn swap_keys(
    db: &mut Connection<'_>,
    expected: u64,
    ring: &[u8],
) -> Result<bool, Fault> {
    let query = if expected == 0 {
        query("INSERT INTO tg_key(id, version, ring) VALUES (1, 1, $1) ON CONFLICT (id) DO NOTHING")
            .bind(ring)
    } else {
        let sql =
            "UPDATE tg_key SET version = version + 1, ring = $1 WHERE id = 1 AND version = $2";
        query(sql).bind(ring).bind(integer(expected))
    };
    Ok(query.execute(db).await?.rows_affected() == 1)
}

/// The kind of consumed keys, which no value can have.
const CONSUMED: &str = "";

pub(super) fn stored_kind(kind: &str) -> String {
    format!(":{}", escaped(kind))
}
