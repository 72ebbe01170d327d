//! Tokens of a former system: the form of a JWS, with any claims.

use base64_simd::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::compact::{self, Compact};
use super::json::is_strict;

/// A token of a former system, of which nothing is verified.
pub(crate) struct MovedToken<'a> {
    parts: Compact<'a>,
    /// The header's `alg`. It is only compared, and chooses no algorithm.
    pub(crate) algorithm: String,
}

impl<'a> MovedToken<'a> {
    /// Reads a token; `None` if it cannot be one. Headers that ask for an extension (R12–R14)
    /// are refused, and their members about keys have no effect (R23).
    pub(crate) fn read(text: &'a str) -> Option<Self> {
        let parts = Compact::split(text)?;
        let header = object(parts.header)?;
        if ["crit", "b64", "zip"]
            .iter()
            .any(|name| header.contains_key(*name))
        {
            return None;
        }
        let algorithm = header.get("alg")?.as_str()?.to_owned();
        Some(Self { parts, algorithm })
    }

    /// Returns the signed text. It is the token without its signature, which a holder of the token
    /// cannot change.
    pub(crate) fn signed(&self) -> &str {
        self.parts.signed
    }

    /// Returns the signature; `None` if it is not in the one canonical form.
    pub(crate) fn signature(&self) -> Option<Vec<u8>> {
        decoded(self.parts.signature)
    }

    /// Returns the claims. Call it after the signature was verified.
    pub(crate) fn claims(&self) -> Option<Map<String, Value>> {
        object(self.parts.payload)
    }
}

fn decoded(encoded: &str) -> Option<Vec<u8>> {
    let mut buffer = vec![0; compact::decoded_len(encoded.len())];
    let len = compact::decode(encoded, &mut buffer)?.len();
    buffer.truncate(len);
    Some(buffer)
}

fn object(encoded: &str) -> Option<Map<String, Value>> {
    let bytes = URL_SAFE_NO_PAD.decode_to_vec(encoded).ok()?;
    let text = std::str::from_utf8(&bytes)
        .ok()
        .filter(|text| is_strict(text))?;
    serde_json::from_str(text).ok()
}
