//! Builds the guards of a router, and changes them later: all problems are reported at once.

use std::fmt;
use std::sync::{Arc, Mutex};

use arc_swap::ArcSwap;

use super::JwtGuard;
use super::boxed::BoxedGuard;
use super::refused::Refused;
use super::router::{GuardRouter, RouterState};
use super::table::{GuardTable, NamedGuard, OtherIssuer, OtherRealm};
use crate::clock::Clock;
use crate::error::{Error, ErrorKind};
use crate::event::{Emitter, Event, Events};
use crate::store::Store;
use crate::token::{ClaimSet, JwtClaims, VerifiedCache};

impl<U: JwtClaims> GuardRouter<U> {
    /// Begins a router, without guards yet.
    pub fn builder() -> GuardRouterBuilder<U> {
        GuardRouterBuilder::empty()
    }

    /// Makes a router with this guard alone.
    ///
    /// # Errors
    /// As [`GuardRouterBuilder::build`].
    pub fn alone(name: impl Into<String>, guard: impl JwtGuard<User = U>) -> Result<Self, Error> {
        Self::builder().guard(name, guard).build()
    }
}

/// Collects the guards of a [`GuardRouter`].
#[must_use = "nothing is verified until `build()`"]
pub struct GuardRouterBuilder<U: JwtClaims> {
    guards: Vec<(Arc<str>, Box<dyn BoxedGuard<U>>)>,
    others: Vec<OtherIssuer>,
    events: Events,
    emitter: Option<Emitter>,
    store: Option<Store>,
    clock: Clock,
    cache_bytes: u64,
}

impl<U: JwtClaims> GuardRouterBuilder<U> {
    pub(super) fn empty() -> Self {
        Self {
            guards: Vec::new(),
            others: Vec::new(),
            events: Events::new(),
            emitter: None,
            store: None,
            clock: Clock::system(),
            cache_bytes: CACHE_BYTES,
        }
    }

    /// Adds a guard under a name of your own, by which its tokens can be told:
    /// [`TokenInfo::guard`](crate::token::TokenInfo::guard).
    pub fn guard(mut self, name: impl Into<String>, guard: impl JwtGuard<User = U>) -> Self {
        self.guards.push((name.into().into(), Box::new(guard)));
        self
    }

    /// Refuses guards with this issuer, whose tokens are verified by another part of the program.
    pub fn not(mut self, issuer: impl Into<String>) -> Self {
        self.others.push(OtherIssuer {
            name: issuer.into(),
            realm: None,
        });
        self
    }

    /// Refuses guards with this issuer and realm.
    pub(crate) fn not_in(mut self, issuer: &str, realm: OtherRealm) -> Self {
        self.others.push(OtherIssuer {
            name: issuer.into(),
            realm: Some(realm),
        });
        self
    }

    /// Calls `handler` for every event of the guards, such as
    /// [`EventKind::ForeignTokenRefused`](crate::event::EventKind::ForeignTokenRefused), beside the
    /// log. It runs before the request is answered, and so must be quick.
    pub fn on_event(mut self, handler: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.events = self.events.inline(handler);
        self
    }

    /// Sets the receiver of events, unless the builder has a handler of its own.
    pub(crate) fn emitter(mut self, emitter: Emitter) -> Self {
        self.emitter = Some(emitter);
        self
    }

    /// Sets the store that records used tokens for one action, so that each is accepted once.
    pub fn store(mut self, store: impl Into<Store>) -> Self {
        self.store = Some(store.into());
        self
    }

    /// Sets the clock: a manual one for tests.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Sets how many bytes of verified tokens are remembered: 8 MiB by default, none for 0.
    pub fn remember(mut self, bytes: u64) -> Self {
        self.cache_bytes = bytes;
        self
    }

    /// Puts the router together.
    ///
    /// # Errors
    /// All problems at once: there is no guard; two have one name or one issuer, or the issuer of
    /// the gate beside them; an issuer lacks something, such as an audience; tokens are bound to
    /// actions, and there is no store.
    pub fn build(self) -> Result<GuardRouter<U>, Error> {
        let Self {
            guards,
            others,
            events,
            emitter,
            store,
            clock,
            cache_bytes,
        } = self;
        let mut problems = Vec::new();
        if guards.is_empty() {
            problems.push(String::from(
                "the router has no guard: add one with `.guard(\"name\", …)`",
            ));
        }
        if <U::Claims as ClaimSet>::ACTION_BOUND && store.is_none() {
            problems.push(String::from(
                "its tokens are bound to one action each, so they count once: say where that is \
                 noted, with `.store(…)`",
            ));
        }
        let mut table = GuardTable::new(Vec::new());
        for (number, (name, guard)) in (0..).zip(guards) {
            let new = NamedGuard::new(name, number, guard);
            problems.extend(table.problems(&new, &others));
            table.guards.push(Arc::new(new));
        }
        if !problems.is_empty() {
            return Err(Error::new(ErrorKind::Usage, problems.join("; ")));
        }
        let next = table.guards.len() as u64;
        let emitter = match emitter {
            Some(emitter) if events.is_empty() => emitter,
            _ => events.clock(&clock).start(),
        };
        Ok(GuardRouter(Arc::new(RouterState {
            table: ArcSwap::from_pointee(GuardTable::new(table.guards)),
            next: Mutex::new(next),
            others,
            unknown: Refused::default(),
            events: emitter,
            store,
            clock,
            verified: VerifiedCache::new(cache_bytes),
        })))
    }
}

impl<U: JwtClaims> fmt::Debug for GuardRouterBuilder<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GuardRouterBuilder")
    }
}

/// R132.
const CACHE_BYTES: u64 = 8 * 1024 * 1024;
