//! Several guards behind one type: the choice of the guard, the checks that all tokens pass, the
//! cache of verified tokens.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::boxed::BoxedGuard;
use super::{Context, GuardHealth, Wanted};
use crate::clock::{Clock, Timestamp};
use crate::error::{AuthError, Code, Refusal};
use crate::keys::{PublicKey, PublicKeySet};
use crate::secret::sha256;
use crate::store::Store;
#[cfg(feature = "axum")]
use crate::token::Origin;
use crate::token::{
    ClaimSet, Expected, JwtClaims, Sealed, TokenInfo, Verified, VerifiedCache, VerifyError,
};

/// Guards by name and by issuer, behind one type. Cheap to clone.
///
/// The guard whose issuer is the token's `iss`, byte for byte, verifies the token, and no other
/// guard does: where that one refuses it, it is refused. All guards of one router read the same
/// claims.
pub struct GuardRouter<U: JwtClaims>(pub(super) Arc<RouterState<U>>);

/// What the clones of a router share.
pub(super) struct RouterState<U: JwtClaims> {
    pub(super) guards: Vec<NamedGuard<U>>,
    pub(super) store: Option<Store>,
    pub(super) clock: Clock,
    pub(super) verified: VerifiedCache,
}

/// A guard, and what is expected of the tokens that it verifies.
pub(super) struct NamedGuard<U: JwtClaims> {
    pub(super) name: Arc<str>,
    pub(super) expected: Expected,
    pub(super) guard: Box<dyn BoxedGuard<U>>,
}

impl<U: JwtClaims> GuardRouter<U> {
    /// Verifies a token by the guard of its issuer.
    ///
    /// # Errors
    /// [`Code::InvalidToken`], [`Code::TokenExpired`]; [`Code::Unavailable`] where the keys or the
    /// store could not be read.
    pub async fn verify(
        &self,
        token: &str,
        context: &Context<'_>,
    ) -> Result<Verified<U::Claims>, Refusal> {
        self.authenticate(token, context, |sealed| {
            let issuer = sealed.claimed_issuer()?;
            self.0
                .guards
                .iter()
                .position(|entry| *entry.expected.base.issuer == *issuer)
        })
        .await
    }

    /// Verifies a token by the guard of this name, whatever issuer the token claims.
    ///
    /// # Errors
    /// As [`verify`](Self::verify). A token is invalid where there is no guard of this name.
    pub async fn verify_by(
        &self,
        name: &str,
        token: &str,
        context: &Context<'_>,
    ) -> Result<Verified<U::Claims>, Refusal> {
        let by_name = self.0.guards.iter().position(|entry| *entry.name == *name);
        let verified = self.authenticate(token, context, |_| by_name).await?;
        // What was remembered may be another guard's.
        if verified.token().guard() == Some(name) {
            Ok(verified)
        } else {
            Err(Code::InvalidToken.into())
        }
    }

