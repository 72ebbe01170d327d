//! Sessions: opened, read, rotated, confirmed.

use sqlx::Row as _;

use super::fault::Fault;
use super::realm::{Connection, query};
use super::row::{self, escaped, escaped_or_none, natural, time};
use super::token::{self, recording};
use super::{once, revoke};
use crate::clock::Timestamp;
use crate::device::Device;
use crate::id::SessionId;
use crate::store::record::{
    LastSeen, NewSession, OnceKey, Opened, RevokeReason, Rotated, RotationStep, RotationWrite,
    Session, SessionPage,
};
use crate::store::shared::columns::{effective_epoch, is_takable, millis, session_columns};
use crate::store::shared::fact::bounded;
use crate::store::shared::operation::Cause;

/// Opens a session in three or four statements of one transaction, and two more if it replaces
/// another one. The first takes the subject's lock; those after it have snapshots of their own (READ
/// COMMITTED), taken when the lock was held, so they see what its last holder committed.
pub(super) async fn open(
    db: &mut Connection<'_>,
    new: &NewSession,
    now: Timestamp,
) -> Result<Opened, Fault> {
    let changed_at = lock_subject(db, &new.subject).await?;
    if new.authenticated.has_moved(changed_at) {
        return Ok(Opened::Reload { changed_at });
    }
    let Some(evicted) = evicted(db, new, now).await? else {
        return Ok(Opened::LimitReached);
    };
    if !once::take_for(db, new.takes.as_ref(), now).await? {
        return Ok(Opened::Gone);
    }
    if !new.replaces.is_empty() {
        revoke::lock_sessions(db, new.replaces.iter().chain(&evicted)).await?;
    }
    let mut replaced = Vec::with_capacity(new.replaces.len());
    for end in new.ends() {
        replaced.push(revoke::revoke(db, &end, now).await?);
    }
    let epoch = insert(db, new, &evicted, now).await?;
    Ok(Opened::Open {
        epoch,
        evicted,
        replaced,
    })
}

/// Locks the subject's row, which is made if it is missing, and returns when the subject last
/// changed.
async fn lock_subject(db: &mut Connection<'_>, subject: &str) -> Result<Timestamp, Fault> {
    let subject = escaped(subject);
    let lock = "SELECT changed_at FROM tg_subject WHERE uid = $1 FOR UPDATE";
    if let Some(row) = query(lock)
        .bind(subject.as_ref())
        .fetch_optional(&mut *db)
        .await?
    {
        return time(&row, 0);
    }
    let sql = "INSERT INTO tg_subject(uid, uep, changed_at) VALUES ($1, 0, 0) ON CONFLICT (uid) \
               DO NOTHING";
    query(sql).bind(subject.as_ref()).execute(&mut *db).await?;
    time(&query(lock).bind(subject.as_ref()).fetch_one(db).await?, 0)
}

/// Returns the sessions that the limit ends for a new one, or `None` if it may not be opened. The
/// sessions that the new one replaces do not count.
async fn evicted(
    db: &mut Connection<'_>,
    new: &NewSession,
    now: Timestamp,
) -> Result<Option<Vec<SessionId>>, Fault> {
    let Some(limit) = new.limit else {
        return Ok(Some(Vec::new()));
    };
    let sql = "SELECT sid FROM tg_session WHERE uid = $1 AND revoked_at IS NULL AND idle_exp > $2 \
               AND abs_exp > $2
               ORDER BY last_seen_at, created_at, sid";
    let rows = query(sql)
        .bind(escaped(&new.subject))
        .bind(millis(now))
        .fetch_all(db)
        .await?;
    let live = rows
        .iter()
        .map(|row| Ok(SessionId::from_bytes(row.try_get(0)?)));
    let mut live = live.collect::<Result<Vec<_>, Fault>>()?;
    live.retain(|sid| !new.replaces.contains(sid));
    let Some(surplus) = limit.surplus(live.len()) else {
        return Ok(None);
    };
    live.truncate(surplus);
    Ok(Some(live))
}

