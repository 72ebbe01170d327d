//! The handle on a ring: where its keys come from, how they change, how readers get at them without a lock.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::{ArcSwap, Guard};
use aws_lc_rs::hkdf;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, AlgorithmFamily};
use tokio::sync::Mutex;

use super::folder;
use super::roster::{Held, Overlap, Purpose, Roster};
use super::set::{KeySet, KeyState};
use super::signing::secret_len;
use super::strength;
use crate::clock::{Clock, Timestamp};
use crate::error::{Error, ErrorKind};
use crate::secret::{Secret, same};

/// The keys of a gate: they sign access tokens, guard refresh tokens, and seal what is stored.
///
/// Clones share the keys. Reading them takes no lock; a change is seen by every clone at once, and by other processes
/// on the same folder within the ten seconds after which a gate calls [`reload`](Self::reload).
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
}

struct Source {
    roster: Roster,
    /// The manifest's bytes that the roster was read from.
    manifest: Vec<u8>,
    /// When a key that is on its way out is out.
    stale_at: Option<Timestamp>,
}

enum Home {
    Folder(PathBuf),
    Memory,
    Configuration,
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

impl KeyRing {
    /// Opens the ring in a folder, with EdDSA; makes folder and keys where there are none.
    ///
    /// The folder gets the mode 0700, its files 0600. Of several processes that start at once, one makes the keys and
    /// the others find them.
    ///
    /// # Errors
    /// The folder cannot be read or written, or a file in it is unreadable, truncated, readable by others, of another
    /// version, or not the one that the manifest names. The message names the file.
    pub async fn open(folder: impl AsRef<Path>) -> Result<Self, Error> {
        Self::open_with(folder, Algorithm::EdDSA).await
    }

    /// Opens the ring in a folder, with an algorithm of your choice: HS256, HS384, HS512, RS256, RS384, RS512, PS256, PS384, PS512,
    /// ES256, ES384 or EdDSA. RSA keys are made with 2048 bits, which takes a moment.
    ///
    /// # Errors
    /// As [`open`](Self::open); also where the folder holds keys of another algorithm: one key, one algorithm.
    pub async fn open_with(folder: impl AsRef<Path>, algorithm: Algorithm) -> Result<Self, Error> {
        let clock = Clock::system();
        let now = clock.now();
        let path = folder.as_ref().to_owned();
        let target = path.clone();
        let (roster, manifest) = blocking(move || folder::open(&target, algorithm, now)).await?;
        Self::new(roster, manifest, Home::Folder(path), clock)
    }

    /// A ring of keys from a configuration: an HMAC key for access tokens and another secret for refresh tokens.
    ///
    /// Its JWK set is empty, and it is rotated where it comes from: in the configuration.
    ///
    /// # Errors
    /// The algorithm is not HMAC; a secret is shorter than the hash's output (RFC 7518 section 3.2; 32 bytes for the
    /// refresh secret), has fewer than 16 different bytes, or is a public key; the two are the same.
    pub fn from_secret(algorithm: Algorithm, secret: Secret, refresh_secret: Secret) -> Result<Self, Error> {
        let len = secret_len(algorithm).filter(|_| algorithm.family() == AlgorithmFamily::Hmac).ok_or_else(|| {
            Error::new(ErrorKind::Keys, format!("{algorithm:?} keys do not come from a shared secret: open a folder"))
        })?;
        strength::check("the signing secret", &secret, len)?;
        strength::check("the refresh secret", &refresh_secret, 32)?;
        if same(secret.expose(), refresh_secret.expose()) {
            return Err(Error::new(ErrorKind::Keys, "the signing secret and the refresh secret must not be the same"));
        }
        let clock = Clock::system();
        let now = clock.now();
        let held = |purpose, secret| Held::new(purpose, 1, algorithm, secret, KeyState::Current, now);
        let seal = derive(refresh_secret.expose(), b"tollgate/seal/1")?;
        let keys = vec![held(Purpose::Sign, secret)?, held(Purpose::Refresh, refresh_secret)?, held(Purpose::Seal, seal)?];
        let roster = Roster { algorithm, revision: 1, adopted: true, keys };
        Self::new(roster, Vec::new(), Home::Configuration, clock)
    }

    /// A ring of fresh keys that live as long as the process: for tests.
    ///
    /// # Errors
    /// The random source cannot be read.
    pub fn generate(algorithm: Algorithm) -> Result<Self, Error> {
        let clock = Clock::system();
        let roster = Roster::create(algorithm, clock.now())?;
        Self::new(Roster { adopted: true, ..roster }, Vec::new(), Home::Memory, clock)
    }

    /// The same ring by another clock, for tests.
    #[must_use]
    pub fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// Tells how long tokens live, so that a key verifies until its last one is out: the longest life of an access
    /// token with the leeway, and the longest idle time of a session. Without it a day and 90 days; of several, as where gates
    /// share the ring, the longest count.
    pub fn set_lifetimes(&self, access: Duration, refresh: Duration) {
        // 0 is nothing told.
        let millis = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX).max(1);
        self.inner.access_overlap.fetch_max(millis(access), Ordering::Relaxed);
        self.inner.refresh_overlap.fetch_max(millis(refresh), Ordering::Relaxed);
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

    /// Whether no gate has started with this ring yet. Only a ring in a folder can be so.
    pub async fn is_unadopted(&self) -> bool {
        !self.inner.source.lock().await.roster.adopted
    }

