//! The key ring: the source of its keys, their changes, and reading them without a lock.

mod access;
pub(super) mod configured;
#[cfg(feature = "cli")]
pub(super) mod describe;
mod file;
mod folder;
mod home;
mod jwk_set;
mod lock;
mod manifest;
pub(super) mod options;
pub(super) mod sealed;
pub(super) mod shared;
mod snapshot;

use std::fmt;
use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::Mutex;

use super::algorithm::Algorithm;
use super::jwk::JwkSet;
use super::key::signing::SigningKey;
use super::set::KeySet;
use crate::clock::{Clock, Timestamp};
use crate::error::{Error, ErrorKind};
use crate::realm::LiveGates;
use crate::settings::KeysGroup;
use file::RingFolder;
use home::{Change, Home, Version, blocking};
use manifest::{Manifest, Overlap};
use options::RingOptions;

use sealed::{RingSource, SlotVersion};
use snapshot::key_set;

/// The keys of a gate: they sign access tokens, protect refresh tokens, and seal stored values.
///
/// Clones share the keys. Reading them takes no lock. Every clone sees a change at once; other
/// processes on the same folder or store see it within the ten seconds after which a gate calls
/// [`reload`](Self::reload).
#[derive(Clone)]
pub struct KeyRing {
    state: Arc<RingState>,
    clock: Clock,
}

/// The keys of a ring as they were when [`KeyRing::set`] was called. Holding it does not delay
/// changes of the ring.
pub struct KeySetRef(arc_swap::Guard<Arc<KeySet>>);

impl KeySetRef {
    /// Returns a handle that may be held for long.
    #[must_use]
    pub fn to_arc(&self) -> Arc<KeySet> {
        Arc::clone(&self.0)
    }
}

impl Deref for KeySetRef {
    type Target = KeySet;

    fn deref(&self) -> &KeySet {
        &self.0
    }
}

impl fmt::Debug for KeySetRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// The state that the clones of a ring share.
struct RingState {
    set: ArcSwap<KeySet>,
    /// The origin of the set. Locked while the ring changes, never while a token is verified.
    origin: Mutex<SetOrigin>,
    home: Home,
    live: LiveGates,
    access_overlap: AtomicU64,
    refresh_overlap: AtomicU64,
    seal_overlap: AtomicU64,
}

/// The origin of a key set.
struct SetOrigin {
    /// `None` if the keys come from a configuration, and can be changed only there.
    manifest: Option<Manifest>,
    version: Version,
    /// The time at which the first of the keys that no longer sign stops verifying.
    stale_at: Option<Timestamp>,
}

/// The result of a rotation.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rotation {
    /// The id of the key that signs after the rotation.
    pub current: Arc<str>,
    /// The id of the key that signed before the rotation.
    pub previous: Arc<str>,
}

impl KeyRing {
    /// Opens the ring in a folder, with EdDSA; makes folder and keys if they do not exist.
    ///
    /// The folder gets the mode 0700, its files 0600. Of several processes that start at once, one
    /// makes the keys and the others find them.
    ///
    /// # Errors
    /// The folder cannot be read or written, or a file in it is unreadable, truncated, readable by
    /// others, of another version, or not the one that the manifest names. The message names the
    /// file.
    pub async fn open(folder: impl AsRef<Path>) -> Result<Self, Error> {
        Self::open_with(folder, Algorithm::EdDSA).await
    }

    /// Opens the ring in a folder, with an algorithm of your choice: HS256, HS384, HS512, RS256,
    /// RS384, RS512, PS256, PS384, PS512, ES256, ES384 or EdDSA. RSA keys are made with 2048 bits,
    /// which takes a moment.
    ///
    /// # Errors
    /// As [`open`](Self::open); even if the folder holds keys of another algorithm: one key, one
    /// algorithm.
    pub async fn open_with(folder: impl AsRef<Path>, algorithm: Algorithm) -> Result<Self, Error> {
        Self::options(folder).algorithm(algorithm).open().await
    }

    /// Opens the ring in a folder with other than the default options.
    pub fn options(folder: impl AsRef<Path>) -> RingOptions {
        RingOptions::new(folder.as_ref())
    }

    /// Opens the ring in a folder.
    async fn in_folder(folder: RingFolder, algorithm: Algorithm) -> Result<Self, Error> {
        let clock = Clock::system();
        let now = clock.now();
        let target = folder.clone();
        let (manifest, bytes) = blocking(move || folder::open(&target, algorithm, now)).await?;
        Self::new(
            manifest,
            Version::Manifest(bytes),
            Home::Folder(folder),
            clock,
        )
    }

    /// Refuses a setting `keys.group` with which this ring was not opened.
    pub(crate) fn check_group(&self, group: KeysGroup) -> Result<(), Error> {
        let what = match &self.state.home {
            _ if group == KeysGroup::Refuse => return Ok(()),
            Home::Folder(folder) if folder.group == group => return Ok(()),
            Home::Folder(_) => {
                "the ring was opened without it: open it with \
                 `KeyRing::options(folder).settings(&settings.keys)`"
            }
            Home::Shared(_) | Home::Local => "means nothing to a ring that lies in no folder",
        };
        Err(Error::new(
            ErrorKind::Settings,
            format!("the settings cannot be used:\n`keys.group`: {what}"),
        ))
    }

