//! Sessions: opened, read, rotated, confirmed.

use super::epoch::{changed_at, epoch_of};
use super::row::{ReadRows, Rows};
use super::{log, once, revoke, table, token};
use crate::clock::Timestamp;
use crate::device::Device;
use crate::id::SessionId;
use crate::store::record::{
    Fact, NewSession, OnceKey, Opened, RevokeReason, Revoked, Rotated, RotationStep, RotationWrite,
    Session, SessionPage, StoreHealth,
};
use crate::store::shared::operation::Cause;

/// Writes the time of the check, so that a full disk is noticed, and looks for a live session.
///
/// # Errors
/// The engine failed.
pub fn health(rows: &mut impl Rows, now: Timestamp) -> Result<StoreHealth, Cause> {
    rows.put("checked", Timestamp::MAX, now)?;
    let mut has_live_sessions = false;
    table::sessions(rows, |row| has_live_sessions |= row.is_live(now))?;
    Ok(StoreHealth {
        has_live_sessions,
        older_since: None,
    })
}

/// Opens a session.
///
/// # Errors
/// Its id is taken, or the engine failed.
pub fn open_session(
    rows: &mut impl Rows,
    new: &NewSession,
    now: Timestamp,
) -> Result<Opened, Cause> {
    if session(rows, new.sid)?.is_some() {
        return Err("its id is taken".into());
    }
    let changed_at = changed_at(rows, &new.subject)?;
    if new.authenticated.has_moved(changed_at) {
        return Ok(Opened::Reload { changed_at });
    }
    let mut evicted = Vec::new();
    if let Some(limit) = new.limit {
        evicted = live_of(rows, &new.subject, now)?;
        evicted.retain(|row| !new.replaces.contains(&row.sid));
        let Some(surplus) = limit.surplus(evicted.len()) else {
            return Ok(Opened::LimitReached);
        };
        evicted.sort_unstable_by_key(|row| (row.last_seen_at, row.created_at, row.sid));
        evicted.truncate(surplus);
    }
    if !once::take_for(rows, new.takes.as_ref(), now)? {
        return Ok(Opened::Gone);
    }
    let mut replaced = Vec::new();
    for (sid, end) in new.replaces.iter().zip(new.ends()) {
        let mut done = Revoked::default();
        revoke::end_session(rows, *sid, &end, now, &mut done)?;
        replaced.push(done);
    }
    for row in &mut evicted {
        row.end(RevokeReason::DeviceLimit, now);
        table::put_session(rows, row.clone())?;
        log::write_end(rows, Fact::Session(row.sid), new.log_until, now)?;
    }
    table::put_session(rows, Session::opened(new, now))?;
    rows.put(
        &table::index_key(&new.subject, new.sid),
        new.abs_exp,
        new.sid,
    )?;
    token::record_tokens(rows, &new.tokens)?;
    Ok(Opened::Open {
        epoch: epoch_of(rows, &new.subject, &new.client_id)?,
        evicted: evicted.iter().map(|row| row.sid).collect(),
        replaced,
    })
}

/// Reads a session, and its effective epoch of the same moment.
///
/// # Errors
/// The engine failed.
pub fn session(rows: &impl ReadRows, sid: SessionId) -> Result<Option<Session>, Cause> {
    let Some((_, row)) = rows.get::<Session>(&table::session_key(sid))? else {
        return Ok(None);
    };
    let epoch = epoch_of(rows, &row.subject, &row.client_id)?;
    Ok(Some(Session { epoch, ..row }))
}

/// Rotates a session if the conditions of the step hold.
///
/// Reading the row, comparing and writing it are one transaction: of several rotations of one
/// generation the conditions hold for exactly one.
///
/// # Errors
/// The engine failed.
pub fn rotate(
    rows: &mut impl Rows,
    rotation: RotationWrite,
    now: Timestamp,
) -> Result<Rotated, Cause> {
    let entry = rotation.entry();
    let Some(mut row) = session(rows, rotation.sid)? else {
        return Ok(Rotated::Lost);
    };
    let writes = !matches!(rotation.step, RotationStep::Hold { .. });
    let rotated = row.rotate(rotation.step, now);
    if rotated == Rotated::Done {
        if let Some(seen) = rotation.last_seen.filter(|_| writes) {
            row.last_seen = Some(seen);
        }
        table::put_session(rows, row)?;
        if let Some(entry) = entry {
            log::write(rows, entry.fact, entry.until)?;
        }
        token::record_tokens(rows, &rotation.tokens)?;
    }
    Ok(rotated)
}

/// Marks generations as confirmed, and returns how many changed.
///
/// # Errors
/// The engine failed.
pub fn confirm(
    rows: &mut impl Rows,
    seen: &[(SessionId, u32)],
    now: Timestamp,
) -> Result<u64, Cause> {
    let mut changed = 0;
    for (sid, generation) in seen {
        let row = live(rows, *sid, now)?.filter(|row| row.generation == *generation);
        if let Some(row) = row.filter(|row| !row.confirmed) {
            let confirmed = true;
            table::put_session(rows, Session { confirmed, ..row })?;
            changed += 1;
        }
    }
    Ok(changed)
}

/// Lists a page of the live sessions of a subject, oldest first.
///
/// # Errors
/// The engine failed.
pub fn sessions_of(
    rows: &impl ReadRows,
    subject: &str,
    page: SessionPage,
    now: Timestamp,
) -> Result<Vec<Session>, Cause> {
    let mut live = live_of(rows, subject, now)?;
    live.retain(|row| {
        page.after
            .is_none_or(|after| (row.created_at, row.sid) > after)
    });
    live.sort_unstable_by_key(|row| (row.created_at, row.sid));
    live.truncate(usize::try_from(page.limit)?);
    Ok(live)
}

/// Writes a fresh authentication into a live session.
///
/// # Errors
/// The engine failed.
pub fn reauthenticate(
    rows: &mut impl Rows,
    sid: SessionId,
    auth_time: Timestamp,
    acr: Option<String>,
    takes: Option<&OnceKey>,
    now: Timestamp,
) -> Result<Option<Session>, Cause> {
    let Some(row) = live(rows, sid, now)? else {
        return Ok(None);
    };
    if !once::take_for(rows, takes, now)? {
        return Ok(None);
    }
    let row = Session {
        auth_time,
        acr,
        last_seen_at: now,
        ..row
    };
    table::put_session(rows, row.clone())?;
    Ok(Some(row))
}

/// Replaces the device of a live session.
///
/// # Errors
/// The engine failed.
pub fn attach(
    rows: &mut impl Rows,
    sid: SessionId,
    device: Device,
    now: Timestamp,
) -> Result<bool, Cause> {
    let Some(row) = live(rows, sid, now)? else {
        return Ok(false);
    };
    table::put_session(rows, Session { device, ..row })?;
    Ok(true)
}

fn live(rows: &impl ReadRows, sid: SessionId, now: Timestamp) -> Result<Option<Session>, Cause> {
    Ok(session(rows, sid)?.filter(|row| row.is_live(now)))
}

fn live_of(rows: &impl ReadRows, subject: &str, now: Timestamp) -> Result<Vec<Session>, Cause> {
    let mut live = Vec::new();
    for sid in table::sessions_of(rows, subject)? {
        live.extend(self::live(rows, sid, now)?);
    }
    Ok(live)
}
