//! The sealed form of a ring in a store: writes and reads it. Knows no store.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, UnboundKey};
use base64_simd::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::manifest::{HeldKey, KeyEntry, Manifest, check_value, kid};
use crate::clock::{Clock, Timestamp};
use crate::error::{Error, ErrorKind};
use crate::keys::algorithm::Algorithm;
use crate::keys::key::state::KeyPurpose;
use crate::keys::seal::{open_with, seal_with};
use crate::secret::{Secret, sha256};

/// A slot for the sealed ring: version 0 and no bytes while it is empty.
pub(crate) trait SharedSlot: Send + Sync + 'static {
    /// Reads the version and the sealed ring.
    fn read(&self) -> SlotAnswer<'_, (u64, Vec<u8>)>;
    /// Replaces the ring where its version is still `expected`; the new one is `expected + 1`.
    fn swap(&self, expected: u64, ring: Vec<u8>, now: Timestamp) -> SlotAnswer<'_, bool>;
}

/// The result of reading or writing a slot.
pub(crate) type SlotAnswer<'a, T> =
    Pin<Box<dyn Future<Output = Result<T, Box<dyn std::error::Error + Send + Sync>>> + Send + 'a>>;

/// The slot that a ring is read from, with the keys that open it.
pub(super) struct RingSource {
    pub(super) algorithm: Algorithm,
    /// The keys, of which the first one seals and all open.
    pub(super) keys: Vec<Secret>,
    pub(super) slot: Box<dyn SharedSlot>,
}

/// The content that is sealed. The version comes first and is read on its own.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SealedRing {
    format: u32,
    revision: u64,
    adopted: bool,
    algorithm: Algorithm,
    keys: Vec<SealedKey>,
}

/// A key of the sealed content, in base64url.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SealedKey {
    entry: KeyEntry,
    secret: Zeroizing<String>,
}

/// The version of a shared ring. A store that lost its data counts again, so that the number alone
/// does not tell two rings apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SlotVersion {
    pub(super) number: u64,
    digest: [u8; 32],
}

impl SlotVersion {
    fn of(number: u64, sealed: &[u8]) -> Self {
        let digest = sha256(sealed);
        Self { number, digest }
    }
}

impl RingSource {
    /// Reads the ring where its version is above `known`; `None` if it is the known one, or the
    /// slot is empty.
    pub(super) async fn read(
        &self,
        known: Option<SlotVersion>,
    ) -> Result<Option<(SlotVersion, Manifest)>, Error> {
        let (version, sealed) = self.look(known).await?;
        if known == Some(version) {
            return Ok(None);
        }
        self.opened(version, &sealed)
    }

    /// Reads the ring to change it, the known one too; `None` if the slot is empty.
    pub(super) async fn read_to_change(
        &self,
        known: Option<SlotVersion>,
    ) -> Result<Option<(SlotVersion, Manifest)>, Error> {
        let (version, sealed) = self.look(known).await?;
        self.opened(version, &sealed)
    }

    fn opened(
        &self,
        version: SlotVersion,
        sealed: &[u8],
    ) -> Result<Option<(SlotVersion, Manifest)>, Error> {
        if version.number == 0 {
            return Ok(None);
        }
        let manifest = self.unseal(version.number, sealed)?;
        Ok(Some((version, manifest)))
    }

    /// Reads the slot, and refuses a ring that was there before the known one.
    async fn look(&self, known: Option<SlotVersion>) -> Result<(SlotVersion, Vec<u8>), Error> {
        let unreadable = |error| {
            let what = "the shared ring cannot be read from the store";
            Error::new(ErrorKind::Store, what).because(error)
        };
        let (number, sealed) = self.slot.read().await.map_err(unreadable)?;
        let version = SlotVersion::of(number, &sealed);
        match known {
            Some(known) if known != version && number <= known.number => {
                let other = if number == known.number {
                    "another "
                } else {
                    ""
                };
                let what = format!(
                    "the store holds {other}version {number} of the shared ring, and version {} \
                     was there: it was put back",
                    known.number
                );
                Err(Error::new(ErrorKind::Keys, what))
            }
            _ => Ok((version, sealed)),
        }
    }

