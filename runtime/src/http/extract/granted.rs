//! Policies inside a handler: applied to a caller who is known already.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use super::super::problem::Rejection;
use super::Auth;
use super::handed::CallerToken;
use crate::error::Refusal;
use crate::event::{Event, EventKind};
use crate::policy::compose::{is_covered, stricter};
use crate::policy::{Decision, PolicyFor, decide};
use crate::token::{ClaimSet as _, JwtClaims, TokenInfo};

/// The proof that a caller satisfies the policy `P`: returned by [`Auth::require`]. It derefs to
/// the claims.
///
/// A function that takes this value cannot be called without the check.
#[must_use]
pub struct Granted<'a, U: JwtClaims, P> {
    caller: &'a CallerToken<U::Claims>,
    policy: PhantomData<fn() -> P>,
}

impl<U: JwtClaims, P: PolicyFor<U>> Auth<U, P> {
    /// Checks that the caller also satisfies another policy.
    ///
    /// It decides by the claims of the token, and does not ask the store: a policy with a
    /// `consistency` of its own belongs in the handler's argument, and does not compile here.
    ///
    /// # Errors
    /// The policy refuses the caller: 403, or 401 where a fresh authentication would do.
    ///
    /// # Examples
    /// ```
    /// use axum::Json;
    /// use axum::extract::Path;
    /// use tollgate::extract::Granted;
    /// use tollgate::prelude::*;
    /// # #[derive(Clone, Copy, PartialEq, Eq, ClaimValue)] enum Role { Moderator }
    /// # #[derive(Clone, JwtClaims)]
    /// # struct User { #[claim(sub)] id: u64, #[claim(roles)] roles: Vec<Role> }
    ///
    /// #[derive(Policy)]
    /// #[policy(role = Role::Moderator)]
    /// struct Moderators;
    ///
    /// async fn delete_post(
    ///     user: Auth<User>,
    ///     Path(author): Path<u64>,
    /// ) -> Result<&'static str, Rejection> {
    ///     if author != *user.subject() {
    ///         remove(user.require::<Moderators>()?);
    ///     }
    ///     Ok("deleted")
    /// }
    ///
    /// /// Cannot be called for anybody else.
    /// fn remove(moderator: Granted<'_, User, Moderators>) {
    ///     println!("removed by {}", moderator.subject());
    /// }
    /// # let _ = delete_post;
    /// ```
    ///
    /// A policy that must ask the store is refused by `cargo build`; `cargo check` does not notice
    /// it:
    /// ```compile_fail,E0080
    /// # use tollgate::prelude::*;
    /// # #[derive(Clone, Copy, PartialEq, Eq, ClaimValue)] enum Role { Moderator }
    /// # #[derive(Clone, JwtClaims)]
    /// # struct User { #[claim(sub)] id: u64, #[claim(roles)] roles: Vec<Role> }
    /// #[derive(Policy)]
    /// #[policy(role = Role::Moderator, consistency = strict)]
    /// struct Moderators;
    ///
    /// fn is_moderator(user: &Auth<User>) -> bool {
    ///     user.require::<Moderators>().is_ok()
    /// }
    /// # fn main() {
    /// #     let f: fn(&Auth<User>) -> bool = is_moderator;
    /// #     std::hint::black_box(f);
    /// # }
    /// ```
    pub fn require<Q: PolicyFor<U>>(&self) -> Result<Granted<'_, U, Q>, Rejection> {
        self.decide::<Q>()
            .or_refuse()
            .map_err(|refusal| self.reject(refusal))?;
        Ok(Granted {
            caller: &self.caller,
            policy: PhantomData,
        })
    }

    /// Returns whether the caller also satisfies another policy: for a page that shows more to some
    /// users.
    ///
    /// As for [`require`](Self::require), the policy does not ask the store.
    #[must_use]
    pub fn satisfies<Q: PolicyFor<U>>(&self) -> bool {
        self.decide::<Q>() == Decision::Allow
    }

    /// Turns the caller into one who was checked by another policy, for functions that take such a
    /// caller. The policy `P` still holds, but is no longer in the type.
    ///
    /// # Errors
    /// As [`require`](Self::require).
    pub fn proven<Q: PolicyFor<U>>(self) -> Result<Auth<U, Q>, Rejection> {
        let _ = self.require::<Q>()?;
        Ok(Auth {
            caller: self.caller,
            transport: self.transport,
            verifier: self.verifier,
            policy: PhantomData,
        })
    }

    fn decide<Q: PolicyFor<U>>(&self) -> Decision {
        const {
            assert!(
                is_covered(
                    stricter(Q::CONSISTENCY, Q::AT_LEAST),
                    stricter(P::CONSISTENCY, P::AT_LEAST)
                ),
                "the policy asks the store, which only the argument of a handler does: write \
                 `Auth<User, Policy>` there"
            );
        }
        decide(&Q::RULE, &self.caller, self.verifier.now())
    }

    pub(super) fn reject(&self, refusal: Refusal) -> Rejection {
        if let Some(gate) = self.verifier.running() {
            gate.report(&Event::new(EventKind::AccessRefused(refusal.code())));
        }
        Rejection::new(refusal, &self.verifier.scheme())
    }
}

impl<U: JwtClaims, P: PolicyFor<U>> Granted<'_, U, P> {
    /// Returns the caller's claims.
    #[must_use]
    pub fn claims(&self) -> &U::Claims {
        self.caller.claims()
    }

    /// Returns the caller's subject.
    #[must_use]
    pub fn subject(&self) -> &U::Subject {
        self.claims().subject()
    }

    /// Returns the claims that the gate itself wrote into the token.
    #[must_use]
    pub fn token(&self) -> &TokenInfo {
        self.caller.token()
    }
}

impl<U: JwtClaims, P: PolicyFor<U>> Deref for Granted<'_, U, P> {
    type Target = U::Claims;

    fn deref(&self) -> &U::Claims {
        self.claims()
    }
}

impl<U: JwtClaims, P> Clone for Granted<'_, U, P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<U: JwtClaims, P> Copy for Granted<'_, U, P> {}

impl<U: JwtClaims, P: PolicyFor<U>> fmt::Debug for Granted<'_, U, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Granted").field(self.claims()).finish()
    }
}
