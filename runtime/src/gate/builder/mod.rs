//! The builder of a gate. The compiler requires the parts that have no safe default; everything
//! else has a method.

mod assemble;
mod claim;
mod optional;
mod plan;
mod states;

pub use states::Encrypted;
pub use states::{
    Encryption, Given, HasAudience, HasIssuer, HasKeys, HasOwnAudience, HasRealm, HasStore,
    Missing, Part, Plain, Protects, SharedAudience, SharedIssuer,
};

use std::any::TypeId;
use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::clock::Clock;
use crate::error::Error;
use crate::event::{Event, Events};
use crate::guard::MovingGuard;
use crate::settings::{Replaces, Settings};
use crate::store::{Before, IntoStore};
use crate::token::{Issuable, JwtClaims, nested_secret};

use super::backend::{Shell, check_answer};
use super::keys::IntoRing;
use super::running::Running;
use super::{AuthBackend, Gate};

use assemble::AnyBackend;
use plan::Plan;

/// Collects the parts of a gate. Started by the generated `gate()`.
///
/// Issuer, audience, keys and store have no safe default; without one of them `build()` does not
/// compile.
#[must_use = "nothing runs until `build().await`"]
pub struct GateBuilder<B, I = Missing, A = Missing, K = Missing, S = Missing, E = Plain> {
    backend: B,
    plan: Plan,
    parts: GivenParts<I, A, K, S, E>,
}

/// The parts that were given, as types alone.
type GivenParts<I, A, K, S, E> = PhantomData<fn() -> (I, A, K, S, E)>;

impl<B: AuthBackend> GateBuilder<B> {
    #[doc(hidden)]
    pub fn new(backend: B) -> Self {
        Self {
            backend,
            plan: Plan {
                base: Settings::default(),
                overrides: Vec::new(),
                ring: None,
                store: None,
                clock: Clock::system(),
                events: Events::default(),
                #[cfg(feature = "password")]
                passwords: None,
                moving: None,
                before: None,
                #[cfg(feature = "axum")]
                messages: crate::error::Messages::new(),
                shared_audience: None,
                is_shared: false,
            },
            parts: PhantomData,
        }
    }
}

impl<B, I, A, K, S, E> GateBuilder<B, I, A, K, S, E> {
    /// Takes the keys, the store, the settings and the clock of another gate, for a gate of another
    /// realm. It does not take the audience: each realm needs its own audience or issuer, so that
    /// services that do not know realms can tell their tokens apart. Call `.realm(…)` next, and
    /// `.audience(…)` or `.issuer(…)`.
    pub fn share<O: AuthBackend>(
        mut self,
        other: &Gate<O>,
    ) -> GateBuilder<B, SharedIssuer, SharedAudience, Given, Given, E> {
        let engine = other.engine();
        let mut settings = (*engine.settings).clone();
        self.plan.shared_audience = settings.audience.take();
        (settings.realm, settings.replaces) = (None, Replaces::default());
        settings.realm_parts.clear();
        self.plan.base = settings;
        self.plan.ring = Some(engine.ring.clone().into_ring());
        self.plan.store = Some(other.running.store().clone());
        self.plan.clock = engine.clock.clone();
        self.plan.is_shared = true;
        self.into_state()
    }

    /// Sets the issuer of the tokens: the claim `iss`.
    pub fn issuer(
        self,
        issuer: impl Into<String>,
    ) -> GateBuilder<B, I::AsIssuer, A::BesideIssuer, K, S, E>
    where
        I: Part,
        A: Part,
    {
        let issuer = issuer.into();
        self.with(|settings| settings.issuer = Some(issuer))
            .into_state()
    }

    /// Sets the intended audience of the tokens: the claim `aud`.
    pub fn audience(self, audience: impl Into<String>) -> GateBuilder<B, I, Given, K, S, E> {
        let audience = audience.into();
        self.with(|settings| settings.audience = Some(audience))
            .into_state()
    }

    /// Names the realm of this gate, for example `staff`: users of one kind, apart from those of
    /// every other gate of the store. Sessions, revocations, budgets and pauses belong to the
    /// realm, and so do its tokens and cookies. Without it the gate is that of the default realm.
    ///
    /// The name has at most 32 characters: lower-case letters, digits and single hyphens. It begins
    /// with a letter, does not end with a hyphen, and is not `default`. Each realm needs its own
    /// audience or issuer.
    pub fn realm(self, name: impl AsRef<str>) -> GateBuilder<B, I::WithRealm, A, K, S, E>
    where
        I: Part,
    {
        let name = name.as_ref().to_owned();
        self.with(|settings| settings.realm = Some(name))
            .into_state()
    }

