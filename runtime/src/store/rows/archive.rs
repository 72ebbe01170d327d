//! Deletes rows that are not needed any more.

use std::collections::HashSet;

use super::log::{END, LOG};
use super::once::{BUDGET, ONCE};
use super::row::Rows;
use super::table;
use crate::clock::Timestamp;
use crate::store::record::Archived;
use crate::store::shared::operation::Cause;
use crate::store::shared::registry::TokenNode;

/// Deletes at most `limit` rows of each kind that ended before `before`, and entries of the log
/// that ended before `now`.
///
/// # Errors
/// The engine failed.
pub fn archive(
    rows: &mut impl Rows,
    before: Timestamp,
    limit: u32,
    now: Timestamp,
) -> Result<Archived, Cause> {
    let (before, limit) = (before.min(now), usize::try_from(limit)?);
    let mut done = Archived::default();
    let mut live = HashSet::new();
    table::sessions(rows, |row| {
        live.extend(Some(row.sid).filter(|_| row.is_live(now)));
    })?;
    let is_live = |sid| live.contains(&sid);
    let tokens = TokenNode::archivable(&table::nodes(rows)?, before, is_live);
    let tokens = tokens.into_iter().map(table::token_key).collect();
    done.tokens = delete(rows, tokens, limit, &mut done.more)?;
    for prefix in [table::SESSION, table::INDEX, ONCE, BUDGET, LOG, END] {
        // An entry of the log is not needed any more once its time is over.
        let is_logged = [LOG, END].contains(&prefix);
        let ended = rows.ended(prefix, if is_logged { now } else { before })?;
        let deleted = delete(rows, ended, limit, &mut done.more)?;
        match prefix {
            table::SESSION => done.sessions = deleted,
            // The rows of an index are not counted: they only repeat others.
            table::INDEX | END => {}
            _ => done.others += deleted,
        }
    }
    Ok(done)
}

fn delete(
    rows: &mut impl Rows,
    mut keys: Vec<String>,
    limit: usize,
    more: &mut bool,
) -> Result<u64, Cause> {
    *more |= keys.len() > limit;
    keys.truncate(limit);
    for key in &keys {
        rows.remove(key)?;
    }
    Ok(u64::try_from(keys.len())?)
}
