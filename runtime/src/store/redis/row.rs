//! The answers of scripts as records.

use std::iter;

use redis::Value;

use super::reply::{self, ReplyRow};
use crate::clock::Timestamp;
use crate::device::Device;
use crate::id::SessionId;
use crate::store::record::{Fact, LogEntry, Session, TokenRecord};
use crate::store::shared::columns::Columns;
use crate::store::shared::operation::Cause;
use crate::store::shared::{fact, row};

/// Reads a session as `read.lua` answers it.
pub(super) fn session(value: Value) -> Result<Option<Session>, Cause> {
    if value == Value::Nil {
        return Ok(None);
    }
    let mut answer = ReplyRow::of(value)?;
    let sid = id(reply::bytes(answer.next())?)?;
    let epoch = reply::bytes(answer.next())?;
    let device = match reply::bytes_or_none(answer.next())? {
        Some(json) => serde_json::from_slice(&json)?,
        None => Device::default(),
    };
    let claims = reply::bytes_or_none(answer.next())?;
    let last_seen = reply::bytes_or_none(answer.next())?;
    let mut fields = Fields::of(answer.next())?;
    let mut take =
        |names: &[&str]| -> Vec<_> { names.iter().map(|name| fields.take(name)).collect() };
    // The columns of the device stay empty: it is stored beside the row as one value.
    let columns = iter::once(Some(sid.to_vec()))
        .chain(take(&["uid", "client"]))
        .chain([None, None, None, None, None])
        .chain(take(&[
            "gen", "cur", "pgen", "phash", "rot", "sup", "seal", "conf", "ctx", "auth", "acr",
        ]))
        .chain([claims])
        .chain(take(&[
            "made", "seen", "idle", "abs", "brief", "rev", "why",
        ]))
        .chain([last_seen, Some(epoch)]);
    let session = row::session(&mut ReplyColumns(columns.collect::<Vec<_>>().into_iter()))?;
    Ok(Some(Session { device, ..session }))
}

/// Reads a row of the registry as `tokens.lua` answers it.
pub(super) fn token(value: Value) -> Result<TokenRecord, Cause> {
    let mut answer = ReplyRow::of(value)?;
    let kind = answer.filled()?;
    let sid = answer.filled()?.map(id).transpose()?.map(Vec::from);
    let generation = answer.filled()?;
    let parent = answer.filled()?.map(id).transpose()?.map(Vec::from);
    let subject = reply::bytes(answer.next())?;
    let device = reply::bytes(answer.next())?;
    let device = device.strip_prefix(b"=").map(<[u8]>::to_vec);
    let (issued_at, expires_at) = (answer.filled()?, answer.filled()?);
    let revoked_at = answer.filled()?;
    let jti = id(reply::bytes(answer.next())?)?;
    let columns = vec![
        Some(jti.to_vec()),
        kind,
        sid,
        generation,
        parent,
        Some(subject),
        device,
        issued_at,
        expires_at,
        revoked_at,
    ];
    row::token(&mut ReplyColumns(columns.into_iter()))
}

/// Reads a log entry as a script answers it: kind, key, value, until; for a lasting fact the last
/// is empty.
pub(super) fn entry(value: Value) -> Result<LogEntry, Cause> {
    let mut answer = ReplyRow::of(value)?;
    let (kind, key) = (reply::text(answer.next())?, reply::text(answer.next())?);
    let fact = fact(&kind, key, reply::number(answer.next())?)?;
    let until = answer.filled()?.map(number).transpose()?;
    Ok(LogEntry {
        fact,
        until: until.map_or(Timestamp::MAX, Timestamp::from_millis),
    })
}

/// Reads a fact of the log, in which ids are written in hexadecimal.
pub(super) fn fact(kind: &str, key: String, value: u64) -> Result<Fact, Cause> {
    let key = if fact::is_of_id(kind) {
        id(key.into_bytes())?.to_vec()
    } else {
        key.into_bytes()
    };
    Ok(Fact::from_columns(kind, key, value)?)
}

/// Reads the id of a session.
pub(super) fn session_id(text: String) -> Result<SessionId, Cause> {
    id(text.into_bytes()).map(SessionId::from_bytes)
}

/// The columns of one answer, each as its bytes.
struct ReplyColumns(std::vec::IntoIter<Option<Vec<u8>>>);

impl Columns for ReplyColumns {
    fn number(&mut self) -> Result<Option<u64>, Cause> {
        self.bytes()?.map(number).transpose()
    }

    fn text(&mut self) -> Result<Option<String>, Cause> {
        Ok(self.bytes()?.map(String::from_utf8).transpose()?)
    }

    fn bytes(&mut self) -> Result<Option<Vec<u8>>, Cause> {
        Ok(self.0.next().flatten())
    }

    fn fixed<const N: usize>(&mut self) -> Result<Option<[u8; N]>, Cause> {
        let bytes = self.bytes()?.map(<[u8; N]>::try_from).transpose();
        bytes.map_err(|_| "an id or a hash in Redis has another length".into())
    }

    fn flag(&mut self) -> Result<bool, Cause> {
        Ok(self.bytes()?.is_some())
    }
}

/// The fields of a hash, by name.
struct Fields(Vec<(Vec<u8>, Vec<u8>)>);

impl Fields {
    fn of(value: Value) -> Result<Self, Cause> {
        let mut values = reply::list(value)?.into_iter();
        let mut fields = Vec::with_capacity(values.len() / 2);
        while let (Some(name), Some(value)) = (values.next(), values.next()) {
            fields.push((reply::bytes(name)?, reply::bytes(value)?));
        }
        Ok(Self(fields))
    }

    fn take(&mut self, name: &str) -> Option<Vec<u8>> {
        let at = self
            .0
            .iter()
            .position(|(field, _)| field == name.as_bytes())?;
        Some(self.0.swap_remove(at).1)
    }
}

fn number(digits: Vec<u8>) -> Result<u64, Cause> {
    Ok(String::from_utf8(digits)?.parse()?)
}

/// Reads sixteen bytes in hexadecimal.
fn id(hex: Vec<u8>) -> Result<[u8; 16], Cause> {
    let hex = String::from_utf8(hex)?;
    if hex.len() != 32 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err("an id in Redis is not sixteen bytes".into());
    }
    Ok(u128::from_str_radix(&hex, 16)?.to_be_bytes())
}
