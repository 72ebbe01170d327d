//! Between rows and records.

use rusqlite::Row;

use super::super::{Predecessor, RevokeReason, Session, StoredTokenKind, TokenRecord};
use crate::clock::Timestamp;
use crate::device::{Device, Hints};
use crate::id::{SessionId, TokenId};

/// The columns of [`session`], with the effective epoch last: a statement that names them reads row
/// and epoch together.
macro_rules! session_columns {
    () => {
        "s.sid, s.uid, s.client_id, s.device_name, s.device_id, s.device_agent, s.device_ip, \
         s.gen, s.cur_hash,
         s.prev_gen, s.prev_hash, s.rotated_at, s.superseded_at, s.sealed_successor, \
         s.confirmed, s.ctx_hash, s.auth_time,
         s.acr, s.claims, s.created_at, s.last_seen_at, s.idle_exp, s.abs_exp, s.revoked_at, \
         s.revoke_reason, s.device_hints,
         max(coalesce((SELECT uep FROM tg_subject WHERE uid = s.uid), 0),
             coalesce((SELECT value FROM tg_epoch WHERE kind = 'client' AND key = \
         s.client_id), 0),
             coalesce((SELECT value FROM tg_epoch WHERE kind = 'global' AND key = ''), 0))"
    };
}
pub(super) use session_columns;

pub(super) fn session(row: &Row<'_>) -> rusqlite::Result<Session> {
    let previous = match (row.get(9)?, row.get(10)?) {
        (Some(generation), Some(hash)) => Some(Predecessor { generation, hash }),
        _ => None,
    };
    let mut device = Device::new(row.get(3)?, row.get(4)?);
    device.user_agent = row.get(5)?;
    device.ip = row.get(6)?;
    device.hints = Hints::from_stored(row.get::<_, Option<String>>(25)?.as_deref());
    // A reason that a later version wrote is not known here; that it is over is what counts.
    let reason = row
        .get::<_, Option<String>>(24)?
        .and_then(|text| RevokeReason::parse(&text));
    let revoked = time_or_none(row, 23)?.map(|at| (at, reason.unwrap_or(RevokeReason::Requested)));
    Ok(Session {
        sid: SessionId::from_bytes(row.get(0)?),
        subject: row.get(1)?,
        client_id: row.get(2)?,
        device,
        generation: row.get(7)?,
        current: row.get(8)?,
        previous,
        rotated_at: time_or_none(row, 11)?,
        superseded_at: time_or_none(row, 12)?,
        sealed_successor: row.get(13)?,
        confirmed: row.get(14)?,
        context: row.get(15)?,
        auth_time: time(row, 16)?,
        acr: row.get(17)?,
        claims: row.get(18)?,
        created_at: time(row, 19)?,
        last_seen_at: time(row, 20)?,
        idle_exp: time(row, 21)?,
        abs_exp: time(row, 22)?,
        revoked,
        epoch: natural(row, 26)?,
    })
}

/// The columns of [`token`].
macro_rules! token_columns {
    () => {
        "t.jti, t.kind, t.sid, t.gen, t.parent, t.subject, t.device_id, t.issued_at, t.expires_at, \
         t.revoked_at"
    };
}
pub(super) use token_columns;

pub(super) fn token(row: &Row<'_>) -> rusqlite::Result<TokenRecord> {
    Ok(TokenRecord {
        jti: TokenId::from_bytes(row.get(0)?),
        kind: if row.get_ref(1)?.as_str()? == REFRESH {
            StoredTokenKind::Refresh
        } else {
            StoredTokenKind::Access
        },
        sid: row.get::<_, Option<_>>(2)?.map(SessionId::from_bytes),
        generation: row.get(3)?,
        parent: row.get::<_, Option<_>>(4)?.map(TokenId::from_bytes),
        subject: row.get(5)?,
        device_id: row.get(6)?,
        issued_at: time(row, 7)?,
        expires_at: time(row, 8)?,
        revoked_at: time_or_none(row, 9)?,
    })
}

pub(super) const fn kind(kind: StoredTokenKind) -> &'static str {
    match kind {
        StoredTokenKind::Access => ACCESS,
        StoredTokenKind::Refresh => REFRESH,
    }
}

const ACCESS: &str = "access";
const REFRESH: &str = "refresh";

pub(super) fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<Timestamp> {
    natural(row, column).map(Timestamp::from_millis)
}

fn time_or_none(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Timestamp>> {
    let millis: Option<i64> = row.get(column)?;
    Ok(millis.map(|millis| Timestamp::from_millis(u64::try_from(millis).unwrap_or(0))))
}

/// A number that is never negative.
pub(super) fn natural(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let number: i64 = row.get(column)?;
    Ok(u64::try_from(number).unwrap_or(0))
}

/// A time as it is stored.
pub(super) fn millis(at: Timestamp) -> i64 {
    integer(at.as_millis())
}

/// A number as it is stored. Counters that begin at 0 do not reach the end of it.
pub(super) fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