/// Writes the session and its tokens, ends the sessions that the limit ends, and returns the
/// effective epoch.
async fn insert(
    db: &mut Connection<'_>,
    new: &NewSession,
    evicted: &[SessionId],
    now: Timestamp,
) -> Result<u64, Fault> {
    let sql = concat!(
        "WITH locked AS (
            SELECT sid FROM tg_session WHERE sid = ANY($15) ORDER BY sid FOR NO KEY UPDATE
        ), ended AS (
            UPDATE tg_session s SET revoked_at = $12, revoke_reason = $16 FROM locked
            WHERE s.sid = locked.sid AND s.revoked_at IS NULL
        ), logged AS (
            INSERT INTO tg_revocation(kind, key, value, until) SELECT 'session', sid, 0, $17 FROM \
         unnest($15) sid
        ), opened AS (
            INSERT INTO tg_session(sid, uid, client_id, device_name, device_id, device_agent, \
         device_ip, gen, cur_hash,
                confirmed, auth_time, acr, claims, created_at, last_seen_at, idle_exp, abs_exp, \
         device_hints, brief)
            VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8, false, $9, $10, $11, $12, $12, $13, $14, \
         $19, $20)
            RETURNING sid
        ), recorded AS (",
        recording!("opened", "$18"),
        ") SELECT ",
        effective_epoch!("greatest", "$2", "$3"),
        " FROM opened"
    );
    let row = query(sql)
        .bind(new.sid.as_bytes())
        .bind(escaped(&new.subject))
        .bind(escaped(&new.client_id))
        .bind(escaped_or_none(&new.device.name))
        .bind(escaped_or_none(&new.device.id))
        .bind(escaped_or_none(&new.device.user_agent))
        .bind(escaped_or_none(&new.device.ip))
        .bind(new.current)
        .bind(millis(new.auth_time))
        .bind(escaped_or_none(&new.acr))
        .bind(new.claims.as_deref())
        .bind(millis(now))
        .bind(millis(new.idle_exp))
        .bind(millis(new.abs_exp))
        .bind(evicted.iter().map(SessionId::as_bytes).collect::<Vec<_>>())
        .bind(RevokeReason::DeviceLimit.as_str())
        .bind(millis(bounded(new.log_until)))
        .bind(token::listed(&new.tokens))
        .bind(escaped_or_none(&new.device.hints.stored()))
        .bind(new.is_brief.then_some(true));
    natural(&row.fetch_one(db).await?, 0)
}

pub(super) async fn read(
    db: &mut Connection<'_>,
    sid: SessionId,
) -> Result<Option<Session>, Fault> {
    let sql = concat!(
        "SELECT ",
        session_columns!("greatest"),
        " FROM tg_session s WHERE s.sid = $1"
    );
    query(sql)
        .bind(sid.as_bytes())
        .fetch_optional(db)
        .await?
        .as_ref()
        .map(row::session)
        .transpose()
}

pub(super) async fn live_of(
    db: &mut Connection<'_>,
    subject: &str,
    page: SessionPage,
    now: Timestamp,
) -> Result<Vec<Session>, Fault> {
    let sql = concat!(
        "SELECT ",
        session_columns!("greatest"),
        " FROM tg_session s WHERE s.uid = $1 AND s.revoked_at IS NULL AND s.idle_exp > $2 AND \
         s.abs_exp > $2 AND (s.created_at, s.sid) > ($3, $4)
          ORDER BY s.created_at, s.sid LIMIT $5"
    );
    let (created_at, sid) = page.after.unzip();
    let rows = query(sql)
        .bind(escaped(subject))
        .bind(millis(now))
        .bind(created_at.map_or(-1, millis))
        .bind(sid.map(|sid| sid.as_bytes().to_vec()).unwrap_or_default())
        .bind(i64::from(page.limit))
        .fetch_all(db)
        .await?;
    rows.iter().map(row::session).collect()
}

