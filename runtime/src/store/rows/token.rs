//! The token registry.

use std::collections::HashSet;

use super::row::{ReadRows, Rows};
use super::table;
use crate::clock::Timestamp;
use crate::store::record::{Session, TokenQuery, TokenRecord};
use crate::store::shared::operation::Cause;
use crate::store::shared::registry::TokenNode;

/// Writes the tokens that do not exist yet, and returns how many.
///
/// # Errors
/// The engine failed.
pub fn record_tokens(rows: &mut impl Rows, tokens: &[TokenRecord]) -> Result<u64, Cause> {
    let mut new = 0;
    for token in tokens {
        let key = table::token_key(token.jti);
        if rows.get::<TokenRecord>(&key)?.is_none() {
            rows.put(&key, token.expires_at, token.clone())?;
            new += 1;
        }
    }
    Ok(new)
}

/// Lists the tokens that a query asks for. It reads the whole registry, unless the query is for one
/// token.
///
/// # Errors
/// The engine failed.
pub fn tokens(
    rows: &impl ReadRows,
    query: &TokenQuery,
    now: Timestamp,
) -> Result<Vec<TokenRecord>, Cause> {
    let mut found = Vec::new();
    if let Some(jti) = query.jti {
        let row = rows.get::<TokenRecord>(&table::token_key(jti))?;
        found.extend(row.map(|(_, row)| row).filter(|row| query.matches(row)));
    } else {
        table::tokens(rows, |row| {
            if query.matches(row) {
                found.push(row.clone());
            }
        })?;
    }
    if let Some(root) = query.tree {
        let tree = TokenNode::tree(root, &table::nodes(rows)?);
        let tree: HashSet<_> = tree.into_iter().collect();
        found.retain(|row| tree.contains(&row.jti));
    }
    found.sort_unstable_by_key(TokenRecord::place);
    let limit = usize::try_from(query.limit)?;
    let mut wanted = Vec::new();
    for row in found {
        if wanted.len() == limit {
            break;
        }
        let is_wanted = match query.active {
            Some(active) => is_active(rows, &row, now)? == active,
            None => true,
        };
        if is_wanted {
            wanted.push(row);
        }
    }
    Ok(wanted)
}

/// Returns whether a token is active: neither expired nor revoked, and its session, if it has one,
/// exists and is not revoked.
fn is_active(rows: &impl ReadRows, row: &TokenRecord, now: Timestamp) -> Result<bool, Cause> {
    if row.expires_at <= now || row.revoked_at.is_some() {
        return Ok(false);
    }
    let Some(sid) = row.sid else {
        return Ok(true);
    };
    let session = rows.get::<Session>(&table::session_key(sid))?;
    Ok(session.is_some_and(|(_, session)| session.revoked.is_none()))
}
