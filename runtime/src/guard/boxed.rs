//! [`JwtGuard`] with boxed futures, so that one list holds guards of different types.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use super::{Context, Issuer, JwtGuard, KeyHealth, Wanted};
use crate::clock::Timestamp;
use crate::error::AuthError;
use crate::keys::PublicKeySet;
use crate::token::{JwtClaims, Verified};

/// The keys of an issuer, once they are known.
type KeysFuture<'a> =
    Pin<Box<dyn Future<Output = Result<Arc<PublicKeySet>, AuthError>> + Send + 'a>>;

/// The outcome of a guard's own check.
type CheckFuture<'a> = Pin<Box<dyn Future<Output = Result<(), AuthError>> + Send + 'a>>;

/// [`JwtGuard`] with boxed futures.
pub(super) trait BoxedGuard<U: JwtClaims>: Send + Sync {
    fn issuer(&self) -> &Issuer;
    fn public_keys<'a>(&'a self, wanted: Wanted<'a>) -> KeysFuture<'a>;
    fn verify_custom_claims<'a>(
        &'a self,
        token: &'a Verified<U::Claims>,
        context: &'a Context<'_>,
    ) -> CheckFuture<'a>;
    fn generation(&self, now: Timestamp) -> Option<u64>;
    fn health(&self, now: Timestamp) -> KeyHealth;
}

impl<G: JwtGuard> BoxedGuard<G::User> for G {
    fn issuer(&self) -> &Issuer {
        JwtGuard::issuer(self)
    }

    fn public_keys<'a>(&'a self, wanted: Wanted<'a>) -> KeysFuture<'a> {
        Box::pin(JwtGuard::public_keys(self, wanted))
    }

    fn verify_custom_claims<'a>(
        &'a self,
        token: &'a Verified<<G::User as JwtClaims>::Claims>,
        context: &'a Context<'_>,
    ) -> CheckFuture<'a> {
        Box::pin(JwtGuard::verify_custom_claims(self, token, context))
    }

    fn generation(&self, now: Timestamp) -> Option<u64> {
        JwtGuard::generation(self, now)
    }

    fn health(&self, now: Timestamp) -> KeyHealth {
        JwtGuard::health(self, now)
    }
}
