//! Keys that encrypt tokens: derived from the ring's seal key, counted, and replaced long before a
//! nonce is likely to repeat.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use base64_simd::{Out, URL_SAFE_NO_PAD};

use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind};
use crate::secret::{Secret, fill_random};

/// A key that encrypts, used by this process alone: no other process draws its salt, so its uses
/// are counted without agreement.
pub(crate) struct ContentKey {
    kid: Box<str>,
    key: LessSafeKey,
    made_at: Timestamp,
    used: AtomicU64,
}

/// The nonce and the tag of an encrypted token.
pub(crate) type NonceAndTag = ([u8; NONCE_LEN], [u8; TAG_LEN]);

impl ContentKey {
    /// Returns the id of the key, which the header of an encrypted token names.
    pub(crate) fn kid(&self) -> &str {
        &self.kid
    }

    /// Encrypts in place, bound to the encoded protected header (RFC 7516 section 4), under a
    /// random nonce (RFC 7518 section 5.3).
    pub(crate) fn seal(&self, header: &str, bytes: &mut [u8]) -> Result<NonceAndTag, Error> {
        let mut nonce = [0; NONCE_LEN];
        fill_random(&mut nonce)?;
        let tag = self
            .key
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(header.as_bytes()),
                bytes,
            )
            .ok()
            .and_then(|tag| tag.as_ref().try_into().ok())
            .ok_or_else(|| Error::new(ErrorKind::Keys, "the token cannot be encrypted"))?;
        Ok((nonce, tag))
    }

    /// Derives a key from a seal key and a fresh salt.
    fn draw(seal_key: Option<(u8, &Secret)>, now: Timestamp) -> Result<Self, Error> {
        let unusable = || Error::new(ErrorKind::Keys, "the ring has no key that encrypts");
        let mut salt = [0; SALT_LEN];
        fill_random(&mut salt)?;
        let (number, secret) = seal_key.ok_or_else(unusable)?;
        let kid = format!("{number}.{}", URL_SAFE_NO_PAD.encode_to_string(salt));
        Ok(Self {
            kid: kid.into(),
            key: LessSafeKey::new(derive(secret, &salt).ok_or_else(unusable)?),
            made_at: now,
            used: AtomicU64::new(0),
        })
    }

    /// Counts a use, and returns whether the key may be used for it.
    fn admits(&self, now: Timestamp) -> bool {
        now.since(self.made_at) < MAX_AGE && self.used.fetch_add(1, Ordering::Relaxed) < MAX_USES
    }
}

/// The key that encrypts at the moment; the first use makes it.
pub(super) struct CurrentContentKey(ArcSwapOption<ContentKey>);

impl CurrentContentKey {
    pub(super) fn empty() -> Self {
        Self(ArcSwapOption::empty())
    }

    /// Returns the key that encrypts the next token: another one after 2³⁰ tokens or 30 days (NIST
    /// SP 800-38D section 8.3 allows 2³²).
    pub(super) fn get(
        &self,
        seal_key: Option<(u8, &Secret)>,
        now: Timestamp,
    ) -> Result<Arc<ContentKey>, Error> {
        if let Some(key) = self.0.load_full().filter(|key| key.admits(now)) {
            return Ok(key);
        }
        // Several callers at once may draw a key each: the last one stays, and each of the others
        // serves one token.
        let key = Arc::new(ContentKey::draw(seal_key, now)?);
        key.used.fetch_add(1, Ordering::Relaxed);
        self.0.store(Some(Arc::clone(&key)));
        Ok(key)
    }
}

/// The `kid` of a content key: the number of the seal key, and the salt of the derivation.
pub(super) struct ContentKeyId {
    pub(super) seal_key: u8,
    salt: [u8; SALT_LEN],
}

impl ContentKeyId {
    /// Reads a `kid`; `None` if it has another form (R34).
    pub(super) fn parse(kid: &str) -> Option<Self> {
        let (number, encoded) = kid.split_once('.')?;
        let mut salt = [0; SALT_LEN];
        if encoded.len() != URL_SAFE_NO_PAD.encoded_length(SALT_LEN) {
            return None;
        }
        URL_SAFE_NO_PAD
            .decode(encoded.as_bytes(), Out::from_slice(&mut salt))
            .ok()?;
        let seal_key: u8 = number
            .parse()
            .ok()
            .filter(|parsed: &u8| parsed.to_string() == number)?;
        Some(Self { seal_key, salt })
    }

    /// Decrypts in place; `None` for everything that was not encrypted under this key and header.
    pub(super) fn open<'a>(
        &self,
        secret: &Secret,
        header: &str,
        nonce: &[u8],
        sealed: &'a mut [u8],
    ) -> Option<&'a mut [u8]> {
        let key = LessSafeKey::new(derive(secret, &self.salt)?);
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        key.open_in_place(nonce, Aad::from(header.as_bytes()), sealed)
            .ok()
    }

    /// Returns the bytes of the key.
    pub(super) fn bytes(&self, secret: &Secret) -> Option<Secret> {
        let mut bytes = vec![0; 32];
        let extracted = Salt::new(HKDF_SHA256, &self.salt).extract(secret.expose());
        extracted
            .expand(&[INFO], HKDF_SHA256)
            .ok()?
            .fill(&mut bytes)
            .ok()?;
        Some(Secret::from_bytes(bytes))
    }
}

fn derive(secret: &Secret, salt: &[u8; SALT_LEN]) -> Option<UnboundKey> {
    Some(
        Salt::new(HKDF_SHA256, salt)
            .extract(secret.expose())
            .expand(&[INFO], &AES_256_GCM)
            .ok()?
            .into(),
    )
}

const INFO: &[u8] = b"tollgate/jwe/1";
const SALT_LEN: usize = 16;
const TAG_LEN: usize = 16;
const MAX_USES: u64 = 1 << 30;
const MAX_AGE: Duration = Duration::from_secs(30 * 24 * 60 * 60);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{Algorithm, KeyRing};

    #[test]
    fn a_content_key_serves_2_to_the_30_tokens_or_30_days() {
        let ring = KeyRing::generate(Algorithm::HS256).unwrap();
        let (set, now) = (ring.set(), Timestamp::from_secs(1_800_000_000));
        let first = set.content_key(now).unwrap();
        assert_eq!(first.used.load(Ordering::Relaxed), 1);
        let same = |key: &Arc<ContentKey>, at| Arc::ptr_eq(key, &set.content_key(at).unwrap());
        assert!(same(&first, now.plus(MAX_AGE - Duration::from_millis(1))));
        assert!(!same(&first, now.plus(MAX_AGE)), "30 days");

        let second = set.content_key(now.plus(MAX_AGE)).unwrap();
        second.used.store(MAX_USES - 1, Ordering::Relaxed);
        assert!(same(&second, now.plus(MAX_AGE)), "the last");
        assert!(!same(&second, now.plus(MAX_AGE)), "2³⁰");
        assert_ne!(first.kid(), second.kid());
    }

    #[test]
    fn two_processes_never_share_a_content_key() {
        let ring = KeyRing::generate(Algorithm::HS256).unwrap();
        let now = Timestamp::from_secs(1_800_000_000);
        let of = |at: u64| {
            ContentKey::draw(
                ring.set().seal_secret(None),
                now.plus(Duration::from_secs(at)),
            )
            .unwrap()
            .kid
        };
        let kids: std::collections::HashSet<_> = (0..100).map(of).collect();
        assert_eq!(kids.len(), 100);
    }
}
