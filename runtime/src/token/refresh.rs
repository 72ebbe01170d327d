//! The text of a refresh token: `tgr1_` and base64url of version, key number, session, generation,
//! secret, MAC.

use std::fmt;

use base64_simd::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use super::compact::decode;
use crate::id::SessionId;
use crate::keys::{KeySet, KeyState};
use crate::realm::RealmName;
use crate::secret::sha256;

/// A refresh token as the client keeps it. `Debug` prints a redaction; the text is wiped when it is
/// dropped.
#[derive(Clone)]
pub struct RefreshToken(Zeroizing<String>);

/// The contents of a genuine refresh token. The store decides whether it is still valid.
pub struct Parsed {
    /// The session.
    pub sid: SessionId,
    /// The generation in the session.
    pub generation: u32,
    /// The secret part, whose hash the store has.
    pub secret: Zeroizing<[u8; 16]>,
    /// `true` if the token was made with a retired key, so that only the store's hash proves
    /// that it is genuine.
    pub retired: bool,
}

/// The error for a text that is not a refresh token of this ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadRefreshToken;

impl RefreshToken {
    /// The length of a refresh token, in characters.
    pub const TEXT_LEN: usize = PREFIX.len() + (BYTES * 4).div_ceil(3);

    /// Makes the token of a session's generation in a realm, with the current key's MAC.
    #[must_use]
    pub fn mint(
        keys: &KeySet,
        realm: Option<&RealmName>,
        sid: SessionId,
        generation: u32,
        secret: &[u8; 16],
    ) -> Self {
        let mut bytes = Zeroizing::new(Vec::with_capacity(BYTES));
        if let Some(key) = keys.macs().first() {
            bytes.extend_from_slice(&[VERSION, key.id()]);
            bytes.extend_from_slice(sid.as_bytes());
            bytes.extend_from_slice(&generation.to_be_bytes());
            bytes.extend_from_slice(secret);
            let mac = key.mac(realm, &bytes);
            bytes.extend_from_slice(&mac);
        }
        let mut text = Zeroizing::new(String::with_capacity(Self::TEXT_LEN));
        text.push_str(PREFIX);
        URL_SAFE_NO_PAD.encode_append(bytes.as_slice(), &mut *text);
        Self(text)
    }

    /// Reads a token of a realm and checks its MAC. A text that is not a token costs no allocation,
    /// and at most one MAC (R77).
    ///
    /// # Errors
    /// It was not made by this ring, or belongs to another realm.
    pub fn parse(
        keys: &KeySet,
        realm: Option<&RealmName>,
        text: &str,
    ) -> Result<Parsed, BadRefreshToken> {
        let encoded = text
            .strip_prefix(PREFIX)
            .filter(|_| text.len() == Self::TEXT_LEN)
            .ok_or(BadRefreshToken)?;
        let mut bytes = Zeroizing::new([0; BYTES]);
        decode(encoded, bytes.as_mut_slice()).ok_or(BadRefreshToken)?;
        Parsed::check(keys, realm, &bytes).ok_or(BadRefreshToken)
    }

    /// Returns a token that its client has already.
    pub(crate) fn from_presented(text: &str) -> Self {
        Self(Zeroizing::new(text.to_owned()))
    }

    /// Returns the text. The caller must protect any copies of it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl Parsed {
    fn check(keys: &KeySet, realm: Option<&RealmName>, bytes: &[u8; BYTES]) -> Option<Self> {
        let (signed, mac) = bytes.split_last_chunk::<16>()?;
        let ([version, id], rest) = signed.split_first_chunk::<2>()?;
        let key = keys.macs().iter().find(|key| key.id() == *id)?;
        if *version != VERSION || !key.verify(realm, signed, mac) {
            return None;
        }
        let (sid, rest) = rest.split_first_chunk::<16>()?;
        let (generation, secret) = rest.split_first_chunk::<4>()?;
        Some(Self {
            sid: SessionId::from_bytes(*sid),
            generation: u32::from_be_bytes(*generation),
            secret: Zeroizing::new(secret.try_into().ok()?),
            retired: key.state() == KeyState::Retired,
        })
    }

    /// Returns the SHA-256 of the secret, which the store keeps.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        sha256(self.secret.as_slice())
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshToken([redacted])")
    }
}

impl fmt::Debug for Parsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parsed")
            .field("sid", &self.sid)
            .field("generation", &self.generation)
            .field("retired", &self.retired)
            .finish_non_exhaustive()
    }
}

impl From<RefreshToken> for String {
    /// Takes the text for the answer to the client, whose buffers are not wiped in any case.
    fn from(mut token: RefreshToken) -> Self {
        std::mem::take(&mut *token.0)
    }
}

impl fmt::Display for BadRefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a refresh token of this ring and realm")
    }
}

impl std::error::Error for BadRefreshToken {}

const PREFIX: &str = "tgr1_";
const VERSION: u8 = 1;
/// The length of the bytes: version, key number, session, generation, secret, MAC.
const BYTES: usize = 1 + 1 + 16 + 4 + 16 + 16;
