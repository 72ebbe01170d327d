//! The rows of sessions and tokens, and their keys.

use std::fmt;

use super::row::{ReadRows, Rows};
use crate::id::{SessionId, TokenId};
use crate::store::record::{Session, TokenRecord};
use crate::store::shared::operation::Cause;

pub(super) fn put_session(rows: &mut impl Rows, row: Session) -> Result<(), Cause> {
    rows.put(&session_key(row.sid), row.abs_exp, row)
}

/// Returns all sessions, without their epochs.
pub(super) fn sessions(rows: &impl ReadRows) -> Result<Vec<Session>, Cause> {
    let rows = rows.scan(SESSION, SESSION)?.into_iter();
    Ok(rows.map(|(_, row)| row).collect())
}

/// Returns the ids of a subject's sessions.
pub(super) fn sessions_of(rows: &impl ReadRows, subject: &str) -> Result<Vec<SessionId>, Cause> {
    let prefix = index_key(subject, "");
    let found = rows.scan::<SessionId>(&prefix, &prefix)?.into_iter();
    // A subject whose name goes on behind a slash has longer keys.
    let found = found.filter(|(key, sid)| *key == index_key(subject, sid));
    Ok(found.map(|(_, sid)| sid).collect())
}

/// Returns all tokens.
pub(super) fn tokens(rows: &impl ReadRows) -> Result<Vec<TokenRecord>, Cause> {
    let rows = rows.scan(TOKEN, TOKEN)?.into_iter();
    Ok(rows.map(|(_, row)| row).collect())
}

pub(super) fn session_key(sid: SessionId) -> String {
    format!("{SESSION}{sid}")
}

/// Returns the key of a session in the index of its subject's sessions.
pub(super) fn index_key(subject: &str, sid: impl fmt::Display) -> String {
    format!("{INDEX}{subject}/{sid}")
}

pub(super) fn token_key(jti: TokenId) -> String {
    format!("{TOKEN}{jti}")
}

pub(super) const SESSION: &str = "session/";
pub(super) const INDEX: &str = "of/";
pub(super) const TOKEN: &str = "token/";
