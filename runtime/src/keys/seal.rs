//! Sealing: bytes that only a holder of the key can read or change (AES-256-GCM, NIST SP 800-38D).

use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hkdf;

use super::key::state::KeyState;
use crate::error::{Error, ErrorKind};
use crate::secret::{Secret, fill_random};

/// A key that seals values which the gate keeps.
pub(super) struct SealKey {
    number: u8,
    state: KeyState,
    secret: Arc<Secret>,
}

impl SealKey {
    pub(super) fn new(number: u8, state: KeyState, secret: Arc<Secret>) -> Self {
        Self {
            number,
            state,
            secret,
        }
    }

    pub(super) fn number(&self) -> u8 {
        self.number
    }

    pub(super) fn state(&self) -> KeyState {
        self.state
    }

    #[cfg(feature = "jwe")]
    pub(super) fn secret(&self) -> &Secret {
        &self.secret
    }

    pub(super) fn unbound(&self) -> Result<UnboundKey, Error> {
        UnboundKey::new(&AES_256_GCM, self.secret.expose())
            .map_err(|_| Error::new(ErrorKind::Keys, "the ring's seal key cannot be used"))
    }
}

/// Seals `plain` under `key`, bound to `context`: a random 96-bit nonce, the ciphertext, a 16-byte
/// tag.
///
/// # Errors
/// The random source cannot be read.
pub(crate) fn seal_with(key: UnboundKey, context: &[u8], plain: &[u8]) -> Result<Vec<u8>, Error> {
    let mut nonce = [0; NONCE_LEN];
    fill_random(&mut nonce)?;
    let mut sealed = Vec::with_capacity(NONCE_LEN + plain.len() + AES_256_GCM.tag_len());
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(plain);
    let body = sealed.get_mut(NONCE_LEN..).unwrap_or_default();
    let tag = LessSafeKey::new(key)
        .seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(context),
            body,
        )
        .map_err(|_| Error::new(ErrorKind::Keys, "the value is too long to be sealed"))?;
    sealed.extend_from_slice(tag.as_ref());
    Ok(sealed)
}

/// Opens bytes that [`seal_with`] sealed under the same key and context, in place; `None` for
/// everything else.
pub(crate) fn open_with<'a>(
    key: UnboundKey,
    context: &[u8],
    sealed: &'a mut [u8],
) -> Option<&'a mut [u8]> {
    let (nonce, body) = sealed.split_at_mut_checked(NONCE_LEN)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    LessSafeKey::new(key)
        .open_in_place(nonce, Aad::from(context), body)
        .ok()
}

/// Derives 32 bytes for one purpose from a secret of another purpose (HKDF-SHA-256, RFC 5869).
pub(super) fn derive(secret: &[u8], purpose: &[u8]) -> Result<Secret, Error> {
    let mut bytes = vec![0; 32];
    hkdf::Salt::new(hkdf::HKDF_SHA256, &[])
        .extract(secret)
        .expand(&[purpose], hkdf::HKDF_SHA256)
        .and_then(|okm| okm.fill(&mut bytes))
        .map_err(|_| Error::new(ErrorKind::Keys, "a key cannot be derived"))?;
    Ok(Secret::from_bytes(bytes))
}
