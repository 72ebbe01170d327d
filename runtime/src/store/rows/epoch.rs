//! The scale of epochs, the marks of subjects, and the times at which subjects change.

use std::time::Duration;

use super::log::lasting;
use super::row::{ReadRows, RowValue, Rows};
use crate::clock::Timestamp;
use crate::store::record::{Fact, SubjectState, Target};
use crate::store::shared::fact::{CLIENT, GLOBAL};
use crate::store::shared::operation::Cause;

/// Returns the state of a subject, for a client.
///
/// # Errors
/// The engine failed.
pub fn subject(
    rows: &impl ReadRows,
    subject: &str,
    client_id: &str,
) -> Result<SubjectState, Cause> {
    let (own, changed_at) = subject_row(rows, subject)?;
    let client = lasting(rows, CLIENT, client_id)?;
    let global = lasting(rows, GLOBAL, "")?;
    Ok(SubjectState {
        epoch: own.max(client).max(global),
        mark: own
            .saturating_add_signed(-unmarked(rows, subject)?)
            .saturating_add(client)
            .saturating_add(global),
        changed_at,
    })
}

/// Returns the effective epoch of a subject's session for a client.
pub(super) fn epoch_of(rows: &impl ReadRows, subject: &str, client_id: &str) -> Result<u64, Cause> {
    let (own, _) = subject_row(rows, subject)?;
    let client = lasting(rows, CLIENT, client_id)?;
    Ok(own.max(client).max(lasting(rows, GLOBAL, "")?))
}

/// Returns when a subject last changed: 1970 if it never did.
pub(super) fn changed_at(rows: &impl ReadRows, subject: &str) -> Result<Timestamp, Cause> {
    Ok(subject_row(rows, subject)?.1)
}

/// Moves the time at which a subject last changed, even if two changes share a millisecond.
pub(super) fn touch(rows: &mut impl Rows, subject: &str, now: Timestamp) -> Result<(), Cause> {
    let (epoch, before) = subject_row(rows, subject)?;
    let changed_at = now.max(before.plus(Duration::from_millis(1)));
    rows.put(&key(subject), Timestamp::MAX, (epoch, changed_at))
}

/// Moves the mark of a subject whose epoch does not move with it.
fn move_mark(rows: &mut impl Rows, subject: &str) -> Result<(), Cause> {
    let unmarked = unmarked(rows, subject)?.saturating_sub(1);
    rows.put(&mark_key(subject), Timestamp::MAX, unmarked)
}

/// Bumps the epoch of a target, above every epoch that a token of it may carry, and moves the
/// subject's mark where `moves_mark` says so. Returns the fact about the target as a whole for the
/// log.
pub(super) fn bump(
    rows: &mut impl Rows,
    target: Target,
    moves_mark: bool,
) -> Result<Option<Fact>, Cause> {
    let global = lasting(rows, GLOBAL, "")?;
    Ok(match target {
        Target::AccessOf(subject) | Target::Subject(subject) => {
            let (own, changed_at) = subject_row(rows, &subject)?;
            let epoch = own.max(highest_client(rows)?).max(global) + 1;
            rows.put(&key(&subject), Timestamp::MAX, (epoch, changed_at))?;
            if !moves_mark {
                let more = unmarked(rows, &subject)?.saturating_add_unsigned(epoch - own);
                rows.put(&mark_key(&subject), Timestamp::MAX, more)?;
            }
            Some(Fact::Subject(subject, epoch))
        }
        Target::Client(client) => {
            let own = lasting(rows, CLIENT, &client)?;
            let epoch = own.max(highest_subject(rows)?).max(global) + 1;
            Some(Fact::Client(client, epoch))
        }
        Target::Everything => {
            let highest = highest_subject(rows)?.max(highest_client(rows)?);
            Some(Fact::Everything(highest.max(global) + 1))
        }
        Target::Key(key) => Some(Fact::Key(key)),
        Target::RefreshOf(subject) | Target::Others { subject, .. } => {
            if moves_mark {
                move_mark(rows, &subject)?;
            }
            None
        }
        Target::Session(_) | Target::Token(_) | Target::Tree(_) => None,
    })
}

/// Returns the highest epoch of all rows that begin with one.
fn highest<R: RowValue>(
    rows: &impl ReadRows,
    prefix: &str,
    epoch: impl Fn(&R) -> u64,
) -> Result<u64, Cause> {
    let mut highest = 0;
    rows.scan(prefix, prefix, |_, row| highest = highest.max(epoch(row)))?;
    Ok(highest)
}

fn highest_subject(rows: &impl ReadRows) -> Result<u64, Cause> {
    highest(rows, SUBJECTS, |(epoch, _): &SubjectRow| *epoch)
}

fn highest_client(rows: &impl ReadRows) -> Result<u64, Cause> {
    highest(rows, CLIENTS, |(epoch, _): &(u64, u64)| *epoch)
}

fn subject_row(rows: &impl ReadRows, subject: &str) -> Result<SubjectRow, Cause> {
    let row = rows.get(&key(subject))?;
    Ok(row.map(|(_, row)| row).unwrap_or_default())
}

/// Returns the part of a subject's epoch that is not part of its mark.
fn unmarked(rows: &impl ReadRows, subject: &str) -> Result<i64, Cause> {
    let row = rows.get::<i64>(&mark_key(subject))?;
    Ok(row.map_or(0, |(_, unmarked)| unmarked))
}

fn mark_key(subject: &str) -> String {
    format!("{MARKS}{subject}")
}

fn key(subject: &str) -> String {
    format!("{SUBJECTS}{subject}")
}

/// The subject's epoch, and the time of its last change.
type SubjectRow = (u64, Timestamp);

const SUBJECTS: &str = "subject/";
const MARKS: &str = "unmarked/";
const CLIENTS: &str = "lasting/client/";
