//! The token registry.

use std::collections::BTreeSet;

use rusqlite::named_params;

use super::realm::Connection;
use super::row;
use crate::clock::Timestamp;
use crate::id::{SessionId, TokenId};
use crate::store::record::{TokenQuery, TokenRecord};
use crate::store::shared::columns::{millis, token_columns};
use crate::store::shared::operation::Cause;

/// Writes rows; one whose `jti` exists already is left as it is. Returns how many were new.
pub(super) fn record(db: &Connection<'_>, tokens: &[TokenRecord]) -> Result<u64, Cause> {
    if tokens.is_empty() {
        return Ok(0);
    }
    let sql = "INSERT INTO tg_token(jti, kind, sid, gen, parent, subject, device_id, issued_at, \
               expires_at, revoked_at)
               VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT(jti) DO NOTHING";
    let mut statement = db.prepare_cached(sql)?;
    let mut new = 0;
    for token in tokens {
        new += statement.execute((
            token.jti.as_bytes(),
            token.kind.as_str(),
            token.sid.as_ref().map(SessionId::as_bytes),
            token.generation,
            token.parent.as_ref().map(TokenId::as_bytes),
            &token.subject,
            &token.device_id,
            millis(token.issued_at),
            millis(token.expires_at),
            token.revoked_at.map(millis),
        ))?;
    }
    Ok(u64::try_from(new)?)
}

/// Finds the rows under all given conditions. The statement contains only those, so that each finds
/// its index.
pub(super) fn find(
    db: &Connection<'_>,
    query: &TokenQuery,
    now: Timestamp,
) -> Result<Vec<TokenRecord>, Cause> {
    let mut sql = String::from(concat!(
        "SELECT ",
        token_columns!(),
        " FROM tg_token t WHERE 1"
    ));
    let conditions = [
        (query.jti.is_some(), " AND t.jti = :jti"),
        (
            query.after.is_some(),
            " AND (t.issued_at, t.jti) > (:after_at, :after_jti)",
        ),
        (query.subject.is_some(), " AND t.subject = :subject"),
        (query.sid.is_some(), " AND t.sid = :sid"),
        (query.device_id.is_some(), " AND t.device_id = :device"),
        (
            query.tree.is_some(),
            concat!(" AND t.jti IN (", family!(":tree"), ")"),
        ),
        (query.active == Some(true), concat!(" AND ", active!())),
        (
            query.active == Some(false),
            concat!(" AND NOT (", active!(), ")"),
        ),
    ];
    for (_, condition) in conditions.iter().filter(|(given, _)| *given) {
        sql.push_str(condition);
    }
    sql.push_str(" ORDER BY t.issued_at, t.jti LIMIT :limit");

    let mut statement = db.prepare_cached(&sql)?;
    let values = named_params! {
        ":jti": query.jti.as_ref().map(TokenId::as_bytes),
        ":after_at": query.after.map(|(issued_at, _)| millis(issued_at)),
        ":after_jti": query.after.as_ref().map(|(_, jti)| jti.as_bytes()),
        ":subject": query.subject,
        ":sid": query.sid.as_ref().map(SessionId::as_bytes),
        ":device": query.device_id,
        ":tree": query.tree.as_ref().map(TokenId::as_bytes),
        ":now": millis(now),
        ":limit": query.limit,
    };
    for (name, value) in values {
        if let Some(index) = statement.parameter_index(name)? {
            statement.raw_bind_parameter(index, value)?;
        }
    }
    let mut rows = statement.raw_query();
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(row::token(row)?);
    }
    Ok(found)
}

/// Returns a token and its descendants, and the sessions to which they belong. The root need not be
/// registered.
pub(super) fn tree(
    db: &Connection<'_>,
    root: TokenId,
) -> rusqlite::Result<(Vec<TokenId>, BTreeSet<SessionId>)> {
    let sql = concat!(
        "SELECT f.jti, t.sid FROM (",
        family!("?"),
        ") f LEFT JOIN tg_token t ON t.jti = f.jti"
    );
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query([root.as_bytes()])?;
    let (mut tokens, mut sids) = (Vec::new(), BTreeSet::new());
    while let Some(row) = rows.next()? {
        tokens.push(TokenId::from_bytes(row.get(0)?));
        sids.extend(row.get::<_, Option<_>>(1)?.map(SessionId::from_bytes));
    }
    Ok((tokens, sids))
}

/// A token and its descendants. `UNION`, not `UNION ALL`: each token once, even if parents form
/// a circle.
macro_rules! family {
    ($root:literal) => {
        concat!(
            "WITH RECURSIVE family(jti) AS (SELECT ",
            $root,
            " UNION SELECT c.jti FROM tg_token c JOIN family ON c.parent = family.jti) SELECT jti \
             FROM family"
        )
    };
}
use family;

macro_rules! active {
    () => {
        "t.expires_at > :now AND t.revoked_at IS NULL
         AND (t.sid IS NULL OR EXISTS (SELECT 1 FROM tg_session s WHERE s.sid = t.sid AND \
         s.revoked_at IS NULL))"
    };
}
use active;