    /// Writes the ring to the slot where the number is still the expected one, and returns the
    /// version that is there then; `None` if it is another one.
    pub(super) async fn swap(
        &self,
        expected: u64,
        manifest: &Manifest,
        clock: &Clock,
    ) -> Result<Option<SlotVersion>, Error> {
        let number = expected.saturating_add(1);
        let sealed = self.seal(number, manifest)?;
        let version = SlotVersion::of(number, &sealed);
        let failed = |error| {
            Error::new(
                ErrorKind::Store,
                "the shared ring cannot be written to the store",
            )
            .because(error)
        };
        let swapped = self.slot.swap(expected, sealed, clock.now()).await;
        Ok(swapped.map_err(failed)?.then_some(version))
    }

    fn seal(&self, version: u64, manifest: &Manifest) -> Result<Vec<u8>, Error> {
        let keys = manifest.keys.iter().map(|key| SealedKey {
            entry: key.entry.clone(),
            secret: Zeroizing::new(URL_SAFE_NO_PAD.encode_to_string(key.secret.expose())),
        });
        let Manifest {
            revision,
            adopted,
            algorithm,
            ..
        } = *manifest;
        let ring = SealedRing {
            format: FORMAT,
            revision,
            adopted,
            algorithm,
            keys: keys.collect(),
        };
        let unwritable =
            |error| Error::new(ErrorKind::Keys, "the shared ring cannot be written").because(error);
        let plain = Zeroizing::new(serde_json::to_vec(&ring).map_err(unwritable)?);
        let key = self
            .keys
            .first()
            .ok_or_else(|| Error::new(ErrorKind::Keys, "the shared ring has no secret"))?;
        seal_with(unbound(key)?, &context(version), &plain)
    }

    fn unseal(&self, version: u64, sealed: &[u8]) -> Result<Manifest, Error> {
        let refuse = |what: &str| {
            Error::new(
                ErrorKind::Keys,
                format!("the shared ring in the store {what}"),
            )
        };
        let mut plain = None;
        for key in &self.keys {
            let mut buffer = Zeroizing::new(sealed.to_vec());
            if let Some(opened) = open_with(unbound(key)?, &context(version), &mut buffer) {
                plain = Some(Zeroizing::new(opened.to_vec()));
                break;
            }
        }
        let plain = plain.ok_or_else(|| {
            refuse("was sealed under another secret, or is damaged: check the secret and the store")
        })?;
        // The parser's error text could contain a part of a key.
        let ring: SealedRing =
            serde_json::from_slice(&plain).map_err(|_| refuse("is of another format"))?;
        if ring.format != FORMAT {
            return Err(refuse(&format!(
                "has the format {}: this release reads format {FORMAT}",
                ring.format
            )));
        }
        if ring.algorithm != self.algorithm {
            return Err(refuse(&format!(
                "holds {} keys, and {} was asked for: ask for {}, or use another store",
                ring.algorithm, self.algorithm, ring.algorithm
            )));
        }
        let held = |key: SealedKey| {
            let secret = Secret::from_bytes(
                URL_SAFE_NO_PAD
                    .decode_to_vec(&*key.secret)
                    .map_err(|_| refuse("is damaged"))?,
            );
            let is_named = key.entry.purpose != KeyPurpose::Sign
                || kid(ring.algorithm, &secret)? == key.entry.id;
            if !is_named || check_value(&secret)? != key.entry.check {
                return Err(refuse("holds a key that is not the one it names"));
            }
            Ok(HeldKey {
                entry: key.entry,
                secret: Arc::new(secret),
            })
        };
        let keys = ring
            .keys
            .into_iter()
            .map(held)
            .collect::<Result<_, Error>>()?;
        let manifest = Manifest {
            algorithm: ring.algorithm,
            revision: ring.revision,
            adopted: ring.adopted,
            keys,
        };
        manifest.check().map_err(|what| refuse(&what))?;
        Ok(manifest)
    }
}

