//! The guards of a router, which are added and removed while tokens are verified.

use std::sync::Arc;

use super::Issuer;
use super::boxed::BoxedGuard;
use super::refused::Refused;
use crate::token::{Expected, JwtClaims, Limits, Sealed, Spelling};

/// The guards of a router at one moment.
pub(super) struct GuardTable<U: JwtClaims> {
    pub(super) guards: Vec<Arc<NamedGuard<U>>>,
    /// The size up to which one of the guards reads tokens.
    pub(super) limits: Limits,
}

/// A guard, and the requirements on the tokens that it verifies.
pub(super) struct NamedGuard<U: JwtClaims> {
    pub(super) name: Arc<str>,
    /// A number that no other guard of the router has or had, so that a token which a removed guard
    /// verified is not taken for one of the guard that replaced it.
    pub(super) number: u64,
    pub(super) expected: Expected,
    pub(super) guard: Box<dyn BoxedGuard<U>>,
    pub(super) refused: Refused,
}

/// An issuer whose tokens another part of the program verifies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OtherIssuer {
    pub(super) name: String,
    /// The realm whose tokens it verifies; `None` if no guard may have the issuer at all.
    pub(super) realm: Option<OtherRealm>,
}

/// The realm of another part of the program: its name, or `None` for the default realm.
pub(super) type OtherRealm = Option<Box<str>>;

impl<U: JwtClaims> NamedGuard<U> {
    pub(super) fn new(name: Arc<str>, number: u64, guard: Box<dyn BoxedGuard<U>>) -> Self {
        Self {
            expected: guard.issuer().expected(&name),
            name,
            number,
            guard,
            refused: Refused::default(),
        }
    }
}

impl<U: JwtClaims> GuardTable<U> {
    pub(super) fn new(guards: Vec<Arc<NamedGuard<U>>>) -> Self {
        let limits = guards.iter().map(|entry| entry.expected.limits);
        Self {
            limits: limits.reduce(Limits::wider).unwrap_or(Limits::DEFAULT),
            guards,
        }
    }

    /// Returns the guard for the issuer and the realm that a token claims. If no guard is for the
    /// realm, it returns one for the issuer, which will refuse the token.
    pub(super) fn for_claimed(&self, sealed: &Sealed<'_>) -> Claimed<'_, U> {
        let Some(origin) = sealed.claimed_origin() else {
            return Claimed::Nothing;
        };
        let mut found: Option<(&Arc<NamedGuard<U>>, Spelling)> = None;
        for entry in &self.guards {
            if let Some(spelling) = entry.expected.spelling(&origin.issuer) {
                let is_of_realm = entry.expected.is_of_realm(origin.realm.as_deref());
                if is_of_realm || found.is_none() {
                    found = Some((entry, spelling));
                }
                if is_of_realm {
                    break;
                }
            }
        }
        match found {
            Some((entry, spelling)) => Claimed::Guard(entry, spelling),
            None => Claimed::Other(origin.issuer),
        }
    }

    /// Returns the guard of this number.
    pub(super) fn by_number(&self, number: u64) -> Option<&Arc<NamedGuard<U>>> {
        self.guards.iter().find(|entry| entry.number == number)
    }

    /// Returns the guard of this name.
    pub(super) fn by_name(&self, name: &str) -> Option<&Arc<NamedGuard<U>>> {
        self.guards.iter().find(|entry| *entry.name == *name)
    }

    /// Returns all problems that prevent adding a guard to the others.
    pub(super) fn problems(&self, new: &NamedGuard<U>, others: &[OtherIssuer]) -> Vec<String> {
        let (name, issuer): (_, &Issuer) = (&new.name, new.guard.issuer());
        let own = issuer.problems().into_iter();
        let mut problems: Vec<String> = own.map(|why| format!("guard `{name}`: {why}")).collect();
        for earlier in &self.guards {
            let other = &earlier.name;
            if other == name {
                problems.push(format!("two guards are called `{name}`"));
            }
            if earlier.expected.overlaps(&new.expected) {
                problems.push(format!(
                    "guards `{other}` and `{name}` both are for the issuer `{issuer}`"
                ));
            }
        }
        let is_taken = |other: &OtherIssuer| {
            let is_of_realm = |realm: &OtherRealm| new.expected.is_of_realm(realm.as_deref());
            new.expected.could_spell(&other.name) && other.realm.as_ref().is_none_or(is_of_realm)
        };
        if others.iter().any(is_taken) {
            problems.push(format!(
                "guard `{name}` is for the issuer `{issuer}`, whose tokens the gate itself verifies"
            ));
        }
        problems
    }
}

/// The guard that belongs to the issuer which a token claims.
pub(super) enum Claimed<'t, U: JwtClaims> {
    Guard(&'t Arc<NamedGuard<U>>, Spelling),
    /// No guard is for this issuer.
    Other(Box<str>),
    /// The token claims no readable issuer.
    Nothing,
}
