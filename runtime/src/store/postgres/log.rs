//! The revocation log, and the lasting facts, which are part of it.
//!
//! An entry has the number of the transaction that wrote it. Numbers are assigned when a
//! transaction begins to write, but become visible when it commits, in another order; an id would
//! be no better. So a cursor is not a number but the snapshot of the page before: the next page has
//! the entries that this snapshot did not show, each once, however late its transaction committed.

use sqlx::Row as _;
use sqlx::postgres::PgRow;

use super::fault::Fault;
use super::realm::{Connection, query};
use super::row::{escaped, natural, time, unescaped};
use crate::clock::Timestamp;
use crate::store::record::{Fact, LogCursor, LogEntry, LogPage};
use crate::store::shared::columns::millis;
use crate::store::shared::operation::Cause;

/// Reads the entries that the snapshot of a cursor did not show, and only those.
///
/// A snapshot has no meaning for another server, and none for the same server after a crash:
/// numbers whose transactions did not reach the disk are assigned again then. A connection does not
/// survive a crash. So the cursor names the server and the time at which it was made, and is valid
/// only on a connection that is older than it; otherwise the page starts over. An extra entry does
/// no harm; a missing one does.
pub(super) async fn since(
    db: &mut Connection<'_>,
    cursor: &LogCursor,
    now: Timestamp,
) -> Result<LogPage, Fault> {
    let seen = SnapshotCursor::parse(&cursor.0).unwrap_or(SnapshotCursor::NOTHING);
    let sql = concat!(
        "WITH here AS (
            SELECT pg_current_snapshot() AS snapshot, ",
        micros!("pg_postmaster_start_time()"),
        " AS server, ",
        micros!("statement_timestamp()"),
        " AS at, (SELECT ",
        micros!("backend_start"),
        " FROM pg_stat_get_activity(pg_backend_pid())) AS opened
        ), seen AS (
            SELECT CASE WHEN $1 = server AND $2 > opened AND \
         pg_snapshot_xmax($3::text::pg_snapshot) <= pg_snapshot_xmax(snapshot)
                THEN $3::text::pg_snapshot ELSE '1:1:'::pg_snapshot END AS snapshot
            FROM here
        )
        SELECT 0 AS id, NULL AS kind, NULL AS key, NULL AS value, NULL AS until, concat_ws(' ', \
         server, at, snapshot) AS cursor
        FROM here
        UNION ALL
        SELECT id, kind, key, value, until, NULL FROM tg_revocation
        WHERE xid >= (SELECT pg_snapshot_xmin(snapshot) FROM seen)
            AND NOT pg_visible_in_snapshot(xid, (SELECT snapshot FROM seen)) AND until > $4
        UNION ALL
        SELECT id, kind, convert_to(key, 'UTF8'), value, 9223372036854775807, NULL FROM tg_epoch
        WHERE NOT pg_visible_in_snapshot(xid, (SELECT snapshot FROM seen))
        ORDER BY id"
    );
    let query = query(sql)
        .bind(seen.server)
        .bind(seen.at)
        .bind(seen.snapshot)
        .bind(millis(now));
    let rows = query.fetch_all(db).await?;
    let mut page = LogPage::default();
    for row in &rows {
        match row.try_get(5)? {
            Some(cursor) => page.cursor = LogCursor(cursor),
            None => page.entries.push(entry(row)?),
        }
    }
    Ok(page)
}

/// A time of the server in whole microseconds since 1970, the precision that it keeps.
macro_rules! micros {
    ($time:literal) => {
        concat!("(extract(epoch FROM ", $time, ") * 1000000)::bigint")
    };
}
use micros;

/// The content of a cursor.
#[derive(Debug, PartialEq, Eq)]
struct SnapshotCursor<'a> {
    /// The time at which the server that made it was started.
    server: i64,
    /// The time at which it was made.
    at: i64,
    /// The snapshot with which its page was read: `xmin:xmax:xip,…`.
    snapshot: &'a str,
}

impl<'a> SnapshotCursor<'a> {
    /// The cursor before the first entry.
    const NOTHING: Self = Self {
        server: 0,
        at: 0,
        snapshot: "1:1:",
    };

