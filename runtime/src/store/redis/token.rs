//! The token registry.

use redis::Value;

use super::script::{Call, RECORD, TOKENS};
use super::{reply, row};
use crate::clock::Timestamp;
use crate::id::{SessionId, TokenId};
use crate::store::record::{TokenQuery, TokenRecord};
use crate::store::shared::hex::hex;
use crate::store::shared::operation::Cause;

/// Adds rows to a call, their number first, as `record.lua` reads them.
pub(super) fn append(call: Call, tokens: Vec<TokenRecord>) -> Call {
    let call = call.number(u64::try_from(tokens.len()).unwrap_or(u64::MAX));
    tokens.into_iter().fold(call, |call, token| {
        call.word(hex(token.jti.as_bytes()))
            .word(token.kind.as_str())
            .word(
                token
                    .sid
                    .as_ref()
                    .map(SessionId::as_bytes)
                    .map_or_else(String::new, |sid| hex(sid)),
            )
            .word(
                token
                    .generation
                    .map_or_else(String::new, |generation| generation.to_string()),
            )
            .word(
                token
                    .parent
                    .as_ref()
                    .map(TokenId::as_bytes)
                    .map_or_else(String::new, |jti| hex(jti)),
            )
            .word(token.subject)
            .option(token.device_id)
            .time(token.issued_at)
            .time(token.expires_at)
            .word(
                token
                    .revoked_at
                    .map_or_else(String::new, |at| at.as_millis().to_string()),
            )
    })
}

pub(super) fn record(tokens: Vec<TokenRecord>, now: Timestamp) -> Call {
    append(Call::made(&RECORD, now), tokens)
}

pub(super) fn find(query: TokenQuery, now: Timestamp) -> Result<Call, Cause> {
    let active = match query.active {
        None => "",
        Some(true) => "1",
        Some(false) => "0",
    };
    Ok(Call::at(&TOKENS, now)?
        .option(query.subject)
        .word(
            query
                .sid
                .map_or_else(String::new, |sid| hex(sid.as_bytes())),
        )
        .option(query.device_id)
        .word(
            query
                .tree
                .map_or_else(String::new, |jti| hex(jti.as_bytes())),
        )
        .word(active)
        .number(query.limit)
        .word(
            query
                .jti
                .map_or_else(String::new, |jti| hex(jti.as_bytes())),
        )
        .word(query.after.map_or_else(String::new, |(issued_at, _)| {
            issued_at.as_millis().to_string()
        }))
        .word(
            query
                .after
                .map_or_else(String::new, |(_, jti)| hex(jti.as_bytes())),
        ))
}

/// Reads the rows of a query. For a tree the script returns all rows, in no order.
pub(super) fn found(answer: Value, limit: u32) -> Result<Vec<TokenRecord>, Cause> {
    let mut rows = reply::list(answer)?
        .into_iter()
        .map(row::token)
        .collect::<Result<Vec<_>, Cause>>()?;
    rows.sort_unstable_by_key(TokenRecord::place);
    rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(rows)
}