    /// Makes a ring of fresh keys that live as long as the process: for tests. Like every ring that
    /// no gate has used, it does not start beside live sessions, which it would end, unless
    /// `keys.accept_new` is set.
    ///
    /// # Errors
    /// The random source cannot be read.
    pub fn generate(algorithm: Algorithm) -> Result<Self, Error> {
        Self::generate_by(algorithm, Clock::system())
    }

    /// Makes a ring of fresh keys, dated by this clock.
    pub(crate) fn generate_by(algorithm: Algorithm, clock: Clock) -> Result<Self, Error> {
        let manifest = Manifest::create(algorithm, clock.now())?;
        Self::new(manifest, Version::None, Home::Local, clock)
    }

    /// Returns the same ring with another clock, for tests.
    #[must_use]
    pub fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// Sets how long a key is needed after its last use: the longest life of an access token with
    /// the leeway, the longest idle time of a session, and the longest time for which a sealed
    /// value is kept. By default a day, 90 and 400 days. Where gates share the ring, the longest
    /// times count.
    pub fn set_lifetimes(&self, access: Duration, refresh: Duration, sealed: Duration) {
        // 0 means that the time was not set.
        let millis = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX).max(1);
        self.state
            .access_overlap
            .fetch_max(millis(access), Ordering::Relaxed);
        self.state
            .refresh_overlap
            .fetch_max(millis(refresh), Ordering::Relaxed);
        self.state
            .seal_overlap
            .fetch_max(millis(sealed), Ordering::Relaxed);
    }

    /// Returns whether the other handle is of this ring.
    #[cfg(feature = "axum")]
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.state, &other.state)
    }

    /// Returns the gates that are running on this ring.
    pub(crate) fn live(&self) -> &LiveGates {
        &self.state.live
    }

    /// Returns the keys as they are at the moment.
    #[must_use]
    pub fn set(&self) -> KeySetRef {
        KeySetRef(self.state.set.load())
    }

    /// Returns the public keys as a JWK set; empty for HMAC.
    #[must_use]
    pub fn jwks(&self) -> JwkSet {
        self.set().jwks()
    }

    /// Returns the key that signs, for as long as the caller holds it.
    pub(crate) fn signing(&self) -> Arc<SigningKey> {
        Arc::clone(self.set().signing_key())
    }

    /// Returns whether no gate has started with this ring yet. A ring from a configuration counts
    /// as adopted.
    pub async fn is_unadopted(&self) -> bool {
        self.state
            .origin
            .lock()
            .await
            .manifest
            .as_ref()
            .is_some_and(|manifest| !manifest.adopted)
    }

    /// Records in the folder or the store that a gate has started with the ring. Its keys count as
    /// published from then on, by the clock of that gate.
    ///
    /// # Errors
    /// The folder or the store cannot be written.
    pub async fn adopt(&self) -> Result<(), Error> {
        if self.is_unadopted().await {
            let now = self.clock.now();
            self.change(move |manifest| Ok(manifest.adopt(now))).await
        } else {
            Ok(())
        }
    }

    /// Rotates the keys: the next key signs, the current one verifies until its last token expires,
    /// and another one is published.
    ///
    /// It is one step: after a crash the ring is either as before or as after. The keys of all
    /// three purposes move together: those that sign, those that protect refresh tokens, those that
    /// seal.
    ///
    /// # Errors
    /// The next key was published less than 15 minutes ago, so others may not know it yet; the ring
    /// comes from a configuration; the folder or the store cannot be written.
    pub async fn rotate(&self) -> Result<Rotation, Error> {
        let now = self.clock.now();
        let overlap = self.overlap();
        let previous = Arc::clone(self.set().signing().kid());
        self.change(move |manifest| manifest.rotate(now, overlap).map(Some))
            .await?;
        Ok(Rotation {
            current: Arc::clone(self.set().signing().kid()),
            previous,
        })
    }

    /// Revokes all that a key made: name it by the `kid` of a signing key, `refresh-<number>` for a
    /// MAC key, or `seal-<number>` for a sealing key.
    ///
    /// A signing key is deleted, and its access tokens are invalid. Refresh tokens of a retired MAC
    /// key are valid only if the store knows their hash. A sealing key is deleted, and nothing
    /// that it sealed can be opened any more: encrypted tokens and the claims that sessions keep.
    /// Where the key was the current one, the next one replaces it at once.
    ///
    /// # Errors
    /// There is no such key; the ring comes from a configuration; the folder or the store cannot be
    /// written.
    pub async fn retire(&self, name: &str) -> Result<(), Error> {
        let now = self.clock.now();
        let overlap = self.overlap();
        let name = name.to_owned();
        self.change(move |manifest| manifest.retire(&name, now, overlap).map(Some))
            .await
    }

    /// Returns whether the ring may have a key of this name, retired or not: where its keys come from
    /// a configuration, they have no names.
    #[cfg(feature = "axum")]
    pub(crate) async fn may_have(&self, name: &str) -> bool {
        let origin = self.state.origin.lock().await;
        let manifest = origin.manifest.as_ref();
        manifest.is_none_or(|manifest| manifest.keys.iter().any(|key| key.is_called(name)))
    }

    /// Reads the ring again where it has changed in its folder or store, or where a key has
    /// expired; returns whether the keys changed.
    ///
    /// # Errors
    /// As [`open`](Self::open); or the store cannot be read. The ring goes on with the keys it has.
    pub async fn reload(&self) -> Result<bool, Error> {
        let now = self.clock.now();
        let mut origin = self.state.origin.lock().await;
        let Some(known) = &origin.manifest else {
            return Ok(false);
        };
        let home = &self.state.home;
        let read = home.read_changed(&origin.version, known.algorithm).await;
        let is_stale = origin.stale_at.is_some_and(|at| at <= now);
        let read = match read {
            Ok(Some((manifest, version))) => {
                match self.install(&mut origin, manifest, version, now) {
                    Ok(()) => return Ok(true),
                    Err(error) => Err(error),
                }
            }
            Ok(None) => Ok(()),
            Err(error) => Err(error),
        };
        let Some(known) = &origin.manifest else {
            return Ok(false);
        };
        // A key that has expired leaves, whether or not the ring can be read and used.
        if is_stale {
            let (set, next) = (key_set(known, now)?, known.next_expiry(now));
            self.state.set.store(Arc::new(set));
            origin.stale_at = next;
        }
        read.map(|()| is_stale)
    }

    /// Returns a ring whose keys never change.
    fn configured(set: KeySet) -> Self {
        let origin = SetOrigin {
            manifest: None,
            version: Version::None,
            stale_at: None,
        };
        Self::with(set, origin, Home::Local, Clock::system())
    }

    /// Returns a ring that was read from a store, or written to it.
    fn shared(
        manifest: Manifest,
        version: SlotVersion,
        source: RingSource,
        clock: Clock,
    ) -> Result<Self, Error> {
        let version = Version::Slot(version);
        Self::new(manifest, version, Home::Shared(source), clock)
    }

    fn new(manifest: Manifest, version: Version, home: Home, clock: Clock) -> Result<Self, Error> {
        let now = clock.now();
        let set = key_set(&manifest, now)?;
        let origin = SetOrigin {
            stale_at: manifest.next_expiry(now),
            manifest: Some(manifest),
            version,
        };
        Ok(Self::with(set, origin, home, clock))
    }

    fn with(set: KeySet, origin: SetOrigin, home: Home, clock: Clock) -> Self {
        let state = RingState {
            set: ArcSwap::from_pointee(set),
            origin: Mutex::new(origin),
            home,
            live: LiveGates::default(),
            access_overlap: AtomicU64::new(0),
            refresh_overlap: AtomicU64::new(0),
            seal_overlap: AtomicU64::new(0),
        };
        Self {
            state: Arc::new(state),
            clock,
        }
    }

    /// Changes the ring at its place, then in this process. `change` returns `None` to change
    /// nothing.
    async fn change<F>(&self, change: F) -> Result<(), Error>
    where
        F: Fn(&Manifest) -> Result<Option<Manifest>, Error> + Send + Sync + 'static,
    {
        let now = self.clock.now();
        let change: Arc<Change> = Arc::new(change);
        let mut origin = self.state.origin.lock().await;
        let Some(known) = &origin.manifest else {
            return Err(Error::new(
                ErrorKind::Usage,
                "the keys of this ring come from its configuration: change them there",
            ));
        };
        match self
            .state
            .home
            .change((known, &origin.version), &change, &self.clock)
            .await?
        {
            Some((manifest, version)) => self.install(&mut origin, manifest, version, now),
            None => Ok(()),
        }
    }

    fn install(
        &self,
        origin: &mut SetOrigin,
        manifest: Manifest,
        version: Version,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.state.set.store(Arc::new(key_set(&manifest, now)?));
        *origin = SetOrigin {
            stale_at: manifest.next_expiry(now),
            manifest: Some(manifest),
            version,
        };
        Ok(())
    }

    fn overlap(&self) -> Overlap {
        let load = |span: &AtomicU64, untold| match span.load(Ordering::Relaxed) {
            0 => Duration::from_millis(untold),
            told => Duration::from_millis(told),
        };
        let RingState {
            access_overlap,
            refresh_overlap,
            seal_overlap,
            ..
        } = &*self.state;
        Overlap {
            access: load(access_overlap, 24 * HOUR),
            refresh: load(refresh_overlap, 90 * 24 * HOUR),
            seal: load(seal_overlap, 400 * 24 * HOUR),
        }
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KeyRing").field(&*self.set()).finish()
    }
}

const HOUR: u64 = 60 * 60 * 1000;
