//! The rows of sessions and tokens, and their keys.

use std::fmt;

use super::row::{ReadRows, Rows};
use crate::id::{SessionId, TokenId};
use crate::store::record::{Session, TokenRecord};
use crate::store::shared::operation::Cause;
use crate::store::shared::registry::TokenNode;

pub(super) fn put_session(rows: &mut impl Rows, row: Session) -> Result<(), Cause> {
    rows.put(&session_key(row.sid), row.abs_exp, row)
}

/// Visits all sessions, whose epochs are not filled in.
pub(super) fn sessions(rows: &impl ReadRows, mut visit: impl FnMut(&Session)) -> Result<(), Cause> {
    rows.scan(SESSION, SESSION, |_, row| visit(row))
}

/// Returns the ids of a subject's sessions.
pub(super) fn sessions_of(rows: &impl ReadRows, subject: &str) -> Result<Vec<SessionId>, Cause> {
    let prefix = index_key(subject, "");
    let mut sids = Vec::new();
    rows.scan(&prefix, &prefix, |key, sid: &SessionId| {
        // A subject whose name continues after a slash has longer keys.
        if key.len() == prefix.len() + SessionId::TEXT_LEN {
            sids.push(*sid);
        }
    })?;
    Ok(sids)
}

/// Visits all tokens.
pub(super) fn tokens(
    rows: &impl ReadRows,
    mut visit: impl FnMut(&TokenRecord),
) -> Result<(), Cause> {
    rows.scan(TOKEN, TOKEN, |_, row| visit(row))
}

/// Returns the shape of the whole registry.
pub(super) fn nodes(rows: &impl ReadRows) -> Result<Vec<TokenNode>, Cause> {
    let mut nodes = Vec::new();
    tokens(rows, |row| nodes.push(TokenNode::of(row)))?;
    Ok(nodes)
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
