//! Makes records of the columns of a row.

use super::columns::Columns;
use super::operation::Cause;
use crate::clock::Timestamp;
use crate::device::{Device, Hints};
use crate::id::{SessionId, TokenId};
use crate::store::record::{
    LastSeen, Predecessor, RevokeReason, Session, StoredTokenKind, TokenRecord,
};

/// Reads a session from the columns of `session_columns!`.
pub(in crate::store) fn session(row: &mut impl Columns) -> Result<Session, Cause> {
    Ok(Session {
        sid: SessionId::from_bytes(needed(row.fixed())?),
        subject: needed(row.text())?,
        client_id: needed(row.text())?,
        device: device(row)?,
        generation: u32::try_from(needed(row.number())?)?,
        current: needed(row.fixed())?,
        previous: predecessor(row)?,
        rotated_at: row.time()?,
        superseded_at: row.time()?,
        sealed_successor: row.bytes()?,
        confirmed: row.flag()?,
        context: row.fixed()?,
        auth_time: needed(row.time())?,
        acr: row.text()?,
        claims: row.bytes()?,
        created_at: needed(row.time())?,
        last_seen_at: needed(row.time())?,
        idle_exp: needed(row.time())?,
        abs_exp: needed(row.time())?,
        is_brief: row.flag()?,
        revoked: revocation(row)?,
        last_seen: row.text()?.as_deref().and_then(LastSeen::from_stored),
        epoch: needed(row.number())?,
    })
}

/// Reads a row of the registry from the columns of `token_columns!`.
pub(in crate::store) fn token(row: &mut impl Columns) -> Result<TokenRecord, Cause> {
    Ok(TokenRecord {
        jti: TokenId::from_bytes(needed(row.fixed())?),
        kind: StoredTokenKind::parse(&needed(row.text())?).unwrap_or(StoredTokenKind::Access),
        sid: row.fixed()?.map(SessionId::from_bytes),
        generation: row.number()?.map(u32::try_from).transpose()?,
        parent: row.fixed()?.map(TokenId::from_bytes),
        subject: needed(row.text())?,
        device_id: row.text()?,
        issued_at: needed(row.time())?,
        expires_at: needed(row.time())?,
        revoked_at: row.time()?,
    })
}

fn device(row: &mut impl Columns) -> Result<Device, Cause> {
    let mut device = Device::new(row.text()?, row.text()?);
    device.user_agent = row.text()?;
    device.ip = row.text()?;
    device.hints = Hints::from_stored(row.text()?.as_deref());
    Ok(device)
}

fn predecessor(row: &mut impl Columns) -> Result<Option<Predecessor>, Cause> {
    let (generation, hash) = (row.number()?, row.fixed()?);
    let Some((generation, hash)) = generation.zip(hash) else {
        return Ok(None);
    };
    let generation = u32::try_from(generation)?;
    Ok(Some(Predecessor { generation, hash }))
}

fn revocation(row: &mut impl Columns) -> Result<Option<(Timestamp, RevokeReason)>, Cause> {
    let (at, reason) = (row.time()?, row.text()?);
    // A reason that a later version wrote is not known here; it matters only that the session is
    // over.
    let reason = reason.and_then(|reason| RevokeReason::parse(&reason));
    Ok(at.map(|at| (at, reason.unwrap_or(RevokeReason::Requested))))
}

fn needed<T>(value: Result<Option<T>, Cause>) -> Result<T, Cause> {
    value?.ok_or_else(|| "a row of the store lacks a value".into())
}
