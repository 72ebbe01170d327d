//! Revocation: every target of [`Target`], and the epochs.

use rusqlite::OptionalExtension as _;

use super::realm::{self, Connection};
use super::row::{natural, time};
use super::{log, token};
use crate::clock::Timestamp;
use crate::id::{SessionId, TokenId};
use crate::store::record::{
    Fact, LogEntry, Revocation, RevokeReason, Revoked, SubjectState, Target,
};
use crate::store::shared::columns::{self, effective_epoch, integer, millis, subject_columns};
use crate::store::shared::fact;
use crate::store::shared::operation::Cause;

pub(super) fn revoke(
    db: &Connection<'_>,
    revocation: &Revocation,
    now: Timestamp,
) -> Result<Revoked, Cause> {
    let mut done = Revoked::default();
    let moves_mark = revocation.moves_mark();
    let (target, reason, until) = (
        revocation.target.clone(),
        revocation.reason,
        revocation.until,
    );
    match target {
        Target::AccessOf(subject) => {
            touch(db, &subject, now)?;
            done.entries.push(bump(db, subject, until, moves_mark)?);
        }
        Target::RefreshOf(subject) => {
            touch(db, &subject, now)?;
            done.sessions = end_of_subject(db, &subject, reason, now)?;
        }
        Target::Subject(subject) => {
            touch(db, &subject, now)?;
            done.sessions = end_of_subject(db, &subject, reason, now)?;
            done.entries.push(bump(db, subject, until, moves_mark)?);
        }
        Target::Others { subject, keep } => {
            touch(db, &subject, now)?;
            if moves_mark {
                move_mark(db, &subject)?;
            }
            for sid in others(db, &subject, keep, now.minus(until.since(now)))? {
                end_and_log(db, sid, revocation, now, &mut done)?;
            }
        }
        Target::Session(sid) => end_and_log(db, sid, revocation, now, &mut done)?,
        Target::Token(jti) => end_token(db, jti, revocation, now, &mut done)?,
        Target::Tree(jti) => {
            let (tokens, sids) = token::tree(db, jti)?;
            for sid in sids {
                end_and_log(db, sid, revocation, now, &mut done)?;
            }
            for jti in tokens {
                end_token(db, jti, revocation, now, &mut done)?;
            }
        }
        Target::Client(client) => {
            let own = log::lasting(db, fact::CLIENT, &client)?;
            let epoch = 1 + own
                .max(highest_subject(db)?)
                .max(log::lasting(db, fact::GLOBAL, "")?);
            let sql = "UPDATE tg_session SET revoked_at = ?1, revoke_reason = ?2 WHERE client_id \
                       = ?3 AND revoked_at IS NULL
                       RETURNING idle_exp > ?1 AND abs_exp > ?1";
            done.sessions = count_live(db, sql, (millis(now), reason.as_str(), &client))?;
            done.entries
                .push(log::write(db, Fact::Client(client, epoch), Timestamp::MAX)?);
        }
        Target::Key(key) => {
            realm::elsewhere(db, |db| {
                log::write(db, Fact::Key(key.clone()), Timestamp::MAX)?;
                Ok(())
            })?;
            let entry = log::write(db, Fact::Key(key), Timestamp::MAX)?;
            done.entries.push(entry);
        }
        Target::Everything => {
            let epoch = 1 + highest_subject(db)?.max(highest_lasting(db)?);
            let sql = "UPDATE tg_session SET revoked_at = ?1, revoke_reason = ?2 WHERE revoked_at \
                       IS NULL
                       RETURNING idle_exp > ?1 AND abs_exp > ?1";
            done.sessions = count_live(db, sql, (millis(now), reason.as_str()))?;
            done.entries
                .push(log::write(db, Fact::Everything(epoch), Timestamp::MAX)?);
        }
    }
    Ok(done)
}