/// Rotates a session. The conditions are part of the statement that writes. Of several rotations of
/// one token the first locks the row; the others wait for its commit and check the conditions
/// again, on the row as it is then (READ COMMITTED). So they hold for exactly one.
pub(super) async fn rotate(
    db: &mut Connection<'_>,
    rotation: &RotationWrite,
    now: Timestamp,
) -> Result<Rotated, Fault> {
    let seen = rotation.last_seen.as_ref().map(LastSeen::stored);
    let seen = seen.transpose().map_err(Cause::from)?;
    let is_plain = rotation.log_until.is_none() && rotation.tokens.is_empty();
    let query = match &rotation.step {
        RotationStep::Advance {
            generation,
            current,
            successor,
            sealed,
            context,
            idle_exp,
        } => {
            let sql = if is_plain {
                advance!()
            } else {
                with_log_and_tokens!(advance!(), "$10", "$11")
            };
            query(sql)
                .bind(rotation.sid.as_bytes())
                .bind(i64::from(*generation))
                .bind(millis(now))
                .bind(current)
                .bind(successor)
                .bind(sealed)
                .bind(context)
                .bind(millis(*idle_exp))
                .bind(seen)
        }
        RotationStep::Remint {
            generation,
            successor,
            sealed,
        } => {
            let sql = if is_plain {
                remint!()
            } else {
                with_log_and_tokens!(remint!(), "$7", "$8")
            };
            query(sql)
                .bind(rotation.sid.as_bytes())
                .bind(i64::from(*generation))
                .bind(millis(now))
                .bind(successor)
                .bind(sealed)
                .bind(seen)
        }
        RotationStep::Slide {
            generation,
            current,
            idle_exp,
        } => {
            let sql = if is_plain {
                slide!()
            } else {
                with_log_and_tokens!(slide!(), "$7", "$8")
            };
            query(sql)
                .bind(rotation.sid.as_bytes())
                .bind(i64::from(*generation))
                .bind(millis(now))
                .bind(current)
                .bind(millis(*idle_exp))
                .bind(seen)
        }
        RotationStep::Hold { generation } => {
            let sql = if is_plain {
                hold!()
            } else {
                with_log_and_tokens!(hold!(), "$4", "$5")
            };
            query(sql)
                .bind(rotation.sid.as_bytes())
                .bind(i64::from(*generation))
                .bind(millis(now))
        }
    };
    let query = if is_plain {
        query
    } else {
        query
            .bind(rotation.entry().map(|entry| millis(entry.until)))
            .bind(token::listed(&rotation.tokens))
    };
    Ok(if query.fetch_optional(db).await?.is_some() {
        Rotated::Done
    } else {
        Rotated::Lost
    })
}

/// Returns whether a rotation only reads.
pub(super) fn only_reads(rotation: &RotationWrite) -> bool {
    matches!(rotation.step, RotationStep::Hold { .. }) && rotation.tokens.is_empty()
}

macro_rules! advance {
    () => {
        "UPDATE tg_session SET gen = gen + 1, prev_gen = gen, prev_hash = cur_hash, cur_hash = $5, \
         sealed_successor = $6,
             rotated_at = $3, superseded_at = $3, ctx_hash = $7, confirmed = false, \
         last_seen_at = $3, idle_exp = least($8, abs_exp), last_seen = coalesce($9, last_seen)
         WHERE sid = $1 AND gen = $2 AND cur_hash = $4 AND gen < 4294967295
             AND revoked_at IS NULL AND idle_exp > $3 AND abs_exp > $3
         RETURNING gen"
    };
}
use advance;

macro_rules! remint {
    () => {
        "UPDATE tg_session SET gen = gen + 1, cur_hash = $4, sealed_successor = $5, rotated_at = \
         $3, last_seen_at = $3, last_seen = coalesce($6, last_seen)
         WHERE sid = $1 AND gen = $2 AND NOT confirmed AND gen < 4294967295
             AND revoked_at IS NULL AND idle_exp > $3 AND abs_exp > $3
         RETURNING gen"
    };
}
use remint;

macro_rules! slide {
    () => {
        "UPDATE tg_session SET last_seen_at = $3, idle_exp = least($5, abs_exp), last_seen = coalesce($6, last_seen)
         WHERE sid = $1 AND gen = $2 AND cur_hash = $4
             AND revoked_at IS NULL AND idle_exp > $3 AND abs_exp > $3
         RETURNING gen"
    };
}
use slide;

macro_rules! hold {
    () => {
        "SELECT gen FROM tg_session
         WHERE sid = $1 AND gen = $2 AND revoked_at IS NULL AND idle_exp > $3 AND abs_exp > $3"
    };
}
use hold;