    /// Reads a cursor; `None` for another text, so that the server is never asked to read a text
    /// that it did not write.
    fn parse(cursor: &'a str) -> Option<Self> {
        let (server, rest) = cursor.split_once(' ')?;
        let (at, snapshot) = rest.split_once(' ')?;
        let (xmin, rest) = snapshot.split_once(':')?;
        let (xmax, running) = rest.split_once(':')?;
        let (xmin, xmax) = (number(xmin)?, number(xmax)?);
        let mut last = xmin.checked_sub(1).filter(|_| xmin > 0 && xmin <= xmax)?;
        for running in running.split(',').filter(|_| !running.is_empty()) {
            let running = number(running).filter(|running| *running > last && *running < xmax)?;
            last = running;
        }
        Some(Self {
            server: server.parse().ok()?,
            at: at.parse().ok()?,
            snapshot,
        })
    }
}

/// Reads a transaction's number: digits, and no sign.
fn number(text: &str) -> Option<u64> {
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())
        .flatten()
}

fn entry(row: &PgRow) -> Result<LogEntry, Fault> {
    let (kind, mut key) = (row.try_get::<&str, _>(1)?, row.try_get::<Vec<u8>, _>(2)?);
    let until = time(row, 4)?;
    // The key of a lasting fact is a text.
    if until == Timestamp::MAX {
        key = unescaped(String::from_utf8(key).map_err(Cause::from)?).into_bytes();
    }
    let fact = Fact::from_columns(kind, key, natural(row, 3)?)?;
    Ok(LogEntry { fact, until })
}

/// The statement that writes a lasting fact. Its entry replaces its predecessor and moves to the
/// end of the log: a reader who has seen the older one finds it there, and another reader needs
/// only this one.
macro_rules! lasting {
    ($kind:literal, $key:literal, $value:literal, $next:literal) => {
        concat!(
            "INSERT INTO tg_epoch(kind, key, value) VALUES ('",
            $kind,
            "', ",
            $key,
            ", ",
            $value,
            ") ON CONFLICT (kind, key) DO UPDATE SET value = ",
            $next,
            ", id = excluded.id, xid = excluded.xid RETURNING value"
        )
    };
}
pub(super) use lasting;

pub(super) async fn set_paused(db: &mut Connection<'_>, paused: bool) -> Result<(), Fault> {
    let sql = lasting!("pause", "''", "2 + $1", "(tg_epoch.value / 2 + 1) * 2 + $1");
    query(sql).bind(i64::from(paused)).execute(db).await?;
    Ok(())
}

/// Records for ever that a key is no longer valid.
pub(super) async fn end_key(db: &mut Connection<'_>, key: &str) -> Result<(), Fault> {
    query(lasting!("key", "$1", "1", "1"))
        .bind(escaped(key))
        .execute(db)
        .await?;
    Ok(())
}

/// Returns the keys that are no longer valid.
pub(super) async fn ended_keys(db: &mut Connection<'_>) -> Result<Vec<String>, Fault> {
    let rows = query("SELECT key FROM tg_epoch WHERE kind = 'key'")
        .fetch_all(db)
        .await?;
    let keys = rows.iter().map(|row| Ok(unescaped(row.try_get(0)?)));
    keys.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_server_wrote_is_a_cursor() {
        for cursor in [
            "1 2 3:3:",
            "1700000000000000 1700000000000001 1056:1060:1056,1058",
        ] {
            assert!(SnapshotCursor::parse(cursor).is_some(), "{cursor}");
        }
        for cursor in [
            "",
            "no cursor",
            "-1",
            "9000000000000000000",
            "1 2 3",
            "1 2 3:3",
            "1 2 0:3:",
            "1 2 4:3:",
            "1 2 3:5:5",
            "1 2 3:5:4,4",
            "1 2 3:5:4,",
            "1 2 +3:5:",
            "1 2 3:5:2",
            "x 2 3:3:",
            "1 x 3:3:",
            "1 2 3:3: ",
            "1 2 3:18446744073709551616:",
        ] {
            assert_eq!(SnapshotCursor::parse(cursor), None, "{cursor}");
        }
    }
}
