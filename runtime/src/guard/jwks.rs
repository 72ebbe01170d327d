//! A guard whose keys are fetched.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "jwks-client")]
use super::HttpKeys;
use super::key_cache::{CacheLimits, KeyCache};
use super::{AudienceClaim, Issuer, JwtGuard, KeyHealth, KeySource, Nonce, TokenKind, Wanted};
use crate::clock::Timestamp;
use crate::error::AuthError;
use crate::keys::{Algorithm, PublicKeySet};
use crate::token::JwtClaims;

/// A guard that fetches the keys of its issuer, and keeps them.
///
/// They are fetched when the first token comes, and renewed in the background every ten minutes
/// while tokens come. A token that names an unknown key makes the guard fetch again, but the issuer
/// is not asked more often than every 30 seconds, whether a fetch succeeds or not. While the issuer
/// cannot be reached, the known keys verify for a day; then every token is refused with 503.
pub struct JwksGuard<U> {
    issuer: Issuer,
    limits: CacheLimits,
    cache: Arc<KeyCache>,
    user: PhantomData<fn() -> U>,
}

impl<U: JwtClaims> JwksGuard<U> {
    /// Makes a guard with keys from any source.
    #[must_use]
    pub fn new(issuer: Issuer, source: impl KeySource) -> Self {
        let limits = CacheLimits {
            renew: Duration::from_secs(10 * 60),
            stale: Duration::from_secs(24 * 60 * 60),
        };
        Self {
            issuer,
            limits,
            cache: KeyCache::new(Box::new(source)),
            user: PhantomData,
        }
    }

    /// Accepts access tokens of any OpenID provider or OAuth 2 server with a discovery document
    /// (OpenID Connect Discovery section 4), as RFC 9068 has them. For ID tokens add
    /// `.accept(TokenKind::IdToken)`.
    #[cfg(feature = "jwks-client")]
    #[must_use]
    pub fn oidc(issuer: &str) -> Self {
        Self::new(Issuer::new(issuer), HttpKeys::discovered(issuer))
    }

    /// As [`Issuer::audience`].
    #[must_use]
    pub fn audience(self, audience: impl Into<String>) -> Self {
        Self {
            issuer: self.issuer.audience(audience),
            ..self
        }
    }

    /// As [`Issuer::alias`].
    #[must_use]
    pub fn alias(self, name: impl Into<String>) -> Self {
        Self {
            issuer: self.issuer.alias(name),
            ..self
        }
    }

    /// As [`Issuer::tenants`].
    #[must_use]
    pub fn tenants<T: Into<String>>(self, tenants: impl IntoIterator<Item = T>) -> Self {
        Self {
            issuer: self.issuer.tenants(tenants),
            ..self
        }
    }

    /// As [`Issuer::any_tenant_dangerous`].
    #[must_use]
    pub fn any_tenant_dangerous(self) -> Self {
        Self {
            issuer: self.issuer.any_tenant_dangerous(),
            ..self
        }
    }

    /// As [`Issuer::audience_claim`].
    #[must_use]
    pub fn audience_claim(self, claim: AudienceClaim) -> Self {
        Self {
            issuer: self.issuer.audience_claim(claim),
            ..self
        }
    }

    /// As [`Issuer::audience_claim_dangerous`].
    #[must_use]
    pub fn audience_claim_dangerous(self, name: impl Into<String>) -> Self {
        Self {
            issuer: self.issuer.audience_claim_dangerous(name),
            ..self
        }
    }

    /// As [`Issuer::authorized_party`].
    #[must_use]
    pub fn authorized_party(self, client: impl Into<String>) -> Self {
        Self {
            issuer: self.issuer.authorized_party(client),
            ..self
        }
    }

    /// As [`Issuer::realm`].
    #[must_use]
    pub fn realm(self, name: impl AsRef<str>) -> Self {
        Self {
            issuer: self.issuer.realm(name),
            ..self
        }
    }

    /// As [`Issuer::algorithms`].
    #[must_use]
    pub fn algorithms(self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        Self {
            issuer: self.issuer.algorithms(algorithms),
            ..self
        }
    }

    /// As [`Issuer::accept`].
    #[must_use]
    pub fn accept(self, kind: TokenKind) -> Self {
        Self {
            issuer: self.issuer.accept(kind),
            ..self
        }
    }

    /// As [`Issuer::leeway`].
    #[must_use]
    pub fn leeway(self, leeway: Duration) -> Self {
        Self {
            issuer: self.issuer.leeway(leeway),
            ..self
        }
    }

    /// As [`Issuer::max_lifetime`].
    #[must_use]
    pub fn max_lifetime(self, max_lifetime: Duration) -> Self {
        Self {
            issuer: self.issuer.max_lifetime(max_lifetime),
            ..self
        }
    }

    /// As [`Issuer::max_bytes`].
    #[must_use]
    pub fn max_bytes(self, bytes: usize) -> Self {
        Self {
            issuer: self.issuer.max_bytes(bytes),
            ..self
        }
    }

    /// As [`Issuer::max_members`].
    #[must_use]
    pub fn max_members(self, members: usize) -> Self {
        Self {
            issuer: self.issuer.max_members(members),
            ..self
        }
    }

    /// As [`Issuer::try_without_kid`].
    #[must_use]
    pub fn try_without_kid(self) -> Self {
        Self {
            issuer: self.issuer.try_without_kid(),
            ..self
        }
    }

    /// As [`Issuer::nonce`].
    #[must_use]
    pub fn nonce(self, nonce: Nonce) -> Self {
        Self {
            issuer: self.issuer.nonce(nonce),
            ..self
        }
    }

    /// Sets the age at which the keys are renewed: ten minutes by default, and never less than 30
    /// seconds.
    #[must_use]
    pub fn renew_every(mut self, age: Duration) -> Self {
        self.limits.renew = age;
        self
    }

    /// Sets the age at which keys that cannot be renewed no longer verify: a day by default.
    #[must_use]
    pub fn max_stale(mut self, age: Duration) -> Self {
        self.limits.stale = age;
        self
    }
}

impl<U: JwtClaims> JwtGuard for JwksGuard<U> {
    type User = U;

    fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    async fn public_keys(&self, wanted: Wanted<'_>) -> Result<Arc<PublicKeySet>, AuthError> {
        self.cache
            .keys(wanted, self.limits, self.issuer.allowed())
            .await
    }

    fn generation(&self, now: Timestamp) -> Option<u64> {
        self.cache.generation(now, self.limits)
    }

    fn health(&self, now: Timestamp) -> KeyHealth {
        self.cache.health(now, self.limits)
    }
}

impl<U> fmt::Debug for JwksGuard<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwksGuard")
            .field("issuer", &self.issuer.name())
            .finish_non_exhaustive()
    }
}
