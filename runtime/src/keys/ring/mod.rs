//! The handle on a ring: where its keys come from, how they change, how readers get at them without
//! a lock.

pub(super) mod configured;
mod folder;
mod lock;
pub(super) mod manifest;
pub(super) mod shared;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::{ArcSwap, Guard};
use jsonwebtoken::Algorithm;
use jsonwebtoken::jwk::JwkSet;
use tokio::sync::Mutex;

use crate::clock::{Clock, Timestamp};
use crate::error::{Error, ErrorKind};
use crate::keys::set::{KeySet, SigningKey};
use manifest::{Overlap, Roster};
use shared::Place;

/// The keys of a gate: they sign access tokens, guard refresh tokens, and seal what is stored.
///
/// Clones share the keys. Reading them takes no lock; a change is seen by every clone at once, and
/// by other processes on the same folder or store within the ten seconds after which a gate calls
/// [`reload`](Self::reload).
#[derive(Clone)]
pub struct KeyRing {
    inner: Arc<Inner>,
    clock: Clock,
}

struct Inner {
    set: ArcSwap<KeySet>,
    /// What the set was made from. Held while the ring changes, never while a token is verified.
    source: Mutex<Source>,
    home: Home,
    access_overlap: AtomicU64,
    refresh_overlap: AtomicU64,
    seal_overlap: AtomicU64,
}

struct Source {
    /// `None` where the keys come from a configuration, which alone can change them.
    roster: Option<Roster>,
    mark: Mark,
    /// When a key that is on its way out is out.
    stale_at: Option<Timestamp>,
}

enum Home {
    Folder(PathBuf),
    Shared(Place),
    /// This process alone, or its configuration.
    Here,
}

/// By what a state of the ring is known where it lives.
enum Mark {
    /// The bytes of a folder's manifest.
    Manifest(Vec<u8>),
    /// The version in a store.
    Version(u64),
    None,
}

/// What a rotation did.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rotation {
    /// The id of the key that signs from here on.
    pub current: Arc<str>,
    /// The id of the key that signed until here.
    pub previous: Arc<str>,
}

/// A change of the roster; `None` leaves all as it is.
type Change = dyn Fn(&Roster) -> Result<Option<Roster>, Error> + Send + Sync;

impl KeyRing {
    /// Opens the ring in a folder, with EdDSA; makes folder and keys where there are none.
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
    /// As [`open`](Self::open); also where the folder holds keys of another algorithm: one key, one
    /// algorithm.
    pub async fn open_with(folder: impl AsRef<Path>, algorithm: Algorithm) -> Result<Self, Error> {
        let clock = Clock::system();
        let now = clock.now();
        let path = folder.as_ref().to_owned();
        let target = path.clone();
        let (roster, manifest) = blocking(move || folder::open(&target, algorithm, now)).await?;
        Self::new(roster, Mark::Manifest(manifest), Home::Folder(path), clock)
    }

    /// A ring of fresh keys that live as long as the process: for tests.
    ///
    /// # Errors
    /// The random source cannot be read.
    pub fn generate(algorithm: Algorithm) -> Result<Self, Error> {
        let clock = Clock::system();
        let roster = Roster::create(algorithm, clock.now())?;
        Self::new(
            Roster {
                adopted: true,
                ..roster
            },
            Mark::None,
            Home::Here,
            clock,
        )
    }

