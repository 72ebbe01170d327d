//! What a gate is built from. The compiler asks for what has no safe default; everything else has a
//! method.

mod optional;

use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::clock::Clock;
use crate::error::{Error, ErrorKind};
use crate::event::{Event, EventKind, Events};
use crate::session::{Engine, StoreClock};
use crate::settings::Settings;
use crate::store::{RevokeReason, Store, Target};
#[cfg(feature = "jwe")]
use crate::token::Secrecy;
use crate::token::{Envelope, Issuable, JwtClaims, Open};

use super::keys::{IntoRing, RingInput};
use super::task::{RELOAD, Running};
use super::{AuthBackend, Gate, Inner, store_error};

/// Collects what a gate needs. Started by the generated `gate()`.
///
/// Issuer, audience, keys and store have no safe default; without one of them `build()` does not
/// compile.
#[must_use = "nothing runs until `build().await`"]
pub struct GateBuilder<B, I = Missing, A = Missing, K = Missing, S = Missing, E = Plain> {
    backend: B,
    base: Settings,
    overrides: Vec<Override>,
    ring: Option<RingInput>,
    store: Option<Store>,
    clock: Clock,
    events: Events,
    parts: Parts<I, A, K, S, E>,
}

/// Which parts were given, as types alone.
type Parts<I, A, K, S, E> = PhantomData<fn() -> (I, A, K, S, E)>;
type Override = Box<dyn FnOnce(&mut Settings) + Send>;

/// A required part that was not given yet.
#[derive(Clone, Copy, Debug)]
pub struct Missing;

/// A required part that was given.
#[derive(Clone, Copy, Debug)]
pub struct Given;

macro_rules! required {
    ($(#[$doc:meta])* $name:ident, $message:literal, $note:literal) => {
        $(#[$doc])*
        #[diagnostic::on_unimplemented(message = $message, label = "this gate cannot be built yet", note = $note)]
        pub trait $name {}
        impl $name for Given {}
    };
}

required! {
    /// The issuer was given.
    HasIssuer, "the gate has no issuer", "say who issues the tokens: `.issuer(\"https://accounts.example.com\")`, or `.settings(Settings::load()?)`"
}
required! {
    /// The audience was given.
    HasAudience, "the gate has no audience", "say for whom tokens are issued: `.audience(\"https://api.example.com\")`, or `.settings(Settings::load()?)`"
}
required! {
    /// The keys were given.
    HasKeys, "the gate has no keys", "open a ring: `.keys(KeyRing::open(\"keys\").await?)`"
}
required! {
    /// The store was given.
    HasStore, "the gate has no store", "open one: `.store(SqliteStore::open(\"tollgate.db\").await?)`"
}

/// How a gate's tokens travel.
pub trait Encryption: 'static {
    #[doc(hidden)]
    const ENVELOPE: Envelope;
}

/// Signed, and readable by whoever holds them.
#[derive(Clone, Copy, Debug)]
pub struct Plain;

impl Encryption for Plain {
    const ENVELOPE: Envelope = Envelope::Open;
}

/// Signed and then encrypted: [`GateBuilder::encrypt`].
#[cfg(feature = "jwe")]
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Encrypted {
    /// `dir` with `A256GCM` (RFC 7518 sections 4.5 and 5.3), under keys that are derived from the
    /// ring's.
    A256Gcm,
}

#[cfg(feature = "jwe")]
impl Encryption for Encrypted {
    const ENVELOPE: Envelope = Envelope::Encrypted;
}

/// An encryption that is enough for claims of the secrecy `S`.
#[diagnostic::on_unimplemented(
    message = "claims marked `confidential` would travel in tokens that their holder can read",
    label = "this gate issues plain tokens",
    note = "encrypt the tokens with `.encrypt(Encrypted::A256Gcm)`, which the feature `jwe` has; \
            or leave the claim out with `#[claim(skip)]`; or remove `confidential` and let \
            whoever holds the token read it"
)]
pub trait Protects<S>: Encryption {}

impl Protects<Open> for Plain {}

#[cfg(feature = "jwe")]
impl<S: Secrecy> Protects<S> for Encrypted {}

impl<B: AuthBackend> GateBuilder<B> {
    #[doc(hidden)]
    pub fn new(backend: B) -> Self {
        Self {
            backend,
            base: Settings::default(),
            overrides: Vec::new(),
            ring: None,
            store: None,
            clock: Clock::system(),
            events: Events::default(),
            parts: PhantomData,
        }
    }
}

