//! The keys of a ring at one moment, ready to use and immutable.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::aead::{AES_256_GCM, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit};
use jsonwebtoken::Algorithm;
use jsonwebtoken::jwk::{Jwk, JwkSet};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::key::live::{LiveKey, Signature, mac};
use super::key::signer::{Elsewhere, SignerError};
use super::own_jwks::Published;
use super::ring::manifest::{Held, KeyPurpose, Roster};
use super::seal::{open_with, seal_with};
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind};
use crate::secret::{Secret, same};

/// The keys of a ring at one moment. Readers share it; a change of the ring makes another.
pub struct KeySet {
    algorithm: Algorithm,
    revision: u64,
    signing: Arc<SigningKey>,
    verifying: Vec<VerifyingKey>,
    macs: Vec<MacKey>,
    /// The current one first.
    seals: Vec<SealKey>,
    jwks: JwkSet,
    published: Published,
    #[cfg(feature = "jwe")]
    content: super::content::Content,
}

/// What a key set is put together from.
pub(super) struct Parts {
    pub(super) algorithm: Algorithm,
    pub(super) revision: u64,
    pub(super) signing: SigningKey,
    pub(super) verifying: Vec<VerifyingKey>,
    pub(super) macs: Vec<MacKey>,
    pub(super) seals: Vec<SealKey>,
}

/// The key that signs access tokens.
pub struct SigningKey {
    kid: Arc<str>,
    header: Box<str>,
    key: LiveKey,
    /// Where the private part lives, unless it is in `key`.
    elsewhere: Option<Elsewhere>,
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

/// A key that seals what the gate keeps.
pub(super) struct SealKey {
    number: u8,
    state: KeyState,
    secret: Arc<Secret>,
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
        let of = |purpose: KeyPurpose| {
            roster
                .keys
                .iter()
                .filter(move |key| key.entry.purpose == purpose)
        };
        let current = |purpose: KeyPurpose| {
            of(purpose)
                .find(|key| key.entry.state == KeyState::Current)
                .ok_or_else(|| {
                    Error::new(
                        ErrorKind::Keys,
                        format!("the ring has no current key for `{purpose}`"),
                    )
                })
        };
        let out = |key: &Held| key.entry.until.is_some_and(|until| until <= now);

        let held = current(KeyPurpose::Sign)?;
        let kid: Arc<str> = held.entry.id.as_str().into();
        let signing = SigningKey::new(
            roster.algorithm,
            kid,
            LiveKey::new(roster.algorithm, &held.secret)?,
            None,
        )?;

        let mut verifying = Vec::new();
        for held in
            of(KeyPurpose::Sign).filter(|key| !out(key) && key.entry.state != KeyState::Retired)
        {
            let kid: Arc<str> = held.entry.id.as_str().into();
            let key = LiveKey::new(roster.algorithm, &held.secret)?.verifying();
            verifying.push(VerifyingKey::new(
                roster.algorithm,
                kid,
                held.entry.state,
                key,
            )?);
        }

        let (mut macs, mut seals) = (Vec::new(), Vec::new());
        for held in of(KeyPurpose::Refresh) {
            let state = if out(held) {
                KeyState::Retired
            } else {
                held.entry.state
            };
            macs.push(MacKey::new(
                held.entry.number().ok_or_else(|| unusable(held))?,
                state,
                held.secret.expose(),
            )?);
        }
        for held in of(KeyPurpose::Seal).filter(|key| !out(key)) {
            let number = held.entry.number().ok_or_else(|| unusable(held))?;
            seals.push(SealKey::new(
                number,
                held.entry.state,
                Arc::clone(&held.secret),
            ));
        }
        let (algorithm, revision) = (roster.algorithm, roster.revision);
        Ok(Self::assemble(Parts {
            algorithm,
            revision,
            signing,
            verifying,
            macs,
            seals,
        }))
    }

