//! Verifies access tokens for an axum state: the gate's own, or those of other issuers.

use std::fmt;
use std::sync::Arc;

use crate::error::Refusal;
use crate::guard::{Context, GuardRouter, GuardRouterBuilder};
use crate::token::{ClaimSet, JwtClaims, Verified};
#[cfg(feature = "axum")]
use crate::token::{Limits, Origin};

use super::running::Running;
use super::{AuthBackend, Gate};

/// Verifies the access tokens of a gate whose users are `U`, or of the issuers of a
/// [`GuardRouter`]. Cheap to clone.
pub struct Verifier<U: JwtClaims>(VerifierSource<U>);

enum VerifierSource<U: JwtClaims> {
    Gate(Arc<Running>),
    Guards(GuardRouter<U>),
}

impl<U: JwtClaims> Verifier<U> {
    pub(super) fn new(running: Arc<Running>) -> Self {
        Self(VerifierSource::Gate(running))
    }

    /// Verifies a token as a protected route does.
    ///
    /// # Errors
    /// As [`Gate::verify`](super::Gate::verify).
    pub async fn verify(&self, token: &str) -> Result<Verified<U::Claims>, Refusal> {
        match &self.0 {
            VerifierSource::Gate(running) => {
                let admission = &running.flows().engine.admission;
                admission.admit(token).await
            }
            VerifierSource::Guards(guards) => guards.verify(token, &Context::none()).await,
        }
    }

    /// Returns the gate that issues these tokens; `None` if others issue them.
    #[cfg(feature = "axum")]
    pub(crate) fn running(&self) -> Option<&Arc<Running>> {
        match &self.0 {
            VerifierSource::Gate(running) => Some(running),
            VerifierSource::Guards(_) => None,
        }
    }

    /// Returns the size up to which the verifier reads tokens.
    #[cfg(feature = "axum")]
    pub(crate) fn limits(&self) -> Limits {
        match &self.0 {
            VerifierSource::Gate(_) => Limits::DEFAULT,
            VerifierSource::Guards(guards) => guards.limits(),
        }
    }

    /// Returns whether this verifier is responsible for tokens of this issuer and realm.
    #[cfg(feature = "axum")]
    pub(crate) fn is_for(&self, origin: &Origin) -> bool {
        match &self.0 {
            VerifierSource::Gate(running) => running.admission().is_for(origin),
            VerifierSource::Guards(guards) => guards.are_for(origin),
        }
    }

    /// Returns the scheme that challenges name.
    #[cfg(feature = "axum")]
    pub(crate) fn scheme(&self) -> Arc<str> {
        match &self.0 {
            VerifierSource::Gate(running) => Arc::clone(&running.scheme),
            VerifierSource::Guards(_) => BEARER.into(),
        }
    }

    #[cfg(feature = "axum")]
    pub(crate) fn now(&self) -> crate::clock::Timestamp {
        match &self.0 {
            VerifierSource::Gate(running) => running.flows().engine.clock.now(),
            VerifierSource::Guards(guards) => guards.clock().now(),
        }
    }
}

impl<U: JwtClaims> GuardRouter<U> {
    /// Returns the verifier of the tokens of these issuers, for an axum state of your own: handlers
    /// take `Auth<U>`.
    ///
    /// ```
    /// use axum::extract::FromRef;
    /// use axum::{Router, routing::get};
    /// use tollgate::guard::{GuardRouter, Issuer, StaticGuard};
    /// use tollgate::prelude::*;
    ///
    /// #[derive(Clone, JwtClaims)]
    /// #[claims(external)]
    /// struct Partner {
    ///     #[claim(sub)]
    ///     id: String,
    /// }
    ///
    /// async fn orders(partner: Auth<Partner>) -> String {
    ///     format!("orders of {}", partner.subject())
    /// }
    ///
    /// # fn main() -> Result<(), tollgate::error::Error> {
    /// let guard = StaticGuard::new(Issuer::new("https://partner.example").audience("orders"));
    /// let verifier: Verifier<Partner> = GuardRouter::alone("partner", guard)?.verifier();
    /// let app: Router = Router::new()
    ///     .route("/orders", get(orders))
    ///     .with_state(verifier);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// A token that is good for one action does not sign a caller in. Verify it where the action is
    /// taken, by [`verify`](Self::verify) with a [`Context`]. `cargo build` refuses this code;
    /// `cargo check` does not notice:
    /// ```ignore
    /// #[derive(Clone, JwtClaims)]
    /// #[claims(external)]
    /// struct Transfer {
    ///     #[claim(sub)]
    ///     id: String,
    ///     #[claim(action)]
    ///     action: String,
    /// }
    /// let guards: GuardRouter<Transfer> = GuardRouter::alone("partner", guard)?;
    /// guards.verifier();
    /// ```
    #[must_use]
    pub fn verifier(&self) -> Verifier<U> {
        const {
            assert!(
                !<U::Claims as ClaimSet>::ACTION_BOUND,
                "tokens with `#[claim(action)]` are good for one action: verify them with \
                 `guards.verify(token, &Context::action(…))`"
            );
        }
        Verifier(VerifierSource::Guards(self.clone()))
    }
}

impl<U: JwtClaims> GuardRouterBuilder<U> {
    /// Puts the guards beside this gate, on routes that accept tokens of both: no guard may have
    /// the gate's issuer and realm. The gate's handlers receive the guards' events.
    pub fn beside<B: AuthBackend>(self, gate: &Gate<B>) -> Self {
        let engine = gate.engine();
        let realm = engine.realm.as_ref().map(|realm| realm.as_str().into());
        let beside = self.emitter(engine.events.clone());
        match &engine.settings.issuer {
            Some(issuer) => beside.not_in(issuer, realm),
            None => beside,
        }
    }
}

impl<U: JwtClaims> Clone for Verifier<U> {
    fn clone(&self) -> Self {
        Self(match &self.0 {
            VerifierSource::Gate(running) => VerifierSource::Gate(Arc::clone(running)),
            VerifierSource::Guards(guards) => VerifierSource::Guards(guards.clone()),
        })
    }
}

impl<U: JwtClaims> fmt::Debug for Verifier<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verifier")
    }
}

/// The scheme of other issuers' tokens (RFC 6750).
#[cfg(feature = "axum")]
pub(crate) const BEARER: &str = "Bearer";
