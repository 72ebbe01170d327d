//! Deletes rows that are not needed any more: a reading connection finds them, and the writer
//! deletes them in one short step.

use rusqlite::types::Value;

use super::realm::Connection;
use crate::clock::Timestamp;
use crate::store::record::Archived;
use crate::store::shared::columns::millis;
use crate::store::shared::operation::Cause;

/// The keys of rows that may be deleted.
pub(super) struct ArchivableRows {
    sessions: Vec<Value>,
    tokens: Vec<Value>,
    once: Vec<(Value, Value)>,
    budgets: Vec<(Value, Value, Value)>,
    entries: Vec<Value>,
    more: bool,
}

impl ArchivableRows {
    pub(super) const fn is_empty(&self) -> bool {
        self.sessions.is_empty()
            && self.tokens.is_empty()
            && self.once.is_empty()
            && self.budgets.is_empty()
            && self.entries.is_empty()
    }
}

/// A row without a session stays while one below it does, so that a tree is never split. The rows
/// that stay are looked for only among the children of rows without a session, because the tokens
/// of a session stay and are deleted together.
const TOKENS: &str = "
    WITH RECURSIVE needed(jti) AS (
        SELECT p.jti FROM tg_token p WHERE p.expires_at < ?1 AND p.sid IS NULL AND EXISTS (
            SELECT 1 FROM tg_token c WHERE c.parent = p.jti AND (c.expires_at >= ?1 OR EXISTS (
                SELECT 1 FROM tg_session s
                WHERE s.sid = c.sid AND s.revoked_at IS NULL AND s.idle_exp > ?2 AND s.abs_exp > \
                      ?2)))
        UNION
        SELECT p.jti FROM needed
        JOIN tg_token c ON c.jti = needed.jti
        JOIN tg_token p ON p.jti = c.parent
        WHERE p.sid IS NULL
    )
    SELECT t.jti FROM tg_token t
    WHERE t.expires_at < ?1 AND t.jti NOT IN (SELECT jti FROM needed) AND NOT EXISTS (
        SELECT 1 FROM tg_session s
        WHERE s.sid = t.sid AND s.revoked_at IS NULL AND s.idle_exp > ?2 AND s.abs_exp > ?2)
    ORDER BY t.expires_at LIMIT ?3";

pub(super) fn find(
    db: &Connection<'_>,
    before: Timestamp,
    limit: u32,
    now: Timestamp,
) -> Result<ArchivableRows, Cause> {
    let mut more = false;
    let limit = i64::from(limit);
    let bounds = (millis(before), limit + 1);

    let sql = "SELECT sid FROM tg_session WHERE abs_exp < ? ORDER BY abs_exp LIMIT ?";
    let sessions = cut(pick(db, sql, bounds, |row| row.get(0))?, limit, &mut more);
    let tokens = pick(
        db,
        TOKENS,
        (millis(before), millis(now), limit + 1),
        |row| row.get(0),
    )?;
    let tokens = cut(tokens, limit, &mut more);
    let sql = "SELECT kind, hash FROM tg_once WHERE until < ? LIMIT ?";
    let once = cut(
        pick(db, sql, bounds, |row| Ok((row.get(0)?, row.get(1)?)))?,
        limit,
        &mut more,
    );
    let sql = "SELECT key, burst, period FROM tg_spend WHERE full_at < ? LIMIT ?";
    let budgets = cut(
        pick(db, sql, bounds, |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?,
        limit,
        &mut more,
    );
    // An entry of the log is not needed any more once its time is over.
    let sql = "SELECT id FROM tg_revocation WHERE until < ? LIMIT ?";
    let ended = (millis(now), limit + 1);
    let entries = cut(pick(db, sql, ended, |row| row.get(0))?, limit, &mut more);

    Ok(ArchivableRows {
        sessions,
        tokens,
        once,
        budgets,
        entries,
        more,
    })
}

/// Deletes the rows that may still be deleted: values and budgets may have been renewed since they
/// were found.
pub(super) fn delete(
    db: &Connection<'_>,
    found: &ArchivableRows,
    before: Timestamp,
    now: Timestamp,
) -> Result<Archived, Cause> {
    let before = millis(before);
    let mut done = Archived {
        more: found.more,
        ..Archived::default()
    };

    let mut statement =
        db.prepare_cached("DELETE FROM tg_session WHERE sid = ? AND abs_exp < ?")?;
    for sid in &found.sessions {
        done.sessions += u64::try_from(statement.execute((sid, before))?)?;
    }
    let mut statement = db.prepare_cached(
        "DELETE FROM tg_token WHERE jti = ?1 AND expires_at < ?2
             AND NOT EXISTS (SELECT 1 FROM tg_token c WHERE c.parent = ?1 AND tg_token.sid IS NULL \
         AND c.expires_at >= ?2)
             AND NOT EXISTS (SELECT 1 FROM tg_session s
                 WHERE s.sid = tg_token.sid AND s.revoked_at IS NULL AND s.idle_exp > ?3 AND \
         s.abs_exp > ?3)",
    )?;
    for jti in &found.tokens {
        done.tokens += u64::try_from(statement.execute((jti, before, millis(now)))?)?;
    }
    let mut statement =
        db.prepare_cached("DELETE FROM tg_once WHERE kind = ? AND hash = ? AND until < ?")?;
    for (kind, hash) in &found.once {
        done.others += u64::try_from(statement.execute((kind, hash, before))?)?;
    }
    let mut statement = db.prepare_cached(
        "DELETE FROM tg_spend WHERE key = ? AND burst = ? AND period = ? AND full_at < ?",
    )?;
    for (key, burst, period) in &found.budgets {
        done.others += u64::try_from(statement.execute((key, burst, period, before))?)?;
    }
    let mut statement =
        db.prepare_cached("DELETE FROM tg_revocation WHERE id = ? AND until < ?")?;
    for id in &found.entries {
        done.others += u64::try_from(statement.execute((id, millis(now)))?)?;
    }
    Ok(done)
}

fn pick<T>(
    db: &Connection<'_>,
    sql: &str,
    values: impl rusqlite::Params,
    read: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    db.prepare_cached(sql)?.query_map(values, read)?.collect()
}

/// Cuts rows to the limit. One more was asked for, to learn whether there are more.
fn cut<T>(mut rows: Vec<T>, limit: i64, more: &mut bool) -> Vec<T> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    *more |= rows.len() > limit;
    rows.truncate(limit);
    rows
}