impl<B, I, A, K, S, E> GateBuilder<B, I, A, K, S, E> {
    /// Who issues the tokens: the claim `iss`.
    pub fn issuer(self, issuer: impl Into<String>) -> GateBuilder<B, Given, A, K, S, E> {
        let issuer = issuer.into();
        self.with(|settings| settings.issuer = Some(issuer))
            .into_state()
    }

    /// For whom they are issued: the claim `aud`.
    pub fn audience(self, audience: impl Into<String>) -> GateBuilder<B, I, Given, K, S, E> {
        let audience = audience.into();
        self.with(|settings| settings.audience = Some(audience))
            .into_state()
    }

    /// Settings from a file and the environment. What the builder says itself is stronger,
    /// whichever comes first.
    pub fn settings(mut self, settings: Settings) -> GateBuilder<B, Given, Given, K, S, E> {
        self.base = settings;
        self.into_state()
    }

    /// The keys: a [`KeyRing`](crate::keys::KeyRing), or a [`SharedRing`](crate::keys::SharedRing)
    /// that lives in the gate's store.
    pub fn keys(mut self, ring: impl IntoRing) -> GateBuilder<B, I, A, Given, S, E> {
        self.ring = Some(ring.into_ring());
        self.into_state()
    }

    /// The store.
    pub fn store(mut self, store: impl Into<Store>) -> GateBuilder<B, I, A, K, Given, E> {
        self.store = Some(store.into());
        self.into_state()
    }

    /// Encrypts the tokens after signing them (nested JWT, RFC 7519 section 11.2), so that only
    /// this ring's gates can read what they say. Claims marked `confidential` need it.
    ///
    /// No setting undoes it, and a gate reads only tokens of its own kind: when a running
    /// deployment is changed to it, the access tokens that are out are refused, and clients
    /// refresh. Where claims are kept with the session (`refresh(from = stored)`), they are sealed
    /// too, and sessions from before end at their next refresh. Services that hold only the JWK set
    /// cannot read the tokens: give them
    /// [`KeySet::decryption_key`](crate::keys::KeySet::decryption_key) of a token's `kid`, or let
    /// them ask.
    #[cfg(feature = "jwe")]
    pub fn encrypt(self, with: Encrypted) -> GateBuilder<B, I, A, K, S, Encrypted> {
        let Encrypted::A256Gcm = with;
        let Self {
            backend,
            base,
            overrides,
            ring,
            store,
            clock,
            events,
            ..
        } = self;
        GateBuilder {
            backend,
            base,
            overrides,
            ring,
            store,
            clock,
            events,
            parts: PhantomData,
        }
    }

    /// The clock: a manual one for tests.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Calls `handler` for every event, after its commit, on the task that caused it: keep it
    /// short.
    pub fn on_event(mut self, handler: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.events = self.events.inline(handler);
        self
    }

    /// Calls `handler` for every event on a task of its own, behind a queue of `capacity` events;
    /// what finds it full is dropped and counted.
    pub fn on_event_queued<F, T>(mut self, capacity: usize, handler: F) -> Self
    where
        F: Fn(Event) -> T + Send + Sync + 'static,
        T: Future<Output = ()> + Send + 'static,
    {
        self.events = self.events.queued(capacity, handler);
        self
    }

    /// Puts the gate together: checks the settings as a whole, brings the tables to this version,
    /// signs and verifies a token, loads the revocations, starts the tasks.
    ///
    /// # Errors
    /// The first thing that is not right, by name; settings with all their problems at once.
    #[must_use = "the gate is built when this is awaited"]
    pub fn build(self) -> Building<B>
    where
        B: AuthBackend,
        I: HasIssuer,
        A: HasAudience,
        K: HasKeys,
        S: HasStore,
        E: Protects<<B::User as JwtClaims>::Secrecy>,
        B::User: Issuable,
    {
        let Self {
            backend,
            mut base,
            overrides,
            ring,
            store,
            clock,
            events,
            ..
        } = self;
        for change in overrides {
            change(&mut base);
        }
        Building(Box::pin(async move {
            let missing = |what| Error::new(ErrorKind::Usage, format!("the gate has no {what}"));
            let ring = ring.ok_or_else(|| missing("keys"))?;
            let store = store.ok_or_else(|| missing("store"))?;
            base.validate()?;
            assemble(backend, base, ring, store, clock, events, E::ENVELOPE).await
        }))
    }

