//! What a route asks of its caller: data that macros emit, and the one function that decides.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::token::JwtClaims;

/// A condition on the caller. Macros emit it as a constant; [`decide`] reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rule {
    /// Whoever is signed in.
    Anyone,
    /// Has this role.
    Role(&'static str),
    /// Was granted this scope.
    Scope(&'static str),
    /// Proved who they are at most this many seconds ago.
    MaxAge(u64),
    /// All of these hold.
    All(&'static [Rule]),
    /// At least one of these holds.
    Any(&'static [Rule]),
    /// This does not hold.
    Not(&'static Rule),
}

/// What a policy may look at.
pub trait Facts {
    /// Whether the caller has this role.
    fn has_role(&self, role: &str) -> bool;
    /// Whether the caller was granted this scope.
    fn has_scope(&self, scope: &str) -> bool;
    /// When the caller last proved who they are; `None` where the token does not say.
    fn auth_time(&self) -> Option<Timestamp>;
}

/// What became of a rule, from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It holds.
    Allow,
    /// It would hold if the caller had proved more recently who they are: within so many seconds (RFC 9470).
    Stale {
        /// The age that the rule allows, in seconds.
        max_age: u64,
    },
    /// A scope is missing (RFC 6750 section 3.1).
    Scope,
    /// Anything else is missing.
    Deny,
}

/// Decides whether a rule holds for the caller at `now`.
///
/// A refusal names the cheapest remedy: [`Decision::Stale`] only where a fresh authentication alone would satisfy the whole rule.
#[must_use]
pub fn decide(rule: &Rule, facts: &dyn Facts, now: Timestamp) -> Decision {
    if holds(rule, facts, Age::At(now)) {
        return Decision::Allow;
    }
    if let Some(max_age) = tightest_age(rule)
        && holds(rule, facts, Age::Fresh)
    {
        return Decision::Stale { max_age };
    }
    if holds_with_scopes(rule, facts, now) { Decision::Scope } else { Decision::Deny }
}

/// How old the authentication is taken to be.
#[derive(Clone, Copy)]
enum Age {
    At(Timestamp),
    Fresh,
}

fn holds(rule: &Rule, facts: &dyn Facts, age: Age) -> bool {
    match rule {
        Rule::Anyone => true,
        Rule::Role(role) => facts.has_role(role),
        Rule::Scope(scope) => facts.has_scope(scope),
        Rule::MaxAge(secs) => match age {
            Age::Fresh => true,
            Age::At(now) => facts.auth_time().is_some_and(|at| now.since(at) <= Duration::from_secs(*secs)),
        },
        Rule::All(rules) => rules.iter().all(|rule| holds(rule, facts, age)),
        Rule::Any(rules) => rules.iter().any(|rule| holds(rule, facts, age)),
        Rule::Not(rule) => !holds(rule, facts, age),
    }
}

/// Whether the rule would hold with every scope granted that it asks for.
fn holds_with_scopes(rule: &Rule, facts: &dyn Facts, now: Timestamp) -> bool {
    struct Granted<'a>(&'a dyn Facts);
    impl Facts for Granted<'_> {
        fn has_role(&self, role: &str) -> bool {
            self.0.has_role(role)
        }
        fn has_scope(&self, _: &str) -> bool {
            true
        }
        fn auth_time(&self) -> Option<Timestamp> {
            self.0.auth_time()
        }
    }
    holds(rule, &Granted(facts), Age::At(now)) || holds(rule, &Granted(facts), Age::Fresh)
}

fn tightest_age(rule: &Rule) -> Option<u64> {
    match rule {
        Rule::MaxAge(secs) => Some(*secs),
        Rule::All(rules) | Rule::Any(rules) => rules.iter().filter_map(tightest_age).min(),
        Rule::Not(_) | Rule::Anyone | Rule::Role(_) | Rule::Scope(_) => None,
    }
}

/// A policy that can be asked of the user type `U`.
///
/// `#[derive(Policy)]` implements it for every user type that has what the policy asks for.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a policy for `{U}`",
    label = "this cannot be asked of `{U}`",
    note = "derive it: `#[derive(Policy)] #[policy(role = Role::Admin)] struct {Self};`"
)]
pub trait PolicyFor<U: JwtClaims>: 'static {
    /// What it asks for.
    const RULE: Rule;
}

/// The policy of a route that asks for nothing but a signed-in caller.
#[derive(Clone, Copy, Debug)]
pub struct Anyone;

impl<U: JwtClaims> PolicyFor<U> for Anyone {
    const RULE: Rule = Rule::Anyone;
}

/// A user type whose claims carry roles of the type `R`, so that a policy may ask for one.
#[diagnostic::on_unimplemented(
    message = "a policy asks `{Self}` for a role of type `{R}`, and its claims carry none",
    label = "`{Self}` has no roles of type `{R}`",
    note = "mark the field that holds them: `#[claim(roles)] roles: Vec<{R}>`"
)]
pub trait HasRoles<R>: JwtClaims {}

/// A user type whose claims carry scopes of the type `S`, so that a policy may ask for one.
#[diagnostic::on_unimplemented(
    message = "a policy asks `{Self}` for a scope of type `{S}`, and its claims carry none",
    label = "`{Self}` has no scopes of type `{S}`",
    note = "mark the field that holds them: `#[claim(scope)] scope: Vec<{S}>`"
)]
pub trait HasScopes<S>: JwtClaims {}
