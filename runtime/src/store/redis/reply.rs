//! The answers of scripts, read into lists, texts and numbers.

use redis::Value;

use crate::store::shared::operation::Cause;

pub(super) fn list(value: Value) -> Result<Vec<Value>, Cause> {
    match value {
        Value::Array(values) => Ok(values),
        other => Err(unexpected("a list", &other)),
    }
}

pub(super) fn bytes(value: Value) -> Result<Vec<u8>, Cause> {
    bytes_or_none(value)?
        .ok_or_else(|| "Redis answered nothing where there should be something".into())
}

pub(super) fn bytes_or_none(value: Value) -> Result<Option<Vec<u8>>, Cause> {
    match value {
        Value::Nil => Ok(None),
        Value::BulkString(bytes) => Ok(Some(bytes)),
        Value::SimpleString(text) => Ok(Some(text.into_bytes())),
        Value::Int(number) => Ok(Some(number.to_string().into_bytes())),
        other => Err(unexpected("a text", &other)),
    }
}

pub(super) fn text(value: Value) -> Result<String, Cause> {
    Ok(String::from_utf8(bytes(value)?)?)
}

pub(super) fn number(value: Value) -> Result<u64, Cause> {
    match value {
        Value::Int(number) => Ok(u64::try_from(number)?),
        other => Ok(text(other)?.parse()?),
    }
}

/// Reads whether the operation succeeded: 1 if it did, 0 if not.
pub(super) fn done(value: Value) -> Result<bool, Cause> {
    Ok(number(value)? == 1)
}

/// Values in their order; a missing one is read as nothing.
pub(super) struct ReplyRow(std::vec::IntoIter<Value>);

impl ReplyRow {
    pub(super) fn of(value: Value) -> Result<Self, Cause> {
        Ok(Self(list(value)?.into_iter()))
    }

    pub(super) fn next(&mut self) -> Value {
        self.0.next().unwrap_or(Value::Nil)
    }

    /// Takes the next value; `None` if it is empty.
    pub(super) fn filled(&mut self) -> Result<Option<Vec<u8>>, Cause> {
        Ok(Some(bytes(self.next())?).filter(|bytes| !bytes.is_empty()))
    }
}

fn unexpected(what: &str, found: &Value) -> Cause {
    let kind = match found {
        Value::Nil => "nothing",
        Value::Int(_) => "a number",
        Value::Array(_) => "a list",
        Value::BulkString(_) | Value::SimpleString(_) | Value::Okay => "a text",
        _ => "something else",
    };
    format!("Redis answered {kind} where {what} should be").into()
}
