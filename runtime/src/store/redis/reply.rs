//! What scripts answer, read back into numbers, ids and records.

use redis::Value;

use super::super::{
    Fact, LogEntry, Predecessor, RevokeReason, Session, StoredTokenKind, TokenRecord,
};
use super::Outcome;
use crate::clock::Timestamp;
use crate::device::Device;
use crate::id::{SessionId, TokenId};

pub(super) fn list(value: Value) -> Outcome<Vec<Value>> {
    match value {
        Value::Array(values) => Ok(values),
        other => Err(unexpected("a list", &other)),
    }
}

pub(super) fn bytes(value: Value) -> Outcome<Vec<u8>> {
    bytes_or_none(value)?
        .ok_or_else(|| "Redis answered nothing where there should be something".into())
}

pub(super) fn bytes_or_none(value: Value) -> Outcome<Option<Vec<u8>>> {
    match value {
        Value::Nil => Ok(None),
        Value::BulkString(bytes) => Ok(Some(bytes)),
        Value::SimpleString(text) => Ok(Some(text.into_bytes())),
        Value::Int(number) => Ok(Some(number.to_string().into_bytes())),
        other => Err(unexpected("a text", &other)),
    }
}

pub(super) fn text(value: Value) -> Outcome<String> {
    Ok(String::from_utf8(bytes(value)?)?)
}

pub(super) fn number(value: Value) -> Outcome<u64> {
    match value {
        Value::Int(number) => Ok(u64::try_from(number)?),
        other => Ok(text(other)?.parse()?),
    }
}

/// 1 for what was done, 0 for what was not.
pub(super) fn done(value: Value) -> Outcome<bool> {
    Ok(number(value)? == 1)
}

/// Values in their order; one that is missing is nothing.
pub(super) struct Row(std::vec::IntoIter<Value>);

impl Row {
    pub(super) fn of(value: Value) -> Outcome<Self> {
        Ok(Self(list(value)?.into_iter()))
    }

    pub(super) fn next(&mut self) -> Value {
        self.0.next().unwrap_or(Value::Nil)
    }

    fn text(&mut self) -> Outcome<String> {
        text(self.next())
    }

    fn text_or_none(&mut self) -> Outcome<Option<String>> {
        Ok(Some(self.text()?).filter(|text| !text.is_empty()))
    }
}

/// A session as `read.lua` answers it.
pub(super) fn session(value: Value) -> Outcome<Option<Session>> {
    if value == Value::Nil {
        return Ok(None);
    }
    let mut row = Row::of(value)?;
    let sid = session_id(&row.text()?)?;
    let epoch = number(row.next())?;
    let device = match bytes_or_none(row.next())? {
        Some(json) => serde_json::from_slice(&json)?,
        None => Device::default(),
    };
    let claims = bytes_or_none(row.next())?;
    let mut fields = Fields::of(row.next())?;
    let previous = match (fields.number("pgen")?, fields.hash("phash")?) {
        (Some(generation), Some(hash)) => Some(Predecessor {
            generation: u32::try_from(generation)?,
            hash,
        }),
        _ => None,
    };
    // A reason that a later version wrote is not known here; that it is over is what counts.
    let reason = fields
        .text("why")?
        .and_then(|text| RevokeReason::parse(&text))
        .unwrap_or(RevokeReason::Requested);
    Ok(Some(Session {
        sid,
        subject: needed(fields.text("uid")?)?,
        client_id: needed(fields.text("client")?)?,
        device,
        generation: u32::try_from(needed(fields.number("gen")?)?)?,
        current: needed(fields.hash("cur")?)?,
        previous,
        rotated_at: fields.time("rot")?,
        superseded_at: fields.time("sup")?,
        sealed_successor: fields.take("seal"),
        confirmed: fields.take("conf").is_some(),
        context: fields.hash("ctx")?,
        auth_time: needed(fields.time("auth")?)?,
        acr: fields.text("acr")?,
        claims,
        created_at: needed(fields.time("made")?)?,
        last_seen_at: needed(fields.time("seen")?)?,
        idle_exp: needed(fields.time("idle")?)?,
        abs_exp: needed(fields.time("abs")?)?,
        revoked: fields.time("rev")?.map(|at| (at, reason)),
        epoch,
    }))
}

/// The fields of a hash, by name.
struct Fields(Vec<(Vec<u8>, Vec<u8>)>);

