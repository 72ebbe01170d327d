//! Policies: the conditions of a route on its caller, as data that macros emit, and the one
//! function that decides.

mod compare;
pub(crate) mod compose;
mod decide;
mod rule;

pub use compare::{Comparable, Number, Text, Truth, claim_holds};
pub use compose::AnyOf;
pub use decide::{Decision, Facts, StepUp, decide};
pub use rule::{Rule, Value};

use crate::settings::Consistency;
use crate::token::JwtClaims;

/// A policy, for any user type to which it can be applied: `#[policy(policy = …)]` takes these
/// alone.
///
/// `#[derive(Policy)]` implements it, and so do tuples of policies and [`AnyOf`] them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a policy",
    label = "this is not a policy",
    note = "a policy is a struct of its own: `#[derive(Policy)] #[policy(role = Role::Admin)] \
            struct Admins;`, then `policy = Admins`; also several, `policy = (Admins, Fresh)`, or \
            one of several, `policy = AnyOf<(Admins, Editors)>`"
)]
pub trait Policy: 'static {}

/// A policy that can be applied to the user type `U`.
///
/// `#[derive(Policy)]` implements it for every user type that has the claims which the policy
/// names.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a policy for `{U}`",
    label = "this cannot be asked of `{U}`",
    note = "derive it: `#[derive(Policy)] #[policy(role = Role::Admin)] struct {Self};`; a policy \
            that says `user = …` is for that type alone"
)]
pub trait PolicyFor<U: JwtClaims>: Policy {
    /// The rule of the policy.
    const RULE: Rule;

    /// The consistency with which a verifier checks the caller's token; `None` if the gate's
    /// setting decides.
    const CONSISTENCY: Option<Consistency> = None;

    /// The least consistency of the check, whatever the gate's setting is: the strictest that a
    /// part of this policy sets.
    #[doc(hidden)]
    const AT_LEAST: Consistency = Consistency::Eventual;
}

/// The policy of a route whose callers need only be signed in.
#[derive(Clone, Copy, Debug)]
pub struct Anyone;

impl Policy for Anyone {}

impl<U: JwtClaims> PolicyFor<U> for Anyone {
    const RULE: Rule = Rule::Anyone;
}

/// A user type whose claims carry roles of the type `R`, so that a policy may ask for one.
#[diagnostic::on_unimplemented(
    message = "a policy asks `{Self}` for a role of type `{R}`, and its claims carry none",
    label = "`{Self}` has no roles of type `{R}`",
    note = "mark the field that holds them: `#[claim(roles)] roles: Vec<{R}>`; a policy asks for a \
            scope with `scope = …`"
)]
pub trait HasRoles<R>: JwtClaims {}

/// A user type whose claims carry scopes of the type `S`, so that a policy may ask for one.
#[diagnostic::on_unimplemented(
    message = "a policy asks `{Self}` for a scope of type `{S}`, and its claims carry none",
    label = "`{Self}` has no scopes of type `{S}`",
    note = "mark the field that holds them: `#[claim(scope)] scope: Vec<{S}>`; a policy asks for a \
            role with `role = …`"
)]
pub trait HasScopes<S>: JwtClaims {}