    /// Returns the names of the guards, in their order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.guards.iter().map(|entry| &*entry.name)
    }

    /// Returns the issuers of the guards, in their order.
    pub fn issuers(&self) -> impl Iterator<Item = &str> {
        self.0
            .guards
            .iter()
            .map(|entry| &*entry.expected.base.issuer)
    }

    /// Returns whether one of the guards is for tokens of this issuer and realm.
    #[cfg(feature = "axum")]
    pub(crate) fn are_for(&self, origin: &Origin) -> bool {
        let mut guards = self.0.guards.iter();
        guards.any(|entry| origin.is_expected(&entry.expected.base))
    }

    /// Reports the state of each guard, without asking any issuer.
    #[must_use]
    pub fn health(&self) -> Vec<GuardHealth> {
        let now = self.0.clock.now();
        let of = |entry: &NamedGuard<U>| {
            let keys = entry.guard.health(now);
            GuardHealth {
                name: entry.name.to_string(),
                issuer: entry.expected.base.issuer.to_string(),
                is_well: keys.problem.is_none() && keys.keys != Some(0),
                keys,
            }
        };
        self.0.guards.iter().map(of).collect()
    }

    /// Returns whether a token that these guards verified is bound to the value that its client
    /// sent along.
    pub(crate) fn is_bound_to(&self, token: &TokenInfo, sent: Option<&str>) -> bool {
        let entry = self
            .0
            .guards
            .iter()
            .find(|entry| token.guard() == Some(&*entry.name));
        entry.is_some_and(|entry| entry.guard.issuer().is_bound_to(token.nonce(), sent))
    }

    /// Returns the clock.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// Verifies a token by the guard that `which` finds, unless it is remembered.
    async fn authenticate(
        &self,
        token: &str,
        context: &Context<'_>,
        which: impl FnOnce(&Sealed<'_>) -> Option<usize>,
    ) -> Result<Verified<U::Claims>, Refusal> {
        let now = self.0.clock.now();
        let (entry, verified) = match self.find_remembered(token, now) {
            Some(found) => found,
            None => self.verify_unseen(token, now, which).await?,
        };
        entry
            .guard
            .verify_custom_claims(&verified, context)
            .map_err(refuse)?;
        self.consume_action(entry, &verified, context, now).await?;
        Ok(verified)
    }

    /// Returns a token that was verified before, whose keys are the same and whose time is not out.
    fn find_remembered(
        &self,
        token: &str,
        now: Timestamp,
    ) -> Option<(&NamedGuard<U>, Verified<U::Claims>)> {
        self.0.verified.get(token, (now, now), |guard| {
            let entry = self.0.guards.get(usize::try_from(guard).ok()?)?;
            Some((entry, entry.guard.generation(now)?, &entry.expected.base))
        })
    }

    /// Verifies a token that is not remembered, and remembers it.
    async fn verify_unseen(
        &self,
        token: &str,
        now: Timestamp,
        which: impl FnOnce(&Sealed<'_>) -> Option<usize>,
    ) -> Result<(&NamedGuard<U>, Verified<U::Claims>), Refusal> {
        let sealed = Sealed::read(token).ok_or(Code::InvalidToken)?;
        let at = which(&sealed).ok_or(Code::InvalidToken)?;
        let entry = self.0.guards.get(at).ok_or(Code::InvalidToken)?;
        // Before the keys: a token that cannot count causes no fetch.
        let allowed = entry.guard.issuer().allowed();
        if !allowed
            .iter()
            .any(|algorithm| *sealed.algorithm == *algorithm.as_str())
            || !sealed.may_be(entry.expected.kind)
        {
            return Err(Code::InvalidToken.into());
        }
        // Before the keys too: what is remembered under an old number is verified again.
        let generation = entry.guard.generation(now);
        let keys = entry
            .guard
            .public_keys(Wanted {
                kid: sealed.kid.as_deref(),
                now,
            })
            .await
            .map_err(refuse)?;
        let key = find(&keys, &sealed).ok_or(Code::InvalidToken)?;
        let kid = Arc::from(key.kid().unwrap_or_default());
        let verified: Verified<U::Claims> = sealed
            .verify(key, &kid, &entry.expected, now)
            .map_err(|error| match error {
                VerifyError::Expired => Code::TokenExpired,
                VerifyError::Invalid => Code::InvalidToken,
            })?;
        if let Some(generation) = generation.filter(|_| !<U::Claims as ClaimSet>::ACTION_BOUND) {
            self.0.verified.put(token, &verified, at as u64, generation);
        }
        Ok((entry, verified))
    }

    /// Consumes a token that is for one action: it is good for that one, and once.
    async fn consume_action(
        &self,
        entry: &NamedGuard<U>,
        verified: &Verified<U::Claims>,
        context: &Context<'_>,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let action = verified
            .claims()
            .action()
            .filter(|action| !action.is_empty());
        match (
            <U::Claims as ClaimSet>::ACTION_BOUND,
            action,
            context.action,
        ) {
            (false, _, None) => return Ok(()),
            (true, Some(bound), Some(wanted)) if bound == wanted => {}
            _ => return Err(Code::InvalidToken.into()),
        }
        let token = verified.token();
        let id = token
            .external_id()
            .filter(|id| !id.is_empty())
            .ok_or(Code::InvalidToken)?;
        let store = self
            .0
            .store
            .as_ref()
            .ok_or_else(|| Refusal::unavailable("action-bound tokens need a store"))?;
        let key = sha256(format!("tollgate/action/1\0{}\0{id}", token.issuer()).as_bytes());
        let until = token
            .expires_at()
            .plus(entry.expected.base.leeway)
            .plus(MARGIN);
        let is_first = store
            .consume_once(key, until, now)
            .await
            .map_err(Refusal::unavailable)?;
        if is_first {
            Ok(())
        } else {
            Err(Code::InvalidToken.into())
        }
    }
}

/// Finds the key of a token: by its `kid`, or the only key where either has no `kid`.
fn find<'k>(keys: &'k PublicKeySet, sealed: &Sealed<'_>) -> Option<&'k PublicKey> {
    let by_name = |kid: &str| {
        let mut named = keys.keys().iter().filter(|key| key.kid() == Some(kid));
        named.find(|key| is_for(key, sealed))
    };
    let key = match (&sealed.kid, keys.keys()) {
        (Some(kid), [only]) if only.kid().is_none_or(|name| *name == **kid) => Some(only),
        (Some(kid), _) => by_name(kid),
        (None, [only]) => Some(only),
        (None, _) => None,
    };
    key.filter(|key| is_for(key, sealed))
}

/// Returns whether the header names the key's algorithm, to the letter. The algorithm is the key's,
/// never the header's (R10, R18, R21).
fn is_for(key: &PublicKey, sealed: &Sealed<'_>) -> bool {
    *sealed.algorithm == *key.algorithm().as_str()
}

fn refuse(error: AuthError) -> Refusal {
    error.into_refusal(Code::InvalidToken)
}

impl<U: JwtClaims> Clone for GuardRouter<U> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<U: JwtClaims> fmt::Debug for GuardRouter<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

/// How much longer than its life a used token stays noted.
const MARGIN: Duration = Duration::from_secs(60);
