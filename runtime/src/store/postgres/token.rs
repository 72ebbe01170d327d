//! The token registry.

use std::collections::BTreeSet;

use sqlx::{Postgres, QueryBuilder};

use super::fault::Fault;
use super::realm::{Connection, RealmQuery, query};
use super::row::{self, escaped};
use crate::clock::Timestamp;
use crate::id::TokenId;
use crate::realm::RealmName;
use crate::secret::sha256;
use crate::store::record::{TokenQuery, TokenRecord};
use crate::store::shared::columns::{millis, token_columns};
use crate::store::shared::hex::hex;

/// The statement that writes rows if `$from` has a row, of which it has at most one; `$list` is the
/// parameter with [`listed`] tokens. A row whose `jti` exists already is left as it is.
macro_rules! recording {
    ($from:literal, $list:literal) => {
        concat!(
            "INSERT INTO tg_token(jti, kind, sid, gen, parent, subject, device_id, issued_at, \
             expires_at, revoked_at)
             SELECT decode(t.jti, 'hex'), t.kind, decode(t.sid, 'hex'), t.gen, \
             decode(t.parent, 'hex'), t.subject, t.device_id,
                 t.issued_at, t.expires_at, t.revoked_at
             FROM ",
            $from,
            ", json_to_recordset(",
            $list,
            "::text::json) AS t(jti text, kind text, sid text, gen bigint, parent text, subject \
             text, device_id text,
                 issued_at bigint, expires_at bigint, revoked_at bigint)
             ON CONFLICT (jti) DO NOTHING"
        )
    };
}
pub(super) use recording;

/// Returns tokens as one parameter.
pub(super) fn listed(tokens: &[TokenRecord]) -> String {
    let rows = tokens.iter().map(|token| {
        serde_json::json!({
            "jti": hex(token.jti.as_bytes()),
            "kind": token.kind.as_str(),
            "sid": token.sid.as_ref().map(|sid| hex(sid.as_bytes())),
            "gen": token.generation,
            "parent": token.parent.as_ref().map(|parent| hex(parent.as_bytes())),
            "subject": escaped(&token.subject),
            "device_id": token.device_id.as_deref().map(escaped),
            "issued_at": millis(token.issued_at),
            "expires_at": millis(token.expires_at),
            "revoked_at": token.revoked_at.map(millis),
        })
    });
    serde_json::Value::Array(rows.collect()).to_string()
}

/// Writes rows, and returns how many were new.
///
/// The tokens above them are locked against [`lock_tree`] until the rows are committed: the
/// revocation of a tree waits for rows that are being added to it, and rows that come later find
/// that it has ended. A token above that is not registered has no row, so a number is locked
/// instead.
pub(super) async fn record(db: &mut Connection<'_>, tokens: &[TokenRecord]) -> Result<u64, Fault> {
    let listed_here: BTreeSet<TokenId> = tokens.iter().map(|token| token.jti).collect();
    let parents: BTreeSet<TokenId> = tokens.iter().filter_map(|token| token.parent).collect();
    let parents: Vec<TokenId> = parents.difference(&listed_here).copied().collect();
    let numbers: Vec<i64> = parents.iter().map(|jti| number(db, *jti)).collect();
    let sql = concat!(
        "WITH parents AS MATERIALIZED (
            SELECT p.jti FROM tg_token p WHERE p.jti = ANY($2) ORDER BY p.jti FOR KEY SHARE
        ), numbers AS MATERIALIZED (
            SELECT pg_advisory_xact_lock_shared(u.number) FROM unnest($2, $3) u(jti, number)
            WHERE NOT EXISTS (SELECT 1 FROM tg_token p WHERE p.jti = u.jti)
        ), locked AS MATERIALIZED (
            SELECT (SELECT count(*) FROM parents) + (SELECT count(*) FROM numbers)
        ) ",
        recording!("locked", "$1")
    );
    let done = query(sql)
        .bind(listed(tokens))
        .bind(parents.iter().map(TokenId::as_bytes).collect::<Vec<_>>())
        .bind(numbers)
        .execute(db)
        .await?;
    Ok(done.rows_affected())
}