    /// Sets the settings, from a file and the environment. A setting of the builder overrides them,
    /// in whichever order they are given.
    pub fn settings(mut self, settings: Settings) -> GateBuilder<B, Given, Given, K, S, E> {
        self.plan.base = settings;
        self.into_state()
    }

    /// Sets the keys: a [`KeyRing`](crate::keys::KeyRing), or a
    /// [`SharedRing`](crate::keys::SharedRing) that lives in the gate's store.
    pub fn keys(mut self, ring: impl IntoRing) -> GateBuilder<B, I, A, Given, S, E> {
        self.plan.ring = Some(ring.into_ring());
        self.into_state()
    }

    /// Sets the store.
    pub fn store(mut self, store: impl IntoStore) -> GateBuilder<B, I, A, K, Given, E> {
        self.plan.store = Some(store.into_store());
        self.into_state()
    }

    /// Encrypts the tokens after signing them (nested JWT, RFC 7519 section 11.2), so that only
    /// gates with this ring can read their contents. Claims marked `confidential` need it.
    ///
    /// No setting turns it off, and a gate reads only tokens of its own kind: when a running
    /// deployment is changed to it, the access tokens in use are refused, and clients refresh.
    /// Where claims are kept with the session (`refresh(from = stored)`), they are encrypted too,
    /// and sessions from before end at their next refresh. Services that hold only the JWK set
    /// cannot read the tokens: give them
    /// [`KeySet::decryption_key`](crate::keys::KeySet::decryption_key) of a token's `kid`, or let
    /// them ask the gate.
    #[cfg(feature = "jwe")]
    pub fn encrypt(self, with: Encrypted) -> GateBuilder<B, I, A, K, S, Encrypted> {
        let Encrypted::A256Gcm = with;
        GateBuilder {
            backend: self.backend,
            plan: self.plan,
            parts: PhantomData,
        }
    }

    /// Says which gates opened the sessions that the store had before its first named realm; the
    /// store does not know. [`Before::OneGate`] leaves them to the default realm,
    /// [`Before::SeveralGates`] ends them once. Without this call the first gate with a named realm
    /// refuses to start beside live sessions. The store records the answer, so later starts do not
    /// need it.
    pub fn realm_before(mut self, before: Before) -> Self {
        self.plan.before = Some(before);
        self
    }

    /// Allows a change of the realm's issuer, audience or kind. `replaces` has the old values:
    /// settings `replaces.*`.
    pub fn replaces(self, replaces: Replaces) -> Self {
        self.with(|settings| settings.replaces = replaces)
    }

    /// Accepts the refresh tokens of the system that this gate replaces, at `POST /auth/exchange`,
    /// so that users need not sign in again on the day of the change. The backend loads the user by
    /// [`Refresh`](crate::gate::Refresh).
    pub fn moving(mut self, guard: MovingGuard) -> Self {
        self.plan.moving = Some(guard);
        self
    }

