//! The columns of sessions and tokens, and the trait that reads a row of any database.

use super::operation::Cause;
use crate::clock::Timestamp;

/// The columns of one row, read from the first to the last. Each call reads the next column; `None`
/// if it is empty.
pub(in crate::store) trait Columns {
    /// Reads a number that is never negative.
    fn number(&mut self) -> Result<Option<u64>, Cause>;

    /// Reads a text.
    fn text(&mut self) -> Result<Option<String>, Cause>;

    /// Reads bytes.
    fn bytes(&mut self) -> Result<Option<Vec<u8>>, Cause>;

    /// Reads an id or a hash, of so many bytes.
    fn fixed<const N: usize>(&mut self) -> Result<Option<[u8; N]>, Cause>;

    /// Reads a truth value.
    fn flag(&mut self) -> Result<bool, Cause>;

    /// Reads a time.
    fn time(&mut self) -> Result<Option<Timestamp>, Cause> {
        Ok(self.number()?.map(Timestamp::from_millis))
    }
}

/// The columns of a session `s` that [`row::session`](super::row::session) reads. The last one is
/// the effective epoch, so that a statement reads row and epoch together; `$highest` is the
/// function of the database that returns the highest of its arguments.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
macro_rules! session_columns {
    ($highest:literal) => {
        concat!(
            "s.sid, s.uid, s.client_id, s.device_name, s.device_id, s.device_agent, s.device_ip, \
             s.device_hints, s.gen, s.cur_hash, s.prev_gen, s.prev_hash, s.rotated_at, \
             s.superseded_at, s.sealed_successor, s.confirmed, s.ctx_hash, s.auth_time, s.acr, \
             s.claims, s.created_at, s.last_seen_at, s.idle_exp, s.abs_exp, \
             s.brief IS TRUE, s.revoked_at, \
             s.revoke_reason, s.last_seen, ",
            $crate::store::shared::columns::effective_epoch!($highest, "s.uid", "s.client_id")
        )
    };
}
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(in crate::store) use session_columns;

/// The effective epoch of a subject's session for a client.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
macro_rules! effective_epoch {
    ($highest:literal, $subject:literal, $client:literal) => {
        concat!(
            $highest,
            "(coalesce((SELECT uep FROM tg_subject WHERE uid = ",
            $subject,
            "), 0), coalesce((SELECT value FROM tg_epoch WHERE kind = 'client' AND key = ",
            $client,
            "), 0), coalesce((SELECT value FROM tg_epoch WHERE kind = 'global' AND key = ''), 0))"
        )
    };
}
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(in crate::store) use effective_epoch;

/// The effective mark of a subject for a client.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
macro_rules! effective_mark {
    ($subject:literal, $client:literal) => {
        concat!(
            "(coalesce((SELECT uep - unmarked FROM tg_subject WHERE uid = ",
            $subject,
            "), 0) + coalesce((SELECT value FROM tg_epoch WHERE kind = 'client' AND key = ",
            $client,
            "), 0) + coalesce((SELECT value FROM tg_epoch WHERE kind = 'global' AND key = ''), 0))"
        )
    };
}
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(in crate::store) use effective_mark;

/// The state of a subject for a client, in the order of
/// [`SubjectState`](crate::store::SubjectState).
#[cfg(any(feature = "sqlite", feature = "postgres"))]
macro_rules! subject_columns {
    ($highest:literal, $subject:literal, $client:literal) => {
        concat!(
            $crate::store::shared::columns::effective_epoch!($highest, $subject, $client),
            ", ",
            $crate::store::shared::columns::effective_mark!($subject, $client),
            ", coalesce((SELECT changed_at FROM tg_subject WHERE uid = ",
            $subject,
            "), 0)"
        )
    };
}
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(in crate::store) use subject_columns;

/// The condition under which a value `o` may be taken at a time.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
macro_rules! is_takable {
    ($now:literal) => {
        concat!(
            "o.until > ",
            $now,
            " AND (o.mark IS NULL OR o.mark = ",
            $crate::store::shared::columns::effective_mark!("o.mark_uid", "o.mark_client"),
            ")"
        )
    };
}
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(in crate::store) use is_takable;

/// The columns of a token `t` that [`row::token`](super::row::token) reads.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
macro_rules! token_columns {
    () => {
        "t.jti, t.kind, t.sid, t.gen, t.parent, t.subject, t.device_id, t.issued_at, t.expires_at, \
         t.revoked_at"
    };
}
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(in crate::store) use token_columns;

/// Returns a time as a database keeps it: milliseconds since 1970.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(in crate::store) fn millis(at: Timestamp) -> i64 {
    integer(at.as_millis())
}

/// Returns a number as a database keeps it. Counters that begin at 0 do not reach the greatest one.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(in crate::store) fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Returns a number that a database keeps and that is never negative.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(in crate::store) fn natural(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
