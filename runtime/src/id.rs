//! Identifiers of sessions and tokens: sixteen random bytes, written as base64url.

use std::fmt;
use std::str::FromStr;

use base64_simd::{Out, URL_SAFE_NO_PAD};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::Error;
use crate::secret::fill_random;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 16]);

        impl $name {
            /// The length of the text, in characters.
            pub const TEXT_LEN: usize = 22;

            /// Makes an id of its sixteen bytes.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// Returns the sixteen bytes.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }

            /// Draws a fresh id, 128 bits from the operating system's random source.
            ///
            /// # Errors
            /// The random source cannot be read.
            pub fn random() -> Result<Self, Error> {
                let mut bytes = [0; 16];
                fill_random(&mut bytes)?;
                Ok(Self(bytes))
            }

            /// Reads exactly 22 characters of canonical base64url.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                decode(text.as_bytes().try_into().ok()?).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut text = [0; Self::TEXT_LEN];
                f.write_str(URL_SAFE_NO_PAD.encode_as_str(&self.0, Out::from_slice(&mut text)))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::parse(text).ok_or(IdError)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Text;
                impl serde::de::Visitor<'_> for Text {
                    type Value = $name;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("22 characters of base64url")
                    }

                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<$name, E> {
                        $name::parse(text).ok_or_else(|| E::custom(IdError))
                    }
                }
                deserializer.deserialize_str(Text)
            }
        }
    };
}

/// Decodes the text of an id, and only its one canonical form (RFC 4648 section 3.5). Every token
/// has two ids, which are too short for a general decoder to be fast.
fn decode(text: &[u8; SessionId::TEXT_LEN]) -> Option<[u8; 16]> {
    let value = |letter: u8| u32::from(VALUES.get(usize::from(letter)).copied().unwrap_or(NONE));
    let mut bytes = [0; 16];
    let mut all = 0;
    let (groups, last) = text.as_chunks::<4>();
    let (threes, end) = bytes.as_chunks_mut::<3>();
    for (three, group) in threes.iter_mut().zip(groups) {
        let [a, b, c, d] = group.map(value);
        all |= a | b | c | d;
        let [_, x, y, z] = (a << 18 | b << 12 | c << 6 | d).to_be_bytes();
        *three = [x, y, z];
    }
    let ([end], [a, b]) = (end, last) else {
        return None;
    };
    // The last letter has only two bits of the id; the others are zero.
    let (a, b) = (value(*a), value(*b));
    all |= a | b | (b & 0xf) << 8;
    *end = (a << 2 | b >> 4).to_le_bytes()[0];
    (all < 64).then_some(bytes)
}

/// The value of each letter of base64url.
#[allow(clippy::indexing_slicing, reason = "it is checked when it is compiled")]
const VALUES: [u8; 256] = {
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut values = [NONE; 256];
    let mut at = 0;
    while at < 64 {
        values[letters[at] as usize] = at as u8;
        at += 1;
    }
    values
};
/// The value of what is no letter of base64url.
const NONE: u8 = 0x80;

id! {
    /// A session's stable id: the claim `sid`, and the root of everything the session issues.
    SessionId
}

id! {
    /// A token's id: the claim `jti` (RFC 7519 section 4.1.7).
    TokenId
}

/// The error for a text that is not an identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdError;

impl fmt::Display for IdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an id is 22 characters of base64url")
    }
}

impl std::error::Error for IdError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_its_text_and_nothing_else_parses() {
        let id = SessionId::random().unwrap();
        assert_eq!(id.to_string().parse::<SessionId>().unwrap(), id);
        for text in [
            "",
            "AAAAAAAAAAAAAAAAAAAAAB",
            "AAAAAAAAAAAAAAAAAAAAAA=",
            "AAAAAAAAAAAAAAAAAAAA+A",
            "é",
        ] {
            assert_eq!(SessionId::parse(text), None, "{text}");
        }
    }

    /// Every byte at every place is read, or refused, as a general decoder does.
    #[test]
    fn an_id_is_decoded_as_base64url_without_padding() {
        for _ in 0..20 {
            let id = TokenId::random().unwrap();
            let good = id.to_string();
            assert_eq!(TokenId::parse(&good), Some(id));
            for at in 0..good.len() {
                for byte in 0..=127_u8 {
                    let mut text = good.clone().into_bytes();
                    text[at] = byte;
                    let text = String::from_utf8(text).unwrap();
                    let theirs = URL_SAFE_NO_PAD.decode_to_vec(&text).ok();
                    let ours = TokenId::parse(&text).map(|id| id.as_bytes().to_vec());
                    assert_eq!(ours, theirs, "{text}");
                }
            }
        }
        for len in (0..60).filter(|len| *len != TokenId::TEXT_LEN) {
            assert_eq!(TokenId::parse(&"A".repeat(len)), None, "{len}");
        }
    }
}
