//! Claims that a session keeps, for `refresh(from = stored)`: the own claims as a JSON object,
//! without the subject.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap as _, Serializer};

use super::claims::ClaimSet;

/// The largest size of the claims that a session keeps, in bytes.
const MAX_LEN: usize = 4 * 1024;

/// The error for claims of a user that are too long to be kept with the session, or cannot be
/// written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreTooLong;

impl fmt::Display for StoreTooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the claims are too long to be kept: a session keeps at most 4 KiB")
    }
}

impl std::error::Error for StoreTooLong {}

/// Writes claims in the form that a session keeps.
///
/// # Errors
/// They take more than 4 KiB, or cannot be written.
pub fn write_stored<C: ClaimSet>(claims: &C) -> Result<Vec<u8>, StoreTooLong> {
    let bytes = serde_json::to_vec(&StoredClaims(claims)).map_err(|_| StoreTooLong)?;
    if bytes.len() > MAX_LEN {
        Err(StoreTooLong)
    } else {
        Ok(bytes)
    }
}

/// Reads claims that a session kept; `None` if they are not, or no longer, of this type.
#[must_use]
pub fn read_stored<C: ClaimSet>(subject: &str, stored: &[u8]) -> Option<C> {
    let subject = C::parse_subject(subject)?;
    let mut reader = serde_json::Deserializer::from_slice(stored);
    let draft = reader
        .deserialize_map(StoredClaimsVisitor::<C>(PhantomData))
        .ok()?;
    reader.end().ok()?;
    C::finish(draft, subject).ok()
}

struct StoredClaims<'a, C>(&'a C);

impl<C: ClaimSet> Serialize for StoredClaims<'_, C> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.0.write(&mut map)?;
        map.end()
    }
}

struct StoredClaimsVisitor<C>(PhantomData<C>);

impl<'de, C: ClaimSet> Visitor<'de> for StoredClaimsVisitor<C> {
    type Value = C::Draft;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("stored claims")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<C::Draft, A::Error> {
        let mut draft = C::Draft::default();
        while let Some(name) = map.next_key::<String>()? {
            // The type no longer has this claim: the account is loaded again at the next sign-in.
            let place = C::place(&name).ok_or_else(|| A::Error::custom("an unknown claim"))?;
            C::read(&mut draft, place, &mut map)?;
        }
        Ok(draft)
    }
}
