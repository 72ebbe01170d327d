//! Between rows and records.

use std::borrow::Cow;

use sqlx::Row as _;
use sqlx::postgres::PgRow;

use super::super::{Predecessor, RevokeReason, Session, StoredTokenKind, TokenRecord};
use super::run::Outcome;
use crate::clock::Timestamp;
use crate::device::{Device, Hints};
use crate::id::{SessionId, TokenId};

/// The columns of [`session`], with the effective epoch last: a statement that names them reads row
/// and epoch together.
macro_rules! session_columns {
    () => {
        concat!(
            "s.sid, s.uid, s.client_id, s.device_name, s.device_id, s.device_agent, s.device_ip, \
             s.gen, s.cur_hash,
             s.prev_gen, s.prev_hash, s.rotated_at, s.superseded_at, s.sealed_successor, \
             s.confirmed, s.ctx_hash, s.auth_time,
             s.acr, s.claims, s.created_at, s.last_seen_at, s.idle_exp, s.abs_exp, \
             s.revoked_at, s.revoke_reason, s.device_hints, ",
            effective_epoch!("s.uid", "s.client_id")
        )
    };
}
pub(super) use session_columns;

/// The effective epoch of a subject's session for a client.
macro_rules! effective_epoch {
    ($subject:literal, $client:literal) => {
        concat!(
            "greatest(coalesce((SELECT uep FROM tg_subject WHERE uid = ",
            $subject,
            "), 0), coalesce((SELECT value FROM tg_epoch WHERE kind = 'client' AND key = ",
            $client,
            "), 0), coalesce((SELECT value FROM tg_epoch WHERE kind = 'global' AND key = ''), 0))"
        )
    };
}
pub(super) use effective_epoch;

pub(super) fn session(row: &PgRow) -> Outcome<Session> {
    let previous = match (row.try_get::<Option<i64>, _>(9)?, row.try_get(10)?) {
        (Some(generation), Some(hash)) => Some(Predecessor {
            generation: small(generation)?,
            hash,
        }),
        _ => None,
    };
    let mut device = Device::new(text_or_none(row, 3)?, text_or_none(row, 4)?);
    device.user_agent = text_or_none(row, 5)?;
    device.ip = text_or_none(row, 6)?;
    device.hints = Hints::from_stored(text_or_none(row, 25)?.as_deref());
    // A reason that a later version wrote is not known here; that it is over is what counts.
    let reason = row
        .try_get::<Option<&str>, _>(24)?
        .and_then(RevokeReason::parse);
    let revoked = time_or_none(row, 23)?.map(|at| (at, reason.unwrap_or(RevokeReason::Requested)));
    Ok(Session {
        sid: SessionId::from_bytes(row.try_get(0)?),
        subject: text(row, 1)?,
        client_id: text(row, 2)?,
        device,
        generation: small(row.try_get(7)?)?,
        current: row.try_get(8)?,
        previous,
        rotated_at: time_or_none(row, 11)?,
        superseded_at: time_or_none(row, 12)?,
        sealed_successor: row.try_get(13)?,
        confirmed: row.try_get(14)?,
        context: row.try_get(15)?,
        auth_time: time(row, 16)?,
        acr: text_or_none(row, 17)?,
        claims: row.try_get(18)?,
        created_at: time(row, 19)?,
        last_seen_at: time(row, 20)?,
        idle_exp: time(row, 21)?,
        abs_exp: time(row, 22)?,
        revoked,
        epoch: natural(row, 26)?,
    })
}

/// The columns of [`token`].
macro_rules! token_columns {
    () => {
        "t.jti, t.kind, t.sid, t.gen, t.parent, t.subject, t.device_id, t.issued_at, t.expires_at, \
         t.revoked_at"
    };
}
pub(super) use token_columns;