    /// Sets the clock: a manual one for tests.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.plan.clock = clock;
        self
    }

    /// Watches the passwords of the backend, which uses a clone of them. An event reports each
    /// stored hash that cannot be read, and the gate's health is bad if more than one in a hundred
    /// cannot.
    #[cfg(feature = "password")]
    pub fn passwords(mut self, passwords: &crate::password::Passwords) -> Self {
        self.plan.passwords = Some(passwords.clone());
        self
    }

    /// Calls `handler` for every event, after its commit, on the task that caused it: keep it
    /// short.
    pub fn on_event(mut self, handler: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.plan.events = self.plan.events.inline(handler);
        self
    }

    /// Calls `handler` for every event in its own task, behind a queue of `capacity` events. If the
    /// queue is full, the event is dropped and counted.
    ///
    /// The handler is given before the gate exists. If it needs the gate, let it send the events to
    /// a task that has the gate, as below. That task keeps the gate alive: abort it if the gate is
    /// to end before the program.
    ///
    /// ```
    /// use tollgate::event::EventKind;
    /// # use tollgate::prelude::*;
    /// # #[derive(Clone, JwtClaims)] struct User { #[claim(sub)] id: u64 }
    /// # #[auth_backend(email, user = User, refresh(from = stored))] struct Accounts;
    /// # impl Authenticate for Accounts {
    /// #     async fn authenticate(&self, _: EmailLogin, _: &Client) -> Result<User, AuthError> {
    /// #         Ok(User { id: 7 })
    /// #     }
    /// # }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), tollgate::error::Error> {
    /// let (hand_on, mut events) = tokio::sync::mpsc::channel(1024);
    /// # let (builder, _) = tollgate::testing::ready(Accounts.gate())?;
    /// let gate = builder
    ///     .on_event(move |event| drop(hand_on.try_send(event.clone())))
    ///     .build()
    ///     .await?;
    /// let of_events = gate.clone();
    /// tokio::spawn(async move {
    ///     while let Some(event) = events.recv().await {
    ///         // A stolen refresh token ended its session: end the subject's others too.
    ///         let EventKind::RefreshReuse { .. } = event.kind else { continue };
    ///         let Some(subject) = event.subject else { continue };
    ///         if let Err(error) = of_events.revoke(Revoke::subject(subject)).await {
    ///             tracing::error!(%error, "the other sessions could not be ended");
    ///         }
    ///     }
    /// });
    /// # Ok(())
    /// # }
    /// ```
    pub fn on_event_queued<F, T>(mut self, capacity: usize, handler: F) -> Self
    where
        F: Fn(Event) -> T + Send + Sync + 'static,
        T: Future<Output = ()> + Send + 'static,
    {
        self.plan.events = self.plan.events.queued(capacity, handler);
        self
    }

    /// Adds handlers of events after those that were added before. A handler with the name of an
    /// earlier one replaces it. See [`Events`] for their order, and for how they stop an event.
    pub fn events(mut self, events: Events) -> Self {
        self.plan.events = self.plan.events.then(events);
        self
    }

    /// Sets the languages of problem documents; a request chooses one with `Accept-Language`. By
    /// default English only. [`Gate::install`] applies them to the whole application,
    /// [`Gate::router`] to the auth routes. In [`install`](crate::install) with several gates, the
    /// first gate that has languages sets them for all.
    #[cfg(feature = "axum")]
    pub fn messages(mut self, messages: crate::error::Messages) -> Self {
        self.plan.messages = messages;
        self
    }

    /// Builds the gate: checks the settings as a whole, migrates the tables to this version, signs
    /// and verifies a token as a test, loads the revocations, and starts the tasks.
    ///
    /// # Errors
    /// [`ErrorKind::Settings`](crate::error::ErrorKind::Settings) lists all problems of the
    /// settings at once. The other kinds name the first part that cannot be used: the keys, the
    /// store, the realm or the clock.
    #[must_use = "the gate is built when this is awaited"]
    pub fn build(self) -> Building<B>
    where
        B: AuthBackend,
        I: HasIssuer + HasRealm,
        A: HasAudience + HasOwnAudience,
        K: HasKeys,
        S: HasStore,
        E: Protects<<B::User as JwtClaims>::Secrecy>,
        B::User: Issuable,
    {
        let backend = Arc::new(self.backend);
        let shell = AnyBackend {
            backend: Arc::new(Shell(Arc::clone(&backend))),
            envelope: E::ENVELOPE,
            kind: B::KIND,
            type_id: TypeId::of::<B>(),
            secret: nested_secret::<<B::User as JwtClaims>::Claims>,
            subject: TypeId::of::<<B::User as JwtClaims>::Subject>(),
            check_answer: check_answer::<B>,
            #[cfg(feature = "axum")]
            routes: &B::ROUTES,
        };
        Building {
            backend,
            running: Box::pin(assemble::assemble(self.plan, shell)),
        }
    }

    fn with(mut self, change: impl FnOnce(&mut Settings) + Send + 'static) -> Self {
        self.plan.overrides.push(Box::new(change));
        self
    }

    fn into_state<I2, A2, K2, S2>(self) -> GateBuilder<B, I2, A2, K2, S2, E> {
        GateBuilder {
            backend: self.backend,
            plan: self.plan,
            parts: PhantomData,
        }
    }
}

impl<B, I, A, K, S, E> fmt::Debug for GateBuilder<B, I, A, K, S, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GateBuilder")
    }
}

/// A gate that is being built. Await it.
#[must_use = "the gate is built when this is awaited"]
pub struct Building<B: AuthBackend> {
    backend: Arc<B>,
    running: Pin<Box<dyn Future<Output = Result<Arc<Running>, Error>> + Send>>,
}

impl<B: AuthBackend> Future for Building<B> {
    type Output = Result<Gate<B>, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let running = std::task::ready!(self.running.as_mut().poll(context))?;
        Poll::Ready(Ok(Gate {
            backend: Arc::clone(&self.backend),
            running,
        }))
    }
}

impl<B: AuthBackend> fmt::Debug for Building<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Building")
    }
}
