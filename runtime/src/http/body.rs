//! Reads the small JSON and form bodies of the auth routes, and refuses every other one.

use std::fmt;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use bytes::Bytes;
use http::HeaderMap;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::request::Parts;
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::form;
use crate::device::Device;
use crate::error::{Code, Malformed, Refusal};
use crate::gate::parse_body;

/// The longest body that an auth route reads, in bytes.
pub(super) const MAX_BODY: usize = 16 * 1024;
/// The time that a client has to send a body.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A body that was read, and the head of its request.
pub(super) struct ReadBody {
    pub(super) parts: Parts,
    pub(super) bytes: Bytes,
    media: Media,
}

/// The media types that are understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Media {
    Json,
    Form,
}

impl ReadBody {
    /// Reads a JSON body.
    pub(super) async fn json(request: Request) -> Result<Self, Refusal> {
        let read = Self::any(request).await?;
        if read.media == Media::Json {
            Ok(read)
        } else {
            Err(Code::UnsupportedMediaType.into())
        }
    }

    /// Reads a JSON or form body. The media type and the announced length are checked first.
    pub(super) async fn any(request: Request) -> Result<Self, Refusal> {
        let (parts, body) = request.into_parts();
        let media = media(&parts.headers).ok_or(Code::UnsupportedMediaType)?;
        let bytes = limited(&parts.headers, body).await?;
        Ok(Self {
            parts,
            bytes,
            media,
        })
    }

    /// Reads a JSON body where there is one; an empty body is `None` whatever its type.
    pub(super) async fn optional_json(request: Request) -> Result<(Parts, Option<Bytes>), Refusal> {
        let (parts, body) = request.into_parts();
        let media = media(&parts.headers);
        let bytes = limited(&parts.headers, body).await?;
        match (bytes.is_empty(), media) {
            (true, _) => Ok((parts, None)),
            (false, Some(Media::Json)) => Ok((parts, Some(bytes))),
            (false, _) => Err(Code::UnsupportedMediaType.into()),
        }
    }

    /// Reads a JSON or form body as a value.
    pub(super) fn parse_any<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        match self.media {
            Media::Json => self.parse(),
            Media::Form => form::parse(&self.bytes).ok_or_else(|| Malformed::NotAForm.into()),
        }
    }

    /// Reads the body as a value.
    pub(super) fn parse<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        parse(&self.bytes)
    }
}

/// Reads a JSON body as a value. The error is in the gate's own words, since the body may hold a
/// password.
pub(super) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Refusal> {
    parse_body(bytes).map_err(Refusal::from)
}

/// Reads a string member of a JSON object, by a name that is known at run time. It must not occur
/// twice.
pub(super) fn member(bytes: &[u8], name: &'static str) -> Result<String, Refusal> {
    let Members(members) = parse(bytes)?;
    let mut found = members.into_iter().filter(|(known, _)| known == name);
    match (found.next(), found.next()) {
        (Some((_, Value::String(text))), None) => Ok(text),
        (Some(_), Some(_)) => Err(Malformed::Twice(name).into()),
        (Some(_), None) => Err(Malformed::Unfit(name).into()),
        (None, _) => Err(Malformed::Missing(name).into()),
    }
}

/// Refuses a body that is not a JSON object.
pub(super) fn demand_object(bytes: &[u8]) -> Result<(), Refusal> {
    parse(bytes).map(|Members(_)| ())
}

/// Returns whether a JSON object has a member of this name, whatever its value.
pub(super) fn has_member(bytes: &[u8], name: &str) -> bool {
    parse(bytes).is_ok_and(|Members(members)| members.iter().any(|(known, _)| known == name))
}

/// The members of a JSON object in their order.
struct Members(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Self(Vec::new()))
    }
}

impl<'de> Visitor<'de> for Members {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Self, A::Error> {
        while let Some(member) = map.next_entry()? {
            self.0.push(member);
        }
        Ok(self)
    }
}

/// Adds name and id of the device as its client gives them, from the members that every body may
/// have.
pub(super) fn device(bytes: &[u8], device: &mut Device) -> Result<(), Refusal> {
    #[derive(Deserialize)]
    struct Named {
        device_name: Option<String>,
        device_id: Option<String>,
    }
    let Named {
        device_name,
        device_id,
    } = parse(bytes)?;
    let fits = |text: &Option<String>| {
        text.as_ref()
            .is_none_or(|t| t.len() <= Device::MAX_BYTES && !t.contains(char::is_control))
    };
    for (text, name) in [(&device_name, "device_name"), (&device_id, "device_id")] {
        if !fits(text) {
            return Err(Malformed::Unfit(name).into());
        }
    }
    (device.name, device.id) = (device_name, device_id);
    Ok(())
}

/// Returns whether a request brings a form.
#[cfg(feature = "cookies")]
pub(super) fn has_form(headers: &HeaderMap) -> bool {
    media(headers) == Some(Media::Form)
}

fn media(headers: &HeaderMap) -> Option<Media> {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return None;
    };
    let essence = value.to_str().ok()?.split(';').next()?.trim();
    if essence.eq_ignore_ascii_case("application/json") {
        Some(Media::Json)
    } else if essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        Some(Media::Form)
    } else {
        None
    }
}

async fn limited(headers: &HeaderMap, body: Body) -> Result<Bytes, Refusal> {
    let announced = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > MAX_BODY as u64) {
        return Err(Code::PayloadTooLarge.into());
    }
    let read = tokio::time::timeout(TIMEOUT, to_bytes(body, MAX_BODY))
        .await
        .map_err(|_| Malformed::Incomplete)?;
    read.map_err(|error| {
        let source = std::error::Error::source(&error);
        let too_long =
            source.is_some_and(<dyn std::error::Error>::is::<http_body_util::LengthLimitError>);
        if too_long {
            Code::PayloadTooLarge.into()
        } else {
            Malformed::Incomplete.into()
        }
    })
}
