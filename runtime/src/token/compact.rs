//! The form of a token: its length, its characters, its two dots.

use std::mem::MaybeUninit;

use base64_simd::{Out, URL_SAFE_NO_PAD};

use crate::keys::{KeySet, VerifyingKey};

/// The longest token that is read or issued, in bytes (R3).
pub(super) const MAX_LEN: usize = 8 * 1024;
/// The longest encoded header, in bytes (R3).
const MAX_HEADER_LEN: usize = 1024;

/// The three parts of a JWS in compact serialization (RFC 7515 section 7.1), still encoded.
#[derive(Clone, Copy)]
pub(super) struct Compact<'a> {
    pub(super) header: &'a str,
    pub(super) payload: &'a str,
    pub(super) signature: &'a str,
    /// Header and payload with the dot between them: the bytes that were signed.
    pub(super) signed: &'a str,
}

impl<'a> Compact<'a> {
    /// Splits a token; `None` if it cannot be a JWS. Nothing is decoded and nothing allocated.
    pub(super) fn split(token: &'a str) -> Option<Self> {
        Self::split_within(token, MAX_LEN)
    }

    /// Does [`split`](Self::split) for a token of at most so many bytes.
    pub(super) fn split_within(token: &'a str, max: usize) -> Option<Self> {
        if token.len() > max || !is_shaped_like_a_token(token.as_bytes()) {
            return None;
        }
        let (header, rest) = token.split_once('.')?;
        let (payload, signature) = rest.split_once('.')?;
        if header.len() > MAX_HEADER_LEN
            || header.is_empty()
            || payload.is_empty()
            || signature.is_empty()
        {
            return None;
        }
        let signed = token.get(..header.len() + 1 + payload.len())?;
        Some(Self {
            header,
            payload,
            signature,
            signed,
        })
    }

    /// Splits a token that begins with the header of a key: the lengths of header and signature say
    /// where the dots are. `None` for every other token, for which [`split`](Self::split) decides.
    ///
    /// Payload and signature may still contain characters that no token has. Decoding refuses them.
    pub(super) fn cut<'k>(token: &'a str, keys: &'k KeySet) -> Option<(Self, &'k VerifyingKey)> {
        if token.len() > MAX_LEN {
            return None;
        }
        keys.verifying()
            .iter()
            .find_map(|key| Some((Self::cut_by(token, key)?, key)))
    }

    fn cut_by(token: &'a str, key: &VerifyingKey) -> Option<Self> {
        let (header, rest) = token.split_at_checked(key.header().len())?;
        if header != key.header() || header.len() > MAX_HEADER_LEN {
            return None;
        }
        let len = rest.len().checked_sub(encoded_len(key.signature_len()))?;
        let (payload, signature) = rest.split_at_checked(len)?;
        let payload = payload.strip_prefix('.')?.strip_suffix('.')?;
        let signed = token.get(..header.len() + 1 + payload.len())?;
        (!payload.is_empty()).then_some(Self {
            header,
            payload,
            signature,
            signed,
        })
    }
}

/// Decodes base64url without padding into `buffer`, and only its one canonical form (R4, RFC 4648
/// section 3.5); `None` even if the buffer is too short.
pub(super) fn decode<'r>(encoded: &str, buffer: &'r mut [u8]) -> Option<&'r mut [u8]> {
    if decoded_len(encoded.len()) > buffer.len() {
        return None;
    }
    URL_SAFE_NO_PAD
        .decode(encoded.as_bytes(), Out::from_slice(buffer))
        .ok()
}

/// Does the same as [`decode`] into memory that is not initialised.
pub(super) fn decode_into<'r>(
    encoded: &str,
    buffer: &'r mut [MaybeUninit<u8>],
) -> Option<&'r mut [u8]> {
    if decoded_len(encoded.len()) > buffer.len() {
        return None;
    }
    URL_SAFE_NO_PAD
        .decode(encoded.as_bytes(), Out::from_uninit_slice(buffer))
        .ok()
}

/// Returns how many characters base64url without padding needs for so many bytes.
pub(super) fn encoded_len(len: usize) -> usize {
    (len * 4).div_ceil(3)
}

/// Returns how long the buffer must be for decoding that many characters.
pub(super) fn decoded_len(len: usize) -> usize {
    URL_SAFE_NO_PAD.estimated_decoded_length(len)
}

