//! Single-use values, budgets and the key ring.

use super::realm::RealmRows;
use super::row::{ReadRows, Rows};
use crate::clock::Timestamp;
use crate::store::budget::{BudgetRate, BudgetState};
use crate::store::record::{Limit, OnceValue, Spent, StoredKeys};
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
    insert(rows, &place(key, None), until, Vec::new(), now)
}

/// Keeps a payload to be taken once.
///
/// # Errors
/// The engine failed.
pub fn put_once(rows: &mut impl Rows, value: OnceValue, now: Timestamp) -> Result<bool, Cause> {
    let place = place(value.hash, Some(&value.kind));
    insert(rows, &place, value.until, value.payload, now)
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
    let place = place(hash, Some(kind));
    let value = rows.get::<Vec<u8>>(&place)?;
    rows.remove(&place)?;
    Ok(value
        .filter(|(until, _)| *until > now)
        .map(|(_, payload)| payload))
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

/// Replaces the key ring where its version still is `expected`.
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

/// Writes a row unless one is there that still counts, or this one would not.
fn insert(
    rows: &mut impl Rows,
    place: &str,
    until: Timestamp,
    payload: Vec<u8>,
    now: Timestamp,
) -> Result<bool, Cause> {
    let there = rows.get::<Vec<u8>>(place)?;
    if there.is_some_and(|(until, _)| until > now) {
        return Ok(false);
    }
    if until > now {
        rows.put(place, until, payload)?;
    }
    Ok(true)
}

/// Returns the key of a value, or of a consumed key, which has no kind. The hash comes first, for
/// it has one length: so no two kinds share a place.
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
