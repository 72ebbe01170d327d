//! The keys of a ring at one moment, ready to use and immutable.

use std::fmt;
use std::sync::Arc;

use super::algorithm::Algorithm;
#[cfg(feature = "jwe")]
use super::content::{ContentKey, ContentKeyId, CurrentContentKey};
use super::jwk::JwkSet;
use super::key::mac::MacKey;
use super::key::signing::{SigningKey, VerifyingKey};
use super::key::state::KeyState;
use super::own_jwks::Published;
use super::seal::{SealKey, open_with, seal_with};
#[cfg(feature = "jwe")]
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind};
#[cfg(feature = "jwe")]
use crate::secret::Secret;

/// The keys of a ring at one moment. Readers share it; a change of the ring makes another.
pub struct KeySet {
    algorithm: Algorithm,
    revision: u64,
    signing: Arc<SigningKey>,
    verifying: Vec<VerifyingKey>,
    macs: Vec<MacKey>,
    /// The sealing keys, the current one first.
    seals: Vec<SealKey>,
    jwks: JwkSet,
    published: Published,
    #[cfg(feature = "jwe")]
    content: CurrentContentKey,
}

/// The parts of a key set.
pub(super) struct KeySetParts {
    pub(super) algorithm: Algorithm,
    pub(super) revision: u64,
    pub(super) signing: SigningKey,
    pub(super) verifying: Vec<VerifyingKey>,
    pub(super) macs: Vec<MacKey>,
    pub(super) seals: Vec<SealKey>,
}

impl KeySet {
    /// Orders the keys by their use, and writes the document of the public ones.
    pub(super) fn assemble(parts: KeySetParts) -> Self {
        let KeySetParts {
            algorithm,
            revision,
            signing,
            mut verifying,
            mut macs,
            mut seals,
        } = parts;
        // Almost every token is of the current key, so that one is tried first.
        verifying.sort_by_key(|key| key.state() != KeyState::Current);
        macs.sort_by_key(|key| key.state() != KeyState::Current);
        seals.sort_by_key(|key| key.state() != KeyState::Current);
        let jwks: JwkSet = verifying.iter().filter_map(VerifyingKey::jwk).collect();
        let published = Published::new(&jwks);
        Self {
            algorithm,
            revision,
            signing: Arc::new(signing),
            verifying,
            macs,
            seals,
            jwks,
            published,
            #[cfg(feature = "jwe")]
            content: CurrentContentKey::empty(),
        }
    }

    /// Returns the algorithm of every signing key in the ring.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Returns a number that grows with every change of the ring: a token that was verified under
    /// another revision must be verified again.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Returns the key that signs.
    #[must_use]
    pub fn signing(&self) -> &SigningKey {
        &self.signing
    }

    pub(super) fn signing_key(&self) -> &Arc<SigningKey> {
        &self.signing
    }

    /// Returns the keys that verify access tokens, the current one first.
    #[must_use]
    pub fn verifying(&self) -> &[VerifyingKey] {
        &self.verifying
    }

    /// Returns the keys of refresh tokens, the current one first, retired ones included.
    #[must_use]
    pub fn macs(&self) -> &[MacKey] {
        &self.macs
    }

    /// Returns the public keys as a JWK set (RFC 7517): `use` is `sig`, with `alg` and `kid`. Empty
    /// for HMAC.
    #[must_use]
    pub fn jwks(&self) -> JwkSet {
        self.jwks.clone()
    }

    /// Returns the same set as a document, with its entity tag: both change only with the keys.
    #[must_use]
    pub fn published(&self) -> &Published {
        &self.published
    }

    /// Seals bytes that the gate stores and only the gate may read, bound to `context`. The number
    /// of the key comes first.
    ///
    /// # Errors
    /// The random source cannot be read.
    pub fn seal(&self, context: &[u8], plain: &[u8]) -> Result<Vec<u8>, Error> {
        let key = self
            .seal_key(None)
            .ok_or_else(|| Error::new(ErrorKind::Keys, "the ring has no key that seals"))?;
        let mut sealed = seal_with(key.unbound()?, context, plain)?;
        sealed.insert(0, key.number());
        Ok(sealed)
    }

    /// Opens bytes that [`seal`](Self::seal) sealed with the same context, under any key that the
    /// ring still has; `None` for everything else.
    #[must_use]
    pub fn open(&self, context: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (number, sealed) = sealed.split_first()?;
        let key = self.seal_key(Some(*number))?;
        let mut buffer = sealed.to_vec();
        open_with(key.unbound().ok()?, context, &mut buffer).map(|plain| plain.to_vec())
    }

    /// Returns the sealing key of this number, or the current one.
    fn seal_key(&self, number: Option<u8>) -> Option<&SealKey> {
        match number {
            Some(number) => self.seals.iter().find(|key| key.number() == number),
            None => self
                .seals
                .first()
                .filter(|key| key.state() == KeyState::Current),
        }
    }
}

#[cfg(feature = "jwe")]
impl KeySet {
    /// Returns the key that encrypts the next token.
    ///
    /// # Errors
    /// The random source cannot be read.
    pub(crate) fn content_key(&self, now: Timestamp) -> Result<Arc<ContentKey>, Error> {
        self.content.get(self.seal_secret(None), now)
    }

    /// Decrypts in place what any process with this ring encrypted; `None` for everything else,
    /// whatever the reason.
    pub(crate) fn open_content<'a>(
        &self,
        kid: &str,
        header: &str,
        nonce: &[u8],
        sealed: &'a mut [u8],
    ) -> Option<&'a mut [u8]> {
        let id = ContentKeyId::parse(kid)?;
        let (_, secret) = self.seal_secret(Some(id.seal_key))?;
        id.open(secret, header, nonce, sealed)
    }

    /// Returns the 32 bytes by which a token with this `kid` is decrypted (`dir`, RFC 7518 section
    /// 4.5), for a service of yours that may read it; `None` if the ring never had, or no longer
    /// has, the key from which they are derived.
    ///
    /// They are HKDF-SHA-256 (RFC 5869) of the ring's seal key by the number before the dot, with
    /// the decoded text after it as the salt and `tollgate/jwe/1` as the info.
    #[must_use]
    pub fn decryption_key(&self, kid: &str) -> Option<Secret> {
        let id = ContentKeyId::parse(kid)?;
        let (_, secret) = self.seal_secret(Some(id.seal_key))?;
        id.bytes(secret)
    }

    /// Returns the secret of the sealing key of this number, or of the current one, with its
    /// number.
    pub(super) fn seal_secret(&self, number: Option<u8>) -> Option<(u8, &Secret)> {
        self.seal_key(number)
            .map(|key| (key.number(), key.secret()))
    }
}

impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeySet")
            .field("algorithm", &self.algorithm)
            .field("revision", &self.revision)
            .field("verifying", &self.verifying)
            .field("macs", &self.macs)
            .finish_non_exhaustive()
    }
}
