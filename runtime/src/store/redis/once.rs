//! Single-use values, budgets and the key ring.

use std::time::Duration;

use redis::Value;

use super::reply;
use super::script::{Call, KEYS, PUT, READ_ONCE, SPEND, SWAP_KEYS, TAKE};
use crate::clock::Timestamp;
use crate::store::budget::BudgetRate;
use crate::store::record::{Limit, OnceKey, OnceValue, Spent, StoredKeys};
use crate::store::shared::hex::hex;
use crate::store::shared::operation::Cause;

pub(super) fn consume(key: [u8; 32], until: Timestamp, now: Timestamp) -> Result<Call, Cause> {
    let place = format!("k:{}", hex(&key));
    Ok(Call::at(&PUT, now)?
        .key("once")
        .key(place.as_str())
        .word(place)
        .time(until)
        .word([]))
}

pub(super) fn put(value: OnceValue, now: Timestamp) -> Result<Call, Cause> {
    let place = place(&value.kind, value.hash);
    Ok(Call::at(&PUT, now)?
        .key("once")
        .key(place.as_str())
        .word(place)
        .time(value.until)
        .word(value.payload)
        .option(value.bound.as_ref().map(|bound| &bound.subject))
        .word(value.bound.as_ref().map_or("", |bound| &bound.client_id))
        .number(value.bound.as_ref().map_or(0, |bound| bound.mark)))
}

pub(super) fn take(kind: &str, hash: [u8; 32], now: Timestamp) -> Result<Call, Cause> {
    let place = place(kind, hash);
    Ok(Call::at(&TAKE, now)?
        .key("once")
        .key(place.as_str())
        .word(place))
}

pub(super) fn read(kind: &str, hash: [u8; 32], now: Timestamp) -> Result<Call, Cause> {
    let place = place(kind, hash);
    Ok(Call::at(&READ_ONCE, now)?.key(place.as_str()).word(place))
}

/// Returns the place of a value that an operation takes; empty if it takes none.
pub(super) fn taken(key: Option<&OnceKey>) -> String {
    key.map_or_else(String::new, |key| place(&key.kind, key.hash))
}

/// Returns the key of a value. The hash comes first, because its length is fixed: so no two kinds
/// share a key.
fn place(kind: &str, hash: [u8; 32]) -> String {
    format!("o:{}:{kind}", hex(&hash))
}

pub(super) fn spend(key: &str, cost: u32, limits: &[Limit], now: Timestamp) -> Result<Call, Cause> {
    let mut call = Call::at(&SPEND, now)?.key("budgets");
    for rate in BudgetRate::distinct(limits) {
        let period = rate.period.min(LONGEST);
        let name = format!("{}:{period}:{key}", rate.burst);
        // The time that the cost takes, in `burst`-ths of a millisecond.
        let taken = u128::from(cost) * u128::from(period);
        let (whole, fraction) = (
            taken / u128::from(rate.burst),
            taken % u128::from(rate.burst),
        );
        call = call
            .key(format!("b:{name}"))
            .word(name)
            .number(rate.burst)
            .number(period)
            .number(u64::try_from(whole).unwrap_or(LONGEST * 2).min(LONGEST * 2))
            .number(u64::try_from(fraction)?);
    }
    Ok(call)
}

pub(super) fn spent(answer: Value) -> Result<Spent, Cause> {
    Ok(match reply::text(answer)?.as_str() {
        "-1" => Spent::Allowed,
        wait => Spent::Refused {
            retry_after: Duration::from_millis(wait.parse()?),
        },
    })
}

pub(super) fn keys() -> Call {
    Call::of(&KEYS).key("ring")
}

pub(super) fn stored_keys(answer: Value) -> Result<StoredKeys, Cause> {
    let mut row = reply::ReplyRow::of(answer)?;
    let version = reply::bytes_or_none(row.next())?
        .map(String::from_utf8)
        .transpose()?;
    let version = version
        .map(|version| version.parse())
        .transpose()?
        .unwrap_or(0);
    Ok(StoredKeys {
        version,
        ring: reply::bytes_or_none(row.next())?.unwrap_or_default(),
    })
}

/// Makes the call that replaces the ring. Versions are compared as texts, so they are exact to the
/// last digit.
pub(super) fn swap_keys(expected: u64, ring: Vec<u8>, now: Timestamp) -> Call {
    Call::made(&SWAP_KEYS, now)
        .key("ring")
        .number(expected)
        .number(expected.saturating_add(1))
        .word(ring)
}

/// The longest period that is distinguished, in milliseconds: 71 000 years. Sums of a time, such a
/// period and such a cost are exact in a script.
const LONGEST: u64 = 1 << 51;
