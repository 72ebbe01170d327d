//! Deletes rows that are not needed any more.

use redis::Value;

use super::reply;
use super::script::{ARCHIVE, Call};
use crate::clock::Timestamp;
use crate::store::record::Archived;
use crate::store::shared::operation::Cause;

pub(super) fn archive(before: Timestamp, limit: u32, now: Timestamp) -> Result<Call, Cause> {
    let call = Call::at(&ARCHIVE, now)?.time(before.min(now)).number(limit);
    Ok(["live", "over", "ending", "once", "budgets", "log"]
        .into_iter()
        .fold(call, Call::key))
}

pub(super) fn archived(answer: Value) -> Result<Archived, Cause> {
    let mut row = reply::ReplyRow::of(answer)?;
    Ok(Archived {
        sessions: reply::number(row.next())?,
        tokens: reply::number(row.next())?,
        others: reply::number(row.next())?,
        more: reply::done(row.next())?,
    })
}