impl Fields {
    fn of(value: Value) -> Outcome<Self> {
        let mut values = list(value)?.into_iter();
        let mut fields = Vec::with_capacity(values.len() / 2);
        while let (Some(name), Some(value)) = (values.next(), values.next()) {
            fields.push((bytes(name)?, bytes(value)?));
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

    fn text(&mut self, name: &str) -> Outcome<Option<String>> {
        Ok(self.take(name).map(String::from_utf8).transpose()?)
    }

    fn number(&mut self, name: &str) -> Outcome<Option<u64>> {
        Ok(self.text(name)?.map(|text| text.parse()).transpose()?)
    }

    fn time(&mut self, name: &str) -> Outcome<Option<Timestamp>> {
        Ok(self.number(name)?.map(Timestamp::from_millis))
    }

    fn hash(&mut self, name: &str) -> Outcome<Option<[u8; 32]>> {
        let hash = self.take(name).map(<[u8; 32]>::try_from).transpose();
        hash.map_err(|_| "a hash in Redis is not thirty-two bytes".into())
    }
}

/// A row of the registry as `tokens.lua` answers it.
pub(super) fn token(value: Value) -> Outcome<TokenRecord> {
    let mut row = Row::of(value)?;
    let kind = if row.text()? == REFRESH {
        StoredTokenKind::Refresh
    } else {
        StoredTokenKind::Access
    };
    let sid = row
        .text_or_none()?
        .map(|sid| id(&sid))
        .transpose()?
        .map(SessionId::from_bytes);
    let generation = row
        .text_or_none()?
        .map(|number| number.parse())
        .transpose()?;
    let parent = row
        .text_or_none()?
        .map(|jti| id(&jti))
        .transpose()?
        .map(TokenId::from_bytes);
    let subject = row.text()?;
    let device_id = row.text()?.strip_prefix('=').map(str::to_owned);
    let issued_at = Timestamp::from_millis(number(row.next())?);
    let expires_at = Timestamp::from_millis(number(row.next())?);
    let revoked_at = row
        .text_or_none()?
        .map(|at| at.parse())
        .transpose()?
        .map(Timestamp::from_millis);
    let jti = TokenId::from_bytes(id(&row.text()?)?);
    Ok(TokenRecord {
        jti,
        kind,
        sid,
        generation,
        parent,
        subject,
        device_id,
        issued_at,
        expires_at,
        revoked_at,
    })
}

pub(super) const fn kind(kind: StoredTokenKind) -> &'static str {
    match kind {
        StoredTokenKind::Access => "access",
        StoredTokenKind::Refresh => REFRESH,
    }
}

const REFRESH: &str = "refresh";

/// A log entry as a script answers it: kind, key, value, until; of a lasting fact the last is
/// empty.
pub(super) fn entry(value: Value) -> Outcome<LogEntry> {
    let mut row = Row::of(value)?;
    let fact = fact(&row.text()?, row.text()?, number(row.next())?)?;
    let until = row.text_or_none()?.map(|until| until.parse()).transpose()?;
    Ok(LogEntry {
        fact,
        until: until.map_or(Timestamp::MAX, Timestamp::from_millis),
    })
}

/// What the log says by a kind, a key and a value.
pub(super) fn fact(kind: &str, key: String, value: u64) -> Outcome<Fact> {
    Ok(match kind {
        "session" => Fact::Session(SessionId::from_bytes(id(&key)?)),
        "generation" => Fact::Generation(SessionId::from_bytes(id(&key)?), u32::try_from(value)?),
        "subject" => Fact::Subject(key, value),
        "token" => Fact::Token(TokenId::from_bytes(id(&key)?)),
        "client" => Fact::Client(key, value),
        "key" => Fact::Key(key),
        "global" => Fact::Everything(value),
        "pause" => Fact::Paused(value % 2 == 1, value / 2),
        other => {
            return Err(format!("the log says `{other}`, which this version does not know").into());
        }
    })
}

pub(super) fn session_id(text: &str) -> Outcome<SessionId> {
    id(text).map(SessionId::from_bytes)
}

/// Sixteen bytes in hexadecimal.
fn id(text: &str) -> Outcome<[u8; 16]> {
    if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err("an id in Redis is not sixteen bytes".into());
    }
    Ok(u128::from_str_radix(text, 16)?.to_be_bytes())
}

fn needed<T>(value: Option<T>) -> Outcome<T> {
    value.ok_or_else(|| "a session in Redis lacks a field".into())
}

fn unexpected(what: &str, found: &Value) -> Box<dyn std::error::Error + Send + Sync> {
    let kind = match found {
        Value::Nil => "nothing",
        Value::Int(_) => "a number",
        Value::Array(_) => "a list",
        Value::BulkString(_) | Value::SimpleString(_) | Value::Okay => "a text",
        _ => "something else",
    };
    format!("Redis answered {kind} where {what} should be").into()
}
