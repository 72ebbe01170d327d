//! A caller whom a layer around the handlers looked at already, so that no extractor does it again.

use std::any::Any;
use std::sync::Arc;

use http::request::Parts;

use super::presented::Kept;
use crate::clock::Timestamp;
use crate::gate::Running;
use crate::policy::{Facts, Value, claim_holds};
use crate::session::Occasion;
use crate::settings::Consistency;
use crate::token::{ClaimSet, Minted, TokenInfo, Verified};

/// The token of a caller.
#[derive(Clone, Debug)]
pub(in crate::http) enum CallerToken<C> {
    /// The client sent it.
    Sent(Verified<C>),
    /// The server issued it for the request in hand: the client may never get it.
    #[cfg_attr(
        not(feature = "cookies"),
        allow(dead_code, reason = "only pages are renewed by the server")
    )]
    Minted(Minted<C>),
}

impl<C> CallerToken<C> {
    /// Returns the caller's claims.
    pub(in crate::http) fn claims(&self) -> &C {
        match self {
            Self::Sent(verified) => verified.claims(),
            Self::Minted(minted) => minted.claims(),
        }
    }

    /// Returns what the token says of itself.
    pub(in crate::http) fn token(&self) -> &TokenInfo {
        match self {
            Self::Sent(verified) => verified.token(),
            Self::Minted(minted) => minted.token(),
        }
    }

    /// Returns why a request with this token is looked at: a minted one confirms nothing.
    pub(in crate::http) fn occasion(&self) -> Occasion {
        match self {
            Self::Sent(verified) => Occasion::entry(verified),
            Self::Minted(_) => Occasion::QUESTION,
        }
    }
}

impl<C: Clone> CallerToken<C> {
    /// Returns the caller's claims, taken out.
    pub(in crate::http) fn into_claims(self) -> C {
        match self {
            Self::Sent(verified) => verified.into_claims(),
            #[cfg(feature = "cookies")]
            Self::Minted(minted) => minted.into_claims(),
            #[cfg(not(feature = "cookies"))]
            Self::Minted(minted) => minted.claims().clone(),
        }
    }
}

impl<C: ClaimSet> Facts for CallerToken<C> {
    fn has_role(&self, role: &str) -> bool {
        self.claims().has_role(role)
    }

    fn has_scope(&self, scope: &str) -> bool {
        self.claims().has_scope(scope)
    }

    fn has_claim(&self, name: &str, value: &Value) -> Option<bool> {
        claim_holds(self.claims(), name, value)
    }

    fn auth_time(&self) -> Option<Timestamp> {
        self.token().auth_time()
    }

    fn acr(&self) -> Option<&str> {
        self.token().acr()
    }
}

/// A caller of a gate, with the type of their claims.
#[derive(Clone)]
struct Handed<C> {
    gate: Arc<Running>,
    token: CallerToken<C>,
    /// The consistency with which the store was asked; `None` if it was not asked.
    asked: Option<Consistency>,
}

/// The same without the type.
trait AnyHanded: Send + Sync {
    fn gate(&self) -> &Arc<Running>;
    fn token(&self) -> &TokenInfo;
    fn occasion(&self) -> Occasion;
    fn asked(&self) -> Option<Consistency>;
    fn as_any(&self) -> &dyn Any;
}

impl<C: ClaimSet> AnyHanded for Handed<C> {
    fn gate(&self) -> &Arc<Running> {
        &self.gate
    }

    fn token(&self) -> &TokenInfo {
        self.token.token()
    }

    fn occasion(&self) -> Occasion {
        self.token.occasion()
    }

    fn asked(&self) -> Option<Consistency> {
        self.asked
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// The caller of a request, for its extractors.
#[derive(Clone)]
pub(in crate::http) struct HandedCaller(Arc<dyn AnyHanded>);

impl HandedCaller {
    /// Wraps a caller of a gate. `asked` is how the store was asked, if it was.
    #[cfg(feature = "cookies")]
    pub(in crate::http) fn new<C: ClaimSet>(
        gate: &Arc<Running>,
        token: CallerToken<C>,
        asked: Option<Consistency>,
    ) -> Self {
        Self(Arc::new(Handed {
            gate: Arc::clone(gate),
            token,
            asked,
        }))
    }

    /// Hands the caller on to the extractors.
    #[cfg(feature = "cookies")]
    pub(in crate::http) fn hand_on(self, parts: &mut Parts) {
        Kept::of(&mut parts.extensions).hand_on(self);
    }

    /// Returns the caller of a request that was handed on for this gate.
    pub(in crate::http) fn of<'r>(parts: &'r Parts, gate: &Running) -> Option<&'r Self> {
        if !gate.has_pages() {
            return None;
        }
        parts.extensions.get::<Kept>()?.caller(gate)
    }

    /// Returns the gate of the caller.
    #[cfg(feature = "cookies")]
    pub(super) fn gate(&self) -> &Running {
        self.0.gate()
    }

    /// Returns whether this is the caller of a gate.
    pub(super) fn is_for(&self, gate: &Running) -> bool {
        std::ptr::eq(&**self.0.gate(), gate)
    }

    /// Returns the token with its claims.
    pub(super) fn typed<C: ClaimSet>(&self) -> Option<CallerToken<C>> {
        let handed = self.0.as_any().downcast_ref::<Handed<C>>()?;
        Some(handed.token.clone())
    }

    /// Returns what the token says of itself.
    pub(in crate::http) fn token(&self) -> &TokenInfo {
        self.0.token()
    }

    /// Returns why the request is looked at.
    pub(super) fn occasion(&self) -> Occasion {
        self.0.occasion()
    }

    /// Returns whether the store was asked in this way.
    pub(super) fn was_asked(&self, consistency: Consistency) -> bool {
        self.0.asked() == Some(consistency)
    }
}
