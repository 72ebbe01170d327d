//! The token registry.

use std::collections::HashSet;

use super::row::{ReadRows, Rows};
use super::table;
use crate::clock::Timestamp;
use crate::store::record::{TokenQuery, TokenRecord};
use crate::store::shared::operation::Cause;

/// Writes the tokens that are not there yet, and returns how many.
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

/// Lists the tokens that a query wants. It looks at the whole registry.
///
/// # Errors
/// The engine failed.
pub fn tokens(
    rows: &impl ReadRows,
    query: &TokenQuery,
    now: Timestamp,
) -> Result<Vec<TokenRecord>, Cause> {
    let mut counting = HashSet::new();
    if query.active.is_some() {
        let sessions = table::sessions(rows)?.into_iter();
        counting.extend(
            sessions
                .filter(|row| row.revoked.is_none())
                .map(|row| row.sid),
        );
    }
    let tokens = table::tokens(rows)?;
    Ok(query.select(&tokens, |sid| counting.contains(&sid), now))
}
