//! Tools of the clauses: times, ids, records, and many operations at once.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::broken::Broken;
pub(super) use super::clause::NOW;
use crate::clock::Timestamp;
use crate::device::Device;
use crate::id::{SessionId, TokenId};
use crate::store::{
    Authenticated, DeviceLimit, LogCursor, LogEntry, NewSession, OnLimit, Opened, Revocation,
    RevokeReason, Revoked, Rotated, RotationStep, RotationWrite, Session, Store, StoredTokenKind,
    Target, TokenQuery, TokenRecord,
};

/// Declares the clauses of a file, and their table.
macro_rules! clauses {
    ($(
        $(#[doc = $what:literal])+
        $number:literal $operation:ident $name:ident($store:ident) $check:block
    )+) => {
        $(
            $(#[doc = $what])+
            async fn $name(
                $store: $crate::store::Store,
            ) -> Result<(), super::broken::Broken> {
                $check
                Ok(())
            }
        )+

        pub(super) const CLAUSES: &[super::clause::Clause] = &[
            $(super::clause::Clause {
                number: $number,
                operation: stringify!($operation),
                name: stringify!($name),
                what: concat!($($what),+),
                check: |store| Box::pin($name(store)),
            }),+
        ];
    };
}

/// Breaks the clause where a condition does not hold.
macro_rules! ensure {
    ($holds:expr, $($why:tt)+) => {
        if !$holds {
            return Err(super::broken::Broken::new(format!($($why)+)));
        }
    };
}

/// Breaks the clause where two values differ.
macro_rules! same {
    ($found:expr, $expected:expr) => {
        match (&$found, &$expected) {
            (found, expected) => ensure!(
                found == expected,
                "`{}` is {found:?}, expected was {expected:?}",
                stringify!($found)
                    .split_whitespace()
                    .collect::<Vec<_>>()
                    .join(" ")
            ),
        }
    };
}

pub(super) const MILLISECOND: Duration = Duration::from_millis(1);
pub(super) const SECOND: Duration = Duration::from_secs(1);
pub(super) const MINUTE: Duration = Duration::from_secs(60);
pub(super) const DAY: Duration = Duration::from_secs(86_400);
pub(super) const IDLE: Duration = Duration::from_secs(30 * 86_400);
pub(super) const ABSOLUTE: Duration = Duration::from_secs(90 * 86_400);

/// Returns the time so many milliseconds after [`NOW`].
pub(super) fn at(millis: u64) -> Timestamp {
    NOW.plus(Duration::from_millis(millis))
}

/// Returns the id of a session; ids are ordered as their numbers are.
pub(super) fn sid(number: u32) -> SessionId {
    SessionId::from_bytes((u128::from(number) << 96 | 0xa5).to_be_bytes())
}

pub(super) fn jti(number: u32) -> TokenId {
    TokenId::from_bytes((u128::from(number) << 96 | 0x5a).to_be_bytes())
}

pub(super) fn hash(number: u32) -> [u8; 32] {
    let mut hash = [0x3c; 32];
    for (place, byte) in hash.iter_mut().zip(number.to_be_bytes()) {
        *place = byte;
    }
    hash
}

/// Returns session `number` of a subject, whose current hash is `hash(number)`.
pub(super) fn new(number: u32, subject: &str, now: Timestamp) -> NewSession {
    NewSession {
        sid: sid(number),
        subject: subject.to_owned(),
        client_id: "first-party".to_owned(),
        device: Device::default(),
        current: hash(number),
        auth_time: now,
        acr: None,
        claims: None,
        idle_exp: now.plus(IDLE),
        abs_exp: now.plus(ABSOLUTE),
        is_brief: number % 2 == 1,
        authenticated: Authenticated::Since(now),
        limit: None,
        log_until: now.plus(10 * MINUTE),
        replaces: Vec::new(),
        tokens: Vec::new(),
        takes: None,
    }
}

pub(super) fn limited(
    number: u32,
    subject: &str,
    now: Timestamp,
    max: u32,
    on_limit: OnLimit,
) -> NewSession {
    NewSession {
        limit: Some(DeviceLimit { max, on_limit }),
        ..new(number, subject, now)
    }
}

/// Opens a session, which must succeed, and returns its epoch.
pub(super) async fn open(store: &Store, new: NewSession, now: Timestamp) -> Result<u64, Broken> {
    match store.open_session(new, now).await? {
        Opened::Open {
            epoch,
            evicted,
            replaced,
        } if evicted.is_empty() && replaced.is_empty() => Ok(epoch),
        other => Err(Broken::new(format!(
            "a session that should have opened answered {other:?}"
        ))),
    }
}

/// Returns the row of session `number`, which must exist.
pub(super) async fn row(store: &Store, number: u32, now: Timestamp) -> Result<Session, Broken> {
    let found = store.session(sid(number), now).await?;
    found.ok_or_else(|| Broken::new(format!("session {number} is not there")))
}

/// Returns row 6 of session `number`: from a generation and the hash `from` to the hash `to`.
pub(super) fn advance(
    number: u32,
    generation: u32,
    from: u32,
    to: u32,
    now: Timestamp,
) -> RotationWrite {
    let step = RotationStep::Advance {
        generation,
        current: hash(from),
        successor: hash(to),
        sealed: vec![7; 44],
        context: [9; 32],
        idle_exp: now.plus(IDLE),
    };
    RotationWrite {
        sid: sid(number),
        step,
        tokens: Vec::new(),
        log_until: None,
        last_seen: None,
    }
}

/// Returns row 8 of session `number`, to the hash `to`.
pub(super) fn remint(number: u32, generation: u32, to: u32, now: Timestamp) -> RotationWrite {
    let step = RotationStep::Remint {
        generation,
        successor: hash(to),
        sealed: vec![8; 44],
    };
    RotationWrite {
        sid: sid(number),
        step,
        tokens: Vec::new(),
        log_until: Some(now.plus(10 * MINUTE)),
        last_seen: None,
    }
}

/// Returns rows 5 and 7 of session `number`.
pub(super) fn hold(number: u32, generation: u32) -> RotationWrite {
    RotationWrite {
        sid: sid(number),
        step: RotationStep::Hold { generation },
        tokens: Vec::new(),
        log_until: None,
        last_seen: None,
    }
}

/// Rotates, which must succeed.
pub(super) async fn rotate(
    store: &Store,
    rotation: RotationWrite,
    now: Timestamp,
) -> Result<(), Broken> {
    same!(store.rotate(rotation, now).await?, Rotated::Done);
    Ok(())
}

/// Revokes as an application would, remembered for ten minutes.
pub(super) async fn revoke(
    store: &Store,
    target: Target,
    now: Timestamp,
) -> Result<Revoked, Broken> {
    let revocation = Revocation {
        target,
        reason: RevokeReason::Requested,
        until: now.plus(10 * MINUTE),
    };
    Ok(store.revoke(revocation, now).await?)
}

/// Returns the whole log from its start.
pub(super) async fn whole_log(store: &Store, now: Timestamp) -> Result<Vec<LogEntry>, Broken> {
    Ok(store.log_since(LogCursor::START, now).await?.entries)
}

/// Returns an access token without a session.
pub(super) fn token(number: u32, subject: &str, issued_at: Timestamp) -> TokenRecord {
    TokenRecord {
        jti: jti(number),
        kind: StoredTokenKind::Access,
        sid: None,
        generation: None,
        parent: None,
        subject: subject.to_owned(),
        device_id: None,
        issued_at,
        expires_at: issued_at.plus(10 * MINUTE),
        revoked_at: None,
    }
}

/// Returns the query for all tokens.
pub(super) const fn every_token() -> TokenQuery {
    TokenQuery {
        jti: None,
        subject: None,
        sid: None,
        device_id: None,
        tree: None,
        active: None,
        after: None,
        limit: u32::MAX,
    }
}

/// Returns the numbers of the tokens that a query finds, in its order.
pub(super) async fn found(
    store: &Store,
    query: TokenQuery,
    now: Timestamp,
) -> Result<Vec<TokenId>, Broken> {
    Ok(store
        .tokens(query, now)
        .await?
        .into_iter()
        .map(|token| token.jti)
        .collect())
}

/// Runs `count` operations that begin together; returns their answers in the order of their
/// numbers.
pub(super) async fn together<T, Fut>(
    count: u32,
    make: impl Fn(u32) -> Fut,
) -> Result<Vec<T>, Broken>
where
    T: Send + 'static,
    Fut: Future<Output = Result<T, crate::store::StoreError>> + Send + 'static,
{
    let line = Arc::new(Barrier::new(usize::try_from(count).unwrap_or(usize::MAX)));
    let mut tasks = JoinSet::new();
    for number in 0..count {
        let (line, operation) = (Arc::clone(&line), make(number));
        tasks.spawn(async move {
            line.wait().await;
            (number, operation.await)
        });
    }
    let mut answers = Vec::new();
    while let Some(done) = tasks.join_next().await {
        let (number, answer) = done.map_err(|panic| Broken::new(panic.to_string()))?;
        answers.push((number, answer?));
    }
    answers.sort_unstable_by_key(|(number, _)| *number);
    Ok(answers.into_iter().map(|(_, answer)| answer).collect())
}
