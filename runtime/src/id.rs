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
                let mut bytes = [0; 16];
                if text.len() != Self::TEXT_LEN {
                    return None;
                }
                URL_SAFE_NO_PAD
                    .decode(text.as_bytes(), Out::from_slice(&mut bytes))
                    .ok()?;
                Some(Self(bytes))
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
}