    fn with(mut self, change: impl FnOnce(&mut Settings) + Send + 'static) -> Self {
        self.overrides.push(Box::new(change));
        self
    }

    fn into_state<I2, A2, K2, S2>(self) -> GateBuilder<B, I2, A2, K2, S2, E> {
        let Self {
            backend,
            base,
            overrides,
            ring,
            store,
            clock,
            events,
            ..
        } = self;
        GateBuilder {
            backend,
            base,
            overrides,
            ring,
            store,
            clock,
            events,
            parts: PhantomData,
        }
    }
}

impl<B, I, A, K, S, E> fmt::Debug for GateBuilder<B, I, A, K, S, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GateBuilder")
    }
}

async fn assemble<B: AuthBackend>(
    backend: B,
    settings: Settings,
    ring: RingInput,
    store: Store,
    clock: Clock,
    events: Events,
    envelope: Envelope,
) -> Result<Gate<B>, Error> {
    let time = StoreClock::new(clock.clone());
    time.measure(&store)
        .await
        .map_err(|e| Error::new(ErrorKind::Store, "the store's clock cannot be read").because(e))?;
    let (offset, _) = time.offset();
    if offset > MOST_OFFSET {
        let seconds = offset.as_secs();
        let why = format!(
            "this machine's clock and the store's differ by {seconds} seconds: set them before \
             the gate is started"
        );
        return Err(Error::new(ErrorKind::Store, why));
    }
    store
        .migrate(time.now())
        .await
        .map_err(|e| Error::new(ErrorKind::Store, "the tables cannot be made").because(e))?;
    let health = store
        .health(time.now())
        .await
        .map_err(|e| Error::new(ErrorKind::Store, "the store cannot be written to").because(e))?;
    let ring = ring.open(&store, &clock).await?;
    // Read again after the sessions: another process may have adopted the ring since this one
    // opened it, and signed somebody in.
    ring.reload().await?;
    let is_lost = ring.is_unadopted().await && health.has_live_sessions;
    if is_lost && !settings.keys.accept_new {
        return Err(Error::new(
            ErrorKind::Keys,
            "the key ring was just made, and the store holds live sessions that it could not \
             verify: bring the lost keys back, or set `keys.accept_new = true` to sign everyone \
             out",
        ));
    }
    let ring = ring.with_clock(clock.clone());
    // Another process signs with a replaced key until it has read the ring again.
    let overlap = settings
        .access
        .max_ttl()
        .saturating_add(settings.leeway)
        .saturating_add(RELOAD * 2);
    ring.set_lifetimes(overlap, settings.session.idle, settings.session.absolute);
    #[cfg(feature = "rate-limit")]
    let throttle = crate::throttle::Throttle::new(&settings.throttle, &store, &clock)
        .await
        .map_err(store_error)?;
    #[cfg(feature = "metrics")]
    let events = events.named(settings.issuer.as_deref().unwrap_or_default());
    let (engine, queue) = Engine::new(
        settings,
        store,
        ring,
        (clock, time),
        events.start(),
        envelope,
    );
    engine.report_offset();
    engine.self_test().await?;
    engine.catch_up().await.map_err(store_error)?;
    if is_lost {
        engine
            .revoke_target(Target::Everything, RevokeReason::Requested)
            .await
            .map_err(store_error)?;
    }
    engine.ring.adopt().await?;
    if engine.settings.cookies.path.is_some() && !engine.settings.has_secure_origin() {
        engine.events.emit(&Event::new(EventKind::InsecureOrigin));
    }
    let running = Arc::new(Running::start(engine, queue));
    Ok(Gate(Arc::new(Inner {
        backend,
        running,
        #[cfg(feature = "rate-limit")]
        throttle,
    })))
}

/// By how much the clocks may differ at the start (ROTATION 6).
const MOST_OFFSET: Duration = Duration::from_secs(5 * 60);

/// A gate on its way. Await it.
#[must_use = "the gate is built when this is awaited"]
pub struct Building<B: AuthBackend>(Pin<Box<dyn Future<Output = Result<Gate<B>, Error>> + Send>>);

impl<B: AuthBackend> Future for Building<B> {
    type Output = Result<Gate<B>, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(context)
    }
}

impl<B: AuthBackend> fmt::Debug for Building<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Building")
    }
}
