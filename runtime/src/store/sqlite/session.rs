//! Sessions: opened, read, rotated, confirmed.

use rusqlite::named_params;

use super::realm::Connection;
use super::{log, once, revoke, row, token};
use crate::clock::Timestamp;
use crate::device::Device;
use crate::id::SessionId;
use crate::store::record::{
    Fact, LastSeen, LogEntry, NewSession, OnceKey, Opened, RevokeReason, Revoked, Rotated,
    RotationStep, RotationWrite, Session, SessionPage,
};
use crate::store::shared::columns::{millis, session_columns};
use crate::store::shared::operation::Cause;

pub(super) fn open(db: &Connection<'_>, new: &NewSession, now: Timestamp) -> Result<Opened, Cause> {
    let changed_at = revoke::changed_at(db, &new.subject)?;
    if new.authenticated.has_moved(changed_at) {
        return Ok(Opened::Reload { changed_at });
    }
    let mut evicted = Vec::new();
    if let Some(limit) = new.limit {
        let mut live = seen_longest_ago(db, &new.subject, now)?;
        live.retain(|sid| !new.replaces.contains(sid));
        let Some(surplus) = limit.surplus(live.len()) else {
            return Ok(Opened::LimitReached);
        };
        evicted.extend(live.into_iter().take(surplus));
    }
    if !once::take_for(db, new.takes.as_ref(), now)? {
        return Ok(Opened::Gone);
    }
    let mut replaced = Vec::new();
    for (sid, end) in new.replaces.iter().zip(new.ends()) {
        let mut done = Revoked::default();
        revoke::end_and_log(db, *sid, &end, now, &mut done)?;
        replaced.push(done);
    }
    for sid in &evicted {
        revoke::end(db, *sid, RevokeReason::DeviceLimit, now)?;
        log::write_end(db, Fact::Session(*sid), new.log_until, now)?;
    }
    insert(db, new, now)?;
    token::record(db, &new.tokens)?;
    let epoch = revoke::epoch(db, &new.subject, &new.client_id)?;
    Ok(Opened::Open {
        epoch,
        evicted,
        replaced,
    })
}

fn insert(db: &Connection<'_>, new: &NewSession, now: Timestamp) -> rusqlite::Result<()> {
    let sql = "INSERT INTO tg_session(sid, uid, client_id, device_name, device_id, device_agent, \
               device_ip, device_hints, gen, cur_hash,
                   confirmed, auth_time, acr, claims, created_at, last_seen_at, idle_exp, abs_exp, \
               brief)
               VALUES (:sid, :uid, :client, :name, :device, :agent, :ip, :hints, 0, :hash, 0, \
               :auth_time, :acr, :claims,
                   :now, :now, :idle, :abs, :brief)";
    db.prepare_cached(sql)?.execute(named_params! {
        ":sid": new.sid.as_bytes(),
        ":uid": new.subject,
        ":client": new.client_id,
        ":name": new.device.name,
        ":device": new.device.id,
        ":agent": new.device.user_agent,
        ":ip": new.device.ip,
        ":hints": new.device.hints.stored(),
        ":hash": new.current,
        ":auth_time": millis(new.auth_time),
        ":acr": new.acr,
        ":claims": new.claims,
        ":now": millis(now),
        ":idle": millis(new.idle_exp),
        ":abs": millis(new.abs_exp),
        ":brief": new.is_brief.then_some(true),
    })?;
    Ok(())
}

/// Returns the live sessions of a subject in the order in which they would be evicted.
fn seen_longest_ago(
    db: &Connection<'_>,
    subject: &str,
    now: Timestamp,
) -> rusqlite::Result<Vec<SessionId>> {
    let sql = "SELECT sid FROM tg_session WHERE uid = ?1 AND revoked_at IS NULL AND idle_exp > ?2 \
               AND abs_exp > ?2
               ORDER BY last_seen_at, created_at, sid";
    let mut statement = db.prepare_cached(sql)?;
    let sids = statement.query_map((subject, millis(now)), |row| {
        row.get(0).map(SessionId::from_bytes)
    })?;
    sids.collect()
}

