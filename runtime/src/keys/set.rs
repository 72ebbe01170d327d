//! The keys of a ring at one moment, ready to use and immutable.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit};
use jsonwebtoken::Algorithm;
use jsonwebtoken::jwk::{Jwk, JwkSet};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::roster::{Held, Purpose, Roster};
use super::seal::{open_with, seal_with};
use super::signing::{LiveKey, Signature, mac};
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind};
use crate::secret::{Secret, same};

/// The keys of a ring at one moment. Readers share it; a change of the ring makes another.
pub struct KeySet {
    algorithm: Algorithm,
    revision: u64,
    signing: SigningKey,
    verifying: Vec<VerifyingKey>,
    macs: Vec<MacKey>,
    seal: Arc<Secret>,
}

/// The key that signs access tokens.
pub struct SigningKey {
    kid: Arc<str>,
    header: Box<str>,
    key: LiveKey,
}

/// A key by which access tokens are verified.
pub struct VerifyingKey {
    kid: Arc<str>,
    header: Box<str>,
    algorithm: Algorithm,
    state: KeyState,
    key: LiveKey,
}

/// A key that makes and checks the MAC of refresh tokens.
pub struct MacKey {
    id: u8,
    state: KeyState,
    keyed: Hmac<Sha256>,
}

/// What a key of a ring does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    /// It is published and verifies, and does not sign yet.
    Next,
    /// It signs.
    Current,
    /// It verifies until the last token that it signed is out.
    Previous,
    /// What it signed no longer counts by its signature alone.
    Retired,
}

impl KeyState {
    /// Its name, as the manifest has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Current => "current",
            Self::Previous => "previous",
            Self::Retired => "retired",
        }
    }
}

impl KeySet {
    /// Parses a roster's keys. Those whose time is out by `now` no longer verify.
    pub(super) fn new(roster: &Roster, now: Timestamp) -> Result<Self, Error> {
        let of = |purpose: Purpose| roster.keys.iter().filter(move |key| key.entry.purpose == purpose);
        let current = |purpose: Purpose| {
            of(purpose)
                .find(|key| key.entry.state == KeyState::Current)
                .ok_or_else(|| Error::new(ErrorKind::Keys, format!("the ring has no current key for `{purpose}`")))
        };
        let out = |key: &Held| key.entry.until.is_some_and(|until| until <= now);

        let signing = current(Purpose::Sign)?;
        let key = LiveKey::new(roster.algorithm, &signing.secret)?;
        let kid: Arc<str> = signing.entry.id.as_str().into();
        let signing = SigningKey { header: header(roster.algorithm, &kid), kid, key };

        let mut verifying = Vec::new();
        for held in of(Purpose::Sign).filter(|key| !out(key) && key.entry.state != KeyState::Retired) {
            let kid: Arc<str> = held.entry.id.as_str().into();
            verifying.push(VerifyingKey {
                header: header(roster.algorithm, &kid),
                kid,
                algorithm: roster.algorithm,
                state: held.entry.state,
                key: LiveKey::new(roster.algorithm, &held.secret)?.verifying(),
            });
        }
        // Almost every token is of the current key, which is looked at first.
        verifying.sort_by_key(|key| key.state != KeyState::Current);

        let mut macs = Vec::new();
        for held in of(Purpose::Refresh) {
            macs.push(MacKey {
                id: held.entry.number().ok_or_else(|| unusable(held))?,
                state: if out(held) { KeyState::Retired } else { held.entry.state },
                keyed: Hmac::new_from_slice(held.secret.expose()).map_err(|_| unusable(held))?,
            });
        }
        macs.sort_by_key(|key| key.state != KeyState::Current);

        let seal = Arc::clone(&current(Purpose::Seal)?.secret);
        Ok(Self { algorithm: roster.algorithm, revision: roster.revision, signing, verifying, macs, seal })
    }

    /// The algorithm of every signing key in the ring.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Grows with every change of the ring: what was verified under another revision is to be verified again.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// The key that signs.
    #[must_use]
    pub fn signing(&self) -> &SigningKey {
        &self.signing
    }

