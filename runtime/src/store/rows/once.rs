//! Single-use values, budgets and the key ring.

use serde::{Deserialize, Serialize};

use super::epoch::subject;
use super::realm::RealmRows;
use super::row::{ReadRows, Rows};
use crate::clock::Timestamp;
use crate::store::budget::{BudgetRate, BudgetState};
use crate::store::record::{BoundMark, Limit, OnceKey, OnceValue, Spent, StoredKeys};
use crate::store::shared::hex::hex;
use crate::store::shared::operation::Cause;

/// Takes a key until then: `true` for the first caller.
///
/// # Errors
/// The engine failed.
pub fn consume_once(
    rows: &mut impl Rows,
    key: [u8; 32],
    until: Timestamp,
    now: Timestamp,
) -> Result<bool, Cause> {
    let nothing = OnceRow::Free(Vec::new());
    insert(rows, &place(key, None), until, nothing, now)
}

/// Stores a payload that can be taken once.
///
/// # Errors
/// The engine failed.
pub fn put_once(rows: &mut impl Rows, value: OnceValue, now: Timestamp) -> Result<bool, Cause> {
    let place = place(value.hash, Some(&value.kind));
    let row = match value.bound {
        Some(bound) => OnceRow::Bound {
            payload: value.payload,
            bound,
        },
        None => OnceRow::Free(value.payload),
    };
    insert(rows, &place, value.until, row, now)
}

/// Takes a payload out.
///
/// # Errors
/// The engine failed.
pub fn take_once(
    rows: &mut impl Rows,
    kind: &str,
    hash: [u8; 32],
    now: Timestamp,
) -> Result<Option<Vec<u8>>, Cause> {
    let value = read_once(rows, kind, hash, now)?;
    if value.is_some() {
        rows.remove(&place(hash, Some(kind)))?;
    }
    Ok(value)
}

/// Reads a payload that may be taken.
///
/// # Errors
/// The engine failed.
pub fn read_once(
    rows: &impl ReadRows,
    kind: &str,
    hash: [u8; 32],
    now: Timestamp,
) -> Result<Option<Vec<u8>>, Cause> {
    let Some((until, row)) = rows.get::<OnceRow>(&place(hash, Some(kind)))? else {
        return Ok(None);
    };
    let (payload, bound) = match row {
        OnceRow::Free(payload) => (payload, None),
        OnceRow::Bound { payload, bound } => (payload, Some(bound)),
    };
    let holds = match bound {
        Some(bound) => subject(rows, &bound.subject, &bound.client_id)?.mark == bound.mark,
        None => true,
    };
    Ok(Some(payload).filter(|_| until > now && holds))
}

/// Takes the value that an operation requires; returns whether it was there, or no value is
/// required.
pub(super) fn take_for(
    rows: &mut impl Rows,
    takes: Option<&OnceKey>,
    now: Timestamp,
) -> Result<bool, Cause> {
    let Some(key) = takes else { return Ok(true) };
    Ok(take_once(rows, &key.kind, key.hash, now)?.is_some())
}

/// Spends from a budget under every limit, or under none of them.
///
/// # Errors
/// The engine failed.
pub fn spend(
    rows: &mut impl Rows,
    key: &str,
    cost: u32,
    limits: &[Limit],
    now: Timestamp,
) -> Result<Spent, Cause> {
    let place = |rate: BudgetRate| format!("{BUDGET}{}/{}/{key}", rate.burst, rate.period);
    let (answer, spent) = BudgetState::spend(limits, cost, now, |rate| {
        let row = rows.get::<u32>(&place(rate))?;
        Ok::<_, Cause>(row.map(|(full_at, fraction)| BudgetState { full_at, fraction }))
    })?;
    for (rate, budget) in spent {
        rows.put(&place(rate), budget.full_at, budget.fraction)?;
    }
    Ok(answer)
}

/// Reads the key ring, which all realms share.
///
/// # Errors
/// The engine failed.
pub fn keys<R: ReadRows>(rows: &RealmRows<R>) -> Result<StoredKeys, Cause> {
    let row = rows.shared().get(RING)?;
    let (version, ring) = row.map(|(_, row)| row).unwrap_or_default();
    Ok(StoredKeys { version, ring })
}

/// Replaces the key ring where its version is still `expected`.
///
/// # Errors
/// The engine failed.
pub fn swap_keys<R: Rows>(
    rows: &mut RealmRows<R>,
    expected: u64,
    ring: Vec<u8>,
) -> Result<bool, Cause> {
    if keys(rows)?.version != expected {
        return Ok(false);
    }
    let row = (expected.saturating_add(1), ring);
    rows.shared_mut().put(RING, Timestamp::MAX, row)?;
    Ok(true)
}

/// Writes a row unless a valid one is there, or this one would not be valid.
fn insert(
    rows: &mut impl Rows,
    place: &str,
    until: Timestamp,
    row: OnceRow,
    now: Timestamp,
) -> Result<bool, Cause> {
    let there = rows.get::<OnceRow>(place)?;
    if there.is_some_and(|(until, _)| until > now) {
        return Ok(false);
    }
    if until > now {
        rows.put(place, until, row)?;
    }
    Ok(true)
}

/// The row of a value or of a consumed key.
#[derive(Clone, Serialize, Deserialize)]
#[serde(untagged)]
enum OnceRow {
    /// A payload that is not bound.
    Free(Vec<u8>),
    /// A payload that is bound to a subject's mark.
    Bound { payload: Vec<u8>, bound: BoundMark },
}

/// Returns the key of a value, or of a consumed key, which has no kind. The hash comes first,
/// because its length is fixed: so no two kinds share a place.
fn place(hash: [u8; 32], kind: Option<&str>) -> String {
    let hash = hex(&hash);
    match kind {
        Some(kind) => format!("{ONCE}{hash}/{kind}"),
        None => format!("{ONCE}{hash}"),
    }
}

pub(super) const ONCE: &str = "once/";
pub(super) const BUDGET: &str = "budget/";
const RING: &str = "ring";
