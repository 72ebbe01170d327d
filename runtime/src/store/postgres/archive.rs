//! Deletes rows that are not needed any more. Rows that another transaction has locked are left for
//! the next run.

use sqlx::Row as _;

use super::fault::Fault;
use super::realm::{Connection, query};
use super::row::natural;
use crate::clock::Timestamp;
use crate::store::record::Archived;
use crate::store::shared::columns::millis;

pub(super) async fn archive(
    db: &mut Connection<'_>,
    before: Timestamp,
    limit: u32,
    now: Timestamp,
) -> Result<Archived, Fault> {
    let mut run = Run {
        db,
        before: millis(before),
        limit: i64::from(limit),
        now: millis(now),
        more: false,
    };
    let sessions = run
        .delete(delete!("tg_session", "sid", "t.abs_exp < $1", "t.abs_exp"))
        .await?;
    let tokens = run.delete(TOKENS).await?;
    let mut others = run
        .delete(delete!("tg_once", "kind, hash", "t.until < $1", "t.until"))
        .await?;
    others += run
        .delete(delete!(
            "tg_spend",
            "key, burst, period",
            "t.full_at < $1",
            "t.full_at"
        ))
        .await?;
    others += run
        // An entry of the log is not needed any more once its time is over.
        .delete(delete!("tg_revocation", "id", "t.until < $3", "t.until"))
        .await?;
    Ok(Archived {
        sessions,
        tokens,
        others,
        more: run.more,
    })
}

struct Run<'a, 'c> {
    db: &'a mut Connection<'c>,
    before: i64,
    limit: i64,
    now: i64,
    more: bool,
}

impl Run<'_, '_> {
    async fn delete(&mut self, sql: &'static str) -> Result<u64, Fault> {
        let query = query(sql).bind(self.before).bind(self.limit).bind(self.now);
        let row = query.fetch_one(&mut *self.db).await?;
        self.more |= row.try_get::<bool, _>(1)?;
        natural(&row, 0)
    }
}

/// Deletes at most `$2` rows of a table under a condition. Returns how many were deleted, and
/// whether there are more, for which it looks for one more than the limit.
///
/// Rows are locked where they are found, and the condition is checked again on the locked row: a
/// value or a budget that was renewed in the meantime stays.
macro_rules! delete {
    ($table:literal, $keys:literal, $condition:literal, $order:literal $(, $needed:expr)?) => {
        concat!(
            "WITH RECURSIVE ",
            $($needed,)?
            "found AS (SELECT ", $keys, " FROM ", $table, " t WHERE ", $condition,
            " ORDER BY ", $order,
            " LIMIT $2 + 1 FOR UPDATE SKIP LOCKED), gone AS (DELETE FROM ", $table,
            " WHERE (", $keys,
            ") IN (SELECT ", $keys, " FROM found LIMIT $2) RETURNING 1)
             SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM found) > $2"
        )
    };
}
use delete;

/// A row without a session stays while one below it does, so that a tree is never split. The rows
/// that stay are looked for only among the children of rows without a session, because the tokens
/// of a session stay and are deleted together.
const TOKENS: &str = delete!(
    "tg_token",
    "jti",
    "t.expires_at < $1 AND t.jti NOT IN (SELECT jti FROM needed) AND NOT EXISTS (
        SELECT 1 FROM tg_session s WHERE s.sid = t.sid AND s.revoked_at IS NULL AND s.idle_exp > \
     $3 AND s.abs_exp > $3)",
    "t.expires_at",
    "needed(jti) AS (
        SELECT p.jti FROM tg_token p WHERE p.expires_at < $1 AND p.sid IS NULL AND EXISTS (
            SELECT 1 FROM tg_token c WHERE c.parent = p.jti AND (c.expires_at >= $1 OR EXISTS (
                SELECT 1 FROM tg_session s
                WHERE s.sid = c.sid AND s.revoked_at IS NULL AND s.idle_exp > $3 AND s.abs_exp > \
     $3)))
        UNION
        SELECT p.jti FROM needed,
            LATERAL (SELECT t.parent FROM tg_token t WHERE t.jti = needed.jti OFFSET 0) c,
            LATERAL (SELECT t.jti FROM tg_token t WHERE t.jti = c.parent AND t.sid IS NULL OFFSET \
     0) p
    ), "
);