/// A step whose log entry and tokens are written by the same statement, if the step succeeds.
macro_rules! with_log_and_tokens {
    ($step:expr, $until:literal, $tokens:literal) => {
        concat!(
            "WITH done AS (",
            $step,
            "), logged AS (
                INSERT INTO tg_revocation(kind, key, value, until) SELECT 'generation', $1, \
             gen, ",
            $until,
            "::bigint FROM done WHERE ",
            $until,
            "::bigint IS NOT NULL
            ), recorded AS (",
            recording!("done", $tokens),
            ") SELECT gen FROM done"
        )
    };
}
use with_log_and_tokens;

/// Marks sessions as confirmed. Rows are locked in the order of their ids, as everywhere, so that
/// two such operations never wait for each other in a circle.
pub(super) async fn confirm(
    db: &mut Connection<'_>,
    seen: &[(SessionId, u32)],
    now: Timestamp,
) -> Result<u64, Fault> {
    let sql = "WITH locked AS (
            SELECT s.sid, s.gen FROM tg_session s JOIN unnest($1, $2) seen(sid, gen) ON s.sid = \
               seen.sid AND s.gen = seen.gen
            WHERE NOT s.confirmed AND s.revoked_at IS NULL AND s.idle_exp > $3 AND s.abs_exp > $3
            ORDER BY s.sid FOR NO KEY UPDATE OF s
        )
        UPDATE tg_session s SET confirmed = true FROM locked WHERE s.sid = locked.sid AND s.gen = \
               locked.gen AND NOT s.confirmed";
    let done = query(sql)
        .bind(
            seen.iter()
                .map(|(sid, _)| sid.as_bytes())
                .collect::<Vec<_>>(),
        )
        .bind(
            seen.iter()
                .map(|(_, generation)| i64::from(*generation))
                .collect::<Vec<_>>(),
        )
        .bind(millis(now))
        .execute(db)
        .await?;
    Ok(done.rows_affected())
}

/// The time at which a user authenticated again, and the class of that authentication.
pub(super) type Proof = (Timestamp, Option<String>);

pub(super) async fn reauthenticate(
    db: &mut Connection<'_>,
    sid: SessionId,
    (auth_time, acr): &Proof,
    takes: Option<&OnceKey>,
    now: Timestamp,
) -> Result<Option<Session>, Fault> {
    let sql = concat!(
        "WITH taken AS (
            DELETE FROM tg_once AS o WHERE o.kind = $5 AND o.hash = $6 AND ",
        is_takable!("$4"),
        " AND EXISTS (SELECT 1 FROM tg_session s WHERE s.sid = $1
                AND s.revoked_at IS NULL AND s.idle_exp > $4 AND s.abs_exp > $4)
            RETURNING o.hash
        )
        UPDATE tg_session s SET auth_time = $2, acr = $3, last_seen_at = $4 WHERE s.sid = $1
             AND s.revoked_at IS NULL AND s.idle_exp > $4 AND s.abs_exp > $4
             AND ($5::text IS NULL OR EXISTS (SELECT 1 FROM taken))
         RETURNING ",
        session_columns!("greatest")
    );
    let query = query(sql)
        .bind(sid.as_bytes())
        .bind(millis(*auth_time))
        .bind(escaped_or_none(acr))
        .bind(millis(now))
        .bind(takes.map(|key| once::stored_kind(&key.kind)))
        .bind(takes.map(|key| key.hash));
    query
        .fetch_optional(db)
        .await?
        .as_ref()
        .map(row::session)
        .transpose()
}

pub(super) async fn attach(
    db: &mut Connection<'_>,
    sid: SessionId,
    device: &Device,
    now: Timestamp,
) -> Result<bool, Fault> {
    let sql = "UPDATE tg_session SET device_name = $2, device_id = $3, device_agent = $4, \
               device_ip = $5, device_hints = $7
               WHERE sid = $1 AND revoked_at IS NULL AND idle_exp > $6 AND abs_exp > $6";
    let hints = device.hints.stored();
    let query = query(sql)
        .bind(sid.as_bytes())
        .bind(escaped_or_none(&device.name))
        .bind(escaped_or_none(&device.id))
        .bind(escaped_or_none(&device.user_agent))
        .bind(escaped_or_none(&device.ip))
        .bind(millis(now))
        .bind(hints);
    Ok(query.execute(db).await?.rows_affected() == 1)
}
