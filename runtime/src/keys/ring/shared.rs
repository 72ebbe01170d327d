//! The ring that many nodes share through their store: private parts sealed, changes by
//! compare-and-swap. Knows no store.

use std::fmt;

use super::KeyRing;
use super::home::blocking;
use super::manifest::Manifest;
use super::sealed::{RingSource, SharedSlot};
use crate::clock::Clock;
use crate::error::Error;
use crate::keys::algorithm::Algorithm;
use crate::keys::key::strength;
use crate::keys::seal::derive;
use crate::secret::Secret;

/// A ring that lives in the gate's own store, for nodes that share nothing else:
/// `GateBuilder::keys(SharedRing::new(secret)?)`.
///
/// The whole ring is sealed with AES-256-GCM under a key derived from `secret`, which every node
/// has from its environment and the store never sees. The seal is bound to the version in the
/// store, so that restoring an old state is noticed. The first node makes the keys; each reads them
/// again every ten seconds, and at once where the log says that a key was retired.
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
    /// Describes the ring that is sealed under this secret, with EdDSA.
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

    /// Sets another algorithm than EdDSA: the same on all nodes.
    #[must_use]
    pub fn algorithm(self, algorithm: Algorithm) -> Self {
        Self { algorithm, ..self }
    }

    /// Adds an older secret, under which the ring may still be sealed; the next change of the ring
    /// seals it under the new one.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn previous_secret(mut self, secret: Secret) -> Result<Self, Error> {
        strength::check("the previous secret of the shared ring", &secret, 32)?;
        self.secrets.push(secret);
        Ok(self)
    }

    /// Opens the ring in a slot, or writes a fresh one there.
    pub(crate) async fn open(self, slot: impl SharedSlot, clock: Clock) -> Result<KeyRing, Error> {
        let Self { algorithm, secrets } = self;
        let keys = secrets
            .iter()
            .map(|secret| derive(secret.expose(), b"tollgate/shared-ring/1"))
            .collect::<Result<_, _>>()?;
        let source = RingSource {
            algorithm,
            keys,
            slot: Box::new(slot),
        };
        loop {
            if let Some((version, manifest)) = source.read(None).await? {
                return KeyRing::shared(manifest, version, source, clock);
            }
            let now = clock.now();
            let manifest = blocking(move || Manifest::create(algorithm, now)).await?;
            // If another node was faster, its ring is read.
            if let Some(version) = source.swap(0, &manifest, &clock).await? {
                return KeyRing::shared(manifest, version, source, clock);
            }
        }
    }
}

impl fmt::Debug for SharedRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SharedRing({:?})", self.algorithm)
    }
}