    /// Puts keys in the order in which they are looked at, and writes down what is published of
    /// them.
    pub(super) fn assemble(parts: Parts) -> Self {
        let Parts {
            algorithm,
            revision,
            signing,
            mut verifying,
            mut macs,
            mut seals,
        } = parts;
        // Almost every token is of the current key, which is looked at first.
        verifying.sort_by_key(|key| key.state != KeyState::Current);
        macs.sort_by_key(|key| key.state != KeyState::Current);
        seals.sort_by_key(|key| key.state != KeyState::Current);
        let jwks = JwkSet {
            keys: verifying.iter().filter_map(VerifyingKey::jwk).collect(),
        };
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
            content: super::content::Content::empty(),
        }
    }

    /// The algorithm of every signing key in the ring.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Grows with every change of the ring: what was verified under another revision is to be
    /// verified again.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// The key that signs.
    #[must_use]
    pub fn signing(&self) -> &SigningKey {
        &self.signing
    }

    pub(super) fn signing_key(&self) -> &Arc<SigningKey> {
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

    /// The public keys as a JWK set (RFC 7517): `use` is `sig`, with `alg` and `kid`. Empty for
    /// HMAC.
    #[must_use]
    pub fn jwks(&self) -> JwkSet {
        self.jwks.clone()
    }

    /// The same as a document, with its entity tag: both change only with the keys.
    #[must_use]
    pub fn published(&self) -> &Published {
        &self.published
    }

    /// Seals what the gate stores and only the gate may read, bound to `context`. The number of the
    /// key stands in front.
    ///
    /// # Errors
    /// The random source cannot be read.
    pub fn seal(&self, context: &[u8], plain: &[u8]) -> Result<Vec<u8>, Error> {
        let key = self
            .seal_key(None)
            .ok_or_else(|| Error::new(ErrorKind::Keys, "the ring has no key that seals"))?;
        let mut sealed = seal_with(key.unbound()?, context, plain)?;
        sealed.insert(0, key.number);
        Ok(sealed)
    }

    /// Opens what [`seal`](Self::seal) sealed with the same context, under whichever key the ring
    /// still has; `None` for everything else.
    #[must_use]
    pub fn open(&self, context: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (number, sealed) = sealed.split_first()?;
        let key = self.seal_key(Some(*number))?;
        let mut buffer = sealed.to_vec();
        open_with(key.unbound().ok()?, context, &mut buffer).map(|plain| plain.to_vec())
    }

    /// The key that seals of this number, or the current one.
    fn seal_key(&self, number: Option<u8>) -> Option<&SealKey> {
        match number {
            Some(number) => self.seals.iter().find(|key| key.number == number),
            None => self
                .seals
                .first()
                .filter(|key| key.state == KeyState::Current),
        }
    }

    #[cfg(feature = "jwe")]
    pub(super) fn seal_secret(&self, number: Option<u8>) -> Option<(u8, &Secret)> {
        self.seal_key(number).map(|key| (key.number, &*key.secret))
    }

    #[cfg(feature = "jwe")]
    pub(super) fn content(&self) -> &super::content::Content {
        &self.content
    }
}

impl SealKey {
    pub(super) fn new(number: u8, state: KeyState, secret: Arc<Secret>) -> Self {
        Self {
            number,
            state,
            secret,
        }
    }

    fn unbound(&self) -> Result<UnboundKey, Error> {
        UnboundKey::new(&AES_256_GCM, self.secret.expose())
            .map_err(|_| Error::new(ErrorKind::Keys, "the ring's seal key cannot be used"))
    }
}

impl SigningKey {
    pub(super) fn new(
        algorithm: Algorithm,
        kid: Arc<str>,
        key: LiveKey,
        elsewhere: Option<Elsewhere>,
    ) -> Result<Self, Error> {
        Ok(Self {
            header: header(algorithm, &kid)?,
            kid,
            key,
            elsewhere,
        })
    }

    /// The part of it that verifies.
    pub(super) fn verifying(&self, state: KeyState) -> Result<VerifyingKey, Error> {
        let (kid, key) = (Arc::clone(&self.kid), self.key.verifying());
        let algorithm = key.algorithm();
        VerifyingKey::new(algorithm, kid, state, key)
    }

    pub(super) fn set_limit(&mut self, limit: Duration) {
        if let Some(elsewhere) = &mut self.elsewhere {
            elsewhere.set_limit(limit);
        }
    }

    /// The key's id.
    #[must_use]
    pub fn kid(&self) -> &Arc<str> {
        &self.kid
    }

    /// The encoded header of every token that this key signs.
    pub(crate) fn header(&self) -> &str {
        &self.header
    }

    /// Signs at once; `None` where the key lives elsewhere.
    pub(crate) fn sign(&self, message: &[u8]) -> Option<Signature> {
        self.key.sign(message)
    }

    /// Whether signing takes a journey.
    pub(crate) fn is_elsewhere(&self) -> bool {
        self.elsewhere.is_some()
    }

    /// Signs, wherever the key lives.
    pub(crate) async fn sign_anywhere(&self, message: &[u8]) -> Result<Signature, SignerError> {
        match &self.elsewhere {
            Some(elsewhere) => Ok(Signature::new(&elsewhere.sign(message).await?)),
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
    pub(super) fn new(
        algorithm: Algorithm,
        kid: Arc<str>,
        state: KeyState,
        key: LiveKey,
    ) -> Result<Self, Error> {
        Ok(Self {
            header: header(algorithm, &kid)?,
            kid,
            algorithm,
            state,
            key,
        })
    }

    /// Whether it is this key, whatever it is called.
    pub(super) fn is_same_key(&self, other: &LiveKey) -> bool {
        self.key
            .public()
            .zip(other.public())
            .is_some_and(|(one, other)| one.is_same_key(other))
    }

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
        Some(
            self.key
                .public()?
                .clone()
                .with_kid(Arc::clone(&self.kid))
                .jwk(),
        )
    }
}

impl MacKey {
    pub(super) fn new(id: u8, state: KeyState, secret: &[u8]) -> Result<Self, Error> {
        let keyed = Hmac::new_from_slice(secret)
            .map_err(|_| Error::new(ErrorKind::Keys, "a key cannot be used for HMAC"))?;
        Ok(Self { id, state, keyed })
    }

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

/// The protected header that this key's tokens carry, encoded.
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
        .encode(format!(
            r#"{{"alg":"{algorithm:?}","typ":"at+jwt","kid":{kid}}}"#
        ))
        .into())
}

fn unusable(held: &Held) -> Error {
    Error::new(
        ErrorKind::Keys,
        format!("the key {} cannot be used", held.entry.name()),
    )
}

/// The longest `kid` of our own: with it the header is still one that is read.
const MAX_KID: usize = 256;