    /// The same ring by another clock, for tests.
    #[must_use]
    pub fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// Tells how long a key that no longer makes anything is needed: the longest life of an access
    /// token with the leeway, the longest idle time of a session, and the longest time that
    /// something sealed is kept. Without it a day, 90 and 400 days; of several, as where gates
    /// share the ring, the longest count.
    pub fn set_lifetimes(&self, access: Duration, refresh: Duration, sealed: Duration) {
        // 0 is nothing told.
        let millis = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX).max(1);
        self.inner
            .access_overlap
            .fetch_max(millis(access), Ordering::Relaxed);
        self.inner
            .refresh_overlap
            .fetch_max(millis(refresh), Ordering::Relaxed);
        self.inner
            .seal_overlap
            .fetch_max(millis(sealed), Ordering::Relaxed);
    }

    /// The keys as they are at the moment.
    #[must_use]
    pub fn set(&self) -> Guard<Arc<KeySet>> {
        self.inner.set.load()
    }

    /// The public keys as a JWK set; empty for HMAC.
    #[must_use]
    pub fn jwks(&self) -> JwkSet {
        self.set().jwks()
    }

    /// The key that signs, to be kept while it does.
    pub(crate) fn signing(&self) -> Arc<SigningKey> {
        Arc::clone(self.set().signing_key())
    }

    /// Whether no gate has started with this ring yet. Only a ring in a folder or a store can be
    /// so.
    pub async fn is_unadopted(&self) -> bool {
        self.inner
            .source
            .lock()
            .await
            .roster
            .as_ref()
            .is_some_and(|roster| !roster.adopted)
    }

    /// Notes where the ring lives that a gate has started with it.
    ///
    /// # Errors
    /// The folder or the store cannot be written.
    pub async fn adopt(&self) -> Result<(), Error> {
        if self.is_unadopted().await {
            self.change(|roster| Ok(roster.adopt())).await
        } else {
            Ok(())
        }
    }

    /// Lets the next key sign, the current one go on verifying until its last token is out, and
    /// publishes another.
    ///
    /// One step: a crash leaves the ring as it was or as it is after. The keys of all three
    /// purposes move together: those that sign, those that guard refresh tokens, those that seal.
    ///
    /// # Errors
    /// The next key is published since less than 15 minutes, so that others may not know it yet;
    /// the ring comes from a configuration; the folder or the store cannot be written.
    pub async fn rotate(&self) -> Result<Rotation, Error> {
        let now = self.clock.now();
        let overlap = self.overlap();
        let previous = Arc::clone(self.set().signing().kid());
        self.change(move |roster| roster.rotate(now, overlap).map(Some))
            .await?;
        Ok(Rotation {
            current: Arc::clone(self.set().signing().kid()),
            previous,
        })
    }

    /// Ends what a key signed: by the `kid` of a signing key, or `refresh-<number>` for a MAC key.
    ///
    /// A signing key is forgotten and its access tokens are dead. Refresh tokens of a retired MAC
    /// key count only where the store knows their hash. Where the key was the current one, the next
    /// takes its place at once.
    ///
    /// # Errors
    /// There is no such key; the ring comes from a configuration; the folder or the store cannot be
    /// written.
    pub async fn retire(&self, name: &str) -> Result<(), Error> {
        let now = self.clock.now();
        let overlap = self.overlap();
        let name = name.to_owned();
        self.change(move |roster| roster.retire(&name, now, overlap).map(Some))
            .await
    }

    /// Looks whether the ring has changed where it lives, or a key's time is out; `true` where the
    /// keys are others from here on.
    ///
    /// # Errors
    /// As [`open`](Self::open); or the store cannot be read. The ring goes on with the keys it has.
    pub async fn reload(&self) -> Result<bool, Error> {
        let now = self.clock.now();
        let mut source = self.inner.source.lock().await;
        let read = match (&self.inner.home, &source.mark, &source.roster) {
            (Home::Folder(path), Mark::Manifest(known), Some(roster)) => {
                let (path, known, algorithm) = (path.clone(), known.clone(), roster.algorithm);
                let read = blocking(move || folder::read_changed(&path, algorithm, &known)).await?;
                read.map(|(roster, manifest)| (roster, Mark::Manifest(manifest)))
            }
            (Home::Shared(place), Mark::Version(known), _) => place
                .read(*known)
                .await?
                .map(|(version, roster)| (roster, Mark::Version(version))),
            _ => None,
        };
        let aged = source.stale_at.is_some_and(|at| at <= now);
        match (read, &source.roster) {
            (Some((roster, mark)), _) => self.install(&mut source, roster, mark, now)?,
            (None, Some(roster)) if aged => {
                self.inner.set.store(Arc::new(KeySet::new(roster, now)?));
                source.stale_at = roster.next_expiry(now);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// A ring whose keys are what they are.
    pub(in crate::keys) fn configured(set: KeySet) -> Self {
        Self::with(
            set,
            Source {
                roster: None,
                mark: Mark::None,
                stale_at: None,
            },
            Home::Here,
            Clock::system(),
        )
    }

    /// A ring that was read from, or put into, a store.
    pub(in crate::keys) fn shared(
        roster: Roster,
        version: u64,
        place: Place,
        clock: Clock,
    ) -> Result<Self, Error> {
        Self::new(roster, Mark::Version(version), Home::Shared(place), clock)
    }

    fn new(roster: Roster, mark: Mark, home: Home, clock: Clock) -> Result<Self, Error> {
        let now = clock.now();
        let set = KeySet::new(&roster, now)?;
        let stale_at = roster.next_expiry(now);
        Ok(Self::with(
            set,
            Source {
                roster: Some(roster),
                mark,
                stale_at,
            },
            home,
            clock,
        ))
    }

    fn with(set: KeySet, source: Source, home: Home, clock: Clock) -> Self {
        let inner = Inner {
            set: ArcSwap::from_pointee(set),
            source: Mutex::new(source),
            home,
            access_overlap: AtomicU64::new(0),
            refresh_overlap: AtomicU64::new(0),
            seal_overlap: AtomicU64::new(0),
        };
        Self {
            inner: Arc::new(inner),
            clock,
        }
    }

    /// Changes the ring where it lives, then here. `None` from `change` leaves all as it is.
    async fn change<F>(&self, change: F) -> Result<(), Error>
    where
        F: Fn(&Roster) -> Result<Option<Roster>, Error> + Send + Sync + 'static,
    {
        let now = self.clock.now();
        let change: Arc<Change> = Arc::new(change);
        let mut source = self.inner.source.lock().await;
        let Some(known) = source.roster.clone() else {
            return Err(Error::new(
                ErrorKind::Usage,
                "the keys of this ring come from its configuration: change them there",
            ));
        };
        let (roster, mark) = match &self.inner.home {
            Home::Folder(path) => {
                let (path, algorithm) = (path.clone(), known.algorithm);
                let (roster, manifest) =
                    blocking(move || folder::change(&path, algorithm, |roster| change(roster)))
                        .await?;
                (roster, Mark::Manifest(manifest))
            }
            Home::Shared(place) => {
                let (roster, version) = self.change_shared(place, &change).await?;
                (roster, Mark::Version(version))
            }
            Home::Here => match blocking(move || change(&known)).await? {
                Some(roster) => (roster, Mark::None),
                None => return Ok(()),
            },
        };
        self.install(&mut source, roster, mark, now)
    }

    /// Starts from what lies in the store, again where another node was faster.
    async fn change_shared(
        &self,
        place: &Place,
        change: &Arc<Change>,
    ) -> Result<(Roster, u64), Error> {
        for _ in 0..ATTEMPTS {
            let Some((version, roster)) = place.read(0).await? else {
                break;
            };
            let (change, known) = (Arc::clone(change), roster.clone());
            let Some(changed) = blocking(move || change(&known)).await? else {
                return Ok((roster, version));
            };
            if place.swap(version, &changed, &self.clock).await? {
                return Ok((changed, version.saturating_add(1)));
            }
        }
        Err(Error::new(
            ErrorKind::Keys,
            "the shared ring is gone from the store, or changes all the time",
        ))
    }

    fn install(
        &self,
        source: &mut Source,
        roster: Roster,
        mark: Mark,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.inner.set.store(Arc::new(KeySet::new(&roster, now)?));
        *source = Source {
            stale_at: roster.next_expiry(now),
            roster: Some(roster),
            mark,
        };
        Ok(())
    }

    fn overlap(&self) -> Overlap {
        let load = |span: &AtomicU64, untold| match span.load(Ordering::Relaxed) {
            0 => Duration::from_millis(untold),
            told => Duration::from_millis(told),
        };
        let Inner {
            access_overlap,
            refresh_overlap,
            seal_overlap,
            ..
        } = &*self.inner;
        Overlap {
            access: load(access_overlap, 24 * HOUR),
            refresh: load(refresh_overlap, 90 * 24 * HOUR),
            seal: load(seal_overlap, 400 * 24 * HOUR),
        }
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KeyRing").field(&**self.set()).finish()
    }
}

/// Runs what may block, files and the making of RSA keys, where it may.
pub(in crate::keys) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        Error::new(ErrorKind::Keys, "the work on the ring was interrupted").because(error)
    })?
}

const HOUR: u64 = 60 * 60 * 1000;
/// How often a change starts over where another node is faster.
const ATTEMPTS: u32 = 16;