    /// The keys that verify access tokens, the current one first.
    #[must_use]
    pub fn verifying(&self) -> &[VerifyingKey] {
        &self.verifying
    }

    /// The keys of refresh tokens, the current one first, retired ones included.
    #[must_use]
    pub fn macs(&self) -> &[MacKey] {
        &self.macs
    }

    /// The public keys as a JWK set (RFC 7517): `use` is `sig`, with `alg` and `kid`. Empty for HMAC.
    #[must_use]
    pub fn jwks(&self) -> JwkSet {
        JwkSet { keys: self.verifying.iter().filter_map(VerifyingKey::jwk).collect() }
    }

    /// Seals what the gate stores and only the gate may read, bound to `context`.
    ///
    /// # Errors
    /// The random source cannot be read.
    pub fn seal(&self, context: &[u8], plain: &[u8]) -> Result<Vec<u8>, Error> {
        seal_with(self.seal_key()?, context, plain)
    }

    /// Opens what [`seal`](Self::seal) sealed with the same context; `None` for everything else.
    #[must_use]
    pub fn open(&self, context: &[u8], mut sealed: Vec<u8>) -> Option<Vec<u8>> {
        open_with(self.seal_key().ok()?, context, &mut sealed).map(|plain| plain.to_vec())
    }

    fn seal_key(&self) -> Result<UnboundKey, Error> {
        UnboundKey::new(&AES_256_GCM, self.seal.expose())
            .map_err(|_| Error::new(ErrorKind::Keys, "the ring's seal key cannot be used"))
    }
}

impl SigningKey {
    /// The key's id.
    #[must_use]
    pub fn kid(&self) -> &Arc<str> {
        &self.kid
    }

    /// The encoded header of every token that this key signs.
    pub(crate) fn header(&self) -> &str {
        &self.header
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Option<Signature> {
        self.key.sign(message)
    }

    pub(crate) fn signature_len(&self) -> usize {
        self.key.signature_len()
    }
}

impl VerifyingKey {
    /// The key's id.
    #[must_use]
    pub fn kid(&self) -> &Arc<str> {
        &self.kid
    }

    /// Next, current or previous.
    #[must_use]
    pub fn state(&self) -> KeyState {
        self.state
    }

    /// The one algorithm of this key, as it stands in a header.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The encoded header of every token that this key signs.
    pub(crate) fn header(&self) -> &str {
        &self.header
    }

    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        self.key.verify(message, signature)
    }

    pub(crate) fn signature_len(&self) -> usize {
        self.key.signature_len()
    }

    fn jwk(&self) -> Option<Jwk> {
        Some(self.key.public()?.clone().with_kid(Arc::clone(&self.kid)).jwk())
    }
}

impl MacKey {
    /// The number that stands in front of what it signed.
    #[must_use]
    pub fn id(&self) -> u8 {
        self.id
    }

    /// Next, current, previous or retired.
    #[must_use]
    pub fn state(&self) -> KeyState {
        self.state
    }

    /// The first half of the MAC.
    pub(crate) fn mac(&self, message: &[u8]) -> [u8; 16] {
        let mut half = [0; 16];
        for (half, byte) in half.iter_mut().zip(mac(&self.keyed, message)) {
            *half = byte;
        }
        half
    }

    pub(crate) fn verify(&self, message: &[u8], mac: &[u8; 16]) -> bool {
        same(&self.mac(message), mac)
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

impl fmt::Debug for MacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MacKey({}, {})", self.id, self.state.as_str())
    }
}

/// The protected header that this key's tokens carry, encoded. A kid is base64url, which JSON does not escape.
fn header(algorithm: Algorithm, kid: &str) -> Box<str> {
    URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"{algorithm:?}","typ":"at+jwt","kid":"{kid}"}}"#)).into()
}

fn unusable(held: &Held) -> Error {
    Error::new(ErrorKind::Keys, format!("the key {} cannot be used", held.entry.name()))
}
