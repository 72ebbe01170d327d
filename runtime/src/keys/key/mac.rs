//! Keys of refresh tokens: the MAC that shows that the gate issued one.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::state::KeyState;
use crate::error::{Error, ErrorKind};
use crate::realm::RealmName;
use crate::secret::same;

/// A key that makes and checks the MAC of refresh tokens.
pub struct MacKey {
    id: u8,
    state: KeyState,
    keyed: Hmac<Sha256>,
}

impl MacKey {
    pub(in crate::keys) fn new(id: u8, state: KeyState, secret: &[u8]) -> Result<Self, Error> {
        let keyed = Hmac::new_from_slice(secret)
            .map_err(|_| Error::new(ErrorKind::Keys, "a key cannot be used for HMAC"))?;
        Ok(Self { id, state, keyed })
    }

    /// Returns the number with which refresh tokens of this key begin.
    #[must_use]
    pub fn id(&self) -> u8 {
        self.id
    }

    /// Returns the state of the key.
    #[must_use]
    pub fn state(&self) -> KeyState {
        self.state
    }

    /// Returns the first half of the MAC of a message in a realm. In a named realm the input begins
    /// with the length of the name and the name, so that a token of one realm is invalid in every
    /// other.
    pub(crate) fn mac(&self, realm: Option<&RealmName>, message: &[u8]) -> [u8; 16] {
        let mut state = self.keyed.clone();
        if let Some(name) = realm.map(RealmName::as_str) {
            // A name has at most 32 characters.
            state.update(&[u8::try_from(name.len()).unwrap_or(u8::MAX)]);
            state.update(name.as_bytes());
        }
        state.update(message);
        let mut half = [0; 16];
        for (half, byte) in half.iter_mut().zip(state.finalize().into_bytes()) {
            *half = byte;
        }
        half
    }

    pub(crate) fn verify(&self, realm: Option<&RealmName>, message: &[u8], mac: &[u8; 16]) -> bool {
        same(&self.mac(realm, message), mac)
    }
}

impl fmt::Debug for MacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MacKey({}, {})", self.id, self.state.as_str())
    }
}
