#![doc = include_str!("../docs/guard.md")]

#[cfg(not(feature = "jwks-client"))]
mod absent;
mod boxed;
mod builder;
#[cfg(feature = "jwks-client")]
mod fetch;
mod issuer;
mod jwks;
mod key_cache;
mod moving;
mod parts;
mod preset;
mod refused;
mod router;
mod source;
mod static_keys;
mod table;

pub use builder::GuardRouterBuilder;
#[cfg(feature = "jwks-client")]
pub use fetch::HttpKeys;
pub use issuer::{AudienceClaim, Issuer, Nonce};
pub use jwks::JwksGuard;
pub use moving::{FormerToken, MovingGuard, MovingKey};
pub use parts::TokenParts;
pub use router::GuardRouter;
pub use source::{Attested, AttestedBuilder, Fetched, KeySource};
pub use static_keys::StaticGuard;

pub use crate::token::{TokenFault, TokenKind};

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use base64_simd::URL_SAFE_NO_PAD;

use crate::clock::Timestamp;
use crate::error::AuthError;
use crate::keys::PublicKeySet;
use crate::secret::sha256;
use crate::token::{JwtClaims, Verified};

/// A guard knows the keys of one issuer, and the requirements on its tokens.
///
/// [`StaticGuard`] and [`JwksGuard`] are enough for most programs; implement the trait for keys
/// from another source. The [`GuardRouter`] checks signature, times, issuer, audience and kind for
/// every guard.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a guard",
    label = "expected a `JwksGuard`, a `StaticGuard`, or a type that implements `JwtGuard`",
    note = "write `JwksGuard::oidc(\"https://issuer.example\").audience(\"…\")`"
)]
pub trait JwtGuard: Send + Sync + 'static {
    /// The type whose claims the tokens carry.
    type User: JwtClaims;

    /// Describes the requirements on the tokens. They do not change while the guard is in use.
    fn issuer(&self) -> &Issuer;

    /// Returns the keys of the issuer; `wanted` describes the token. Where it names an unknown key,
    /// a guard may fetch the keys again.
    ///
    /// # Errors
    /// [`AuthError::Unavailable`]: the keys could not be determined, and the client sees 503.
    fn public_keys(
        &self,
        wanted: Wanted<'_>,
    ) -> impl Future<Output = Result<Arc<PublicKeySet>, AuthError>> + Send;

    /// Checks claims that only this issuer's tokens have, or looks something up, after all other
    /// checks. By default every token passes. Write it as an `async fn`.
    ///
    /// It runs each time that a token is used, also a remembered one, and never before the
    /// signature was verified. [`Context::token`] has the token and its parts. If it takes longer
    /// than two seconds, the token is refused with 503.
    ///
    /// # Errors
    /// [`AuthError::Unavailable`] is 503, every other one 401.
    fn verify_custom_claims(
        &self,
        token: &Verified<<Self::User as JwtClaims>::Claims>,
        context: &Context<'_>,
    ) -> impl Future<Output = Result<(), AuthError>> + Send {
        let _ = (token, context);
        std::future::ready(Ok(()))
    }

    /// Returns a number that changes whenever the keys do: a token that was verified under another
    /// number is verified again. `None` if it is not known: then no token is remembered.
    fn generation(&self, now: Timestamp) -> Option<u64> {
        let _ = now;
        None
    }

    /// Reports the state of the guard's keys.
    fn health(&self, now: Timestamp) -> KeyHealth {
        let _ = now;
        KeyHealth::default()
    }
}

/// The token for which keys are asked.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Wanted<'a> {
    /// The key that the token names. The sender of the token chose it: it may be compared, and
    /// nothing else (R34).
    pub kid: Option<&'a str>,
    /// The time.
    pub now: Timestamp,
}

/// The conditions of a use of a token, apart from its validity.
///
/// ```
/// use tollgate::guard::{Context, digest};
///
/// let transfer = digest(br#"{"to":"DE89 3704","amount":"20.00"}"#);
/// let context = Context::action(&transfer).caller("teller-7");
/// assert_eq!(
///     (context.action, context.caller),
///     (Some(&*transfer), Some("teller-7"))
/// );
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Context<'a> {
    /// The digest of the one action that the token allows: the field marked `#[claim(action)]` must
    /// equal it.
    pub action: Option<&'a str>,
    /// The caller who presents the token, for [`JwtGuard::verify_custom_claims`].
    pub caller: Option<&'a str>,
    parts: Option<TokenParts<'a>>,
}

impl<'a> Context<'a> {
    /// Returns a context that asks for nothing.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            action: None,
            caller: None,
            parts: None,
        }
    }

    /// Returns a context in which the token must allow this action.
    #[must_use]
    pub const fn action(digest: &'a str) -> Self {
        Self {
            action: Some(digest),
            ..Self::none()
        }
    }

    /// Adds the caller who presents the token.
    #[must_use]
    pub const fn caller(self, caller: &'a str) -> Self {
        Self {
            caller: Some(caller),
            ..self
        }
    }

    /// Returns the token and its parts: in [`JwtGuard::verify_custom_claims`], and nowhere else.
    #[must_use]
    pub const fn token(&self) -> Option<TokenParts<'a>> {
        self.parts
    }

    /// Adds the token that was verified.
    const fn of(self, token: &'a str) -> Self {
        Self {
            parts: Some(TokenParts::of(token)),
            ..self
        }
    }
}

/// Returns the digest of an action, as both sides may write it: SHA-256 over its bytes, base64url
/// without padding. Issuer and service agree on which bytes these are.
#[must_use]
pub fn digest(action: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode_to_string(sha256(action))
}

/// The state of a guard's keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyHealth {
    /// The number of keys; `None` if the guard does not report it.
    pub keys: Option<usize>,
    /// The time since the keys were fetched; `None` if they were not fetched.
    pub age: Option<Duration>,
    /// The problem of the last attempt to fetch the keys, for operators.
    pub problem: Option<String>,
}

/// The state of one guard of a [`GuardRouter`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GuardHealth {
    /// Its name.
    pub name: String,
    /// Its issuer.
    pub issuer: String,
    /// `true` if the guard has keys and no problem.
    pub is_well: bool,
    /// Its keys.
    pub keys: KeyHealth,
    /// The number of tokens that it refused since it was added, by reason; reasons without a token
    /// are left out. Forged and mistyped tokens count too, so a rise alone says little about the
    /// guard.
    pub refused: Vec<(TokenFault, u64)>,
}