/// Returns the context to which the seal is bound: the purpose, and the version in the store.
fn context(version: u64) -> Vec<u8> {
    [&b"tollgate/shared-ring/1/"[..], &version.to_be_bytes()].concat()
}

fn unbound(key: &Secret) -> Result<UnboundKey, Error> {
    UnboundKey::new(&AES_256_GCM, key.expose())
        .map_err(|_| Error::new(ErrorKind::Keys, "a key cannot be derived"))
}

const FORMAT: u32 = 1;

#[cfg(test)]
mod tests {
    use super::super::home::{Change, change_shared};
    use super::*;

    /// A slot whose content never changes, whatever is written to it.
    struct Held(u64, Vec<u8>);

    impl SharedSlot for Held {
        fn read(&self) -> SlotAnswer<'_, (u64, Vec<u8>)> {
            Box::pin(std::future::ready(Ok((self.0, self.1.clone()))))
        }

        fn swap(&self, _: u64, _: Vec<u8>, _: Timestamp) -> SlotAnswer<'_, bool> {
            Box::pin(std::future::ready(Ok(false)))
        }
    }

    fn source(held: Held) -> RingSource {
        RingSource {
            algorithm: Algorithm::EdDSA,
            keys: vec![Secret::from_bytes((0..32).collect())],
            slot: Box::new(held),
        }
    }

    /// A store that was restored from a backup holds a ring that was valid once; a key in it may
    /// have been retired since.
    #[tokio::test]
    async fn a_ring_that_is_older_than_the_known_one_is_refused() {
        let manifest = Manifest::create(Algorithm::EdDSA, Timestamp::from_secs(1)).unwrap();
        let sealed = source(Held(0, Vec::new())).seal(3, &manifest).unwrap();
        let read = |sealed, known| async move { source(Held(3, sealed)).read(known).await };
        let version = |number| Some(SlotVersion::of(number, &sealed));
        let older = read(sealed.clone(), version(2)).await.unwrap().unwrap();
        assert_eq!(older.0.number, 3);
        assert!(read(sealed.clone(), version(3)).await.unwrap().is_none());
        // A store that lost its data counts again: the number is the same, and the ring is not.
        let other = source(Held(0, Vec::new())).seal(3, &manifest).unwrap();
        let refused = read(other, version(3)).await.map(|read| read.is_some());
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains("another version 3"), "{refused}");
        let refused = read(sealed.clone(), version(4)).await;
        let refused = refused.map(|read| read.is_some());
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains("version 3"), "{refused}");
        assert!(refused.contains("version 4"), "{refused}");
    }

    /// A change begins with what the store holds: it must not put the older ring in force.
    #[tokio::test]
    async fn a_ring_that_is_older_than_the_known_one_is_not_changed_either() {
        let manifest = Manifest::create(Algorithm::EdDSA, Timestamp::from_secs(1)).unwrap();
        let sealed = source(Held(0, Vec::new())).seal(3, &manifest).unwrap();
        let version = |number| Some(SlotVersion::of(number, &sealed));
        let nothing: Arc<Change> = Arc::new(|_: &Manifest| Ok(None));
        let changed = |known| {
            let (sealed, nothing) = (sealed.clone(), Arc::clone(&nothing));
            async move {
                let clock = Clock::manual(Timestamp::from_secs(1));
                let changed =
                    change_shared(&source(Held(3, sealed)), known, &nothing, &clock).await;
                changed.map(|(_, version)| version.number)
            }
        };
        assert_eq!(changed(version(3)).await.unwrap(), 3);
        assert_eq!(changed(version(2)).await.unwrap(), 3);
        let refused = changed(version(4)).await.unwrap_err().to_string();
        assert!(refused.contains("it was put back"), "{refused}");
    }
}