/// Returns the effective epoch of a subject's session for a client.
pub(super) fn epoch(db: &Connection<'_>, subject: &str, client: &str) -> rusqlite::Result<u64> {
    let sql = concat!("SELECT ", effective_epoch!("max", "?1", "?2"));
    db.prepare_cached(sql)?
        .query_row((subject, client), |row| natural(row, 0))
}

/// Returns the state of a subject, for a client.
pub(super) fn subject(
    db: &Connection<'_>,
    subject: &str,
    client: &str,
) -> rusqlite::Result<SubjectState> {
    let sql = concat!("SELECT ", subject_columns!("max", "?1", "?2"));
    db.prepare_cached(sql)?.query_row((subject, client), |row| {
        Ok(SubjectState {
            epoch: natural(row, 0)?,
            mark: natural(row, 1)?,
            changed_at: time(row, 2)?,
        })
    })
}

/// Returns when a subject last changed: 1970 if it never did.
pub(super) fn changed_at(db: &Connection<'_>, subject: &str) -> rusqlite::Result<Timestamp> {
    let mut statement = db.prepare_cached("SELECT changed_at FROM tg_subject WHERE uid = ?")?;
    Ok(statement
        .query_row([subject], |row| time(row, 0))
        .optional()?
        .unwrap_or_default())
}

/// Ends a session that was not revoked before, expired or not; returns whether it was live.
///
/// It ends expired ones too, because another node's clock may be behind, and the session is live
/// there.
pub(super) fn end(
    db: &Connection<'_>,
    sid: SessionId,
    reason: RevokeReason,
    now: Timestamp,
) -> rusqlite::Result<bool> {
    let sql = "UPDATE tg_session SET revoked_at = ?1, revoke_reason = ?2 WHERE sid = ?3 AND \
               revoked_at IS NULL
               RETURNING idle_exp > ?1 AND abs_exp > ?1";
    Ok(count_live(db, sql, (millis(now), reason.as_str(), sid.as_bytes()))? == 1)
}

/// Ends a session if it exists, and logs its end.
pub(super) fn end_and_log(
    db: &Connection<'_>,
    sid: SessionId,
    revocation: &Revocation,
    now: Timestamp,
    done: &mut Revoked,
) -> rusqlite::Result<()> {
    let sql = "SELECT revoked_at FROM tg_session WHERE sid = ?";
    let until = revocation.until_for(revoked_at(db, sql, sid.as_bytes())?, now);
    done.sessions += u64::from(end(db, sid, revocation.reason, now)?);
    let entry = log::write_end(db, Fact::Session(sid), until, now)?;
    done.entries.extend(entry);
    Ok(())
}

/// Returns when a session or a token was revoked, if it exists and was.
fn revoked_at(db: &Connection<'_>, sql: &str, id: &[u8]) -> rusqlite::Result<Option<Timestamp>> {
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query([id])?;
    let at = rows.next()?.map(|row| row.get::<_, Option<i64>>(0));
    Ok(at
        .transpose()?
        .flatten()
        .map(|at| Timestamp::from_millis(columns::natural(at))))
}

fn end_of_subject(
    db: &Connection<'_>,
    subject: &str,
    reason: RevokeReason,
    now: Timestamp,
) -> rusqlite::Result<u64> {
    let sql = "UPDATE tg_session SET revoked_at = ?1, revoke_reason = ?2 WHERE uid = ?3 AND \
               revoked_at IS NULL
               RETURNING idle_exp > ?1 AND abs_exp > ?1";
    count_live(db, sql, (millis(now), reason.as_str(), subject))
}

fn end_token(
    db: &Connection<'_>,
    jti: TokenId,
    revocation: &Revocation,
    now: Timestamp,
    done: &mut Revoked,
) -> rusqlite::Result<()> {
    let sql = "SELECT revoked_at FROM tg_token WHERE jti = ?";
    let until = revocation.until_for(revoked_at(db, sql, jti.as_bytes())?, now);
    let entry = log::write_end(db, Fact::Token(jti), until, now)?;
    done.entries.extend(entry);
    let sql = "UPDATE tg_token SET revoked_at = ? WHERE jti = ? AND revoked_at IS NULL";
    let marked = db
        .prepare_cached(sql)?
        .execute((millis(now), jti.as_bytes()))?;
    done.tokens += u64::from(marked == 1);
    Ok(())
}

