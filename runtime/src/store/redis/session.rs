//! Sessions: opened, read, rotated, confirmed.

use redis::Value;

use super::script::{ATTACH, CONFIRM, Call, OPEN, READ, REAUTHENTICATE, ROTATE, SESSIONS};
use super::{once, reply, revoke, row, token};
use crate::clock::Timestamp;
use crate::device::Device;
use crate::id::SessionId;
use crate::store::record::{
    Authenticated, NewSession, OnLimit, OnceKey, Opened, Rotated, RotationStep, RotationWrite,
    Session, SessionPage,
};
use crate::store::shared::hex::hex;
use crate::store::shared::operation::Cause;

/// Returns a session's key, without the prefix of every key.
fn key(sid: SessionId) -> String {
    format!("s:{}", hex(sid.as_bytes()))
}

pub(super) fn open(new: NewSession, now: Timestamp) -> Result<Call, Cause> {
    let mode = match new.authenticated {
        Authenticated::Since(_) => "since",
        Authenticated::After(_) => "after",
    };
    let (limit, on_limit) = match new.limit {
        None => (String::new(), ""),
        Some(limit) => (
            limit.max.max(1).to_string(),
            if limit.on_limit == OnLimit::Deny {
                "deny"
            } else {
                "evict"
            },
        ),
    };
    let sid = hex(new.sid.as_bytes());
    let call = Call::at(&OPEN, now)?
        .key(key(new.sid))
        .key(format!("u:{}", new.subject))
        .key(format!("us:{}", new.subject))
        .key("live")
        .key("log")
        .key("lasting")
        .word(sid)
        .word(new.subject.as_str())
        .word(new.client_id.as_str())
        .word(mode)
        .time(new.authenticated.bound())
        .word(limit)
        .word(on_limit)
        .time(new.log_until)
        .nonce()?
        .time(new.abs_exp)
        .word(device(&new.device)?)
        .option(new.claims)
        .word(once::taken(new.takes.as_ref()));

    let mut words: Vec<(&str, Vec<u8>)> = vec![
        ("uid", new.subject.into()),
        ("client", new.client_id.into()),
        ("gen", b"0".to_vec()),
        ("cur", new.current.to_vec()),
        ("auth", millis(new.auth_time)),
        ("made", millis(now)),
        ("seen", millis(now)),
        ("idle", millis(new.idle_exp)),
        ("abs", millis(new.abs_exp)),
    ];
    words.extend(new.acr.map(|acr| ("acr", acr.into_bytes())));
    words.extend(new.is_brief.then(|| ("brief", b"1".to_vec())));
    let call = call.number(u32::try_from(words.len() * 2)?);
    let call = words
        .into_iter()
        .fold(call, |call, (name, value)| call.word(name).word(value));
    let call = token::append(call, new.tokens).number(u32::try_from(new.replaces.len())?);
    Ok(new
        .replaces
        .iter()
        .fold(call, |call, sid| call.word(hex(sid.as_bytes()))))
}

pub(super) fn opened(answer: Value) -> Result<Opened, Cause> {
    let mut answer = reply::ReplyRow::of(answer)?;
    match reply::text(answer.next())?.as_str() {
        "limit" => Ok(Opened::LimitReached),
        "gone" => Ok(Opened::Gone),
        "reload" => Ok(Opened::Reload {
            changed_at: Timestamp::from_millis(reply::number(answer.next())?),
        }),
        _ => {
            let epoch = reply::number(answer.next())?;
            let evicted = reply::list(answer.next())?
                .into_iter()
                .map(|sid| row::session_id(reply::text(sid)?));
            let evicted = evicted.collect::<Result<_, Cause>>()?;
            let replaced = reply::list(answer.next())?.into_iter().map(revoke::revoked);
            Ok(Opened::Open {
                epoch,
                evicted,
                replaced: replaced.collect::<Result<_, Cause>>()?,
            })
        }
    }
}

