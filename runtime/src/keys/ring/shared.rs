//! The ring that many nodes share through their store: private parts sealed, changes by
//! compare-and-swap. Knows no store.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::KeyRing;
use super::manifest::{Entry, Held, KeyPurpose, Roster, check_value, kid};
use crate::clock::Clock;
use crate::error::{Error, ErrorKind};
use crate::keys::key::strength;
use crate::keys::seal::{derive, open_with, seal_with};
use crate::secret::Secret;

/// A ring that lives in the gate's own store, for nodes that share nothing else:
/// `GateBuilder::keys(SharedRing::new(secret)?)`.
///
/// All of it is sealed with AES-256-GCM under a key derived from `secret`, which every node has
/// from its environment and the store never sees; bound to the version in the store, so that an old
/// state is not put back unnoticed. The first node makes the keys; each reads them again every ten
/// seconds, and at once where the log says that a key was retired.
///
/// ```no_run
/// use tollgate::keys::{Algorithm, SharedRing};
/// use tollgate::secret::Secret;
///
/// let ring = SharedRing::new(Secret::from_env("APP_RING_SECRET")?)?.algorithm(Algorithm::ES256);
/// # Ok::<(), tollgate::error::Error>(())
/// ```
pub struct SharedRing {
    algorithm: Algorithm,
    secrets: Vec<Secret>,
}

impl SharedRing {
    /// The ring that is sealed under this secret, with EdDSA.
    ///
    /// # Errors
    /// The secret is shorter than 32 bytes, has fewer than 16 different bytes, or is a public key.
    pub fn new(secret: Secret) -> Result<Self, Error> {
        strength::check("the secret of the shared ring", &secret, 32)?;
        Ok(Self {
            algorithm: Algorithm::EdDSA,
            secrets: vec![secret],
        })
    }

    /// Another algorithm than EdDSA. All nodes say the same.
    #[must_use]
    pub fn algorithm(self, algorithm: Algorithm) -> Self {
        Self { algorithm, ..self }
    }

    /// Also reads what was sealed under an older secret; the next change of the ring seals it under
    /// the new one.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn previous_secret(mut self, secret: Secret) -> Result<Self, Error> {
        strength::check("the previous secret of the shared ring", &secret, 32)?;
        self.secrets.push(secret);
        Ok(self)
    }

    /// Opens the ring that lies on a shelf, or puts a fresh one there.
    pub(crate) async fn open(self, shelf: impl SharedSlot, clock: Clock) -> Result<KeyRing, Error> {
        let Self { algorithm, secrets } = self;
        let keys = secrets
            .iter()
            .map(|secret| derive(secret.expose(), b"tollgate/shared-ring/1"))
            .collect::<Result<_, _>>()?;
        let place = Place {
            algorithm,
            keys,
            shelf: Box::new(shelf),
        };
        loop {
            if let Some((version, roster)) = place.read(0).await? {
                return KeyRing::shared(roster, version, place, clock);
            }
            let now = clock.now();
            let roster = super::blocking(move || Roster::create(algorithm, now)).await?;
            // Where another node was faster, its ring is read.
            if place.swap(0, &roster, &clock).await? {
                return KeyRing::shared(roster, 1, place, clock);
            }
        }
    }
}

impl fmt::Debug for SharedRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SharedRing({:?})", self.algorithm)
    }
}

/// Where the sealed ring lies: version 0 and no bytes where there is none yet.
pub(crate) trait SharedSlot: Send + Sync + 'static {
    /// The version and the sealed ring.
    fn read(&self) -> Answer<'_, (u64, Vec<u8>)>;
    /// Replaces it where its version still is `expected`; the new one is `expected + 1`.
    fn swap(&self, expected: u64, ring: Vec<u8>, now: crate::clock::Timestamp) -> Answer<'_, bool>;
}

/// What a shelf answers.
pub(crate) type Answer<'a, T> =
    Pin<Box<dyn Future<Output = Result<T, Box<dyn std::error::Error + Send + Sync>>> + Send + 'a>>;

/// A shelf with the keys to what lies there.
pub(in crate::keys) struct Place {
    algorithm: Algorithm,
    /// The first seals, all open.
    keys: Vec<Secret>,
    shelf: Box<dyn SharedSlot>,
}

/// What is sealed. The version comes first and is read on its own.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    format: u32,
    revision: u64,
    adopted: bool,
    algorithm: Algorithm,
    keys: Vec<Key>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Key {
    entry: Entry,
    secret: Zeroizing<String>,
}

