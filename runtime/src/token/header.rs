//! Headers that differ from the one that a key of this ring issues: read strictly, used only to
//! find that key.

use std::borrow::Cow;

use base64_simd::URL_SAFE_NO_PAD;

use super::json::{is_media_type, is_present, is_strict};
use crate::keys::{KeySet, VerifyingKey};

/// The members of a header that are read. Others, such as `jwk`, `jku`, `x5u` and `x5c`, have no
/// effect (R23).
#[derive(serde::Deserialize)]
struct AccessTokenHeader<'a> {
    #[serde(borrow)]
    alg: Cow<'a, str>,
    #[serde(borrow)]
    typ: Cow<'a, str>,
    #[serde(borrow)]
    kid: Cow<'a, str>,
    /// `true` if the header has `crit`: no extension is implemented, so none may be critical
    /// (R12, RFC 7515 section 4.1.11).
    #[serde(default, deserialize_with = "is_present")]
    crit: bool,
    /// `true` if the header has `b64` (R13, RFC 7797 section 7).
    #[serde(default, deserialize_with = "is_present")]
    b64: bool,
    /// `true` if the header has `zip` (R14).
    #[serde(default, deserialize_with = "is_present")]
    zip: bool,
}

/// Finds the key that the header names; `None` if it is not the header of an access token of
/// this ring.
pub(super) fn find_key<'k>(encoded: &str, keys: &'k KeySet) -> Option<&'k VerifyingKey> {
    let bytes = URL_SAFE_NO_PAD.decode_to_vec(encoded).ok()?;
    let text = std::str::from_utf8(&bytes).ok()?;
    if !is_strict(text) {
        return None;
    }
    let header: AccessTokenHeader<'_> = serde_json::from_str(text).ok()?;
    if header.crit || header.b64 || header.zip || !is_media_type(&header.typ, "at+jwt") {
        return None;
    }
    let key = keys
        .verifying()
        .iter()
        .find(|key| **key.kid() == *header.kid)?;
    // The algorithm is the key's. The header must name the same, byte for byte (R10, R18, R21).
    (header.alg == key.algorithm().as_str()).then_some(key)
}
