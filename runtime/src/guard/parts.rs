//! The parts of a verified token, for checks of the program's own.

use std::fmt;

use base64_simd::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;

/// The parts of a token whose signature, times, issuer, audience and kind were checked, for
/// [`JwtGuard::verify_custom_claims`](super::JwtGuard::verify_custom_claims).
///
/// `Debug` does not show the token.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TokenParts<'a>(&'a str);

impl<'a> TokenParts<'a> {
    pub(super) const fn of(token: &'a str) -> Self {
        Self(token)
    }

    /// Returns the token as it was presented. It is a credential: keep it out of logs and errors.
    #[must_use]
    pub const fn as_str(&self) -> &'a str {
        self.0
    }

    /// Returns the header: a JSON object as the issuer wrote it.
    #[must_use]
    pub fn header(&self) -> String {
        self.part(0)
    }

    /// Returns the payload: a JSON object as the issuer wrote it, with every claim.
    #[must_use]
    pub fn payload(&self) -> String {
        self.part(1)
    }

    /// Returns a claim by its name; `None` if it is absent or has another type.
    #[must_use]
    pub fn claim<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        let mut payload: serde_json::Value = serde_json::from_str(&self.payload()).ok()?;
        serde_json::from_value(payload.get_mut(name)?.take()).ok()
    }

    /// Returns a part, decoded. The verifier has decoded it before, so it is valid.
    fn part(&self, at: usize) -> String {
        let part = self.0.split('.').nth(at).unwrap_or_default();
        let bytes = URL_SAFE_NO_PAD.decode_to_vec(part).unwrap_or_default();
        String::from_utf8(bytes).unwrap_or_default()
    }
}

impl fmt::Debug for TokenParts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenParts")
    }
}