impl Place {
    /// The ring where its version is above `known`; `None` where it is the known one, or there is
    /// none yet.
    pub(in crate::keys) async fn read(&self, known: u64) -> Result<Option<(u64, Roster)>, Error> {
        let unreadable = |error| {
            Error::new(
                ErrorKind::Keys,
                "the shared ring cannot be read from the store",
            )
            .because(error)
        };
        let (version, sealed) = self.shelf.read().await.map_err(unreadable)?;
        if version < known {
            let what = format!(
                "the store holds version {version} of the shared ring, and version {known} was \
                 there: it was put back"
            );
            return Err(Error::new(ErrorKind::Keys, what));
        }
        if version == known {
            Ok(None)
        } else {
            self.unseal(version, &sealed)
                .map(|roster| Some((version, roster)))
        }
    }

    /// Puts the ring there where the version is still the expected one.
    pub(in crate::keys) async fn swap(
        &self,
        expected: u64,
        roster: &Roster,
        clock: &Clock,
    ) -> Result<bool, Error> {
        let sealed = self.seal(expected.saturating_add(1), roster)?;
        let failed = |error| {
            Error::new(
                ErrorKind::Keys,
                "the shared ring cannot be written to the store",
            )
            .because(error)
        };
        self.shelf
            .swap(expected, sealed, clock.now())
            .await
            .map_err(failed)
    }

    fn seal(&self, version: u64, roster: &Roster) -> Result<Vec<u8>, Error> {
        let keys = roster.keys.iter().map(|key| Key {
            entry: key.entry.clone(),
            secret: Zeroizing::new(URL_SAFE_NO_PAD.encode(key.secret.expose())),
        });
        let Roster {
            revision,
            adopted,
            algorithm,
            ..
        } = *roster;
        let content = Content {
            format: FORMAT,
            revision,
            adopted,
            algorithm,
            keys: keys.collect(),
        };
        let unwritable =
            |error| Error::new(ErrorKind::Keys, "the shared ring cannot be written").because(error);
        let plain = Zeroizing::new(serde_json::to_vec(&content).map_err(unwritable)?);
        let key = self
            .keys
            .first()
            .ok_or_else(|| Error::new(ErrorKind::Keys, "the shared ring has no secret"))?;
        seal_with(unbound(key)?, &context(version), &plain)
    }

    fn unseal(&self, version: u64, sealed: &[u8]) -> Result<Roster, Error> {
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
        let plain =
            plain.ok_or_else(|| refuse("was sealed under another secret, or is damaged"))?;
        // The parser's own words could hold a piece of a key.
        let content: Content =
            serde_json::from_slice(&plain).map_err(|_| refuse("is of another format"))?;
        if content.format != FORMAT {
            return Err(refuse(&format!(
                "has the format {}: this release reads format {FORMAT}",
                content.format
            )));
        }
        if content.algorithm != self.algorithm {
            return Err(refuse(&format!(
                "holds {:?} keys, and {:?} was asked for",
                content.algorithm, self.algorithm
            )));
        }
        let held = |key: Key| {
            let secret = Secret::from_bytes(
                URL_SAFE_NO_PAD
                    .decode(&*key.secret)
                    .map_err(|_| refuse("is damaged"))?,
            );
            let is_named = key.entry.purpose != KeyPurpose::Sign
                || kid(content.algorithm, &secret)? == key.entry.id;
            if !is_named || check_value(&secret)? != key.entry.check {
                return Err(refuse("holds a key that is not the one it names"));
            }
            Ok(Held {
                entry: key.entry,
                secret: Arc::new(secret),
            })
        };
        let keys = content
            .keys
            .into_iter()
            .map(held)
            .collect::<Result<_, Error>>()?;
        let Content {
            revision,
            adopted,
            algorithm,
            ..
        } = Content {
            keys: Vec::new(),
            ..content
        };
        let roster = Roster {
            algorithm,
            revision,
            adopted,
            keys,
        };
        roster.check().map_err(|what| refuse(&what))?;
        Ok(roster)
    }
}

/// What the seal is bound to: the place in the store, and the version there.
fn context(version: u64) -> Vec<u8> {
    [&b"tollgate/shared-ring/1/"[..], &version.to_be_bytes()].concat()
}

fn unbound(key: &Secret) -> Result<UnboundKey, Error> {
    UnboundKey::new(&AES_256_GCM, key.expose())
        .map_err(|_| Error::new(ErrorKind::Keys, "a key cannot be derived"))
}

const FORMAT: u32 = 1;
