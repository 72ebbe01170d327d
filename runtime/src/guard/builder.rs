//! Puts the guards of a router together: every problem at once.

use std::fmt;
use std::sync::Arc;

use super::JwtGuard;
use super::boxed::BoxedGuard;
use super::router::{GuardRouter, NamedGuard, RouterState};
use crate::clock::Clock;
use crate::error::{Error, ErrorKind};
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
    others: Vec<String>,
    store: Option<Store>,
    clock: Clock,
    cache_bytes: u64,
}

impl<U: JwtClaims> GuardRouterBuilder<U> {
    pub(super) fn empty() -> Self {
        Self {
            guards: Vec::new(),
            others: Vec::new(),
            store: None,
            clock: Clock::system(),
            cache_bytes: CACHE_BYTES,
        }
    }

    /// Adds a guard by a name of your own, which its tokens are told by:
    /// [`TokenInfo::guard`](crate::token::TokenInfo::guard).
    pub fn guard(mut self, name: impl Into<String>, guard: impl JwtGuard<User = U>) -> Self {
        self.guards.push((name.into().into(), Box::new(guard)));
        self
    }

    /// Refuses guards with this issuer, whose tokens are verified by another part of the program.
    pub fn not(mut self, issuer: impl Into<String>) -> Self {
        self.others.push(issuer.into());
        self
    }

    /// Sets the store in which used tokens for one action are noted, so that each counts once.
    pub fn store(mut self, store: impl Into<Store>) -> Self {
        self.store = Some(store.into());
        self
    }

    /// Sets the clock: a manual one for tests.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Sets how many bytes of verified tokens are remembered: 8 MiB by default, nothing where it is
    /// 0.
    pub fn remember(mut self, bytes: u64) -> Self {
        self.cache_bytes = bytes;
        self
    }

    /// Puts the router together.
    ///
    /// # Errors
    /// There is no guard; two have one name or one issuer, or the issuer of the gate beside them;
    /// an issuer lacks something, such as an audience; tokens are bound to actions, and there is no
    /// store. All at once.
    pub fn build(self) -> Result<GuardRouter<U>, Error> {
        let Self {
            guards,
            others,
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
        for (at, (name, guard)) in guards.iter().enumerate() {
            let issuer = guard.issuer();
            problems.extend(
                issuer
                    .problems()
                    .into_iter()
                    .map(|why| format!("guard `{name}`: {why}")),
            );
            for (other, earlier) in guards.iter().take(at) {
                if other == name {
                    problems.push(format!("two guards are called `{name}`"));
                }
                if earlier.issuer().name() == issuer.name() {
                    problems.push(format!(
                        "guards `{other}` and `{name}` both are for the issuer `{issuer}`"
                    ));
                }
            }
            if others.iter().any(|other| other == issuer.name()) {
                problems.push(format!(
                    "guard `{name}` is for the issuer `{issuer}`, whose tokens the gate itself \
                     verifies"
                ));
            }
        }
        if !problems.is_empty() {
            return Err(Error::new(ErrorKind::Usage, problems.join("; ")));
        }
        let entry = |(name, guard): (Arc<str>, Box<dyn BoxedGuard<U>>)| NamedGuard {
            expected: guard.issuer().expected(&name),
            name,
            guard,
        };
        let guards = guards.into_iter().map(entry).collect();
        Ok(GuardRouter(Arc::new(RouterState {
            guards,
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
