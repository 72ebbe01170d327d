//! The callers of the routes for operations: a user type, a policy, and the gate that judges.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use crate::gate::{AuthBackend, Gate, Verifier};
use crate::policy::PolicyFor;
use crate::token::JwtClaims;

/// Callers of the type `U` who satisfy the policy `P`, as a gate judges them: [`by`] makes it.
pub struct By<U: JwtClaims, P> {
    pub(super) verifier: Verifier<U>,
    /// The longest time since the caller proved who they are.
    pub(super) max_age: Duration,
    policy: PhantomData<fn() -> P>,
}

/// Names the callers of the routes of [`Gate::admin_router`] and [`Gate::health_figures`]: users of
/// the type `U` who satisfy the policy `P`. `verifier` verifies their tokens; it may be a gate of
/// another realm than the gate of the routes.
///
/// # Examples
/// ```
/// # use tollgate::gate::{AuthBackend, Gate};
/// # use tollgate::prelude::*;
/// # #[derive(Clone, Copy, PartialEq, Eq, ClaimValue)] enum Role { Admin }
/// # #[derive(Clone, JwtClaims)]
/// # struct Staff {
/// #     #[claim(sub)] id: u64,
/// #     #[claim(roles)] roles: Vec<Role>,
/// # }
/// #[derive(Policy)]
/// #[policy(role = Role::Admin)]
/// struct Admins;
///
/// fn admin<C, E>(customers: &Gate<C>, staff: &Gate<E>) -> ProtectedRouter
/// where
///     C: AuthBackend,
///     E: AuthBackend<User = Staff>,
/// {
///     let routes = customers.admin_router(tollgate::by::<Staff, Admins>(staff));
///     ProtectedRouter::new().nest("/admin/customers", routes)
/// }
/// ```
pub fn by<U, P>(verifier: impl Into<Verifier<U>>) -> By<U, P>
where
    U: JwtClaims,
    P: PolicyFor<U>,
{
    By {
        verifier: verifier.into(),
        max_age: FRESH,
        policy: PhantomData,
    }
}

impl<U: JwtClaims, P> By<U, P> {
    /// Sets the longest time since an administrator signed in or authenticated again. By default 15
    /// minutes. It does not concern [`Gate::health_figures`].
    #[must_use]
    pub fn within(mut self, max_age: Duration) -> Self {
        self.max_age = max_age;
        self
    }
}

impl<U: JwtClaims, P> Clone for By<U, P> {
    fn clone(&self) -> Self {
        Self {
            verifier: self.verifier.clone(),
            ..*self
        }
    }
}

impl<U: JwtClaims, P> fmt::Debug for By<U, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("By")
            .field("max_age", &self.max_age)
            .finish_non_exhaustive()
    }
}

impl<B: AuthBackend> From<&Gate<B>> for Verifier<B::User> {
    fn from(gate: &Gate<B>) -> Self {
        gate.verifier()
    }
}

const FRESH: Duration = Duration::from_secs(15 * 60);