/// Returns the other sessions of a subject that may have a valid access token, including ended
/// ones, because their end may not have been logged. Sessions that ended before `running` have
/// none, and are left out.
fn others(
    db: &Connection<'_>,
    subject: &str,
    keep: SessionId,
    running: Timestamp,
) -> rusqlite::Result<Vec<SessionId>> {
    let sql = "SELECT sid FROM tg_session WHERE uid = ? AND sid <> ? AND (revoked_at IS NULL OR \
               revoked_at > ?)";
    let mut statement = db.prepare_cached(sql)?;
    let sids = statement.query_map((subject, keep.as_bytes(), millis(running)), |row| {
        row.get(0).map(SessionId::from_bytes)
    })?;
    sids.collect()
}

/// Sets `changed_at := max(now, changed_at + 1)`: it grows even if two changes share a
/// millisecond.
fn touch(db: &Connection<'_>, subject: &str, now: Timestamp) -> rusqlite::Result<()> {
    let sql = "INSERT INTO tg_subject(uid, uep, changed_at) VALUES (?1, 0, max(?2, 1))
               ON CONFLICT(uid)
               DO UPDATE SET changed_at = max(excluded.changed_at, changed_at + 1)";
    db.prepare_cached(sql)?
        .execute((subject, millis(now)))
        .map(drop)
}

/// Bumps a subject's epoch. Its tokens may carry the epoch of any client, so the next one is above
/// all of them. The mark moves with it, unless it has to stay.
fn bump(
    db: &Connection<'_>,
    subject: String,
    until: Timestamp,
    moves_mark: bool,
) -> rusqlite::Result<LogEntry> {
    let own = own_epoch(db, &subject)?;
    let epoch = 1 + own.max(highest_lasting(db)?);
    let unmarked = if moves_mark { 0 } else { epoch - own };
    db.prepare_cached("UPDATE tg_subject SET uep = ?, unmarked = unmarked + ? WHERE uid = ?")?
        .execute((integer(epoch), integer(unmarked), &subject))?;
    log::write(db, Fact::Subject(subject, epoch), until)
}

/// Moves the mark of a subject whose epoch does not move with it.
fn move_mark(db: &Connection<'_>, subject: &str) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE tg_subject SET unmarked = unmarked - 1 WHERE uid = ?")?
        .execute([subject])
        .map(drop)
}

fn own_epoch(db: &Connection<'_>, subject: &str) -> rusqlite::Result<u64> {
    let mut statement = db.prepare_cached("SELECT uep FROM tg_subject WHERE uid = ?")?;
    Ok(statement
        .query_row([subject], |row| natural(row, 0))
        .optional()?
        .unwrap_or(0))
}

fn highest_subject(db: &Connection<'_>) -> rusqlite::Result<u64> {
    db.prepare_cached("SELECT coalesce(max(uep), 0) FROM tg_subject")?
        .query_row([], |row| natural(row, 0))
}

/// Returns the highest epoch of all clients and the global one.
fn highest_lasting(db: &Connection<'_>) -> rusqlite::Result<u64> {
    let sql = "SELECT coalesce(max(value), 0) FROM tg_epoch WHERE kind IN ('client', 'global')";
    db.prepare_cached(sql)?.query_row([], |row| natural(row, 0))
}

/// Runs a statement that says for each row whether it was live, and counts the live ones.
fn count_live(
    db: &Connection<'_>,
    sql: &str,
    values: impl rusqlite::Params,
) -> rusqlite::Result<u64> {
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query(values)?;
    let mut live = 0;
    while let Some(row) = rows.next()? {
        live += u64::from(row.get::<_, bool>(0)?);
    }
    Ok(live)
}
