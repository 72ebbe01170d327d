//! The traits by which extractors find a gate or a verifier in the state.

use std::sync::Arc;

use axum::extract::FromRef;

use crate::gate::{AuthBackend, Gate, Verifier};
use crate::token::JwtClaims;

/// A state from which the tokens of `U` can be verified.
///
/// A [`Gate`] and a [`Verifier`] are such states, an `Arc` of one is, and so is every state that
/// gives a `Verifier<U>` by [`FromRef`]. Implement that trait, not this one.
#[diagnostic::on_unimplemented(
    message = "the state `{Self}` holds no gate for `{U}`",
    label = "the tokens of `{U}` cannot be verified here",
    note = "hand the gate to the router: `.with_state(gate)`; for a state of your own with a field \
            for the gate, write `#[derive(GateState)]`; an `Arc` of it holds the gate too",
    note = "`FromRef` written by hand for the gate is not enough: write it for `Verifier<{U}>` too"
)]
pub trait Holds<U: JwtClaims> {
    /// Returns the verifier of the tokens.
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
    note = "hand the gate to the router: `.with_state(gate)`; for a state of your own with a field \
            for the gate, write `#[derive(GateState)]`; an `Arc` of it holds the gate too"
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

/// Returns the gate of a field.
pub fn held_gate<B: AuthBackend>(gate: &Gate<B>) -> Gate<B> {
    gate.clone()
}

/// Returns the verifier of a field.
pub fn held_verifier<U: JwtClaims>(verifier: &Verifier<U>) -> Verifier<U> {
    verifier.clone()
}

/// Returns the verifier of a gate.
pub fn verifier_of<B: AuthBackend>(gate: &Gate<B>) -> Verifier<B::User> {
    gate.verifier()
}

/// Returns the verifier of a gate under the user type `U`, which must be the gate's.
pub fn verifier_for<U, B>(gate: &Gate<B>) -> Verifier<U>
where
    U: JwtClaims,
    B: AuthBackend<User: Named<U>>,
{
    <B::User as Named<U>>::named(gate.verifier())
}

/// The user type of a backend, as a state names it.
#[diagnostic::on_unimplemented(
    message = "the users of this gate are `{Self}`, not `{U}`",
    label = "this is not the user type of the gate's backend",
    note = "write `#[gate(user = {Self})]`"
)]
pub trait Named<U: JwtClaims>: JwtClaims {
    /// Returns the verifier under the name of the type.
    fn named(verifier: Verifier<Self>) -> Verifier<U>;
}

impl<U: JwtClaims> Named<U> for U {
    fn named(verifier: Verifier<U>) -> Verifier<U> {
        verifier
    }
}