/// Locks a token with its descendants, so that nothing is added to them until the transaction ends.
/// Rows that were being added meanwhile are committed by then, and the next statement sees them.
pub(super) async fn lock_tree(db: &mut Connection<'_>, root: TokenId) -> Result<(), Fault> {
    let number = number(db, root);
    query("SELECT pg_advisory_xact_lock($1)")
        .bind(number)
        .execute(&mut *db)
        .await?;
    let sql = concat!(
        "WITH RECURSIVE family(jti) AS (SELECT $1",
        family!(),
        " SELECT t.jti FROM tg_token t JOIN family ON t.jti = family.jti ORDER BY t.jti FOR UPDATE \
         OF t"
    );
    let mut known = None;
    loop {
        let locked = query(sql).bind(root.as_bytes()).fetch_all(&mut *db).await?;
        // Each statement sees the rows that were committed while the one before waited.
        if known.replace(locked.len()) == Some(locked.len()) {
            return Ok(());
        }
    }
}

/// Returns the number that is locked instead of a token that has no row: the SHA-256 of the realm
/// and the token.
fn number(db: &Connection<'_>, jti: TokenId) -> i64 {
    let realm = db.tables().realm().map_or("", RealmName::as_str);
    let text = format!("tollgate/tree/{realm}/{}", hex(jti.as_bytes()));
    let [a, b, c, d, e, f, g, h, ..] = sha256(text.as_bytes());
    i64::from_be_bytes([a, b, c, d, e, f, g, h])
}

/// Finds the rows under all given conditions. The statement contains only those, so that each finds
/// its index.
pub(super) async fn find(
    db: &mut Connection<'_>,
    query: &TokenQuery,
    now: Timestamp,
) -> Result<Vec<TokenRecord>, Fault> {
    let mut sql: QueryBuilder<Postgres> = QueryBuilder::new(concat!(
        "SELECT ",
        token_columns!(),
        " FROM tg_token t WHERE true"
    ));
    if let Some(jti) = &query.jti {
        sql.push(" AND t.jti = ").push_bind(*jti.as_bytes());
    }
    if let Some((issued_at, jti)) = &query.after {
        sql.push(" AND (t.issued_at, t.jti) > (")
            .push_bind(millis(*issued_at));
        sql.push(", ").push_bind(*jti.as_bytes()).push(")");
    }
    if let Some(subject) = &query.subject {
        sql.push(" AND t.subject = ")
            .push_bind(escaped(subject).into_owned());
    }
    if let Some(sid) = &query.sid {
        sql.push(" AND t.sid = ").push_bind(*sid.as_bytes());
    }
    if let Some(device) = &query.device_id {
        sql.push(" AND t.device_id = ")
            .push_bind(escaped(device).into_owned());
    }
    if let Some(root) = &query.tree {
        sql.push(" AND t.jti IN (WITH RECURSIVE family(jti) AS (SELECT ")
            .push_bind(*root.as_bytes());
        sql.push(concat!(family!(), " SELECT jti FROM family)"));
    }
    if let Some(active) = query.active {
        sql.push(if active { " AND (" } else { " AND NOT (" });
        sql.push("t.expires_at > ").push_bind(millis(now));
        sql.push(
            " AND t.revoked_at IS NULL
             AND (t.sid IS NULL OR EXISTS (SELECT 1 FROM tg_session s WHERE s.sid = t.sid AND \
             s.revoked_at IS NULL)))",
        );
    }
    sql.push(" ORDER BY t.issued_at, t.jti LIMIT ")
        .push_bind(i64::from(query.limit));
    let rows = RealmQuery::from(sql.build()).fetch_all(db).await?;
    rows.iter().map(row::token).collect()
}

/// The rest of `family(jti) AS (SELECT root`: a token and its descendants. `UNION`, not
/// `UNION ALL`: each once, even if parents form a circle. `OFFSET 0` makes the planner look the
/// children up by their index, generation by generation; without it the planner, which does not
/// know how small a generation is, would scan the whole table for each.
macro_rules! family {
    () => {
        " UNION SELECT c.jti FROM family,
             LATERAL (SELECT t.jti FROM tg_token t WHERE t.parent = family.jti OFFSET 0) c)"
    };
}
pub(super) use family;
