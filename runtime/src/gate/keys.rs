//! The keys of a gate: the source of its ring, and how it changes while requests run.

use std::fmt;
use std::sync::Arc;

use super::{AuthBackend, Gate};
use crate::clock::{Clock, Timestamp};
use crate::error::Error;
use crate::keys::{JwkSet, KeyRing, Rotation, SharedRing, SharedSlot, SlotAnswer};
use crate::session::Engine;
use crate::store::Store;

/// The source of a gate's keys: a [`KeyRing`], or a [`SharedRing`] that lives in the gate's own
/// store.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no key ring",
    label = "a gate cannot take its keys from this",
    note = "open one with `KeyRing::open(\"keys\").await?`; a ring from a PEM text, a JWK set or \
            a signer still needs `.refresh_secret(Secret::from_env(\"REFRESH_SECRET\")?)?`"
)]
pub trait IntoRing {
    #[doc(hidden)]
    fn into_ring(self) -> RingInput;
}

impl IntoRing for KeyRing {
    fn into_ring(self) -> RingInput {
        RingInput::Open(self)
    }
}

impl IntoRing for SharedRing {
    fn into_ring(self) -> RingInput {
        RingInput::Shared(self)
    }
}

/// A ring, or the way to get it.
#[doc(hidden)]
#[derive(Debug)]
pub enum RingInput {
    Open(KeyRing),
    Shared(SharedRing),
}

impl RingInput {
    pub(super) async fn open(self, store: &Store, clock: &Clock) -> Result<KeyRing, Error> {
        match self {
            Self::Open(ring) => Ok(ring),
            Self::Shared(ring) => ring.open(InStore(store.clone()), clock.clone()).await,
        }
    }
}

/// Opens the ring that lies in a store.
#[cfg(feature = "cli")]
pub(crate) async fn open_shared(
    ring: SharedRing,
    store: &Store,
    clock: &Clock,
) -> Result<KeyRing, Error> {
    RingInput::Shared(ring).open(store, clock).await
}

/// The store as the storage of a shared ring, which itself knows no stores.
struct InStore(Store);

impl SharedSlot for InStore {
    fn read(&self) -> SlotAnswer<'_, (u64, Vec<u8>)> {
        Box::pin(async {
            let stored = self.0.keys().await?;
            Ok((stored.version, stored.ring))
        })
    }

    fn swap(&self, expected: u64, ring: Vec<u8>, now: Timestamp) -> SlotAnswer<'_, bool> {
        Box::pin(async move { Ok(self.0.swap_keys(expected, ring, now).await?) })
    }
}

/// The keys of a running gate: [`Gate::keys`].
pub struct Keys<'a> {
    engine: &'a Engine,
}

impl<B: AuthBackend> Gate<B> {
    /// Returns the keys: to rotate them, to retire one, to publish them.
    #[must_use]
    pub fn keys(&self) -> Keys<'_> {
        Keys::new(self.engine())
    }
}

impl<'a> Keys<'a> {
    pub(super) const fn new(engine: &'a Engine) -> Self {
        Self { engine }
    }

    /// Puts the next keys into use for all three purposes, as [`KeyRing::rotate`] does. Other nodes
    /// of the same folder or store follow within ten seconds. They verify what this node signs at
    /// once, because the next key was published before.
    ///
    /// # Errors
    /// As [`KeyRing::rotate`].
    pub async fn rotate(&self) -> Result<Rotation, Error> {
        self.engine.ring.rotate().await
    }

    /// Revokes all that a key made, everywhere: name it by the `kid` of a signing key,
    /// `refresh-<number>` for a MAC key, or `seal-<number>` for a sealing key.
    ///
    /// When this returns, this node refuses the key's tokens and uses another key. If it is a
    /// signing key, the log tells the other nodes, which refuse it within about a second, even
    /// before they have read the ring again. If it is another key, they learn of it when they read
    /// the ring, within ten seconds.
    ///
    /// # Errors
    /// As [`KeyRing::retire`]. If only the log cannot be written to, the key is retired all the
    /// same: a warning says so, and the other nodes follow within ten seconds by reading the ring.
    pub async fn retire(&self, name: &str) -> Result<(), Error> {
        self.engine.retire_key(name).await.map(drop)
    }

    /// Returns the id of the key that signs at the moment.
    #[must_use]
    pub fn current(&self) -> Arc<str> {
        Arc::clone(self.engine.ring.set().signing().kid())
    }

    /// Returns the public keys as a JWK set; empty for HMAC.
    #[must_use]
    pub fn jwks(&self) -> JwkSet {
        self.engine.ring.jwks()
    }

    /// Reads the ring again now; returns `true` if the keys changed. The gate does so every ten
    /// seconds.
    ///
    /// # Errors
    /// As [`KeyRing::reload`].
    pub async fn reload(&self) -> Result<bool, Error> {
        self.engine.ring.reload().await
    }
}

impl fmt::Debug for Keys<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Keys").field(&self.engine.ring).finish()
    }
}
