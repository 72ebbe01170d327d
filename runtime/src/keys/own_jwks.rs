//! The key set as a document: written once for each state of the ring, with an entity tag for
//! caches.

use base64_simd::URL_SAFE_NO_PAD;

use super::jwk::JwkSet;
use crate::secret::sha256;

/// A JWK set as it is published, for programs that serve it without the gate's own route.
#[derive(Clone, Debug)]
pub struct Published {
    body: Box<[u8]>,
    etag: Box<str>,
}

impl Published {
    pub(super) fn new(jwks: &JwkSet) -> Self {
        let body = serde_json::to_vec(jwks).unwrap_or_default();
        let digest = URL_SAFE_NO_PAD.encode_to_string(sha256(&body));
        Self {
            etag: format!("\"{digest}\"").into(),
            body: body.into(),
        }
    }

    /// Returns the text, to be served as `application/jwk-set+json` (RFC 7517 section 8.5).
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Returns a strong validator, quotes included (RFC 9110 section 8.8.3): equal for equal bytes
    /// on every node.
    #[must_use]
    pub fn etag(&self) -> &str {
        &self.etag
    }
}
