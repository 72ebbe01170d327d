//! Revocation: every target of [`Target`].

use redis::Value;

use super::script::{Call, REVOKE, SUBJECT};
use super::{reply, row};
use crate::clock::Timestamp;
use crate::store::record::{Revocation, Revoked, SubjectState, Target};
use crate::store::shared::hex::hex;
use crate::store::shared::operation::Cause;

pub(super) fn revoke(
    revocation: Revocation,
    default_prefix: &str,
    now: Timestamp,
) -> Result<Call, Cause> {
    let moves_mark = revocation.moves_mark();
    let Revocation {
        target,
        reason,
        until,
    } = revocation;
    let (kind, name, keep) = match target {
        Target::AccessOf(subject) => ("access", subject, String::new()),
        Target::RefreshOf(subject) => ("refresh", subject, String::new()),
        Target::Subject(subject) => ("subject", subject, String::new()),
        Target::Others { subject, keep } => ("others", subject, hex(keep.as_bytes())),
        Target::Session(sid) => ("session", hex(sid.as_bytes()), String::new()),
        Target::Token(jti) => ("token", hex(jti.as_bytes()), String::new()),
        Target::Tree(jti) => ("tree", hex(jti.as_bytes()), String::new()),
        Target::Client(client) => ("client", client, String::new()),
        Target::Key(key) => ("key", key, String::new()),
        Target::Everything => ("everything", String::new(), String::new()),
    };
    let call = ["log", "lasting", "live", "over"]
        .into_iter()
        .fold(Call::at(&REVOKE, now)?, Call::key);
    Ok(call
        .word(kind)
        .word(name)
        .word(keep)
        .word(reason.as_str())
        .time(until)
        .nonce()?
        .word(default_prefix)
        .word(if moves_mark { "1" } else { "" }))
}

pub(super) fn revoked(answer: Value) -> Result<Revoked, Cause> {
    let mut answer = reply::ReplyRow::of(answer)?;
    let (sessions, tokens) = (reply::number(answer.next())?, reply::number(answer.next())?);
    let entries = reply::list(answer.next())?
        .into_iter()
        .map(row::entry)
        .collect::<Result<_, Cause>>()?;
    Ok(Revoked {
        sessions,
        tokens,
        entries,
    })
}

pub(super) fn subject(subject: String, client: String) -> Call {
    Call::of(&SUBJECT)
        .key(format!("u:{subject}"))
        .key("lasting")
        .word(subject)
        .word(client)
}

pub(super) fn subject_state(answer: Value) -> Result<SubjectState, Cause> {
    let mut answer = reply::ReplyRow::of(answer)?;
    Ok(SubjectState {
        epoch: reply::number(answer.next())?,
        mark: reply::number(answer.next())?,
        changed_at: Timestamp::from_millis(reply::number(answer.next())?),
    })
}
