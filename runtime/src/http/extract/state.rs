//! What a state must hold for the extractors.

use std::sync::Arc;

use axum::extract::FromRef;

use crate::gate::{AuthBackend, Gate, Verifier};
use crate::token::JwtClaims;

/// A state from which the tokens of `U` can be verified.
///
/// A [`Gate`] and a [`Verifier`] are such states, an `Arc` of one is, and so is every state that
/// gives a `Verifier<U>` by [`FromRef`]. Implement that, not this.
#[diagnostic::on_unimplemented(
    message = "the state `{Self}` holds no gate for `{U}`",
    label = "the tokens of `{U}` cannot be verified here",
    note = "hand the gate to the router: `.with_state(gate)`; for a state of your own, implement \
            `FromRef` of it for `Verifier<{U}>` with `gate.verifier()`, and an `Arc` of it holds \
            the gate too"
)]
pub trait Holds<U: JwtClaims> {
    /// Returns what verifies the tokens.
    fn verifier(&self) -> Verifier<U>;
}

#[diagnostic::do_not_recommend]
impl<S, U: JwtClaims> Holds<U> for S
where
    Verifier<U>: FromRef<S>,
{
    fn verifier(&self) -> Verifier<U> {
        Verifier::from_ref(self)
    }
}

/// A state that holds the gate of `B`.
#[diagnostic::on_unimplemented(
    message = "the state `{Self}` holds no gate of `{B}`",
    label = "the users of `{B}` cannot be loaded here",
    note = "hand the gate to the router: `.with_state(gate)`; for a state of your own, implement \
            `FromRef` of it for `Gate<{B}>`, and an `Arc` of it holds the gate too"
)]
pub trait HoldsGate<B: AuthBackend> {
    /// Returns the gate.
    fn gate(&self) -> Gate<B>;
}

#[diagnostic::do_not_recommend]
impl<S, B: AuthBackend> HoldsGate<B> for S
where
    Gate<B>: FromRef<S>,
{
    fn gate(&self) -> Gate<B> {
        Gate::from_ref(self)
    }
}

impl<B: AuthBackend> FromRef<Gate<B>> for Verifier<B::User> {
    fn from_ref(gate: &Gate<B>) -> Self {
        gate.verifier()
    }
}

/// An `Arc` of a state holds what the state holds.
impl<S, U: JwtClaims> FromRef<Arc<S>> for Verifier<U>
where
    Self: FromRef<S>,
{
    fn from_ref(state: &Arc<S>) -> Self {
        Self::from_ref(&**state)
    }
}

/// An `Arc` of a state holds what the state holds.
impl<S, B: AuthBackend> FromRef<Arc<S>> for Gate<B>
where
    Self: FromRef<S>,
{
    fn from_ref(state: &Arc<S>) -> Self {
        Self::from_ref(&**state)
    }
}