pub(super) fn read(sid: SessionId, now: Timestamp) -> Call {
    Call::made(&READ, now)
        .key(key(sid))
        .word(hex(sid.as_bytes()))
}

pub(super) fn of_subject(subject: &str, page: SessionPage, now: Timestamp) -> Result<Call, Cause> {
    let (created_at, sid) = page.after.unzip();
    Ok(Call::at(&SESSIONS, now)?
        .key(format!("us:{subject}"))
        .word(created_at.map(millis).unwrap_or_default())
        .word(sid.map_or_else(String::new, |sid| hex(sid.as_bytes())))
        .number(page.limit))
}

pub(super) fn oldest_first(answer: Value) -> Result<Vec<Session>, Cause> {
    let mut rows = Vec::new();
    for value in reply::list(answer)? {
        rows.extend(row::session(value)?);
    }
    rows.sort_unstable_by_key(|row| (row.created_at, row.sid));
    Ok(rows)
}

pub(super) fn rotate(rotation: RotationWrite, now: Timestamp) -> Result<Call, Cause> {
    let RotationWrite {
        sid,
        step,
        tokens,
        log_until,
        last_seen,
    } = rotation;
    let (name, generation) = match &step {
        RotationStep::Advance { generation, .. } => ("advance", *generation),
        RotationStep::Remint { generation, .. } => ("remint", *generation),
        RotationStep::Hold { generation } => ("hold", *generation),
        RotationStep::Slide { generation, .. } => ("slide", *generation),
    };
    let call = Call::at(&ROTATE, now)?
        .key(key(sid))
        .key("log")
        .word(hex(sid.as_bytes()))
        .word(name)
        .number(generation);
    let call = call
        .word(log_until.map(millis).unwrap_or_default())
        .nonce()?
        .word(last_seen.map_or(Ok(String::new()), |seen| seen.stored())?);
    let call = match step {
        RotationStep::Advance {
            current,
            successor,
            sealed,
            context,
            idle_exp,
            ..
        } => call
            .word(current)
            .word(successor)
            .word(sealed)
            .word(context)
            .time(idle_exp),
        RotationStep::Remint {
            successor, sealed, ..
        } => call.word(successor).word(sealed),
        RotationStep::Hold { .. } => call,
        RotationStep::Slide {
            current, idle_exp, ..
        } => call.word(current).time(idle_exp),
    };
    Ok(token::append(call, tokens))
}

pub(super) fn rotated(answer: Value) -> Result<Rotated, Cause> {
    Ok(if reply::done(answer)? {
        Rotated::Done
    } else {
        Rotated::Lost
    })
}

pub(super) fn confirm(mut seen: Vec<(SessionId, u32)>, now: Timestamp) -> Result<Call, Cause> {
    seen.sort_unstable();
    let call = Call::at(&CONFIRM, now)?;
    Ok(seen.into_iter().fold(call, |call, (sid, generation)| {
        call.key(key(sid)).number(generation)
    }))
}

pub(super) fn reauthenticate(
    sid: SessionId,
    (auth_time, acr): (Timestamp, Option<String>),
    takes: Option<&OnceKey>,
    now: Timestamp,
) -> Result<Call, Cause> {
    Ok(Call::at(&REAUTHENTICATE, now)?
        .key(key(sid))
        .word(hex(sid.as_bytes()))
        .time(auth_time)
        .option(acr)
        .word(once::taken(takes)))
}

pub(super) fn attach(sid: SessionId, new: &Device, now: Timestamp) -> Result<Call, Cause> {
    Ok(Call::at(&ATTACH, now)?
        .key(key(sid))
        .key(format!("d:{}", hex(sid.as_bytes())))
        .word(device(new)?))
}

/// Returns a device as it is stored: JSON, or empty if nothing is known.
fn device(device: &Device) -> Result<Vec<u8>, Cause> {
    if *device == Device::default() {
        Ok(Vec::new())
    } else {
        Ok(serde_json::to_vec(device)?)
    }
}

fn millis(at: Timestamp) -> Vec<u8> {
    at.as_millis().to_string().into_bytes()
}