pub(super) fn read(db: &Connection<'_>, sid: SessionId) -> Result<Option<Session>, Cause> {
    let sql = concat!(
        "SELECT ",
        session_columns!("max"),
        " FROM tg_session s WHERE s.sid = ?"
    );
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query_and_then([sid.as_bytes()], row::session)?;
    rows.next().transpose()
}

pub(super) fn live_of(
    db: &Connection<'_>,
    subject: &str,
    page: SessionPage,
    now: Timestamp,
) -> Result<Vec<Session>, Cause> {
    let sql = concat!(
        "SELECT ",
        session_columns!("max"),
        " FROM tg_session s WHERE s.uid = ?1 AND s.revoked_at IS NULL AND s.idle_exp > ?2 AND \
         s.abs_exp > ?2 AND (s.created_at, s.sid) > (?3, ?4)
          ORDER BY s.created_at, s.sid LIMIT ?5"
    );
    let mut statement = db.prepare_cached(sql)?;
    let created_at = page.after.map_or(-1, |(at, _)| millis(at));
    let sid = page.after.map(|(_, sid)| sid.as_bytes().to_vec());
    let values = (
        subject,
        millis(now),
        created_at,
        sid.unwrap_or_default(),
        page.limit,
    );
    let rows = statement.query_and_then(values, row::session)?;
    rows.collect()
}

/// Rotates a session. The conditions are part of the statement that writes, so of several rotations
/// of one token they hold for exactly one.
pub(super) fn rotate(
    db: &Connection<'_>,
    rotation: &RotationWrite,
    now: Timestamp,
) -> Result<Rotated, Cause> {
    let seen = rotation.last_seen.as_ref().map(LastSeen::stored);
    let seen = seen.transpose()?;
    let done = match &rotation.step {
        RotationStep::Advance {
            generation,
            current,
            successor,
            sealed,
            context,
            idle_exp,
        } => {
            let sql = "UPDATE tg_session SET gen = gen + 1, prev_gen = gen, prev_hash = cur_hash, \
                       cur_hash = :new,
                           sealed_successor = :seal, rotated_at = :now, superseded_at = :now, \
                       ctx_hash = :ctx, confirmed = 0,
                           last_seen_at = :now, idle_exp = min(:idle, abs_exp),
                           last_seen = coalesce(:seen, last_seen)
                       WHERE sid = :sid AND gen = :gen AND cur_hash = :hash AND gen < 4294967295
                           AND revoked_at IS NULL AND idle_exp > :now AND abs_exp > :now";
            let mut statement = db.prepare_cached(sql)?;
            let values = named_params! {
                ":sid": rotation.sid.as_bytes(),
                ":gen": generation,
                ":hash": current,
                ":new": successor,
                ":seal": sealed,
                ":ctx": context,
                ":idle": millis(*idle_exp),
                ":now": millis(now),
                ":seen": seen,
            };
            statement.execute(values)? == 1
        }
        RotationStep::Remint {
            generation,
            successor,
            sealed,
        } => {
            let sql = "UPDATE tg_session SET gen = gen + 1, cur_hash = :new, sealed_successor = \
                       :seal, rotated_at = :now,
                           last_seen_at = :now, last_seen = coalesce(:seen, last_seen)
                       WHERE sid = :sid AND gen = :gen AND confirmed = 0 AND gen < 4294967295
                           AND revoked_at IS NULL AND idle_exp > :now AND abs_exp > :now";
            let mut statement = db.prepare_cached(sql)?;
            let values = named_params! {
                ":sid": rotation.sid.as_bytes(),
                ":gen": generation,
                ":new": successor,
                ":seal": sealed,
                ":now": millis(now),
                ":seen": seen,
            };
            statement.execute(values)? == 1
        }
        RotationStep::Slide {
            generation,
            current,
            idle_exp,
        } => {
            let sql = "UPDATE tg_session SET last_seen_at = :now, idle_exp = min(:idle, abs_exp),
                           last_seen = coalesce(:seen, last_seen)
                       WHERE sid = :sid AND gen = :gen AND cur_hash = :hash
                           AND revoked_at IS NULL AND idle_exp > :now AND abs_exp > :now";
            let mut statement = db.prepare_cached(sql)?;
            let values = named_params! {
                ":sid": rotation.sid.as_bytes(),
                ":gen": generation,
                ":hash": current,
                ":idle": millis(*idle_exp),
                ":now": millis(now),
                ":seen": seen,
            };
            statement.execute(values)? == 1
        }
        RotationStep::Hold { generation } => {
            hold(db, rotation.sid, *generation, now)? == Rotated::Done
        }
    };
    if !done {
        return Ok(Rotated::Lost);
    }
    if let Some(LogEntry { fact, until }) = rotation.entry() {
        log::write(db, fact, until)?;
    }
    token::record(db, &rotation.tokens)?;
    Ok(Rotated::Done)
}

