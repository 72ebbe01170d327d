//! Bytes that are not shown, wiped when dropped, and compared in constant time.

use std::fmt;

use base64_simd::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use serde::{Deserialize, Deserializer};
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};
use zeroize::{Zeroize, Zeroizing};

use crate::error::{Error, ErrorKind};

/// Secret bytes: a key, or the secret part of a token.
///
/// There is no `Display`, no `Serialize` and no `PartialEq`; `Debug` prints a redaction.
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes the bytes as they are.
    #[must_use]
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Draws `len` bytes from the operating system's random source.
    ///
    /// # Errors
    /// The random source cannot be read.
    pub fn random(len: usize) -> Result<Self, Error> {
        let mut bytes = Zeroizing::new(vec![0; len]);
        fill_random(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// Reads `base64:…` (standard or URL-safe, padded or not) or `hex:…`.
    ///
    /// # Errors
    /// The prefix is missing or what follows is not that encoding. The message never contains the
    /// input.
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        let bytes = if let Some(rest) = text.strip_prefix("base64:") {
            [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD]
                .iter()
                .find_map(|encoding| encoding.decode_to_vec(rest).ok())
                .ok_or(SecretError::Base64)?
        } else if let Some(rest) = text.strip_prefix("hex:") {
            unhex(rest).ok_or(SecretError::Hex)?
        } else {
            return Err(SecretError::Prefix);
        };
        Ok(Self::from_bytes(bytes))
    }

    /// Reads an environment variable that holds `base64:…` or `hex:…`.
    ///
    /// # Errors
    /// It is not set, not text, or neither encoding. The message names the variable and never shows
    /// its value.
    pub fn from_env(name: &str) -> Result<Self, Error> {
        Self::parse(&variable(name)?)
            .map_err(|error| Error::new(ErrorKind::Keys, format!("`{name}`: {error}")))
    }

    /// Returns the bytes. The caller must protect any copies of them.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Returns whether both hold the same bytes, in time that depends on the length alone.
    #[must_use]
    pub fn same(&self, other: &[u8]) -> bool {
        same(&self.0, other)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret([redacted])")
    }
}

/// The reason why a secret in a setting cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SecretError {
    /// The text begins neither with `base64:` nor with `hex:`.
    Prefix,
    /// The text after `base64:` is not base64.
    Base64,
    /// The text after `hex:` is not hexadecimal.
    Hex,
}

impl fmt::Display for SecretError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Prefix => "a secret is written `base64:…` or `hex:…`",
            Self::Base64 => "what follows `base64:` is not base64",
            Self::Hex => "what follows `hex:` is not hexadecimal",
        })
    }
}

impl std::error::Error for SecretError {}

/// A password as the client sent it: never trimmed, folded or cut, at most [`Password::MAX_BYTES`]
/// long; a sign-in with a longer one is a malformed request.
///
/// `Debug` prints a redaction; the bytes are wiped when it is dropped.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// The longest password that is accepted, in bytes of UTF-8.
    pub const MAX_BYTES: usize = 1024;
    /// The error for a longer password.
    pub(crate) const TOO_LONG: &str = "the password is longer than 1024 bytes";

    /// Takes the text as it is.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// Returns the text.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password([redacted])")
    }
}

impl<'de> Deserialize<'de> for Password {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut text = String::deserialize(deserializer)?;
        if text.len() > Self::MAX_BYTES {
            text.zeroize();
            return Err(serde::de::Error::custom(Self::TOO_LONG));
        }
        Ok(Self::new(text))
    }
}

/// Reads an environment variable. The message of its error never shows the value.
pub(crate) fn variable(name: &str) -> Result<Zeroizing<String>, Error> {
    std::env::var(name).map(Zeroizing::new).map_err(|error| {
        let what = match error {
            std::env::VarError::NotPresent => "is not set",
            std::env::VarError::NotUnicode(_) => "is not text",
        };
        Error::new(
            ErrorKind::Keys,
            format!("the environment variable `{name}` {what}"),
        )
    })
}

/// Fills `buffer` from the operating system's random source; all random bytes come from here.
#[expect(clippy::disallowed_methods, reason = "this is the door")]
pub(crate) fn fill_random(buffer: &mut [u8]) -> Result<(), Error> {
    getrandom::fill(buffer).map_err(|error| {
        let what = "the operating system gives no random bytes";
        Error::new(ErrorKind::Random, what).because(error)
    })
}

/// Returns whether both slices are the same, in time that depends on the lengths alone.
pub(crate) fn same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    // By words: byte by byte is slower than the MAC of a short message.
    let ((words, rest), (others, other_rest)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    let pairs = words.iter().zip(others);
    let are_same = pairs.fold(Choice::from(1), |all, (one, other)| {
        all & u64::from_ne_bytes(*one).ct_eq(&u64::from_ne_bytes(*other))
    });
    (are_same & rest.ct_eq(other_rest)).into()
}

/// Hashes with SHA-256 (FIPS 180-4).
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Writes bytes as hexadecimal digits, in lower case.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        for digit in [byte >> 4, byte & 0xF] {
            text.extend(char::from_digit(u32::from(digit), 16));
        }
    }
    text
}

/// Reads hexadecimal digits of either case; `None` if the text has another form.
pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    digits
        .chunks_exact(2)
        .map(|pair| {
            let text = std::str::from_utf8(pair)
                .ok()
                .filter(|t| t.bytes().all(|b| b.is_ascii_hexdigit()))?;
            u8::from_str_radix(text, 16).ok()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_in_either_encoding_and_never_shown() {
        for text in [
            "base64:AAEC/w==",
            "base64:AAEC/w",
            "base64:AAEC_w",
            "hex:000102ff",
            "hex:000102FF",
        ] {
            assert_eq!(
                Secret::parse(text).unwrap().expose(),
                [0, 1, 2, 255],
                "{text}"
            );
        }
        assert_eq!(
            format!("{:?}", Secret::parse("hex:00").unwrap()),
            "Secret([redacted])"
        );
    }

    #[test]
    fn every_byte_and_the_length_count_when_secrets_are_compared() {
        for len in 0..40 {
            let bytes: Vec<u8> = (0..len).collect();
            assert!(same(&bytes, &bytes.clone()), "{len}");
            assert!(!same(&bytes, &[&*bytes, &[0]].concat()), "{len}");
            for at in 0..bytes.len() {
                for bit in 0..8 {
                    let mut other = bytes.clone();
                    other[at] ^= 1 << bit;
                    assert!(!same(&bytes, &other), "{len} {at} {bit}");
                }
            }
        }
    }

    #[test]
    fn hexadecimal_digits_are_written_and_read() {
        assert_eq!(hex(&[0, 0x0F, 0xA0, 0xFF]), "000fa0ff");
        assert_eq!(unhex("000fA0ff"), Some(vec![0, 0x0F, 0xA0, 0xFF]));
        for text in ["0", "0g", "+1", "ä"] {
            assert_eq!(unhex(text), None, "{text}");
        }
    }

    #[test]
    fn a_malformed_secret_is_refused_without_an_echo() {
        for (text, error) in [
            ("hunter2", SecretError::Prefix),
            ("base64:%%%", SecretError::Base64),
            ("hex:0", SecretError::Hex),
            ("hex:+1", SecretError::Hex),
        ] {
            assert_eq!(Secret::parse(text).unwrap_err(), error, "{text}");
        }
    }
}