/// Returns whether there are exactly two dots and otherwise only characters of base64url (R1, R2).
///
/// It reads every byte without a branch and counts in bytes, so that the compiler can process
/// sixteen or more at a time.
fn is_shaped_like_a_token(token: &[u8]) -> bool {
    let mut strange = 0u8;
    let mut dots = 0usize;
    for piece in token.chunks(128) {
        let mut in_piece = 0u8;
        for &byte in piece {
            let letter = (byte | 0x20).wrapping_sub(b'a') < 26;
            let digit = byte.wrapping_sub(b'0') < 10;
            let dot = byte == b'.';
            strange |= u8::from(!(letter | digit | dot | (byte == b'-') | (byte == b'_')));
            in_piece += u8::from(dot);
        }
        dots += usize::from(in_piece);
    }
    strange == 0 && dots == 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{Algorithm, KeyRing};

    /// R1.
    #[test]
    fn r1_every_other_byte_is_refused() {
        for byte in 0..=127u8 {
            let allowed = byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
            for place in ["a?.bb.cc", "aa.b?.cc", "aa.bb.c?"] {
                let token = place.replace('?', &char::from(byte).to_string());
                assert_eq!(Compact::split(&token).is_some(), allowed, "{token:?}");
            }
        }
        for token in [
            "aä.bb.cc",
            " aa.bb.cc",
            "aa.bb.cc\n",
            "aa.bb.cc=",
            "\u{feff}aa.bb.cc",
        ] {
            assert!(Compact::split(token).is_none(), "{token:?}");
        }
    }

    /// R2, R9, R11.
    #[test]
    fn r2_other_numbers_of_dots_and_empty_parts_are_refused() {
        for token in [
            "",
            ".",
            "..",
            "aa",
            "aa.bb",
            "aa.bb.",
            "aa..cc",
            ".bb.cc",
            "aa.bb.cc.",
            "aa.bb.cc.dd.ee",
            "..aa",
        ] {
            assert!(Compact::split(token).is_none(), "{token:?}");
        }
        assert!(Compact::split(&".".repeat(1_000_000)).is_none());
        let parts = Compact::split("aa.bb.cc").unwrap();
        assert_eq!(
            (parts.header, parts.payload, parts.signature, parts.signed),
            ("aa", "bb", "cc", "aa.bb")
        );
    }

    /// Cutting by position gives the same parts as splitting, and refuses every other token.
    #[test]
    fn a_token_is_cut_where_it_is_split() {
        let ring = KeyRing::generate(Algorithm::HS256).unwrap();
        let keys = ring.set();
        let header = keys.signing().header();
        let signature = "s".repeat(43);
        let good = format!("{header}.cGF5.{signature}");
        let (cut, key) = Compact::cut(&good, &keys).unwrap();
        let split = Compact::split(&good).unwrap();
        assert_eq!(key.header(), header);
        assert_eq!(
            (cut.header, cut.payload, cut.signature, cut.signed),
            (split.header, split.payload, split.signature, split.signed)
        );
        let long = "p".repeat(MAX_LEN);
        for other in [
            String::new(),
            header.to_owned(),
            format!("{header}."),
            format!("{header}..{signature}"),
            format!("{header}.{signature}"),
            format!("{header}x.cGF5.{signature}"),
            format!("{header}.cGF5{signature}"),
            format!("{header}.cGF5.s{signature}"),
            format!("{header}.cGF5.{}", &signature[1..]),
            format!("{header}.cGF5.{signature}."),
            format!("{header}.cGF5.{}ß", &signature[1..]),
            format!("x{good}"),
            format!("{header}.{long}.{signature}"),
        ] {
            assert!(Compact::cut(&other, &keys).is_none(), "{other}");
        }
    }

    /// R3.
    #[test]
    fn r3_long_tokens_and_long_headers_are_refused() {
        let of = |header: usize, len: usize| {
            format!("{}.{}.c", "a".repeat(header), "b".repeat(len - header - 3))
        };
        assert!(Compact::split(&of(4, MAX_LEN)).is_some());
        assert!(Compact::split(&of(4, MAX_LEN + 1)).is_none());
        assert!(Compact::split(&of(MAX_HEADER_LEN, 4000)).is_some());
        assert!(Compact::split(&of(MAX_HEADER_LEN + 1, 4000)).is_none());
    }
}
