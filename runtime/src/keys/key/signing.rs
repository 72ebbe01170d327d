//! Keys of access tokens, with the name and the header by which tokens refer to them.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use base64_simd::URL_SAFE_NO_PAD;

use super::live::{LiveKey, Signature};
use super::signer::{RemoteKey, SignerError};
use super::state::KeyState;
use crate::error::{Error, ErrorKind};
use crate::keys::algorithm::Algorithm;
use crate::keys::jwk::Jwk;

/// The key that signs access tokens.
pub struct SigningKey {
    kid: Arc<str>,
    header: Box<str>,
    key: LiveKey,
    /// The signer that has the private part, unless `key` has it.
    remote: Option<RemoteKey>,
}

/// A key that verifies access tokens.
pub struct VerifyingKey {
    kid: Arc<str>,
    header: Box<str>,
    algorithm: Algorithm,
    state: KeyState,
    key: LiveKey,
}

impl SigningKey {
    pub(in crate::keys) fn new(
        algorithm: Algorithm,
        kid: Arc<str>,
        mut key: LiveKey,
        remote: Option<RemoteKey>,
    ) -> Result<Self, Error> {
        let header = header(algorithm, &kid)?;
        key.prime(&header);
        Ok(Self {
            header,
            kid,
            key,
            remote,
        })
    }

    /// Returns the key that verifies what this one signs.
    pub(in crate::keys) fn verifying(&self, state: KeyState) -> Result<VerifyingKey, Error> {
        let (kid, key) = (Arc::clone(&self.kid), self.key.verifying());
        let algorithm = key.algorithm();
        VerifyingKey::new(algorithm, kid, state, key)
    }

    pub(in crate::keys) fn set_limit(&mut self, limit: Duration) {
        if let Some(remote) = &mut self.remote {
            remote.set_limit(limit);
        }
    }

    /// Returns the key's id.
    #[must_use]
    pub fn kid(&self) -> &Arc<str> {
        &self.kid
    }

    /// Returns the encoded header of every token that this key signs.
    pub(crate) fn header(&self) -> &str {
        &self.header
    }

    /// Signs at once; `None` if the key is outside of this process.
    pub(crate) fn sign(&self, message: &[u8]) -> Option<Signature> {
        self.key.sign(message)
    }

    /// Returns whether the private part is outside of this process.
    pub(crate) fn is_elsewhere(&self) -> bool {
        self.remote.is_some()
    }

    /// Signs, in this process or through the signer.
    pub(crate) async fn sign_anywhere(&self, message: &[u8]) -> Result<Signature, SignerError> {
        match &self.remote {
            Some(remote) => Ok(Signature::new(&remote.sign(message).await?)),
            None => self
                .sign(message)
                .ok_or_else(|| "the key cannot sign".into()),
        }
    }

    pub(crate) fn signature_len(&self) -> usize {
        self.key.signature_len()
    }
}

impl VerifyingKey {
    pub(in crate::keys) fn new(
        algorithm: Algorithm,
        kid: Arc<str>,
        state: KeyState,
        mut key: LiveKey,
    ) -> Result<Self, Error> {
        let header = header(algorithm, &kid)?;
        key.prime(&header);
        Ok(Self {
            header,
            kid,
            algorithm,
            state,
            key,
        })
    }

    /// Returns whether both are the same key, even under different names.
    pub(in crate::keys) fn is_same_key(&self, other: &LiveKey) -> bool {
        self.key
            .public()
            .zip(other.public())
            .is_some_and(|(one, other)| one.is_same_key(other))
    }

    /// Returns the key's id.
    #[must_use]
    pub fn kid(&self) -> &Arc<str> {
        &self.kid
    }

    /// Returns the state of the key: next, current or previous.
    #[must_use]
    pub fn state(&self) -> KeyState {
        self.state
    }

    /// Returns the one algorithm of this key, as a header names it.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Returns the encoded header of every token that this key signs.
    pub(crate) fn header(&self) -> &str {
        &self.header
    }

    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        self.key.verify(message, signature)
    }

    pub(crate) fn signature_len(&self) -> usize {
        self.key.signature_len()
    }

    pub(in crate::keys) fn jwk(&self) -> Option<Jwk> {
        Some(
            self.key
                .public()?
                .clone()
                .with_kid(Arc::clone(&self.kid))
                .jwk(),
        )
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.kid)
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({}, {})", self.kid, self.state.as_str())
    }
}

/// Returns the encoded protected header of the tokens that a key signs.
fn header(algorithm: Algorithm, kid: &str) -> Result<Box<str>, Error> {
    if kid.is_empty() || kid.len() > MAX_KID {
        return Err(Error::new(
            ErrorKind::Keys,
            format!(
                "a `kid` has 1 to {MAX_KID} bytes, and one has {}",
                kid.len()
            ),
        ));
    }
    let kid = serde_json::Value::from(kid);
    Ok(URL_SAFE_NO_PAD
        .encode_to_string(format!(
            r#"{{"alg":"{algorithm}","typ":"at+jwt","kid":{kid}}}"#
        ))
        .into())
}

/// The longest `kid` that the gate issues, in bytes: the header stays short enough to be read.
const MAX_KID: usize = 256;