pub(super) fn token(row: &PgRow) -> Outcome<TokenRecord> {
    Ok(TokenRecord {
        jti: TokenId::from_bytes(row.try_get(0)?),
        kind: if row.try_get::<&str, _>(1)? == REFRESH {
            StoredTokenKind::Refresh
        } else {
            StoredTokenKind::Access
        },
        sid: row.try_get::<Option<_>, _>(2)?.map(SessionId::from_bytes),
        generation: row.try_get::<Option<i64>, _>(3)?.map(small).transpose()?,
        parent: row.try_get::<Option<_>, _>(4)?.map(TokenId::from_bytes),
        subject: text(row, 5)?,
        device_id: text_or_none(row, 6)?,
        issued_at: time(row, 7)?,
        expires_at: time(row, 8)?,
        revoked_at: time_or_none(row, 9)?,
    })
}

pub(super) const fn kind(kind: StoredTokenKind) -> &'static str {
    match kind {
        StoredTokenKind::Access => ACCESS,
        StoredTokenKind::Refresh => REFRESH,
    }
}

const ACCESS: &str = "access";
const REFRESH: &str = "refresh";

/// A text as it is stored. PostgreSQL's text holds every character but the one numbered 0, so that
/// one is written as two others, the first of them being [`ESCAPE`], and so is that.
pub(super) fn stored(text: &str) -> Cow<'_, str> {
    if text.contains(['\0', ESCAPE]) {
        Cow::Owned(text.replace(ESCAPE, "\u{1a}1").replace('\0', "\u{1a}0"))
    } else {
        Cow::Borrowed(text)
    }
}

pub(super) fn stored_or_none(text: &Option<String>) -> Option<Cow<'_, str>> {
    text.as_deref().map(stored)
}

/// A text as it was before [`stored`].
pub(super) fn read(text: String) -> String {
    if text.contains(ESCAPE) {
        text.replace("\u{1a}0", "\0").replace("\u{1a}1", "\u{1a}")
    } else {
        text
    }
}

/// The character "substitute", which no name has.
const ESCAPE: char = '\u{1a}';

pub(super) fn text(row: &PgRow, column: usize) -> Outcome<String> {
    Ok(read(row.try_get(column)?))
}

fn text_or_none(row: &PgRow, column: usize) -> Outcome<Option<String>> {
    Ok(row.try_get::<Option<String>, _>(column)?.map(read))
}

pub(super) fn time(row: &PgRow, column: usize) -> Outcome<Timestamp> {
    natural(row, column).map(Timestamp::from_millis)
}

fn time_or_none(row: &PgRow, column: usize) -> Outcome<Option<Timestamp>> {
    let millis: Option<i64> = row.try_get(column)?;
    Ok(millis.map(|millis| Timestamp::from_millis(u64::try_from(millis).unwrap_or(0))))
}

/// A number that is never negative.
pub(super) fn natural(row: &PgRow, column: usize) -> Outcome<u64> {
    let number: i64 = row.try_get(column)?;
    Ok(u64::try_from(number).unwrap_or(0))
}

/// A number of 32 bits, which PostgreSQL keeps in 64: it has no unsigned ones.
pub(super) fn small(number: i64) -> Outcome<u32> {
    u32::try_from(number).map_err(|_| "a number of the store is out of its range".into())
}

/// A time as it is stored.
pub(super) fn millis(at: Timestamp) -> i64 {
    integer(at.as_millis())
}

/// A number as it is stored. Counters that begin at 0 do not reach the end of it.
pub(super) fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_reads_back_and_no_two_are_stored_alike() {
        let texts = [
            "",
            "ada",
            "\0",
            "\u{1a}",
            "\u{1a}0",
            "\0\u{1a}1",
            "a\0b",
            "\u{1a}\0",
            "\u{1a}10",
            "\u{1a}\u{1a}0",
        ];
        let mut seen = std::collections::HashSet::new();
        for text in texts {
            let stored = stored(text).into_owned();
            assert!(!stored.contains('\0'));
            assert_eq!(read(stored.clone()), text);
            assert!(seen.insert(stored), "{text:?}");
        }
    }
}