pub(super) fn hold(
    db: &Connection<'_>,
    sid: SessionId,
    generation: u32,
    now: Timestamp,
) -> Result<Rotated, Cause> {
    let sql = "SELECT EXISTS (SELECT 1 FROM tg_session
               WHERE sid = ?1 AND gen = ?2 AND revoked_at IS NULL AND idle_exp > ?3 AND abs_exp > \
               ?3)";
    let holds = db
        .prepare_cached(sql)?
        .query_row((sid.as_bytes(), generation, millis(now)), |row| row.get(0))?;
    Ok(if holds { Rotated::Done } else { Rotated::Lost })
}

pub(super) fn confirm(
    db: &Connection<'_>,
    mut seen: Vec<(SessionId, u32)>,
    now: Timestamp,
) -> Result<u64, Cause> {
    seen.sort_unstable();
    let sql = "UPDATE tg_session SET confirmed = 1 WHERE sid = ?1 AND gen = ?2 AND confirmed = 0
               AND revoked_at IS NULL AND idle_exp > ?3 AND abs_exp > ?3";
    let mut statement = db.prepare_cached(sql)?;
    let mut changed = 0;
    for (sid, generation) in seen {
        changed += statement.execute((sid.as_bytes(), generation, millis(now)))?;
    }
    Ok(u64::try_from(changed)?)
}

pub(super) fn reauthenticate(
    db: &Connection<'_>,
    sid: SessionId,
    (auth_time, acr): (Timestamp, Option<&str>),
    takes: Option<&OnceKey>,
    now: Timestamp,
) -> Result<Option<Session>, Cause> {
    if let Some(key) = takes
        && once::read(db, &key.kind, key.hash, now)?.is_none()
    {
        return Ok(None);
    }
    let sql = "UPDATE tg_session SET auth_time = ?2, acr = ?3, last_seen_at = ?4 WHERE sid = ?1
               AND revoked_at IS NULL AND idle_exp > ?4 AND abs_exp > ?4";
    let written =
        db.prepare_cached(sql)?
            .execute((sid.as_bytes(), millis(auth_time), acr, millis(now)))?;
    if written == 0 {
        return Ok(None);
    }
    once::take_for(db, takes, now)?;
    read(db, sid)
}

pub(super) fn attach(
    db: &Connection<'_>,
    sid: SessionId,
    device: &Device,
    now: Timestamp,
) -> Result<bool, Cause> {
    let sql = "UPDATE tg_session SET device_name = ?2, device_id = ?3, device_agent = ?4, \
               device_ip = ?5, device_hints = ?6
               WHERE sid = ?1 AND revoked_at IS NULL AND idle_exp > ?7 AND abs_exp > ?7";
    let hints = device.hints.stored();
    let values = (
        sid.as_bytes(),
        &device.name,
        &device.id,
        &device.user_agent,
        &device.ip,
        hints,
        millis(now),
    );
    Ok(db.prepare_cached(sql)?.execute(values)? == 1)
}