    /// Notes in the manifest that a gate has started with this ring.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub async fn adopt(&self) -> Result<(), Error> {
        if self.is_unadopted().await { self.change(|roster| Ok(roster.adopt())).await } else { Ok(()) }
    }

    /// Lets the next key sign, the current one go on verifying until its last token is out, and publishes another.
    ///
    /// One step: a crash leaves the ring as it was or as it is after. Signing keys and MAC keys move together; the key
    /// that seals stays.
    ///
    /// # Errors
    /// The next key is published since less than 15 minutes, so that others may not know it yet; the ring comes from a
    /// configuration; the folder cannot be written.
    pub async fn rotate(&self) -> Result<Rotation, Error> {
        let now = self.clock.now();
        let overlap = self.overlap();
        let previous = Arc::clone(self.set().signing().kid());
        self.change(move |roster| roster.rotate(now, overlap).map(Some)).await?;
        Ok(Rotation { current: Arc::clone(self.set().signing().kid()), previous })
    }

    /// Ends what a key signed: by the `kid` of a signing key, or `refresh-<number>` for a MAC key.
    ///
    /// A signing key is forgotten and its access tokens are dead. Refresh tokens of a retired MAC key count only where
    /// the store knows their hash. Where the key was the current one, the next takes its place at once.
    ///
    /// # Errors
    /// There is no such key; the ring comes from a configuration; the folder cannot be written.
    pub async fn retire(&self, name: &str) -> Result<(), Error> {
        let now = self.clock.now();
        let overlap = self.overlap();
        let name = name.to_owned();
        self.change(move |roster| roster.retire(&name, now, overlap).map(Some)).await
    }

    /// Looks whether the folder has changed, or a key's time is out; `true` where the keys are others from here on.
    ///
    /// # Errors
    /// As [`open`](Self::open). The ring goes on with the keys it has.
    pub async fn reload(&self) -> Result<bool, Error> {
        let now = self.clock.now();
        let mut source = self.inner.source.lock().await;
        let read = match &self.inner.home {
            Home::Folder(path) => {
                let path = path.clone();
                let (known, algorithm) = (source.manifest.clone(), source.roster.algorithm);
                blocking(move || folder::read_changed(&path, algorithm, &known)).await?
            }
            Home::Memory | Home::Configuration => None,
        };
        let aged = source.stale_at.is_some_and(|at| at <= now);
        let (roster, manifest) = match read {
            Some(read) => read,
            None if aged => (source.roster.clone(), source.manifest.clone()),
            None => return Ok(false),
        };
        self.install(&mut source, roster, manifest, now)?;
        Ok(true)
    }

    fn new(roster: Roster, manifest: Vec<u8>, home: Home, clock: Clock) -> Result<Self, Error> {
        let now = clock.now();
        let set = KeySet::new(&roster, now)?;
        let stale_at = roster.next_expiry(now);
        let inner = Inner {
            set: ArcSwap::from_pointee(set),
            source: Mutex::new(Source { roster, manifest, stale_at }),
            home,
            access_overlap: AtomicU64::new(0),
            refresh_overlap: AtomicU64::new(0),
        };
        Ok(Self { inner: Arc::new(inner), clock })
    }

    /// Changes the ring where it lives, then here. `None` from `change` leaves all as it is.
    async fn change<F>(&self, change: F) -> Result<(), Error>
    where
        F: FnOnce(&Roster) -> Result<Option<Roster>, Error> + Send + 'static,
    {
        let now = self.clock.now();
        let mut source = self.inner.source.lock().await;
        let (roster, manifest) = match &self.inner.home {
            Home::Folder(path) => {
                let path = path.clone();
                let algorithm = source.roster.algorithm;
                blocking(move || folder::change(&path, algorithm, change)).await?
            }
            Home::Memory | Home::Configuration => match change(&source.roster)? {
                Some(roster) => (roster, Vec::new()),
                None => return Ok(()),
            },
        };
        self.install(&mut source, roster, manifest, now)
    }

    fn install(&self, source: &mut Source, roster: Roster, manifest: Vec<u8>, now: Timestamp) -> Result<(), Error> {
        self.inner.set.store(Arc::new(KeySet::new(&roster, now)?));
        *source = Source { stale_at: roster.next_expiry(now), roster, manifest };
        Ok(())
    }

    fn overlap(&self) -> Overlap {
        let load = |span: &AtomicU64, untold| match span.load(Ordering::Relaxed) {
            0 => Duration::from_millis(untold),
            told => Duration::from_millis(told),
        };
        let Inner { access_overlap, refresh_overlap, .. } = &*self.inner;
        Overlap { access: load(access_overlap, 24 * HOUR), refresh: load(refresh_overlap, 90 * 24 * HOUR) }
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KeyRing").field(&**self.set()).finish()
    }
}

/// Runs file operations where they may block.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Error> + Send + 'static) -> Result<T, Error> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Error::new(ErrorKind::Keys, "reading the ring's folder was interrupted").because(error))?
}

/// 32 bytes for one purpose from a secret that has another (HKDF-SHA-256, RFC 5869).
fn derive(secret: &[u8], purpose: &[u8]) -> Result<Secret, Error> {
    let mut bytes = vec![0; 32];
    hkdf::Salt::new(hkdf::HKDF_SHA256, &[])
        .extract(secret)
        .expand(&[purpose], hkdf::HKDF_SHA256)
        .and_then(|okm| okm.fill(&mut bytes))
        .map_err(|_| Error::new(ErrorKind::Keys, "a key cannot be derived"))?;
    Ok(Secret::from_bytes(bytes))
}

const HOUR: u64 = 60 * 60 * 1000;
